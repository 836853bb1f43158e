"""A body's bytes -> data (JSON values), by its content type. Pure."""

from collections.abc import Collection, Sequence

from ringback.encoding import find_charset
from ringback.errors import BadBody, UnsupportedType
from ringback.form import parse_form, parse_multipart
from ringback.json_text import parse_json

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
XML = "text/xml"
TYPES = (JSON, FORM, MULTIPART, XML)

BLANK = b" \t\r\n"
MARKS = b"\xef\xbb\xbf\xff\xfe\0"  # the bytes of byte order marks, and the zeros of UTF-16


def parse(body: bytes, content_type: str, types: Sequence[str] = ()) -> object:
    """Return the content of ``body``: of JSON, a form (see ``form``) or XML (see ``xml_text``).

    ``types`` has those of ``TYPES`` that are read. If the content type is none of ``TYPES``, the body is read as the
    type that it looks like, or, if that is not in ``types``, as the first of them. If ``types`` is empty, all are read
    and none is assumed. A JSON text that contains JSON again is unwrapped once. Raises BadBody, TooLarge or
    UnsupportedType, and nothing else for any input.
    """
    kind = choose_type(body, content_type, types)
    if not body.strip(BLANK + MARKS):
        raise BadBody("the body is empty")
    charset = find_charset(body, content_type)
    if kind == MULTIPART:
        return parse_multipart(body, content_type, charset)
    text = body.decode(charset, "replace").strip("\ufeff\0 \t\r\n")
    if kind == FORM:
        return parse_form(text, "utf-8" if charset.startswith("utf") else charset)
    text = text.rstrip("\ufffd")  # half a character after the end of the document
    return _unwrap(parse_json(text)) if kind == JSON else _parse_xml(text)


def name_type(content_type: str) -> str | None:
    """Return the one of ``TYPES`` that a content type means; None if there is no such type."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind.endswith("+json"):
        return JSON
    if kind == "application/xml" or kind.endswith("+xml"):
        return XML
    return kind if kind in TYPES else None


def guess_type(body: bytes) -> str:
    """Return the one of ``TYPES`` that a body looks like."""
    start = body.lstrip(BLANK + MARKS)[:2]
    if start[:1] in (b"{", b"[") or start in (b'"{', b'"['):
        return JSON
    if start[:1] == b"<":
        return XML
    return MULTIPART if start == b"--" else FORM


def choose_type(body: bytes, content_type: str, types: Sequence[str]) -> str:
    """Return the type that a body is read as; JSON under a form's content type is JSON. Raises UnsupportedType."""
    declared, looks = name_type(content_type), guess_type(body)
    kind = JSON if declared == FORM and looks == JSON else declared  # `curl -d` declares a form
    if kind is None and not types:
        raise UnsupportedType(
            "the content type has to be JSON, a form (URL-encoded or multipart) or XML; "
            f"if the sender can't declare one, name it in the source: `body: {looks}`"
        )
    if kind is None:
        return looks if looks in types else types[0]
    if kind in (types or TYPES):
        return kind
    mistake = "" if kind == declared else "the body is JSON under a form's content type; "
    more = ", ".join((*types, kind))
    raise UnsupportedType(f"{mistake}this source reads {', '.join(types)}; to read {kind} too, write `body: [{more}]`")


def _parse_xml(text: str) -> object:
    from ringback.xml_text import parse_xml  # noqa: PLC0415 - few senders post XML

    return parse_xml(text)


def _unwrap(value: object) -> object:
    """Return the object or list that a text contains as JSON; any other value as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return parse_json(value)
    except BadBody:
        return value


def blank_out(value: object, words: Collection[str]) -> object:
    """Return ``value`` with null in place of each of the words, at any depth; without words, ``value`` as it is."""
    if not words:
        return value
    if isinstance(value, dict):
        return {key: blank_out(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [blank_out(inner, words) for inner in value]
    return None if isinstance(value, str) and value in words else value
