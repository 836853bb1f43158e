"""What an event is known by: its id, which is logged, and the key that recognises a redelivery. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping

from ringback.event import Event
from ringback.expressions.answers import find_answer, read_answers
from ringback.expressions.expression import Expression, ExpressionFailed, is_true
from ringback.expressions.path import drop_paths
from ringback.leads.element import text_of
from ringback.leads.lead import IDS, MATCH_FIELDS
from ringback.leads.telling import find_core, is_random, shares_digits
from ringback.secret import Secret
from ringback.settings import AnswerPlace, Place, Settings, Source, split_place
from ringback.verification.arrival import Arrival, Seen

SAME_STOP = 300  # seconds within which the same stop is a redelivery; to do one again is harmless


def read_id(value: object) -> str | None:
    """Return an event's id as text; None for what is none."""
    value = text_of(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip() or None


def name_event(event_id: str, context: Mapping[str, object], source: Source, settings: Settings) -> str:
    """Return what an event's id is in the log.

    It is the id itself if a machine has made it, and it has no digits of the person in it; else its keyed hash.
    """
    core = find_core(event_id, source.phone_region or settings.phone_region)
    # What `map` finds takes long to be found, in a form's answers, and a UUID has nothing of it.
    is_told = core is not None and (is_random(core) or not tells_person(core, context, source))
    return event_id if is_told else hash_id(event_id, settings.log_key)


def hash_id(text: str, key: Secret) -> str:
    """Return what an event is known by whose own id must not be logged."""
    return key.hash(text)[:32]


def tells_person(event_id: str, context: Mapping[str, object], source: Source) -> bool:
    """Return whether digits of what ``map`` finds are in an id; True too where that can't be worked out."""
    try:
        return shares_digits(event_id, find_personal(context, source))
    except ExpressionFailed:
        return True


def find_personal(context: Mapping[str, object], source: Source) -> Iterator[object]:
    """Yield what ``map`` finds of a person. Raises ExpressionFailed."""
    places = [single for name, place in source.map.items() if name not in IDS for single in split_place(place)]
    answers = read_answers(source.answers, context) if source.answers else []
    for place in places:
        yield find_answer(answers, place.by, place.text) if isinstance(place, AnswerPlace) else place.search(context)


def make_event(  # noqa: PLR0913 - an event is made of all that is known of it
    data: object,
    arrival: Arrival,
    source: Source,
    key: Secret,
    *,
    name: str | None = None,
    signed_id: str | None = None,
    problem: Mapping[str, str] | None = None,
) -> Event:
    """Return the event, with its id (``name``, else a hash of source and event), and the key that knows a redelivery.

    Both hashes are under ``key``. That of a redelivery is made of the ``signed_id``: under other ids a captured request
    would be other events.
    """
    content = drop_paths(data, source.volatile)
    besides = [*find_besides(data, arrival.seen, source)]
    if source.action == "stop":  # who says it once more may have been put back to be called meanwhile
        besides.append(int(arrival.at.timestamp() // SAME_STOP))
    return Event(
        source=source.name,
        id=name or hash_content(key, source.name, content),
        key=hash_content(key, source.name, signed_id, content, *besides),
        data=data,
        received_at=arrival.at,
        identified=signed_id is not None,
        request=arrival.seen,
        problem=problem or {},
        trace=arrival.trace,
    )


def find_signed_id(event_id: str | None, data: Mapping[str, object], arrival: Arrival, source: Source) -> str | None:
    """Return the id of an event as far as its sender has signed it: nothing of one in a header that is not signed.

    With a token nothing is signed at all, so the id stays.
    """
    if source.event_id is None or not source.event_id.reads:
        return event_id
    [found] = search_request([source.event_id], arrival.surround(data, arrival.signed))
    return read_id(found)


def find_besides(data: object, request: Seen, source: Source) -> Iterator[object]:
    """Yield the request's values, beside the event, on which person and campaign depend: others make another event.

    Of a rule counts only whether it holds, not the value that made it hold.
    """
    context = {**(data if isinstance(data, Mapping) else {}), "_request": request}  # without its time, which differs
    yield from map(is_true, search_request([*source.when, *(route.when for route in source.routes)], context))
    who = (source.map.get(name) for name in ("customer_id", *MATCH_FIELDS))
    consent = source.consent.place if source.consent else None
    yield from search_request([*source.do_not_call, consent, *who], context)


def search_request(places: Iterable[Place | None], context: Mapping[str, object]) -> Iterator[object]:
    """Yield the value of each place that is in the request; None where it can't be worked out."""
    for place in (each for several in places if several is not None for each in split_place(several)):
        if isinstance(place, Expression) and place.reads:
            try:
                yield place.search(context)
            except ExpressionFailed:
                yield None


def hash_content(key: Secret, *content: object) -> str:
    """Return 32 hex digits that are equal for equal content under one key, whatever the order of its keys."""
    return key.hash(json.dumps(content, sort_keys=True, separators=(",", ":"), default=str))[:32]
