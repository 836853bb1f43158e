"""How a body's bytes are encoded: a content encoding (gzip, deflate) and a charset. Pure."""

import codecs
import json
import re
import zlib

from ringback.errors import BadBody, TooLarge, UnsupportedType
from ringback.web import MAX_BODY

GZIP_OR_ZLIB, BARE_DEFLATE = 47, -15  # zlib's numbers; senders of "deflate" send either zlib's format or bare deflate

# A closed list: some other codecs of Python are no charsets, and some are slow. UTF-16 is not in it: the zeros at the
# start of the body show it, and a body without them is in another charset, whatever its header says.
_KNOWN = re.compile("utf-?8|(iso-?)?8859-[0-9]{1,2}|latin-?[0-9]{1,2}|(windows-?|cp-?)(125[0-8]|852)")
_CHARSET = re.compile(r"""charset\s*=\s*["']?([\w-]{1,20})""", re.ASCII | re.IGNORECASE)
_DECLARATION = re.compile(rb"""\s*<\?xml[^>]{1,100}encoding\s*=\s*["']([\w-]{1,20})""")


def inflate(body: bytes, encoding: str) -> bytes:
    """Return a body without its content encoding (RFC 9110, 8.4): at most ``MAX_BODY`` bytes.

    Raises UnsupportedType for another encoding, TooLarge, or BadBody for a body that is not so encoded or is cut off.
    """
    word = encoding.strip().lower()
    if not body or word in ("", "identity"):
        return body
    if word not in ("gzip", "x-gzip", "deflate"):
        raise UnsupportedType("the Content-Encoding has to be gzip, deflate, or none")
    for kind in (GZIP_OR_ZLIB, BARE_DEFLATE):
        inflater = zlib.decompressobj(kind)
        try:
            inflated = inflater.decompress(body, MAX_BODY + 1)
        except zlib.error:
            continue
        if len(inflated) > MAX_BODY:
            raise TooLarge(f"the body is larger than {MAX_BODY} bytes when it is inflated")
        if inflater.eof:
            return inflated
    raise BadBody("the body is cut off, or not in its Content-Encoding")


def find_charset(body: bytes, content_type: str) -> str:
    """Return Python's name of a body's charset; decode with it and ``replace``: broken bytes cost no lead.

    The first bytes show it (a byte order mark, or the zeros of UTF-16), or the content type names it, or an XML
    declaration; else it is UTF-8.
    """
    shown = json.detect_encoding(body)
    if shown != "utf-8":
        return shown
    named, declared = _CHARSET.search(content_type), _DECLARATION.match(body)
    return (named and know_charset(named[1])) or (declared and know_charset(declared[1].decode())) or "utf-8"


def know_charset(name: str) -> str | None:
    """Return Python's name of a charset; None for one that is not read here, and for ASCII, which is read as UTF-8."""
    plain = name.lower().replace("_", "-")
    try:
        return codecs.lookup(plain).name if _KNOWN.fullmatch(plain) else None
    except LookupError:
        return None
