"""What a sender signs: a template over the parts of a request, filled as bytes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ringback.errors import BadSignature
from ringback.form import BYTES, unescape
from ringback.web import Request

MAX_FORM_FIELDS = 1000  # taken apart before anybody is known to be there


@dataclass(frozen=True, repr=False)
class Material:
    """All that a template may ask for. ``id`` and ``timestamp`` are as they were sent."""

    request: Request
    public_url: str
    secret: bytes
    id: bytes = b""
    timestamp: bytes = b""


def wire_bytes(text: str) -> bytes:
    """Return the bytes that a header, path or query was on the wire: one a character (RFC 9110, 5.5), else UTF-8."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _url(material: Material) -> bytes:
    request = material.request
    query = f"?{request.query}" if request.query else ""
    return wire_bytes(material.public_url.rstrip("/") + request.path + query)


_DECODED = re.compile(rb"%(3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def _decoded_url(material: Material) -> bytes:
    """Return the URL with twelve escapes decoded, and no others.

    https://developers.hubspot.com/docs/guides/apps/authentication/validating-requests has them in a table.
    """
    return _DECODED.sub(lambda escape: bytes.fromhex(escape[1].decode()), _url(material))


def _sorted_form(material: Material) -> bytes:
    """Return each name and value of the form, decoded and sorted, with nothing between; a pair sent twice counts once.

    https://www.twilio.com/docs/usage/security has it for a POST's fields, after the URL.
    """
    body = material.request.body.decode(BYTES)
    if body.count("&") >= MAX_FORM_FIELDS:
        raise BadSignature("the signed form has too many fields")
    pairs = {tuple(map(unescape, pair.partition("=")[::2])) for pair in body.replace("+", " ").split("&")}
    return "".join(text for pair in sorted(pairs) for text in pair).encode(BYTES)


PLACEHOLDERS: Mapping[str, Callable[[Material], bytes]] = {
    "method": lambda material: wire_bytes(material.request.method),
    "url": _url,
    "decoded_url": _decoded_url,
    "path": lambda material: wire_bytes(material.request.path),
    "id": lambda material: material.id,
    "timestamp": lambda material: material.timestamp,
    "secret": lambda material: material.secret,
    "body": lambda material: material.request.body,
    "sorted_form": _sorted_form,
}


@dataclass(frozen=True)
class Template:
    """A compiled template: literal bytes, and the names of placeholders."""

    pieces: tuple[bytes | str, ...]

    @property
    def names(self) -> list[str]:
        """The placeholders, in their order."""
        return [piece for piece in self.pieces if isinstance(piece, str)]

    def __contains__(self, name: str) -> bool:
        """Return whether the placeholder is asked for."""
        return name in self.names

    def fill(self, material: Material) -> bytes:
        """Return what is signed. Raise BadSignature when the request does not have it."""
        return b"".join(p if isinstance(p, bytes) else PLACEHOLDERS[p](material) for p in self.pieces)


def compile_template(text: str) -> Template:
    """Compile text like ``{timestamp}.{body}``. Raise ValueError for a placeholder that does not exist."""
    literals = re.split(r"\{([^{}]*)\}", text)
    names = literals[1::2]
    for name in names:
        if name not in PLACEHOLDERS:
            known = " ".join(f"{{{known}}}" for known in PLACEHOLDERS)
            raise ValueError(f"there is no placeholder {{{name}}}; there are {known}")
    return Template(tuple(piece if i % 2 else piece.encode() for i, piece in enumerate(literals)))
