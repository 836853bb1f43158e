"""The cases of ``tests/fixtures/<preset>/<case>.yaml``, and what is needed to run one.

A case has these keys, of which ``about``, ``events`` and one of ``body``, ``json``, ``form`` and ``query`` are usual:

- ``about``: what it is, in one sentence
- ``source``: the source's own keys (``map``, ``consent``, ``fetch`` ...); without it they are the preset's ``example``
- ``method`` (POST), ``query``, ``headers``, ``content_type``
- ``body``: its text, or ``json``: the object it holds, or ``form``: a form's pairs, each with a value or a list of them
- ``signed``: false for what the sender does not sign (handshakes), or what has its signature written out
- ``fetched``: what a GET of the preset's ``fetch`` gets: its path with the query, and ``{status, json, asked}``; what
  is not in it is a 404, ``asked`` are headers that it must have been asked with
- ``events``: the id of each event; null for one without an id of its own
- ``leads``: for each event ``SKIPPED``, ``FAILED`` or ``DEFERRED``, ``{INVALID: [fields]}``, or all the lead's
  fields
- ``answer``: ``{status, type, body, json}`` of an answer that is no list of outcomes (``body``: text that is in it)

``@SECRET@`` in a body, or in a form's pair, is the secret, where the sender puts that into the body.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit

import yaml

from ringback.grammar import preset as presets
from ringback.grammar.preset import list_presets
from ringback.web import Request
from tests.given import LOG_KEY
from tests.signing import make_secret

FOLDER = Path(__file__).parent / "fixtures"
SOURCE = "leads"
PUBLIC_URL = "https://hooks.example.com"
VERIFY_TOKEN = "invented-verify-token"
TOKEN = "invented-token-of-the-url"
CAMPAIGN = "00001"
read_preset = cache(presets.read_preset)
STANDARD_WEBHOOKS: Mapping[str, Any] = {
    "scheme": "hmac",
    "header": "webhook-signature",
    "encoding": "base64",
    "prefix": "v1,",
    "separator": " ",
    "key": "base64",
    "key_prefix": "whsec_",
    "signed": "{id}.{timestamp}.{body}",
    "id": "webhook-id",
    "timestamp": {"header": "webhook-timestamp"},
}


@dataclass(frozen=True)
class Case:
    """One request and what is to become of it."""

    preset: str
    name: str
    request: Request
    source: Mapping[str, Any]
    signed: bool
    events: list[Any]
    leads: list[Any]
    fetched: Mapping[str, Any]
    answer: Mapping[str, Any]

    def __str__(self) -> str:
        """Return its name, as pytest shows it."""
        return f"{self.preset}/{self.name}"


def read_cases() -> list[Case]:
    """Return all cases of all presets."""
    paths = (path for name in list_presets() for path in sorted((FOLDER / name).glob("*.yaml")))
    return [read_case(path) for path in paths]


def read_case(path: Path) -> Case:
    """Return the case in a file."""
    raw = yaml.safe_load(path.read_text("utf-8"))
    preset = path.parent.name
    request = make_request(raw)
    needs: Any = read_preset(preset)["needs"]
    if "token" in needs:
        request = replace(request, query=f"token={TOKEN}")
    return Case(
        preset=preset,
        name=path.stem,
        request=request,
        source=raw.get("source", read_preset(preset).get("example", {})),
        signed=raw.get("signed", True),
        events=raw.get("events", []),
        leads=raw.get("leads", []),
        fetched=raw.get("fetched", {}),
        answer=raw.get("answer", {}),
    )


def make_request(raw: Mapping[str, Any]) -> Request:
    """Return the request of a case, not signed."""
    body, content_type = raw.get("body", "").encode(), raw.get("content_type")
    if "json" in raw:
        body = json.dumps(raw["json"], ensure_ascii=False).encode()
        content_type = content_type or "application/json"
    elif "form" in raw:
        body = urlencode(raw["form"], doseq=True, safe="@").encode()
        content_type = content_type or "application/x-www-form-urlencoded"
    if raw.get("content_type", "").startswith("multipart"):
        body = body.replace(b"\n", b"\r\n")
    headers = {name.lower(): value for name, value in raw.get("headers", {}).items()}
    if content_type:
        headers["content-type"] = content_type
    return Request(raw.get("method", "POST"), f"/{SOURCE}", raw.get("query", ""), headers, body)


def list_schemes(preset: str) -> list[Mapping[str, Any]]:
    """Return a preset's ``verify`` as a list, as it is written, but for a standard's name: what it stands for."""
    verify: Any = read_preset(preset)["verify"]
    schemes = verify if isinstance(verify, list) else [verify]
    return [STANDARD_WEBHOOKS if scheme["scheme"] == "standard-webhooks" else scheme for scheme in schemes]


def make_entry(preset: str, own: Mapping[str, Any], fetch_from: str = "") -> dict[str, Any]:
    """Return an entry of ``sources:`` with every blank filled in; what the preset fetches comes from ``fetch_from``."""
    raw: Any = read_preset(preset)
    blanks = {"secret": make_secret(list_schemes(preset)[0], "key"), "verify_token": VERIFY_TOKEN, "token": TOKEN}
    entry: dict[str, Any] = {"preset": preset, "campaign": CAMPAIGN, **own}
    entry |= {name: blanks[name] for name in raw["needs"] if name in blanks and name not in own}
    fetch = {**raw.get("fetch", {}), **raw.get("example", {}).get("fetch", {}), **own.get("fetch", {})}
    if fetch_from and fetch:
        parts = urlsplit(fetch["url"])
        entry["fetch"] = {**fetch, "url": fetch_from + parts.path + (f"?{parts.query}" if parts.query else "")}
    return entry


def write_config(entry: Mapping[str, Any], thulium: str) -> str:
    """Return a configuration with one source."""
    return json.dumps(  # all JSON is YAML, and this takes a twentieth of the time
        {
            "thulium": {"url": thulium, "user": "ringback", "password": "only-for-the-sandbox"},
            "log_key": LOG_KEY,
            "public_url": PUBLIC_URL,
            "sources": {SOURCE: dict(entry)},
        },
        ensure_ascii=False,
    )


@dataclass
class Answerer:
    """A server on loopback that answers GETs: ``replies`` by path, and ``asked``, the headers of what was asked.

    A reply has, beside what cases say, ``bytes`` and their ``type`` if it is not JSON as Python writes it.
    """

    url: str
    replies: Mapping[str, Any] = field(default_factory=dict)
    asked: dict[str, Mapping[str, str]] = field(default_factory=dict)


@contextmanager
def serve() -> Iterator[Answerer]:
    """Serve until the context ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answerer.asked[self.path] = dict(self.headers)
            reply = answerer.replies.get(self.path, {"status": 404, "json": {}})
            content = reply.get("bytes") or json.dumps(reply.get("json", {})).encode()
            self.send_response(reply.get("status", 200))
            self.send_header("Content-Type", reply.get("type", "application/json"))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    answerer = Answerer(f"http://127.0.0.1:{server.server_address[1]}")
    Thread(target=server.serve_forever, args=(0.005,), daemon=True).start()
    try:
        yield answerer
    finally:
        server.shutdown()
        server.server_close()
