"""Verification: (schemes, secrets, request, now) -> the scheme that proves the sender, or BadSignature.

All comparisons are on bytes and take the same time wherever the difference is. What is refused is refused with a
constant text: it holds nothing that was sent.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import datetime

from ringback.errors import BadSignature, RingbackError
from ringback.secret import SHORTEST, Secret
from ringback.verification.keyed import read_header, read_key, require_match, verify_hmac, verify_jws
from ringback.verification.scheme import Basic, Hmac, Jws, Scheme, Token, choose, query_value
from ringback.verification.signed import wire_bytes
from ringback.web import Request


def verify(  # noqa: PLR0913 - the whole of a pure decision
    schemes: Sequence[Scheme],
    secrets: Sequence[Secret],
    request: Request,
    now: datetime,
    *,
    public_url: str = "",
    parse: Callable[[], object],
) -> Scheme | None:
    """Return the scheme by which the sender of the request has one of the secrets; None where there are no schemes.

    The first scheme that finds its header or query parameter decides. Tokens in the body come last, since only they
    need ``parse``, which gives the body as data or raises RefusedRequest. ``now`` is aware.

    Raise BadSignature, and nothing else, whatever was sent.
    """
    if not schemes:
        return None
    current = _keep_current(secrets, now)
    match choose(schemes, request):
        case Hmac() as scheme:
            verify_hmac(scheme, current, request, now, public_url)
        case Jws() as scheme:
            verify_jws(scheme, current, request, now)
        case Basic() as scheme:
            _verify_basic(scheme, current, request)
        case Token() as scheme:
            _require_token(_sent_tokens(scheme, request), scheme, current)
        case _:
            return _verify_field(schemes, current, parse)
    return scheme


def _keep_current(secrets: Sequence[Secret], now: datetime) -> list[Secret]:
    if not secrets or not all(secret.text.strip() for secret in secrets):
        raise BadSignature("no secret is configured")
    current = [secret for secret in secrets if not secret.has_ended(now)]
    if not current:
        raise BadSignature("the secret has ended")
    return current


def secret_problem(scheme: Scheme, secret: Secret) -> str | None:
    """Return why the secret can't be one for the scheme, by its form alone; None if it can."""
    if not secret.text.strip():
        return "is empty"
    if isinstance(scheme, Basic) and ":" not in secret.text:
        return "is not user:password"
    if isinstance(scheme, Hmac) and not read_key(scheme, secret):
        return f"is not a key in {scheme.key}"
    if Secret(_drop_known(scheme, secret.text)).is_too_short:
        return f"has fewer than {SHORTEST} characters that others do not know"
    return None


def _drop_known(scheme: Scheme, text: str) -> str:
    """Return a secret's text without what others know of it: a user's name, the prefix that each key has."""
    if isinstance(scheme, Basic):
        return text.partition(":")[2]
    return text.removeprefix(scheme.key_prefix) if isinstance(scheme, Hmac) else text


def _verify_basic(scheme: Basic, secrets: Sequence[Secret], request: Request) -> None:
    word, _, sent = read_header(scheme.header, request).partition(" ")
    if word.lower() != "basic":
        raise BadSignature("malformed signature")
    require_match([base64.b64encode(secret.encode()) for secret in secrets], [wire_bytes(sent.strip())])


def _sent_tokens(scheme: Token, request: Request) -> list[bytes]:
    if scheme.header:
        return [wire_bytes(read_header(scheme.header, request))]
    # A plus is a space, or a plus that whoever pasted the URL did not escape.
    readings = [query_value(query, scheme.query) for query in (request.query, request.query.replace("+", "%2B"))]
    return [_utf8(text) for text in readings if text is not None]


def _verify_field(schemes: Sequence[Scheme], secrets: Sequence[Secret], parse: Callable[[], object]) -> Token:
    places = [(scheme, scheme.field) for scheme in schemes if isinstance(scheme, Token) and scheme.field]
    try:
        body = parse() if places else None
        found = [(scheme, place.search(body)) for scheme, place in places]
    except RingbackError as error:
        raise BadSignature("no token can be read from the body") from error
    for scheme, value in found:
        if isinstance(value, str):
            _require_token([_utf8(value)], scheme, secrets)
            return scheme
    raise BadSignature("no signature")


def _require_token(sent: Sequence[bytes], scheme: Token, secrets: Sequence[Secret]) -> None:
    # "Bearer" and its kin are the same in upper and lower case (RFC 9110, 11.1).
    start = scheme.prefix.encode()
    tokens = [token[len(start) :] for token in sent if token[: len(start)].lower() == start.lower()]
    require_match([secret.encode()[: scheme.first] for secret in secrets], [token[: scheme.first] for token in tokens])


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
