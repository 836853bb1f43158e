"""What `ringback check` says beyond mistakes: what is allowed, and may still be regretted. Pure."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from typing import NamedTuple

from ringback.expressions.expression import Expression
from ringback.grammar.names import PLACEHOLDER
from ringback.leads.lead import MATCH_FIELDS, STATUS_FIELDS
from ringback.limits import UNLIMITED
from ringback.secret import Secret
from ringback.settings import AnswerPlace, Fetch, Settings, Single, Source, split_place
from ringback.verification.scheme import Hmac, Jws, Scheme, needs_url

LONG_ENOUGH = 16  # characters; a shorter secret can be guessed in time
BOTH = "status_id and dictionary_status_id are both given; Thulium documents no order of precedence: keep one"
COLD_START = 2.0  # seconds that a function may take on a cloud before it has read its first request
SECRET_ENDS_SOON = timedelta(days=14)
VERSION_ENDS_SOON = timedelta(days=92)  # three months
SHORT = f"shorter than {LONG_ENOUGH} characters; make it longer where the sender lets you"
UNSIGNED = (
    "is read from a part of the request that the sender does not sign: with one captured request any other person can "
    "be called; have the sender put it into the body"
)
NO_LIMITS = (
    "switched off: anyone who has the URL can have any number of people called; leave the key out, or write numbers "
    "that you never reach, as in {per_hour: 1000, per_day: 5000}"
)
REPLAYED = (
    "requeues, and the signature has no timestamp: a captured request can be sent again when it is not remembered any "
    "more, and its person is called once more; write `on_existing: keep`, or use a sender that signs a timestamp"
)


class Weight(Enum):
    """How much a note matters: good to know, a mistake with ``--strict``, or a mistake in any case."""

    ADVICE = "advice"
    STRICT = "strict"
    MISTAKE = "mistake"


class Note(NamedTuple):
    """What is worth knowing: the path, and what is the matter with the way out."""

    path: str
    text: str
    weight: Weight = Weight.ADVICE


def list_sources(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Yield rows that tell the sources: where each is received, its preset, campaigns, limits and queue."""
    yield "receives", "preset", "campaign", "limits", "queue"
    queue = "none" if settings.queue is None else settings.queue.partition(":")[0]
    for source in settings.sources.values():
        names = [route.to.title for route in source.routes]
        yield f"POST /{source.name}", source.preset or "-", ", ".join(names), tell_limits(source, settings), queue


def tell_limits(source: Source, settings: Settings) -> str:
    """Return the limits of a source as text: "300 an hour, 2000 a day", and whether each process counts alone."""
    limits = {"an hour": source.limits.per_hour, "a day": source.limits.per_day}
    told = ", ".join(f"{limit} {period}" for period, limit in limits.items() if limit)
    is_shared = settings.counts or (settings.queue or "").startswith("sqlite:")
    return f"{told}{'' if is_shared else ' (each process)'}" if told else "-"


def advise(settings: Settings, now: datetime) -> Iterator[Note]:
    """Yield what is worth knowing at ``now`` (aware) of a configuration without mistakes."""
    yield from _advise_on_log(settings)
    yield from _advise_on_statuses(settings)
    for source in settings.sources.values():
        path = f"sources.{source.name}"
        yield from (Note(path, text) for text in _advise_on_sender(source, settings))
        yield from (Note(path, text) for text in _advise_on_leads(source, settings))
        notes = (*_advise_on_proof(source, now), *_advise_on_limits(source), *_advise_on_versions(source, now))
        yield from (Note(f"{path}.{key}", text, weight) for key, text, weight in notes)


def _advise_on_log(settings: Settings) -> Iterator[Note]:
    if _is_short(settings.log_key):
        text = f"short: with fewer than {LONG_ENOUGH} characters the log's hashes can be turned back into numbers"
        yield Note("log_key", text, Weight.STRICT)


def _advise_on_statuses(settings: Settings) -> Iterator[Note]:
    for campaign in settings.campaigns.values():
        for key, given in (("set", campaign.set), ("later", campaign.later), ("stop", campaign.stop)):
            if given.keys() >= STATUS_FIELDS:
                yield Note(f"campaigns.{campaign.name}.{key}", BOTH)
    for source in settings.sources.values():
        own = {*source.set, *source.map} & STATUS_FIELDS if source.action == "lead" else set()
        if own and any(own | route.to.set.keys() >= STATUS_FIELDS for route in source.routes):
            yield Note(f"sources.{source.name}.{'set' if own & source.set.keys() else 'map'}", BOTH)


def _advise_on_sender(source: Source, settings: Settings) -> Iterator[str]:
    sender = source.preset or source.name
    if source.retries is False and settings.queue is None:
        yield f"{sender} never sends again: without a queue its leads are lost when Thulium is down; name a `queue`"
    if source.answer_within < COLD_START and not (settings.queue or "").startswith("sqlite:"):
        yield (
            f"{sender} waits {source.answer_within:g} s for an answer, which a function on a cloud that has to be "
            "started first may miss; keep one instance running"
        )
    if source.evidence == "described":
        yield (
            f"what is known of {sender} is neither its vendor's word nor seen in its requests; "
            "look at a real one first, with `ringback serve --capture DIR`"
        )


def _advise_on_leads(source: Source, settings: Settings) -> Iterator[str]:
    if source.consent is None and source.action == "lead":
        yield "no `consent`: nobody is asked whether they may be called; say where the answer is in the event"
    if source.consent and isinstance(source.consent.place, AnswerPlace) and source.consent.place.by == "type":
        yield (
            "`consent` is looked for by its type: should a form leave out a box that is not ticked, another one of "
            "this type would be taken for it; name it by its label, ref or id"
        )
    if source.public and "email" in source.map and source.action == "lead" and source.customer.new_number == "add":
        yield (
            "a visitor who types another person's e-mail address puts their own number onto that customer's card; "
            "`customer: {new_number: separate}` makes a customer of their own of them"
        )
    if not {"customer_id", *MATCH_FIELDS} & {*source.map, *source.set}:
        yield "no lead can be made: one needs a phone_number, an email, an identifier or a customer_id in `map`"
    if source.action == "stop" and source.customer.on_missing == "fail":
        yield "`on_missing: fail`: nothing is kept of a stranger's stop, and a later lead of theirs is called"
    if settings.queue is None and _requeues(source):
        yield "without a queue a redelivery after a restart puts a record back to be called again; name a `queue`"
    creating = [other.name for other in settings.sources.values() if other is not source and _creates(other)]
    if source.echoes and creating:
        yield (
            f"it also comes for the customers that {', '.join(creating)} creates, who would be called through both; "
            "give it a campaign of its own, or a `when` that tells them apart"
        )


def _creates(source: Source) -> bool:
    """Return whether a source may create customers."""
    return source.customer.on_missing == "create" and any(name in MATCH_FIELDS for name in (*source.map, *source.set))


def _advise_on_proof(source: Source, now: datetime) -> Iterator[Note]:
    if source.is_open:
        text = "none: whoever knows the URL can have people called; prefer a preset or scheme with a secret"
        yield Note("verify", text)
    if _requeues(source) and any(map(_has_no_time, source.verify)):
        yield Note("campaign", REPLAYED)
    for name in ("customer_id", *MATCH_FIELDS):
        places = split_place(source.map[name]) if name in source.map else ()
        if any(_is_unsigned(place, scheme) for place in places for scheme in source.verify):
            yield Note(f"map.{name}", UNSIGNED)
    for key, secrets in (("secret", source.secrets), ("token", source.tokens), ("verify_token", source.verify_tokens)):
        is_backed = key == "secret" and source.tokens  # a sender has to know both, so one may be short
        if any(map(_is_short, secrets)) and not is_backed:
            yield Note(key, SHORT, Weight.STRICT)
        ends = [secret.until for secret in secrets if secret.until]
        if ends and len(ends) == len(secrets):
            yield from _tell_end(key, max(ends), SECRET_ENDS_SOON, now, "all that is sent is refused; give another one")


def _advise_on_limits(source: Source) -> Iterator[Note]:
    if source.is_proven_by_url and source.action == "lead" and source.limits == UNLIMITED:
        yield Note("limits", NO_LIMITS)


def _is_unsigned(place: Single, scheme: Scheme) -> bool:
    """Return whether a place is in a part of a request which a scheme leaves out of what it signs."""
    if not isinstance(place, Expression) or not isinstance(scheme, Hmac | Jws):
        return False
    parts = {part[0] for part in place.reads}
    return "headers" in parts or ("query" in parts and not needs_url(scheme))


def _has_no_time(scheme: Scheme) -> bool:
    """Return whether a scheme signs a request, and not when."""
    return isinstance(scheme, Jws) or (isinstance(scheme, Hmac) and scheme.timestamp is None)


def _advise_on_versions(source: Source, now: datetime) -> Iterator[Note]:
    for version, end in source.ends.items():
        if source.fetch and _asks_for(version, source.fetch):
            text = f"the sender's API refuses version {version}; write a newer one"
            yield from _tell_end("fetch", end, VERSION_ENDS_SOON, now, text)


def _tell_end(key: str, end: date, soon: timedelta, now: datetime, text: str) -> Iterator[Note]:
    """Yield what is wrong from the day ``end`` on (UTC): as a mistake then, and ``soon`` before as what is to come."""
    today = now.astimezone(UTC).date()
    if today >= end - soon:
        yield Note(key, f"from {end} on {text}", Weight.MISTAKE if today >= end else Weight.ADVICE)


def _asks_for(version: str, fetch: Fetch) -> bool:
    """Return whether a version of the sender's API is what is fetched: in the URL's path, or in a header."""
    return version in fetch.url.split("/") or any(secret.text == version for secret in fetch.headers.values())


def _requeues(source: Source) -> bool:
    return source.action == "lead" and any(route.to.on_existing == "requeue" for route in source.routes)


def _is_short(secret: Secret) -> bool:
    return len(secret.text) < LONG_ENOUGH and not PLACEHOLDER.search(secret.text)
