"""The functions that expressions have beside JMESPath's own. None of them fails on a value that is missing.

- ``first(a, b, ...)``: the first value that is not empty (null, ``""``, spaces, ``[]``, ``{}``); ``first(list)``: the
  first such element
- ``list(x)``: ``x`` if it is a list, ``[]`` for null, else ``[x]``, since XML does not tell a thing from a list of one
- ``json(text)``: the value of the JSON text inside a string; null if it is no JSON
- ``prefix('shop:', x)``: the text or number ``x`` with the text before it; null if ``x`` is empty
- ``split(text, ':')``: the parts of a text, as a list (``split(text, '')``: its words); null if it is no text
- ``split_name(text)``: ``{name, surname}`` of a full name: the surname is the last word
"""

import json
import math

from jmespath import functions

from ringback.errors import RefusedRequest
from ringback.json_text import parse_json

LONGEST_TEXT = 2 * 1024 * 1024  # characters of JSON: twice the largest body
EMPTY: tuple[object, ...] = (None, "", [], {})


class TooMuch(Exception):
    """Working an expression out takes too many steps, or makes too long a text. The message shows no value."""


class Functions(functions.Functions):
    """JMESPath's functions and our own; the library finds a function by its method's name."""

    @functions.signature({"types": [], "variadic": True})
    def _func_first(self, *values: object) -> object:
        items = values[0] if len(values) == 1 and isinstance(values[0], list) else values
        return next((item for item in items if (item.strip() if isinstance(item, str) else item) not in EMPTY), None)

    @functions.signature({"types": []})
    def _func_list(self, value: object) -> list[object]:
        if value is None:
            return []
        return value if isinstance(value, list) else [value]

    @functions.signature({"types": []})
    def _func_json(self, text: object) -> object:
        try:
            return parse_json(text) if isinstance(text, str) else None
        except RefusedRequest:
            return None

    @functions.signature({"types": ["string"]}, {"types": ["string", "number", "null"]})
    def _func_prefix(self, before: str, value: object) -> str | None:
        text = "" if value is None else str(value).strip()
        return before + text if text else None

    @functions.signature({"types": []}, {"types": ["string"]})
    def _func_split(self, text: object, separator: str) -> list[str] | None:
        return text.split(separator or None) if isinstance(text, str) else None

    @functions.signature({"types": []})
    def _func_split_name(self, text: object) -> dict[str, str] | None:
        words = text.split() if isinstance(text, str) else []
        return {"name": " ".join(words[:-1]), "surname": words[-1]} if words else None

    @functions.signature({"types": []})
    def _func_to_string(self, value: object) -> str:
        # As the library's own, which would write out a value that is nested in itself many times over.
        if isinstance(value, str):
            return value
        parts, length = list[str](), 0
        for part in json.JSONEncoder(separators=(",", ":"), default=str).iterencode(value):
            parts.append(part)
            length += len(part)
            if length > LONGEST_TEXT:
                raise TooMuch(f"makes a text of more than {LONGEST_TEXT} characters of this event: read less of it")
        return "".join(parts)

    @functions.signature({"types": []})
    def _func_to_number(self, value: object) -> int | float | None:
        # The library's own also reads "nan" and "1e999", of which no JSON can be made.
        number: int | float | None = super()._func_to_number(value)  # type: ignore[misc] # not in its stubs
        return number if isinstance(number, int) or (number is not None and math.isfinite(number)) else None


def is_true(value: object) -> bool:
    """Return whether JMESPath takes the value for true: all but null, false and empty values; 0 is true."""
    return value is not False and value not in EMPTY
