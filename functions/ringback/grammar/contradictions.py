"""Mistakes between keys of a source or a campaign that are good alone."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from ringback.expressions.expression import Expression
from ringback.leads.lead import STATUS_FIELDS
from ringback.limits import UNLIMITED
from ringback.settings import AnswerPlace, Campaign, Place, Source, split_place
from ringback.verification.scheme import Hmac, Jws, list_proofs, needs_url
from ringback.verification.signature import secret_problem

NEXT_CALL = "next_call_date"
CREDENTIALS = {
    ("query", "token"),
    *(("headers", name) for name in ("authorization", "proxy-authorization", "cookie", "x-api-key", "x-auth-token")),
}
OLD_ONLY = ", or write `accept_old: true` beside `verify` if the sender can do no other"
WEAKER = (
    "one scheme of the list proves less than another, and by leaving a header out a request would choose it: take it "
    "away, or say in it why it is taken: `instead: <the reason>`"
)


def find_contradictions(
    source: Source, public_url: str, countries: AbstractSet[str] | None, bad: AbstractSet[str]
) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of each mistake between keys of a source that are good alone.

    Of a key in ``bad`` nothing is known, so nothing is said that would take it into account.
    """
    for keys, found in (
        ({"secret"}, find_missing_secret(source)),
        ({"verify", "secret"}, find_secret_mistakes(source)),
        ({"verify"}, find_url_mistakes(source, public_url)),
        ({"verify", "accept_old"}, find_weak_schemes(source)),
        ({"verify", "methods"}, find_unsigned_queries(source)),
        ({"verify"}, find_read_proofs(source)),
        ({"campaign", "action"}, find_idle_routes(source)),
        ({"limits", "action"}, find_idle_limits(source)),
        ({"map", "set"}, find_missing_fields(source)),
        ({"phone_region"}, find_idle_region(source, countries)),
        ({"map", "answers"}, find_idle_labels(source, "map", source.map.values())),
        ({"consent", "answers"}, find_idle_labels(source, "consent", [source.consent.place] if source.consent else [])),
        ({"campaign", "action", "set", "map"}, find_status_mistakes(source)),
    ):
        if not bad & keys:
            yield from found


def find_url_mistakes(source: Source, public_url: str) -> Iterator[tuple[str, str]]:
    """Yield that the URL that a sender signs is not known."""
    if any(map(needs_url, source.verify)) and not public_url:
        yield (
            "verify",
            "the URL is part of what is signed: write at the top `public_url: https://...`, as senders call it",
        )


def find_weak_schemes(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that a source takes a proof that is none, or one that is weaker than another which it has as well."""
    if source.accept_old:
        return
    if any(isinstance(scheme, Hmac) and scheme.is_extendable for scheme in source.verify):
        yield "verify", "keyed: false: from one signature that is seen others can be made; use keyed: true" + OLD_ONLY
    strongest = max((scheme.strength for scheme in source.verify), default=0)
    if any(scheme.strength < strongest and not scheme.instead for scheme in source.verify):
        yield "verify", WEAKER


def find_unsigned_queries(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that a source takes events from a query which its sender does not sign, though it signs."""
    signing = [scheme for scheme in source.verify if isinstance(scheme, Hmac | Jws)]
    if "GET" in source.methods and not all(map(needs_url, signing)):
        yield (
            "methods",
            "a GET's event is its query, which is not signed; take POST, or a scheme that signs {url}",
        )


def find_read_proofs(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that a rule reads a credential: none is kept with an event."""
    proofs = CREDENTIALS | list_proofs(source.verify)
    for key, places in source.rules.items():
        expressions = (place for place in places if isinstance(place, Expression))
        for part, name in sorted(proofs & {part for each in expressions for part in each.reads}):
            yield key, f"`_request.{part}` has a credential under {name}, which no rule can read: take that away"


def find_idle_routes(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that routes are never come to."""
    if source.action == "lead" and any(route.when is None for route in source.routes[:-1]):
        yield "campaign", "one before the last takes all leads; give it a `when`, or leave out those after it"


def find_idle_limits(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that opt-outs are limited, which they never are."""
    if source.action == "stop" and source.limits != UNLIMITED:
        yield "limits", "an opt-out is never parked for its number; leave them out"


def find_missing_fields(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that a source's leads have no field at all."""
    if not source.map and not source.set:
        yield "map", "missing; say where the lead's fields are in the event"


def find_idle_region(source: Source, countries: AbstractSet[str] | None) -> Iterator[tuple[str, str]]:
    """Yield that the numbers of a source's own region are none of those that may be called."""
    if source.phone_region and countries is not None and source.phone_region not in countries:
        both = ", ".join([*sorted(countries), source.phone_region])
        yield "phone_region", f"numbers of {source.phone_region} are not called; write at the top `countries: [{both}]`"


def find_idle_labels(source: Source, key: str, places: Iterable[Place]) -> Iterator[tuple[str, str]]:
    """Yield that answers are looked for where there are none."""
    singles = [single for place in places for single in split_place(place)]
    if source.answers is None and any(isinstance(single, AnswerPlace) for single in singles):
        yield key, "{label: ...} is for senders whose answers are known; this is none, write an expression"


def find_missing_secret(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that a source whose sender is to prove itself has no secret."""
    if source.verify and not source.secrets:
        yield "secret", "missing; without one nobody could be told from anybody"


def find_secret_mistakes(source: Source) -> Iterator[tuple[str, str]]:
    """Yield why a source's secrets can't be what its first scheme takes."""
    problems = (secret_problem(source.verify[0], secret) for secret in source.secrets if source.verify)
    yield from (("secret", f"it {problem}") for problem in problems if problem)


def find_status_mistakes(source: Source) -> Iterator[tuple[str, str]]:
    """Yield what a source and its campaigns lack together."""
    for route in source.routes:
        yield from find_route_mistakes(source, route.to)


def find_route_mistakes(source: Source, campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Yield what a source and one of its campaigns lack together."""
    if source.action == "stop" and not campaign.stop:
        yield "campaign", f"campaign {campaign.name} has no `stop: {{status_id: ...}}`, nor is there one at the top"
    has_status = STATUS_FIELDS & {*campaign.set, *source.set, *source.map}
    if source.action == "lead" and campaign.on_existing == "requeue" and not has_status:
        yield "campaign", f"campaign {campaign.name} requeues, which takes a status: give it `set: {{status_id: ...}}`"


def find_campaign_contradictions(campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of each mistake between keys of a campaign that are good alone."""
    keys = {"`call_hours`": campaign.call_hours, f"`{NEXT_CALL}` in `set`": NEXT_CALL in campaign.set}
    dated_by = [told for told, is_there in keys.items() if is_there]
    if dated_by and not campaign.later:
        yield "later", f"missing: {tell_missing_later(dated_by)}"


def find_dates(source: Source) -> list[str]:
    """Return which of a source's keys say when its leads are to be called."""
    if source.action == "stop":
        return []
    keys = [key for key, fields in (("map", source.map), ("set", source.set)) if NEXT_CALL in fields]
    return [f"`{NEXT_CALL}` in `{key}` of source {source.name}" for key in keys]


def tell_missing_later(dated_by: Iterable[str], way_out: str = "write") -> str:
    """Return why a campaign needs a ``later`` whose records get a date by some keys, and how it gets one."""
    return (
        f"{' and '.join(dated_by)} can put a call off, and Thulium waits for a record's date only if its status says "
        f"so; {way_out} `later: {{status_id: N}}`, N being a status of the kind CALL_NO_SOONER_THAN"
    )
