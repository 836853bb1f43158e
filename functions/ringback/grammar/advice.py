"""What `ringback check` says beyond mistakes: what is allowed, and may still be regretted. Pure.

Each is a pair: the path, and what is the matter with the way out.
"""

from collections.abc import Iterator

from ringback.grammar.names import PLACEHOLDER
from ringback.leads.lead import MATCH_FIELDS, STATUS_FIELDS
from ringback.settings import AnswerPlace, Settings, Source

SHORTEST = 16  # characters; a secret of fewer can be guessed by whoever tries for long enough
BOTH = "status_id and dictionary_status_id are both given; Thulium documents no order of precedence: keep one"
COLD_START = 2.0  # seconds that a function may take on a cloud before it has read its first request

Note = tuple[str, str]


def list_sources(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Yield rows that tell the sources: where each is received, its preset, where its leads go, and through what."""
    yield "receives", "preset", "campaign", "queue"
    queue = "none" if settings.queue is None else settings.queue.partition(":")[0]
    for source in settings.sources.values():
        names = [route.to.title for route in source.routes]
        yield f"POST /{source.name}", source.preset or "-", ", ".join(names), queue


def advise(settings: Settings) -> Iterator[Note]:
    """Yield what is worth knowing of a configuration without mistakes."""
    yield from _advise_on_log(settings)
    yield from _advise_on_statuses(settings)
    for source in settings.sources.values():
        path = f"sources.{source.name}"
        yield from ((path, text) for text in _advise_on_sender(source, settings))
        yield from ((path, text) for text in _advise_on_leads(source, settings))
        yield from ((f"{path}.{key}", text) for key, text in _advise_on_proof(source))


def _advise_on_log(settings: Settings) -> Iterator[Note]:
    if settings.log_key is None:
        yield "log_key", "missing: nobody is recognised in the log, and `ringback trace --phone` finds nobody"
    elif _is_short(settings.log_key.text):
        yield (
            "log_key",
            f"short: with fewer than {SHORTEST} characters the log's hashes can be turned back into numbers",
        )


def _advise_on_statuses(settings: Settings) -> Iterator[Note]:
    for campaign in settings.campaigns.values():
        for key, given in (("set", campaign.set), ("later", campaign.later), ("stop", campaign.stop)):
            if given.keys() >= STATUS_FIELDS:
                yield f"campaigns.{campaign.name}.{key}", BOTH
    for source in settings.sources.values():
        own = {*source.set, *source.map} & STATUS_FIELDS if source.action == "lead" else set()
        if own and any(own | route.to.set.keys() >= STATUS_FIELDS for route in source.routes):
            yield f"sources.{source.name}.{'set' if own & source.set.keys() else 'map'}", BOTH


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
    if settings.queue is None and any(route.to.on_existing == "requeue" for route in source.routes):
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


def _advise_on_proof(source: Source) -> Iterator[Note]:
    if source.is_open:
        yield "verify", "none: whoever knows the URL can have people called; prefer a preset or scheme with a secret"
    if any(_is_short(secret.text) for secret in source.secrets):
        yield "secret", f"shorter than {SHORTEST} characters; make it longer where the sender lets you"
    yield from ((key, f"missing: {why}") for key, why in source.wants.items())
    if any(_is_short(token.text) for token in source.tokens):
        yield "token", f"shorter than {SHORTEST} characters; make up a longer one"


def _is_short(secret: str) -> bool:
    return len(secret) < SHORTEST and not PLACEHOLDER.search(secret)
