"""Signs requests as senders do, from a preset's ``verify`` as it is written. Shares nothing with our verification."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ringback.web import Request

PLACEHOLDER = b"@SECRET@"  # where a body has its token

Scheme = Mapping[str, Any]


def make_secret(scheme: Scheme, name: str) -> str:
    """Return an invented secret of the form that the scheme takes; another one for another name."""
    if scheme["scheme"] == "basic":
        return f"ringback:invented-{name}"
    raw = hashlib.sha256(name.encode()).digest()
    if scheme.get("key") == "hex":
        return raw.hex()
    if scheme.get("key") == "base64":
        return str(scheme.get("key_prefix", "")) + base64.b64encode(raw).decode()
    return f"invented-{name}-0123456789"


def sign(scheme: Scheme, secret: str, request: Request, at: datetime, public_url: str) -> Request:
    """Return the request as its sender would send it at that time."""
    match scheme["scheme"]:
        case "token":
            return put(scheme, request, scheme.get("prefix", "") + secret)
        case "basic":
            return put(scheme, request, "Basic " + base64.b64encode(secret.encode()).decode())
        case "jws":
            return put(scheme, request, _make_jws(scheme, secret, request.body))
        case "hmac":
            return _sign_hmac(scheme, secret, request, at, public_url)
        case kind:
            raise ValueError(f"nobody has said how to sign for {kind}")


def put(scheme: Scheme, request: Request, proof: str) -> Request:
    """Return the request with ``proof`` where the scheme looks for it."""
    if "query" in scheme:
        pairs = [pair for pair in request.query.split("&") if pair and not pair.startswith(f"{scheme['query']}=")]
        return replace(request, query="&".join([*pairs, f"{scheme['query']}={quote(proof, safe='')}"]))
    if "field" in scheme:
        return replace(request, body=request.body.replace(PLACEHOLDER, json.dumps(proof)[1:-1].encode()))
    header = scheme.get("header", "Authorization").lower()
    return replace(request, headers={**request.headers, header: proof})


def _sign_hmac(scheme: Scheme, secret: str, request: Request, at: datetime, public_url: str) -> Request:
    stamp = scheme.get("timestamp", {})
    moment = _write_moment(at, stamp.get("unit", "s"))
    headers = {**request.headers, **{name.lower(): value for name, value in scheme.get("given", {}).items()}}
    if "header" in stamp:
        headers[stamp["header"].lower()] = moment
    if "id" in scheme:
        headers.setdefault(scheme["id"].lower(), "msg_0001")
    key = _make_key(scheme, secret)
    url = public_url + request.path + (f"?{request.query}" if request.query else "")
    parts = {
        b"method": request.method.encode(),
        b"url": url.encode(),
        b"decoded_url": url.encode(),
        b"path": request.path.encode(),
        b"id": headers.get(scheme.get("id", "").lower(), "").encode(),
        b"timestamp": moment.encode(),
        b"secret": key,
        b"body": request.body,
    }
    message = re.sub(rb"\{([a-z_]+)\}", lambda found: parts[found[1]], scheme.get("signed", "{body}").encode())
    algorithm = scheme.get("algorithm", "sha256")
    digest = (
        hmac.new(key, message, algorithm).digest()
        if scheme.get("keyed", True)
        else hashlib.new(algorithm, message).digest()
    )
    text = _encode(digest, scheme.get("encoding", "hex"))
    items = [f"{stamp['part']}={moment}"] if "part" in stamp else []
    signature = scheme.get("prefix", "") + text
    items.append(f"{scheme['part']}={signature}" if "part" in scheme else signature)
    return put(scheme, replace(request, headers=headers), scheme.get("separator", ",").join(items))


def _write_moment(at: datetime, unit: str) -> str:
    if unit == "iso":
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(round(at.timestamp() * (1000 if unit == "ms" else 1)))


def _encode(digest: bytes, encoding: str) -> str:
    if encoding == "hex":
        return digest.hex()
    return (_pack(digest) if encoding == "base64url" else base64.b64encode(digest)).decode()


def _make_key(scheme: Scheme, secret: str) -> bytes:
    text = secret.removeprefix(scheme.get("key_prefix", ""))
    match scheme.get("key", "text"):
        case "hex":
            return bytes.fromhex(text)
        case "base64":
            return base64.b64decode(text)
        case _:
            return text.encode()


def _make_jws(scheme: Scheme, secret: str, body: bytes) -> str:
    algorithm = scheme.get("algorithm", "HS256")
    claims = {"iss": scheme.get("iss", "invented"), scheme.get("claim", "sha256"): hashlib.sha256(body).hexdigest()}
    signed = b".".join(_pack(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": algorithm}, claims))
    digest = hmac.new(secret.encode(), signed, f"sha{algorithm[2:]}").digest()
    return (signed + b"." + _pack(digest)).decode()


def _pack(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
