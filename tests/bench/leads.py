"""What the bench sends: leads of invented people, signed, as the bytes of HTTP requests; and the configuration."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ringback.web import Request
from tests.bench.process import Program

SECRET = "invented-0123456789abcdef"
SOURCE = "leads"
CONFIG = """
thulium: {url: "URL", user: ringback, password: only-for-the-sandbox}
queue: QUEUE
log_key: invented-fedcba9876543210
sources:
  leads:
    verify: {scheme: hmac, header: X-Signature, algorithm: sha256, encoding: hex}
    secret: invented-0123456789abcdef
    items: leads
    event_id: id
    campaign: "00001"
    map:
      customer_id: customer
      surname: last_name
      name: first_name
      email: email
      phone_number: phone
      identifier: crm_id
      note: message
      job_title: job
"""
Lead = dict[str, Any]


def write_config(path: Path, thulium: str, queue: str = "none") -> Path:
    """Write the configuration to a file, and return its path."""
    path.write_text(CONFIG.replace("URL", thulium).replace("QUEUE", queue))
    return path


def known(number: int) -> Lead:
    """Return a lead of eight fields whose customer is known by the id."""
    return {"customer": number, **person(number), "email": f"anna.{number}@example.com", "crm_id": f"crm-{number}"}


def person(number: int) -> Lead:
    """Return a lead of somebody who is known by the phone number alone."""
    name = {"first_name": "Anna", "last_name": f"Lis {number}"}
    return {"id": f"e-{number}", **name, "phone": phone(number), "message": "Please call me", "job": "buyer"}


def phone(number: int) -> str:
    """Return a mobile number of Poland; another one for each number below a million."""
    return f"+48 601 {number // 1000 % 1000:03} {number % 1000:03}"


def write_body(leads: Sequence[Lead]) -> tuple[bytes, dict[str, str]]:
    """Return the body of one request with these leads, and its headers."""
    body = json.dumps({"leads": leads}, separators=(",", ":")).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {"content-type": "application/json", "x-signature": signature}


def make_request(leads: Sequence[Lead]) -> Request:
    """Return the same request as a door hands it over."""
    body, headers = write_body(leads)
    return Request("POST", f"/{SOURCE}", "", {"host": "127.0.0.1", "content-length": str(len(body)), **headers}, body)


def write_request(leads: Sequence[Lead]) -> bytes:
    """Return one request with these leads as it goes over the wire."""
    body, headers = write_body(leads)
    lines = {"Host": "127.0.0.1", "User-Agent": "bench", "Accept": "*/*", "Content-Length": len(body), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST /{SOURCE} HTTP/1.1\r\n{head}\r\n".encode() + body


def write_requests(numbers: Iterable[int]) -> list[bytes]:
    """Return a request for each number, with one known lead."""
    return [write_request([known(number)]) for number in numbers]


def read_outcomes(program: Program) -> list[tuple[float, Lead]]:
    """Return the log lines that tell an outcome, with the times at which they came."""
    return [(at, json.loads(line)) for at, line in list(program.lines) if '"customer.outcome"' in line]


def count_outcomes(program: Program) -> int:
    """Return how many outcomes the program has told."""
    return sum('"customer.outcome"' in line for _, line in list(program.lines))
