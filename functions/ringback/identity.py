"""What an event is known by: its id, which is logged, and the key that recognises a redelivery. Pure."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

from ringback.event import Event
from ringback.expressions.answers import find_answer, read_answers
from ringback.expressions.expression import Expression, ExpressionFailed, is_true
from ringback.expressions.path import drop_paths
from ringback.leads.element import text_of
from ringback.leads.lead import MATCH_FIELDS
from ringback.secret import Secret
from ringback.settings import AnswerPlace, Place, Source, split_place
from ringback.verification.arrival import Arrival, Seen

PERSONAL = ("phone_number", "full_name", "name", "surname")
SHORTEST_NUMBER = 7  # digits
SHORTEST_NAME = 3  # letters
SAME_STOP = 300  # seconds within which the same stop is a redelivery; to do one again is harmless
LONGEST_ID = 200  # characters; longer ones are hashed
# The platforms' ids of a request, each in its own form: whoever calls may write into these headers what they like.
# https://www.w3.org/TR/trace-context/, https://cloud.google.com/trace/docs/trace-context, and
# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
TRACES = {
    "traceparent": re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
    "x-cloud-trace-context": re.compile("[0-9a-f]{32}"),
    "x-amzn-trace-id": re.compile("Root=1-[0-9a-f]{8}-[0-9a-f]{24}"),
}


def name_event(event_id: object, context: Mapping[str, object], source: Source, key: Secret | None) -> str | None:
    """Return an event's id as text that may be logged; None where there is none.

    What may be an address or a number, or has the number or the name of whom it is about in it, is hashed, under
    ``key`` if there is one: else who has the log may try all numbers until one fits.
    """
    event_id = text_of(event_id)
    if isinstance(event_id, bool) or not isinstance(event_id, str | int | float) or not str(event_id).strip():
        return None
    text = str(int(event_id) if isinstance(event_id, float) and event_id.is_integer() else event_id).strip()
    is_plain = len(text) <= LONGEST_ID and text.isprintable() and "@" not in unquote(text) and text[0] != "+"
    if is_plain and not tells_person(text, context, source):
        return text
    return hash_id(text, key)


def hash_id(text: str, key: Secret | None) -> str:
    """Return what an event is known by whose own id must not be logged."""
    return hash_content(text) if key is None else key.hash(text)[:32]


def tells_person(event_id: str, context: Mapping[str, object], source: Source) -> bool:
    """Return whether an event's id has the number in it, or a name, of whom it is about, however it is written."""
    digits, words = read_digits(event_id), list_words(event_id)
    try:
        values = list(find_personal(event_id, context, source))
    except ExpressionFailed:  # the lead will be INVALID for it; until then nobody knows whom it is about
        return False
    numbers = [number for number in map(read_digits, values) if min(len(number), len(digits)) >= SHORTEST_NUMBER]
    names = {word for value in values for word in list_words(value) if len(word) >= SHORTEST_NAME}
    return any(number in digits or digits in number for number in numbers) or bool(names & words)


def find_personal(event_id: str, context: Mapping[str, object], source: Source) -> Iterator[str]:
    """Yield the numbers and names of whom an event is about.

    A form's answers, which take long to read, are searched only if the id has as many digits as a number.
    """
    places = [place for name in PERSONAL if name in source.map for place in split_place(source.map[name])]
    may_be_number = event_id.isdecimal() and len(event_id) >= SHORTEST_NUMBER
    are_asked = may_be_number and any(isinstance(place, AnswerPlace) for place in places)
    answers = read_answers(source.answers, context) if are_asked and source.answers else []
    for place in places:
        if isinstance(place, AnswerPlace):
            yield str(find_answer(answers, place.by, place.text) or "")
        else:
            yield str(place.search(context) or "")


def read_digits(text: str) -> str:
    """Return the digits of a text, whatever script they are in, without zeros before them: some write one, some not."""
    digits = "".join(re.findall(r"\d+", text))
    plain = digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)
    return plain.lstrip("0")


def list_words(text: str) -> set[str]:
    """Return the words of a text, in lower case."""
    return {word.casefold() for word in set(re.findall(r"[^\W\d_]+", text))}


def make_event(  # noqa: PLR0913 - an event is made of all that is known of it
    data: object,
    arrival: Arrival,
    source: Source,
    *,
    event_id: str | None = None,
    signed_id: str | None = None,
    problem: Mapping[str, str] | None = None,
) -> Event:
    """Return the event, with its id (a hash of source and event without one), and the key that knows a redelivery.

    The key is made of the ``signed_id``: under other ids a captured request would be other events.
    """
    content = drop_paths(data, source.volatile)
    besides = [*find_besides(data, arrival.seen, source)]
    if source.action == "stop":  # who says it once more may have been put back to be called meanwhile
        besides.append(int(arrival.at.timestamp() // SAME_STOP))
    return Event(
        source=source.name,
        id=event_id or hash_content(source.name, content),
        key=hash_content(source.name, signed_id, content, *besides),
        data=data,
        received_at=arrival.at,
        identified=signed_id is not None,
        request=arrival.seen,
        problem=problem or {},
        trace=find_trace(arrival.seen["headers"]),
    )


def find_signed_id(
    event_id: str | None, data: Mapping[str, object], arrival: Arrival, source: Source, key: Secret | None
) -> str | None:
    """Return the id of an event as far as its sender has signed it: nothing of one in a header that is not signed.

    With a token nothing is signed at all, so the id stays.
    """
    if source.event_id is None or "_request" not in source.event_id.text:
        return event_id
    context = arrival.surround(data, arrival.signed)
    [found] = search_request([source.event_id], context)
    return name_event(found, context, source, key)


def find_besides(data: object, request: Seen, source: Source) -> Iterator[object]:
    """Yield what says beside the event who it is about, and where they go: under another query it is another event.

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
        if isinstance(place, Expression) and "_request" in place.text:
            try:
                yield place.search(context)
            except ExpressionFailed:
                yield None


def find_trace(headers: Mapping[str, str]) -> str | None:
    """Return the platform's id of the request, by which its own lines in the log are found."""
    found = (form.match(headers.get(name, "")) for name, form in TRACES.items())
    return next((each[0] for each in found if each), None)


def hash_content(*content: object) -> str:
    """Return 32 hex digits that are equal for equal content, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
