"""Whether a signature in a header is the hash that the secret makes: HMAC and JWS."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import inf

from ringback.errors import BadSignature
from ringback.secret import Secret
from ringback.verification.scheme import Hmac, Jws, Timestamp, needs_url
from ringback.verification.signed import Material, wire_bytes
from ringback.web import Request

MAX_HEADER = 8192  # characters; a list of several signatures has some 300
JWS_HASHES = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}
JWS_LEEWAY = 60  # seconds that the clocks of the signer and of this machine may differ by
STAMPS = {"s": "[0-9]{1,16}", "ms": "[0-9]{1,16}", "iso": "[0-9TZ:., +-]{1,40}"}  # by the unit of a timestamp


def require_match(wanted: Sequence[bytes], sent: Sequence[bytes]) -> None:
    """Return if any of ``sent`` is one of ``wanted``, else raise BadSignature, after the same time in each case."""
    matches = [hmac.compare_digest(one, other) for one in wanted for other in sent]
    if not any(matches):
        raise BadSignature("wrong signature")


def read_header(name: str, request: Request) -> str:
    """Return a header's text. Raise BadSignature when it is missing, or so long that it is no signature."""
    text = request.headers.get(name.lower())
    if text is None:
        raise BadSignature("a header that belongs to the signature is missing")
    if len(text) > MAX_HEADER:
        raise BadSignature("malformed signature")
    return text


def read_key(scheme: Hmac, secret: Secret) -> bytes:
    """Return the bytes that the hash is keyed with; none when the secret does not have the form of a key."""
    text = secret.text.removeprefix(scheme.key_prefix)
    try:
        if scheme.key == "hex":
            return bytes.fromhex(text)
        if scheme.key == "base64":
            bare = text.rstrip("=")  # senders differ in whether they show it padded
            return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        return Secret(text).encode()
    except ValueError:
        return b""


def verify_hmac(scheme: Hmac, secrets: Sequence[Secret], request: Request, now: datetime, public_url: str) -> None:
    """Return if the header has a fresh signature of the request. Raise BadSignature."""
    if needs_url(scheme) and not public_url:
        raise BadSignature("public_url is not configured")
    items = _items(scheme, request)
    stamp = _read_timestamp(scheme.timestamp, request, items)
    message_id = wire_bytes(read_header(scheme.id, request)) if scheme.id else b""
    keys = [key for secret in secrets if (key := read_key(scheme, secret))]
    parts = [Material(request, public_url, key, message_id, stamp) for key in keys]
    require_match([_digest(scheme, part) for part in parts], _signatures(scheme, items))
    if scheme.timestamp:
        _require_fresh(scheme.timestamp, stamp.decode(), now)


def _items(scheme: Hmac, request: Request) -> list[str]:
    text = read_header(scheme.header, request)
    in_parts = scheme.part or (scheme.timestamp and scheme.timestamp.part)
    separator = scheme.separator or ("," if in_parts else None)
    return [item.strip() for item in text.split(separator)] if separator else [text.strip()]


def _values(items: Sequence[str], part: str) -> list[str]:
    pairs = (item.partition("=") for item in items)
    return [value.strip() for name, _, value in pairs if name.strip() == part]


def _signatures(scheme: Hmac, items: Sequence[str]) -> list[bytes]:
    texts = _values(items, scheme.part) if scheme.part else items
    sent = [wire_bytes(text.removeprefix(scheme.prefix)) for text in texts if text.startswith(scheme.prefix)]
    if scheme.encoding == "hex":
        return [text.lower() for text in sent]
    return [text.rstrip(b"=") for text in sent] if scheme.encoding == "base64url" else sent


def _read_timestamp(where: Timestamp | None, request: Request, items: Sequence[str]) -> bytes:
    if where is None:
        return b""
    texts = _values(items, where.part) if where.part else [read_header(where.header, request)]
    if len(texts) != 1 or not re.fullmatch(STAMPS[where.unit], texts[0]):
        raise BadSignature("malformed timestamp")
    return texts[0].encode()


def _require_fresh(where: Timestamp, stamp: str, now: datetime) -> None:
    if abs(round(now.timestamp() * 1000) - _read_moment(where, stamp)) > where.tolerance * 1000:
        raise BadSignature("stale signature")


def _read_moment(where: Timestamp, stamp: str) -> int:
    """Return when that was, in milliseconds since 1970. Raises BadSignature."""
    if where.unit != "iso":
        return int(stamp) * (1 if where.unit == "ms" else 1000)
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        raise BadSignature("malformed timestamp") from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _digest(scheme: Hmac, material: Material) -> bytes:
    message = scheme.template.fill(material)
    if scheme.keyed:
        digest = hmac.digest(material.secret, message, scheme.algorithm)
    else:
        digest = hashlib.new(scheme.algorithm, message).digest()
    if scheme.encoding == "hex":
        return digest.hex().encode()
    return _pack(digest) if scheme.encoding == "base64url" else base64.b64encode(digest)


def _pack(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def verify_jws(scheme: Jws, secrets: Sequence[Secret], request: Request, now: datetime) -> None:
    """Return if the header has a JWS over the body's hash, made with the configured algorithm, and valid at ``now``.

    Raise BadSignature.
    """
    signed, _, sent = wire_bytes(read_header(scheme.header, request)).rpartition(b".")
    digests = [hmac.digest(secret.encode(), signed, JWS_HASHES[scheme.algorithm]) for secret in secrets]
    require_match([_pack(digest) for digest in digests], [sent])
    head, _, payload = signed.partition(b".")
    header = _read_json(head)
    if header.get("alg") != scheme.algorithm or "crit" in header:
        raise BadSignature("a signature of another kind")
    claims, body_hash = _read_json(payload), hashlib.sha256(request.body).hexdigest()
    require_match([body_hash.encode()], [str(claims.get(scheme.claim)).lower().encode("utf-8", "replace")])
    if scheme.iss and claims.get("iss") != scheme.iss:
        raise BadSignature("a signature of another issuer")
    moment = now.timestamp()
    if not _read_number(claims, "nbf", moment) - JWS_LEEWAY <= moment < _read_number(claims, "exp", inf) + JWS_LEEWAY:
        raise BadSignature("stale signature")


def _read_number(claims: Mapping[str, object], name: str, otherwise: float) -> float:
    number = claims.get(name, otherwise)
    if not isinstance(number, int | float):
        raise BadSignature("malformed signature")
    return number


def _read_json(text: bytes) -> Mapping[str, object]:
    # Reached only by what somebody with the secret has signed; it may still be no JSON.
    try:
        data = json.loads(base64.urlsafe_b64decode(text + b"=="))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise BadSignature("malformed signature")
    return data
