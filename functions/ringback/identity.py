"""What an event is known by: its id, which is logged, and the key that recognises a redelivery. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime

from ringback.event import Event
from ringback.expressions.expression import Expression, ExpressionFailed
from ringback.expressions.path import drop_paths
from ringback.settings import Source

PERSONAL = ("phone_number", "full_name", "name", "surname")
SHORTEST_NUMBER = 7  # digits
LONGEST_ID = 200  # characters; longer ones are hashed
TRACE_HEADERS = ("traceparent", "x-cloud-trace-context", "x-amzn-trace-id")
TRACE = re.compile(r"[0-9A-Za-z=:;/_.,-]{1,200}")

Seen = Mapping[str, Mapping[str, str]]


def tells_person(event_id: object, context: object, source: Source) -> bool:
    """Return whether an event's id is the number or the name of whom it is about: it is logged, so it must not be."""
    places = [source.map[name] for name in PERSONAL if name in source.map]
    own = strip_marks(event_id)
    try:
        values = [strip_marks(place.search(context)) for place in places if isinstance(place, Expression)]
    except ExpressionFailed:  # the lead will be INVALID for it; until then nobody knows whom it is about
        return False
    is_number = own.isdecimal() and len(own) >= SHORTEST_NUMBER
    return any(value and (value == own or (is_number and value.endswith(own))) for value in values)


def strip_marks(value: object) -> str:
    """Return the letters and digits of a value, all in lower case."""
    return "".join(filter(str.isalnum, str(value or ""))).casefold()


def make_event(  # noqa: PLR0913 - an event is made of all that is known of it
    event_id: object,
    data: object,
    request: Seen,
    source: Source,
    now: datetime,
    *,
    problem: Mapping[str, str] | None = None,
) -> Event:
    """Return the event, with its id as text that may be logged, and the key that recognises a redelivery."""
    content = drop_paths(data, source.volatile)
    own_id = read_id(event_id)
    return Event(
        source=source.name,
        id=own_id or hash_content(source.name, content),
        key=hash_content(source.name, own_id, content),
        data=data,
        received_at=now,
        identified=own_id is not None,
        request=request,
        problem=problem or {},
        trace=find_trace(request["headers"]),
    )


def find_trace(headers: Mapping[str, str]) -> str | None:
    """Return the platform's id of the request, by which its own lines in the log are found."""
    traces = (headers.get(name, "") for name in TRACE_HEADERS)
    return next((trace for trace in traces if TRACE.fullmatch(trace)), None)


def read_id(value: object) -> str | None:
    """Return an event id as text; None where there is none. One that may be an address or a number is hashed."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or not str(value).strip():
        return None
    text = str(value).strip()
    is_plain = text.isprintable() and "@" not in text and not text.startswith("+")
    return text if is_plain and len(text) <= LONGEST_ID else hash_content(text)


def hash_content(*content: object) -> str:
    """Return 32 hex digits that are equal for equal content, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
