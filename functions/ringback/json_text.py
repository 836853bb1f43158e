"""JSON text -> data. Pure.

No number loses a digit: whole numbers stay whole; what a float would change, or is longer than any id or amount,
is kept as text. No text holds half a character (a lone surrogate, as JSON can spell it): it becomes ``?``, so that all
that is read here can be written again. Line breaks and other control characters may stand in texts as they are, and
NaN and Infinity are null: templates and scripts write JSON so.
"""

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from ringback.errors import BadBody, TooLarge
from ringback.web import MAX_DEPTH, MAX_VALUES, TOO_DEEP, TOO_MANY

MAX_DIGITS = 64

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str) -> object:
    """Return the value of a JSON text; of a key given twice the last counts. Raises BadBody or TooLarge."""
    if len(text) > MAX_VALUES and _count_values(text) > MAX_VALUES:
        raise TooLarge(TOO_MANY)
    try:
        value = json.loads(
            text, strict=False, parse_int=_read_integer, parse_float=_read_fraction, parse_constant=lambda _: None
        )
    except json.JSONDecodeError as error:
        raise BadBody(f"the body is no JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise TooLarge(TOO_DEEP) from None
    _check_depth(value)
    if _SURROGATE.search(text):
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _count_values(text: str) -> int:
    """Return an upper bound of the number of values, at most twice the number, before any value takes memory."""
    outside = "".join(text.replace(r"\\", "").replace(r"\"", "").split('"')[::2])
    return 1 + sum(map(outside.count, "[{,"))


def _read_integer(text: str) -> int | str:
    return int(text) if len(text) <= MAX_DIGITS else text


def _read_fraction(text: str) -> float | str:
    if len(text) > MAX_DIGITS:
        return text
    number = float(text)
    try:
        return number if Decimal(repr(number)) == Decimal(text) else text
    except InvalidOperation:  # an exponent of more digits than Decimal takes
        return text


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        holders = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [inner for holder in holders for inner in holder]
        if not level:
            return
    raise TooLarge(TOO_DEEP)
