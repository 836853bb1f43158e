"""A request walked up to its leads, as text for people: what would go to Thulium, or which field is at fault and why.

Nothing is called. The sender is not verified, since a body that was kept has no signature that still holds.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from ringback.delivery.fetch import find
from ringback.errors import BadSignature
from ringback.event import Event
from ringback.expressions.expression import ExpressionFailed
from ringback.intake import cut_events, open_up
from ringback.leads.consent import is_yes
from ringback.leads.lead_schema import list_values
from ringback.leads.phone import BadNumber, read_number
from ringback.lookup import look_into, name_place
from ringback.mapping import Assignment, Mapper
from ringback.outcome import Outcome, Status
from ringback.reports.columns import align
from ringback.reports.places import list_places
from ringback.reports.plan import Call, plan_calls
from ringback.settings import AnswerPlace, Settings, Source
from ringback.thulium.url import PLACEHOLDER
from ringback.verification.arrival import arrive
from ringback.verification.handshake import answer_handshake
from ringback.verification.scheme import choose
from ringback.web import Request

NO_EVENT = "No event is in it that could be a lead: it would be answered 200, and nothing done. In the body:"
KNOWN_BY_CONTENT = " (it has no id of its own, or one that is not signed: it is known by its content)"


@dataclass(frozen=True)
class Preview:
    """What a request comes to, as lines for people; one with an event of which no lead can be made is not good."""

    lines: tuple[str, ...]
    is_good: bool = True


def walk(request: Request, source: Source, settings: Settings, now: datetime) -> Preview:
    """Return what a request to ``source`` would come to. Raises RefusedRequest for a body that can't be read."""
    if is_handshake(request, source):
        return Preview(("This is a question of the sender's, which is answered; no event.",))
    body, bare = open_up(request, source)
    arrival = arrive(bare, body, choose(source.verify, request), now, source.reads)
    events = cut_events(arrival, source, settings)
    if not events:
        return Preview((NO_EVENT, "", *(f"  {line}" for line in list_places(body, None, read_in(settings)))))
    mapper = Mapper(settings)
    parts = [(event, mapper.map(event, now)) for event in events]
    lines = [
        line for n, (event, result) in enumerate(parts, 1) for line in _tell(n, len(parts), event, result, settings)
    ]
    return Preview(tuple(lines), not any(_is_invalid(result) for _, result in parts))


def is_handshake(request: Request, source: Source) -> bool:
    """Return whether the sender asks something with this request, instead of telling of an event."""
    try:
        return bool(
            answer_handshake(source.handshake, request, secrets=source.secrets, verify_tokens=source.verify_tokens)
        )
    except BadSignature:
        return True


def _is_invalid(result: Assignment | Outcome) -> bool:
    return isinstance(result, Outcome) and result.status is Status.INVALID


def _tell(n: int, count: int, event: Event, result: Assignment | Outcome, settings: Settings) -> Iterator[str]:
    source = settings.sources[event.source]
    yield f"event {n} of {count}: {event.id}{'' if event.identified else KNOWN_BY_CONTENT}"
    yield ""
    yield "  in it, for `map:`"
    yield from (f"    {line}" for line in list_places(event.data, source.answers, read_in(settings)))
    yield ""
    if source.fetch:
        yield f"  fetched first, but not here: {describe_fetch(source.fetch.url, event.data)}"
        yield "  what follows is made of what the event itself has"
        yield ""
    yield from _tell_outcome(result) if isinstance(result, Outcome) else _tell_lead(result, settings)
    if isinstance(result, Outcome) and result.status is Status.SKIPPED:
        yield from _tell_consent(event, source)
    yield ""


def read_in(settings: Settings) -> Callable[[str], bool]:
    """Return the function that says whether a text is a number that may be called."""

    def is_number(text: str) -> bool:
        try:
            return bool(read_number(text, settings.phone_region, settings.countries))
        except BadNumber:
            return False

    return is_number


def describe_fetch(url: str, data: object) -> str:
    """Return a URL's host and the values of its placeholders; the rest of it may hold a secret, and is not shown."""
    values = {path: find(data, path) for path in PLACEHOLDER.findall(url)}
    told = [f"{path} {'(missing)' if value is None else value}" for path, value in values.items()]
    return ", ".join([f"from {urlsplit(url).hostname}", *told])


def _tell_outcome(outcome: Outcome) -> Iterator[str]:
    if outcome.status is not Status.INVALID:
        yield f"  {outcome.status}: {outcome.reason}"
        return
    yield "  INVALID: no lead can be made of it"
    yield from align(list(outcome.fields.items()), indent=4)


def _tell_consent(event: Event, source: Source) -> Iterator[str]:
    """Yield the answer in which a consent was looked for, if it is no yes, and how it could become one."""
    if source.consent is None or not isinstance(event.data, Mapping):
        return
    try:
        answer = look_into(event.data, event, source)(source.consent.place)
    except ExpressionFailed:  # another rule has ended the event before
        return
    if is_yes(answer, source.consent.yes):
        return
    where, told = name_place(source.consent.place).removeprefix("every "), list_values(answer)
    if not told:
        yield f"    `consent` was looked for in `{where}`, where nothing is"
        return
    wanted = " or ".join(map(json_text, source.consent.yes)) or "a yes (true, 1, yes, tak ...)"
    yield f"    `consent` was looked for in `{where}`, which has {', '.join(map(json_text, told))}: not {wanted}"
    if isinstance(source.consent.place, AnswerPlace):
        yield f"    if that is a yes of this form: `consent: {{{where}, is: {json_text(told[0])}}}`"


def json_text(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False)


def _tell_lead(assignment: Assignment, settings: Settings) -> Iterator[str]:
    lead, campaigns = assignment.lead, assignment.campaigns
    known = {} if lead.customer_id is None else {"customer_id": lead.customer_id}
    yield "  the person to stop calling" if assignment.source.action == "stop" else "  the lead"
    yield from align(
        [(name, _show(value)) for name, value in {**known, **lead.customer, **lead.record}.items()], indent=4
    )
    yield from (f"    {note}" for note in lead.notes)
    yield ""
    yield f"  campaign {', '.join(each.title for each in campaigns)}"
    yield ""
    yield "  would go to Thulium"
    yield from _tell_calls(list(plan_calls(assignment, settings)), settings.thulium.url)


def _tell_calls(calls: Sequence[Call], url: str) -> Iterator[str]:
    for call in calls:
        condition = f"   # {call.when}" if call.when else ""
        yield f"    {call.method} {url.rstrip('/')}/api/{call.path}{condition}"
        if call.body is not None:
            yield f"    {json.dumps(call.body, ensure_ascii=False, separators=(',', ':'))}"


def _show(value: object) -> str:
    return value if isinstance(value, str) else json_text(value)
