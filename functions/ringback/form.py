"""A form's fields as nested data: URL-encoded or multipart, with the keys that PHP and its followers nest. Pure.

``contact[email]`` is a key in an object, ``tags[]`` the next element of a list. An object whose keys are just 0, 1, 2
(from ``tags[]``, or written as ``tags[0]``, in any order) is a list; other numbers (``fields[7]``) are keys. A key that
comes twice has a list of both values, in their order; where a key is both a value and an object, the later wins. What
does not look like a nested key is left whole, also a label with a space before its bracket (``Phone [mobile]``).
Values are text, empty ones too; bytes that are no UTF-8 become U+FFFD: one broken letter is no reason to lose a lead.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from ringback.errors import BadBody, TooLarge

MAX_FIELDS = 10_000
MAX_DEPTH = 32
TOO_DEEP = f"the body is nested more than {MAX_DEPTH} levels deep"
TOO_MANY_FIELDS = f"the form has more than {MAX_FIELDS} fields"

_NESTED = re.compile(r"([^\[]*[^\[\s])((?:\[[^\[\]]*\])+)")


def parse_form(text: str) -> dict[str, object]:
    """Return the fields of a URL-encoded form, or of a query. Raises TooLarge for too many fields or levels."""
    clean = text.encode("utf-8", "replace").decode()
    try:
        pairs = parse_qsl(clean, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise TooLarge(TOO_MANY_FIELDS) from None
    return _nest(pairs)


def parse_multipart(body: bytes, content_type: str) -> dict[str, object]:
    """Return the fields of a ``multipart/form-data`` body; of a file there is only its name.

    Raises BadBody, and TooLarge as ``parse_form`` does.
    """
    import multipart  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types, and few senders post such bodies

    try:
        boundary = multipart.parse_options_header(content_type)[1].get("boundary", "")
        parser = multipart.PushMultipartParser(boundary, max_segment_count=MAX_FIELDS)
        return _nest(list(_read_parts(parser, body)))
    except multipart.ParserLimitReached:
        raise TooLarge(f"{TOO_MANY_FIELDS}, or one with a header of several kilobytes") from None
    except (multipart.MultipartError, UnicodeEncodeError):
        raise BadBody("the body is no multipart form, or it is cut off") from None


def _read_parts(parser: Any, body: bytes) -> Iterator[tuple[str, str]]:
    part: Any = None
    content = b""
    for event in parser.parse(body):
        if isinstance(event, bytes):
            content += event
        elif event is None:
            yield part.name, content.decode("utf-8", "replace") if part.filename is None else part.filename
        else:
            part, content = event, b""
    parser.close()


def _nest(pairs: Iterable[tuple[str, str]]) -> dict[str, object]:
    tree: dict[str, Any] = {}
    for key, value in pairs:
        _put(tree, _split_key(key), value)
    return {key: _shape(value) for key, value in tree.items()}


def _split_key(key: str) -> list[str]:
    nested = _NESTED.fullmatch(key)
    if not nested:
        return [key]
    parts = [nested[1], *nested[2][1:-1].split("][")]
    if len(parts) > MAX_DEPTH:
        raise TooLarge(TOO_DEEP)
    return parts


def _put(node: dict[str, Any], way: list[str], value: str) -> None:
    for part in way[:-1]:
        key = part or str(len(node))
        if not isinstance(node.get(key), dict):
            node[key] = {}
        node = node[key]
    key = way[-1] or (str(len(node)) if len(way) > 1 else "")
    present = node.get(key)
    if isinstance(present, list):
        present.append(value)
    else:
        node[key] = [present, value] if isinstance(present, str) else value


def _shape(value: object) -> object:
    if not isinstance(value, dict):
        return value
    shaped = {key: _shape(inner) for key, inner in value.items()}
    indices = [str(number) for number in range(len(shaped))]
    return [shaped[index] for index in indices] if shaped.keys() == set(indices) else shaped
