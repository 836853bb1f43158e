"""A body's bytes as data (JSON values). Pure.

No number loses a digit: whole numbers stay whole; what a float would change, or is longer than any id or amount,
is kept as text. No text holds half a character (a lone surrogate, as JSON can spell it): it becomes ``?``, so that all
that is read here can be written again.
"""

import json
import re
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from ringback.errors import BadBody, TooLarge, UnsupportedType
from ringback.form import MAX_DEPTH, TOO_DEEP, parse_form, parse_multipart

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["parse", "parse_form", "parse_json"]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
XML = ("text/xml", "application/xml", "application/soap+xml")

MAX_VALUES = 100_000  # a notification of a thousand leads has some 15,000, a contact with its history twice that
MAX_DIGITS = 64
TOO_MANY = f"the body has more than {MAX_VALUES} values"

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse(body: bytes, content_type: str) -> object:
    """Return what ``body`` holds, read as its content type says: JSON, a form (see ``form``) or XML.

    XML becomes ``{root: ...}`` without namespaces: an element with elements is an object, one that is repeated a list,
    any other its text, one with ``xsi:nil`` null. Of attributes only an object's ``xsi:type`` is kept, as ``@type``.
    Raises BadBody, TooLarge or UnsupportedType, and nothing else for any input.
    """
    kind = content_type.partition(";")[0].strip().lower()
    is_json = kind == JSON or kind.endswith("+json")
    if not is_json and kind not in (FORM, MULTIPART, *XML):
        raise UnsupportedType("the content type has to be JSON, a form (URL-encoded or multipart) or XML")
    if not body.strip():
        raise BadBody("the body is empty")
    if is_json:
        return parse_json(_decode(body))
    if kind == FORM:
        return parse_form(body.decode("utf-8", "replace"))
    return parse_multipart(body, content_type) if kind == MULTIPART else _parse_xml(body)


def blank_out(value: object, words: Collection[str]) -> object:
    """Return ``value`` with null wherever its sender wrote one of the words instead, at any depth."""
    if not words:
        return value
    if isinstance(value, dict):
        return {key: blank_out(inner, words) for key, inner in value.items()}
    if isinstance(value, list):
        return [blank_out(inner, words) for inner in value]
    return None if isinstance(value, str) and value in words else value


def parse_json(text: str) -> object:
    """Return the value of a JSON text; of a key given twice the last counts. Raises BadBody or TooLarge."""
    try:
        value = json.loads(text, parse_int=_read_integer, parse_float=_read_fraction, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise BadBody(f"the body is no JSON: {error.msg} (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise TooLarge(TOO_DEEP) from None
    _check_size(value)
    if _SURROGATE.search(text):
        value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return value


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadBody("the body is no UTF-8") from None


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


def _refuse(constant: str) -> object:
    raise BadBody(f"the body is no JSON: it knows no {constant}")


def _check_size(value: Any) -> None:
    level, count = [value], 0
    for _ in range(MAX_DEPTH + 1):
        count += len(level)
        if count > MAX_VALUES:
            raise TooLarge(TOO_MANY)
        holders = (item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list))
        level = [inner for holder in holders for inner in holder]
        if not level:
            return
    raise TooLarge(TOO_DEEP)


def _parse_xml(body: bytes) -> object:
    from defusedxml import DefusedXmlException  # noqa: PLC0415 - few senders post XML
    from defusedxml.ElementTree import ParseError, fromstring  # noqa: PLC0415 - as above

    try:
        # As text, since an encoding that the document names may be any codec of Python's.
        root = fromstring(_decode(body), forbid_dtd=True)
    except (ParseError, DefusedXmlException):
        raise BadBody("the body is no XML, or has a DTD, which is not read") from None
    if sum(1 for _ in root.iter()) > MAX_VALUES:
        raise TooLarge(TOO_MANY)
    return {_local(root.tag): _read_element(root)}


def _read_element(element: "Element", depth: int = 1) -> object:
    if depth > MAX_DEPTH:
        raise TooLarge(TOO_DEEP)
    if element.get(_XSI + "nil") in ("true", "1"):
        return None
    if not len(element):
        return element.text or ""
    children: dict[str, list[object]] = {}
    for child in element:
        children.setdefault(_local(child.tag), []).append(_read_element(child, depth + 1))
    kind = element.get(_XSI + "type", "").rpartition(":")[2]
    values = {name: found[0] if len(found) == 1 else found for name, found in children.items()}
    return {"@type": kind, **values} if kind else values


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
