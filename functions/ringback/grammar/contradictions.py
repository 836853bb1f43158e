"""Mistakes between keys of a source that are good alone."""

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from ringback.settings import AnswerPlace, Campaign, Place, Source
from ringback.verification.scheme import Hmac, Jws, needs_url
from ringback.verification.signature import secret_problem

OLD_ONLY = ", or write `accept_old: true` beside `verify` if the sender can do no other"
WEAKER = (
    "one scheme of the list proves less than another, and by leaving a header out a request would choose it: take it "
    "away, or say in it why it is taken: `instead: <the reason>`"
)


def find_contradictions(source: Source, public_url: str, bad: AbstractSet[str]) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of each mistake between keys of a source that are good alone.

    Of a key in ``bad`` nothing is known, so nothing is said that would take it into account.
    """
    for keys, found in (
        ({"secret"}, find_missing_secret(source)),
        ({"verify", "secret"}, find_secret_mistakes(source)),
        ({"verify"}, find_url_mistakes(source, public_url)),
        ({"verify", "accept_old"}, find_weak_schemes(source)),
        ({"verify", "methods"}, find_unsigned_queries(source)),
        ({"campaign", "action"}, find_idle_routes(source)),
        ({"map", "set"}, find_missing_fields(source)),
        ({"map", "answers"}, find_idle_labels(source, "map", source.map.values())),
        ({"consent", "answers"}, find_idle_labels(source, "consent", [source.consent])),
        ({"campaign", "action", "set", "map"}, find_status_mistakes(source)),
    ):
        if not bad & keys:
            yield from found


def find_url_mistakes(source: Source, public_url: str) -> Iterator[tuple[str, str]]:
    """Yield that nobody knows the URL that a sender signs."""
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


def find_idle_routes(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that routes are never come to."""
    if source.action == "lead" and any(route.when is None for route in source.routes[:-1]):
        yield "campaign", "one before the last takes all leads; give it a `when`, or leave out those after it"


def find_missing_fields(source: Source) -> Iterator[tuple[str, str]]:
    """Yield that a source's leads have no field at all."""
    if not source.map and not source.set:
        yield "map", "missing; say where the lead's fields are in the event"


def find_idle_labels(source: Source, key: str, places: Iterable[Place | None]) -> Iterator[tuple[str, str]]:
    """Yield that answers are looked for where there are none."""
    if source.answers is None and any(isinstance(place, AnswerPlace) for place in places):
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
    """Yield what a source and its campaigns lack together, or have twice."""
    for route in source.routes:
        yield from find_route_mistakes(source, route.to)


def find_route_mistakes(source: Source, campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Yield what a source and one of its campaigns lack together, or have twice."""
    if source.action == "stop" and not campaign.stop:
        yield "campaign", f"campaign {campaign.name} has no `stop: {{status_id: ...}}`, nor is there one at the top"
    given = {*campaign.set, *source.set, *source.map}
    statuses = {"status_id", "dictionary_status_id"} & given
    if source.action == "lead" and campaign.on_existing == "requeue" and not statuses:
        yield "campaign", f"campaign {campaign.name} requeues, which takes a status: give it `set: {{status_id: ...}}`"
    if source.action == "lead" and len(statuses) > 1:
        yield "set", "both status_id and dictionary_status_id are given; Thulium takes one"
