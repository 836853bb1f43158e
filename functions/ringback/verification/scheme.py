"""The ways in which senders are verified, as data: where a request's signature is, and of which parts it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, Literal, Protocol
from urllib.parse import parse_qsl, unquote_plus

from ringback.verification.signed import Template, compile_template
from ringback.web import Request

Algorithm = Literal["sha256", "sha1", "sha512"]
Encoding = Literal["hex", "base64", "base64url"]
KeyForm = Literal["text", "hex", "base64"]
Unit = Literal["s", "ms", "iso"]
JwsAlgorithm = Literal["HS256", "HS384", "HS512"]


class Searches(Protocol):
    """A compiled expression: where in a body something is."""

    def search(self, data: object, /) -> object:
        """Return what is there, None for nothing. Raise RingbackError when it can't be asked of ``data``."""
        ...


@dataclass(frozen=True)
class Timestamp:
    """When a request was signed: in a header, or in a ``part`` of the signature's. ``tolerance`` is in seconds.

    ``unit`` is how the time is written: Unix time in seconds or milliseconds, or ISO 8601 (UTC where it names no zone).
    """

    header: str = ""
    part: str = ""
    unit: Unit = "s"
    tolerance: int = 300

    def __post_init__(self) -> None:
        """Raise ValueError when it is not said where the timestamp is."""
        if bool(self.header) == bool(self.part):
            raise ValueError("timestamp: give one of header and part")


@dataclass(frozen=True)
class Hmac:
    """A keyed hash over parts of the request (or a plain one, over the secret too), in a header.

    ``prefix`` begins each signature; ``separator`` stands between several; with ``part`` they are the values of that
    name in a list like ``t=..,v1=..``. ``given`` has headers that must have these very values, for a sender whose
    versions share one header: else the scheme counts as absent. The rest is as the configuration has it.
    """

    header: str
    algorithm: Algorithm = "sha256"
    encoding: Encoding = "hex"
    prefix: str = ""
    separator: str | None = None
    part: str | None = None
    key: KeyForm = "text"
    key_prefix: str = ""
    keyed: bool = True
    signed: str = "{body}"
    id: str | None = None
    timestamp: Timestamp | None = None
    given: Mapping[str, str] = field(default_factory=dict)
    instead: str = ""

    @cached_property
    def template(self) -> Template:
        """``signed``, compiled."""
        return compile_template(self.signed)

    @property
    def strength(self) -> int:
        """How much a good signature proves: 1 is the body, 2 also when it was signed, 0 less than that."""
        return 1 + bool(self.timestamp) if self.keyed else 0

    @property
    def is_extendable(self) -> bool:
        """Whether one request that was captured is enough to sign others, which begin like it and go on otherwise.

        A plain hash is all that is needed to work out the hash of a longer text, unless the secret comes last.
        """
        return not self.keyed and self.template.names[-1] != "secret"

    def __post_init__(self) -> None:
        """Raise ValueError for a signature that would prove too little."""
        if "body" not in self.template and "sorted_form" not in self.template:
            raise ValueError("signed: without {body} anybody could change the body")
        if not self.keyed and "secret" not in self.template:
            raise ValueError("signed: without {secret} anybody could make a plain hash (keyed: false)")
        if bool(self.timestamp) != ("timestamp" in self.template):
            raise ValueError("signed: {timestamp} and the key timestamp go together")
        if bool(self.id) != ("id" in self.template):
            raise ValueError("signed: {id} and the key id go together")


STANDARD_WEBHOOKS = Hmac(  # https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md
    header="webhook-signature",
    encoding="base64",
    prefix="v1,",
    separator=" ",
    key="base64",
    key_prefix="whsec_",
    signed="{id}.{timestamp}.{body}",
    id="webhook-id",
    timestamp=Timestamp(header="webhook-timestamp"),
)


@dataclass(frozen=True)
class Basic:
    """HTTP Basic; the secret is ``user:password``."""

    header: ClassVar[str] = "Authorization"
    strength: ClassVar[int] = 0
    instead: str = ""


@dataclass(frozen=True)
class Token:
    """The secret itself, after ``prefix``: in a header, a query parameter, or a field of the body.

    With ``first`` only so many characters of it count: what follows them is a checksum.
    """

    header: str = ""
    query: str = ""
    field: Searches | None = None
    prefix: str = ""
    first: int | None = None
    instead: str = ""
    strength: ClassVar[int] = 0

    def __post_init__(self) -> None:
        """Raise ValueError when it is not said where the token is."""
        if [bool(self.header), bool(self.query), self.field is not None].count(True) != 1:
            raise ValueError("token: give one of header, query and field")


@dataclass(frozen=True)
class Jws:
    """A compact JWS (RFC 7515) in a header; its ``claim`` is the hex SHA-256 of the body, ``iss`` its signer's name."""

    header: str
    algorithm: JwsAlgorithm = "HS256"
    claim: str = "sha256"
    iss: str = ""
    instead: str = ""
    strength: ClassVar[int] = 1


Scheme = Hmac | Basic | Token | Jws


def needs_url(scheme: Scheme) -> bool:
    """Return whether the public URL is part of what is signed."""
    return isinstance(scheme, Hmac) and ("url" in scheme.template or "decoded_url" in scheme.template)


def choose(schemes: Sequence[Scheme], request: Request) -> Scheme | None:
    """Return the scheme that decides about a request: the first that is present, None if none is."""
    return next((scheme for scheme in schemes if is_present(scheme, request)), None)


def is_present(scheme: Scheme, request: Request) -> bool:
    """Return whether the request has what the scheme looks at (an empty one too); never for a field of the body."""
    if isinstance(scheme, Token) and not scheme.header:
        return bool(scheme.query) and query_value(request.query, scheme.query) is not None
    given = scheme.given if isinstance(scheme, Hmac) else {}
    wanted = all(request.headers.get(name.lower()) == value for name, value in given.items())
    return wanted and scheme.header.lower() in request.headers


def query_value(query: str, name: str) -> str | None:
    """Return the first value of a query parameter, decoded; None when it is not there."""
    return next((value for key, value in parse_qsl(query, keep_blank_values=True) if key == name), None)


def strip(schemes: Sequence[Scheme], request: Request) -> Request:
    """Return the request without the headers and query parameters that prove its sender.

    A signed id stays: it proves nothing by itself, and is what a redelivery is recognised by.
    """
    proofs = list_proofs(schemes)
    pairs = request.query.split("&")
    kept = [pair for pair in pairs if ("query", unquote_plus(pair.partition("=")[0])) not in proofs]
    headers = {name: value for name, value in request.headers.items() if ("headers", name) not in proofs}
    return replace(request, query="&".join(kept), headers=headers)


def list_proofs(schemes: Sequence[Scheme]) -> set[tuple[str, str]]:
    """Return where a request has what proves its sender: ``("headers", "x-api-key")``, ``("query", "token")``."""
    headers = {("headers", name) for scheme in schemes for name in _headers(scheme) if name}
    return headers | {("query", each.query) for each in schemes if isinstance(each, Token) and each.query}


def _headers(scheme: Scheme) -> set[str]:
    names = {scheme.header}
    if isinstance(scheme, Hmac):
        names |= scheme.given.keys()
        names.add(scheme.timestamp.header if scheme.timestamp else "")
    return {name.lower() for name in names}
