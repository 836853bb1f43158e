"""The requests that the demonstration sends: what each is, who signs it how, and what must become of it."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).parent / "samples"
SECRETS = {
    "TYPEFORM_SECRET": "typeform-secret-of-the-demonstration",
    "HUBSPOT_SECRET": "hubspot-secret-of-the-demonstration",
    "FORM_TOKEN": "token-of-the-demonstration",
}

Signer = Callable[[bytes, str], dict[str, str]]


def sign_typeform(body: bytes, _url: str, secret: str = SECRETS["TYPEFORM_SECRET"]) -> dict[str, str]:
    """Return the headers of a Typeform webhook: an HMAC of the body."""
    return {"Content-Type": "application/json", "Typeform-Signature": f"sha256={_hmac(secret, body)}"}


def sign_hubspot(body: bytes, url: str) -> dict[str, str]:
    """Return the headers of a HubSpot webhook: an HMAC of method, URL, body and time."""
    now = str(int(time.time() * 1000))
    signature = _hmac(SECRETS["HUBSPOT_SECRET"], f"POST{url}".encode() + body + now.encode())
    headers = {"X-HubSpot-Request-Timestamp": now, "X-HubSpot-Signature-v3": signature}
    return {"Content-Type": "application/json", **headers}


def add_token(_body: bytes, _url: str) -> dict[str, str]:
    """Return the headers of a form: its token."""
    return {"Content-Type": "application/x-www-form-urlencoded", "X-Api-Key": SECRETS["FORM_TOKEN"]}


def forge(body: bytes, url: str) -> dict[str, str]:
    """Return the headers of somebody who does not know the secret."""
    return sign_typeform(body, url, "a-guess")


def _hmac(secret: str, signed: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


@dataclass(frozen=True)
class Sample:
    """One request, and the HTTP status and the outcome (None: no lead, no outcome) that must come of it."""

    title: str
    source: str
    file: str
    sign: Signer
    http_status: int
    outcome: str | None

    @property
    def body(self) -> bytes:
        """What is posted."""
        return (FILES / self.file).read_bytes()

    def is_answered_by(self, http_status: int, answer: Mapping[str, object]) -> bool:
        """Tell whether the answer is the expected one."""
        outcomes = answer.get("outcomes", [])
        found = [outcome["status"] for outcome in outcomes] if isinstance(outcomes, list) else None
        return http_status == self.http_status and found == ([self.outcome] if self.outcome else [])


SAMPLES = (
    Sample("a form, filled in by somebody new", "website", "new-lead.json", sign_typeform, 200, "ADDED"),
    Sample("the same once more: senders repeat", "website", "new-lead.json", sign_typeform, 200, "ALREADY_EXISTS"),
    Sample("a contact whom Thulium knows", "crm", "known-customer.json", sign_hubspot, 200, "ADDED"),
    Sample("who is in the campaign already", "landing", "already-there.txt", add_token, 200, "ALREADY_EXISTS"),
    Sample("a customer who does not exist", "landing", "no-such-customer.txt", add_token, 200, "FAILED"),
    Sample("a number that can't be called", "landing", "bad-number.txt", add_token, 422, "INVALID"),
    Sample("who does not want to be called", "website", "no-consent.json", sign_typeform, 200, "SKIPPED"),
    Sample("a form given up half-way: no lead", "website", "no-lead.json", sign_typeform, 200, None),
    Sample("a forgery", "website", "forged.json", forge, 401, None),
)
