"""A form's fields as nested data: URL-encoded or multipart, with the keys that PHP and its followers nest. Pure.

``contact[email]`` is a key in an object, ``tags[]`` the next element of a list: its index is the highest so far plus
one, as in PHP. An object whose keys are exactly 0, 1, 2 (from ``tags[]``, or written as ``tags[0]``, in any order) is a
list; other numbers (``fields[7]``) are keys. A key that comes twice has a list of both values, in their order; where a
key is both a value and an object, the later wins. A key that is not nested in this way stays whole, also a label with a
space before its bracket (``Phone [mobile]``). Values are text, empty ones too. Bytes that are not in the form's charset
become U+FFFD: one broken letter is no reason to lose a lead. A field ``_charset_`` may name the charset.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ringback.encoding import know_charset
from ringback.errors import BadBody, TooLarge
from ringback.web import MAX_DEPTH, MAX_VALUES, TOO_DEEP, TOO_MANY

BYTES = "latin-1"  # it decodes each byte to one character, so that text methods work on bytes
CHARSET_FIELD = "_charset_"  # https://html.spec.whatwg.org/multipage/form-control-infrastructure.html

_NESTED = re.compile(r"([^\[]*[^\[\s])((?:\[[^\[\]]*\])+)")
_INDEX = re.compile("0|[1-9][0-9]{0,17}")
_ESCAPE = re.compile("%[0-9a-fA-F]{2}")
_DIGITS = "0123456789abcdefABCDEF"
_UNESCAPED = {f"%{tens}{ones}": chr(int(tens + ones, 16)) for tens in _DIGITS for ones in _DIGITS}

Field = tuple[str, str, str | None]  # name and value, decoded as ``BYTES``, and the value's own charset


def parse_form(text: str, charset: str = "utf-8") -> dict[str, object]:
    """Return the fields of a URL-encoded form, or of a query. Raises TooLarge for too many fields or levels.

    ``charset`` is Python's name of the charset of the escapes (``%B3``); ASCII has to be a part of it.
    """
    content = text.encode(charset, "replace").decode(BYTES)
    if content.count("&") >= MAX_VALUES:
        raise TooLarge(TOO_MANY)
    pairs = (field.partition("=") for field in content.replace("+", " ").split("&") if field)
    return _nest([(unescape(name), unescape(value), None) for name, _, value in pairs], charset)


def parse_multipart(body: bytes, content_type: str, charset: str = "utf-8") -> dict[str, object]:
    """Return the fields of a ``multipart/form-data`` body; the value of a file is its name.

    The boundary is the body's first line, or else the content type's. Raises BadBody and TooLarge.
    """
    import multipart  # type: ignore[import-untyped] # noqa: PLC0415 - it has no types, and few senders post such bodies

    try:
        parser = multipart.PushMultipartParser(
            _find_boundary(body) or multipart.parse_options_header(content_type)[1].get("boundary", ""),
            max_segment_count=MAX_VALUES,
            header_charset=BYTES,
        )
        return _nest(list(_read_parts(parser, body)), charset)
    except multipart.ParserLimitReached:
        raise TooLarge(f"{TOO_MANY}, or a part with too many headers or a long one") from None
    except (multipart.MultipartError, UnicodeEncodeError):
        raise BadBody("the body is no multipart form, or it is cut off") from None


def _find_boundary(body: bytes) -> bytes:
    line = body.lstrip().partition(b"\r\n")[0]
    return line[2:] if line.startswith(b"--") else b""


def _read_parts(parser: Any, body: bytes) -> Iterator[Field]:
    part: Any = None
    content: list[bytes] = []
    for event in parser.parse(body):
        if isinstance(event, bytes):
            content.append(event)
        elif event is None:
            value = b"".join(content).decode(BYTES) if part.filename is None else part.filename
            yield part.name, value, part.charset and know_charset(part.charset)
        else:
            part, content = event, []
    parser.close()


def unescape(text: str) -> str:
    """Return a text of ``BYTES`` with its escapes (``%B3``) replaced; a percent sign without two digits stays."""
    return _ESCAPE.sub(lambda found: _UNESCAPED[found[0]], text) if "%" in text else text


def _decode(text: str, charset: str) -> str:
    return text if text.isascii() else text.encode(BYTES).decode(charset, "replace")


def _nest(fields: Sequence[Field], charset: str) -> dict[str, object]:
    named = next((know_charset(value) for name, value, _ in fields if name == CHARSET_FIELD), None)
    charset, tree, values = named or charset, _Node(), 0
    for name, value, own in fields:
        way = _split_key(_decode(name, charset))
        values += len(way)
        if values > MAX_VALUES:
            raise TooLarge(TOO_MANY)
        tree.put(way, _decode(value, own or charset))
    return {key: _shape(value) for key, value in tree.items()}


def _split_key(key: str) -> list[str]:
    if "[" not in key:
        return [key]
    if key.count("[") >= MAX_DEPTH:
        raise TooLarge(TOO_DEEP)
    nested = _NESTED.fullmatch(key)
    return [nested[1], *nested[2][1:-1].split("][")] if nested else [key]


class _Node(dict[str, Any]):
    """An object, and the index that ``[]`` takes next in it."""

    __slots__ = ("following",)

    def __init__(self) -> None:
        self.following = 0

    def put(self, way: Sequence[str], value: str) -> None:
        node, key = self, way[0]
        for part in way[1:]:
            if not isinstance(node.get(key), _Node):
                node[key] = _Node()
            node = node[key]
            key = node.find_key(part)
        present = node.get(key)
        if isinstance(present, list):
            present.append(value)
        else:
            node[key] = [present, value] if isinstance(present, str) else value

    def find_key(self, part: str) -> str:
        key = part or str(self.following)
        if _INDEX.fullmatch(key):
            self.following = max(self.following, int(key) + 1)
        return key


def _shape(value: object) -> object:
    if not isinstance(value, dict):
        return value
    shaped = {key: _shape(inner) for key, inner in value.items()}
    indices = [str(number) for number in range(len(shaped))]
    return [shaped[index] for index in indices] if shaped.keys() == set(indices) else shaped
