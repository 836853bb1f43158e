"""XML text -> data (JSON values), counted while it is parsed. Pure.

The result is ``{root: ...}``. An element with child elements is an object, a repeated element a list, any other a text.
Prefixes are dropped, namespaces are not looked up: ``<sf:Phone>`` is ``Phone``. Attributes are kept as ``@name``:

    <phone type="fax">22 123 45 68</phone>      {"@type": "fax", "#text": "22 123 45 68"}
    <phone xml:lang="pl">22 123 45 68</phone>   "22 123 45 68"

An attribute with a prefix (``xsi:type``, ``xml:lang``) belongs to a standard: it is kept in an object, and makes no
object of a text. An element with ``nil="true"``, under any prefix, is null.
"""

import re
from xml.parsers import expat

from ringback.errors import BadBody, TooLarge
from ringback.web import MAX_DEPTH, MAX_VALUES, TOO_DEEP, TOO_MANY

PIECE = 64 * 1024  # characters that are parsed at a time: after an error expat still parses the rest of the piece
TRUE = ("true", "1")

_NOT_ALLOWED = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]+")
_NO_REFERENCE = re.compile("&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)")


def parse_xml(text: str) -> dict[str, object]:
    """Return the root element of an XML text, by its name. Raises BadBody (for a DTD too) or TooLarge.

    Control characters are dropped, and an ampersand that begins no reference stands for itself (``Mak & Co``): people
    type both.
    """
    document, clean = _Document(), _NOT_ALLOWED.sub("", text).lstrip()
    if "<![CDATA[" not in clean:  # in CDATA an ampersand stands for itself anyway; more than ``count`` are no text
        clean = _NO_REFERENCE.sub("&amp;", clean, count=MAX_VALUES)
    parser = document.make_parser()
    try:
        for start in range(0, len(clean), PIECE):
            parser.Parse(clean[start : start + PIECE])
        parser.Parse("", True)  # noqa: FBT003 - it takes no names: this is the end
    except expat.ExpatError as error:
        where = f"line {error.lineno}, column {error.offset + 1}"
        raise BadBody(f"the body is no XML: {expat.ErrorString(error.code)} ({where})") from None
    return document.open[0].children


class _Element:
    """An element that is not closed yet; ``attributes`` is a name, its value, the next name, ..."""

    __slots__ = ("attributes", "children", "text")

    def __init__(self, attributes: list[str]) -> None:
        self.attributes = attributes
        self.children: dict[str, object] = {}
        self.text: list[str] = []

    def read(self) -> object:
        """Return the element as an object, a text or null."""
        if not self.attributes:
            return self.children or "".join(self.text)
        beside, own = {}, {}
        for name, value in zip(self.attributes[::2], self.attributes[1::2], strict=True):
            prefix, _, local = name.rpartition(":")
            if local == "nil" and value in TRUE:
                return None
            if not prefix and local != "xmlns":
                own[f"@{local}"] = value
            elif prefix and prefix != "xmlns":
                beside[f"@{local}"] = value.rpartition(":")[2] if local == "type" else value
        if self.children:
            return {**beside, **own, **self.children}
        text = "".join(self.text)
        return {**own, "#text": text} if own else text


class _Document:
    """The elements that are not closed yet, after one for the document itself; and the number of values so far."""

    def __init__(self) -> None:
        self.open = [_Element([])]
        self.values = 0

    def make_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.ordered_attributes = True
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self.start
        parser.CharacterDataHandler = self.add_text
        parser.EndElementHandler = self.end
        return parser

    def start(self, _: str, attributes: list[str]) -> None:
        self.values += 1 + len(attributes) // 2
        if self.values > MAX_VALUES:
            raise TooLarge(TOO_MANY)
        if len(self.open) > MAX_DEPTH:
            raise TooLarge(TOO_DEEP)
        self.open.append(_Element(attributes))

    def add_text(self, text: str) -> None:
        self.open[-1].text.append(text)

    def end(self, name: str) -> None:
        value, siblings, local = self.open.pop().read(), self.open[-1].children, name.rpartition(":")[2]
        present = siblings.get(local)
        if isinstance(present, list):  # of siblings: no element is a list itself
            present.append(value)
        else:
            siblings[local] = [present, value] if local in siblings else value


def _refuse_doctype(*_: object) -> None:
    raise BadBody("the body has a DTD; leave <!DOCTYPE ...> out")
