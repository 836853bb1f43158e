"""An event and its outcome as lines of JSON: how queues keep them."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from ringback.event import Event
from ringback.outcome import Outcome, Status

VERSION = 1
LONGEST_REASON = 1000  # characters

_PLAIN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=dict)
_ESCAPED = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), default=dict)


def _is_moment(value: object) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _is_texts(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


# Checked by hand, since a schema takes ten times as long over it, for each event that is delivered.
_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "v": lambda value: value == VERSION,
    "source": lambda value: isinstance(value, str),
    "id": lambda value: isinstance(value, str),
    "key": lambda value: isinstance(value, str),
    "data": lambda _: True,
    "received_at": _is_moment,
    "identified": lambda value: isinstance(value, bool),
    "attempt": lambda value: type(value) is int and value > 0,
    "request": lambda value: isinstance(value, dict) and all(map(_is_texts, value.values())),
    "problem": _is_texts,
    "trace": lambda value: value is None or isinstance(value, str),
    "started_at": lambda value: value is None or _is_moment(value),
    "over": lambda value: value is None or isinstance(value, str),
}


_LATER = {"started_at": None, "over": None}  # fields that came later: what was stored before has them so
_NEEDED = _CHECKS.keys() - _LATER.keys()


def dump_event(event: Event) -> str:
    """Return the event as one line of JSON, which always has a UTF-8 form; ``load_event`` gives the equal event.

    Raises TypeError for data that is not JSON, ValueError for whole numbers of more than 4,300 digits.
    """
    times = {name: value.isoformat() for name, value in vars(event).items() if isinstance(value, datetime)}
    return _encode({"v": VERSION, **vars(event), **times})


def load_event(text: str) -> Event:
    """Return the event that ``dump_event`` made this text of, of this Ringback or of one before or after it.

    Unknown fields are left out; a field that changes the meaning of others takes another ``VERSION``.
    Raises ValueError if it is no such text; it names the fields at fault, and no value.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("this is no event that was stored here: it is not JSON") from None
    if not isinstance(found, dict) or not found.keys() >= _NEEDED:
        raise ValueError("this is no event that was stored here: it has other fields")
    found = {**_LATER, **{name: value for name, value in found.items() if name in _CHECKS}}
    if faults := [name for name, is_right in _CHECKS.items() if not is_right(found[name])]:
        raise ValueError(f"this is no event that was stored here; at fault: {', '.join(faults)}")
    del found["v"]
    times = {name: datetime.fromisoformat(found[name]) for name in ("received_at", "started_at") if found[name]}
    return Event(**{**found, **times})


def dump_outcome(outcome: Outcome) -> str:
    """Return the outcome as one line of JSON, without unset fields, and without ``known``."""
    told = {name: value for name, value in vars(outcome).items() if value is not None and value != {}}
    return _encode({name: value for name, value in told.items() if name != "known"})


def load_outcome(text: str) -> Outcome:
    """Return the outcome that ``dump_outcome`` made this text of."""
    found: dict[str, Any] = json.loads(text)
    return Outcome(**{**found, "status": Status(found["status"])})


def storable(text: str) -> str:
    """Return the text with a question mark for each half character, which no database takes."""
    return text.encode("utf-8", "replace").decode()


def give_reason(text: str) -> str:
    """Return a text as queues take it beside a message: on one line, printable, and never empty."""
    return "".join(c if c.isprintable() else " " for c in storable(text))[:LONGEST_REASON].strip() or "-"


def _encode(content: Mapping[str, object]) -> str:
    text = _PLAIN.encode(content)
    return text if _travels(text) else _ESCAPED.encode(content)


def _travels(text: str) -> bool:
    """Whether all may be left as it is: half characters have no UTF-8, and SQS takes neither U+FFFE nor U+FFFF.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html, "MessageBody".
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\ufffe" not in text and "\uffff" not in text
