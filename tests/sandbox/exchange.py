"""One request that came in, and one reply that goes out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Received:
    """A request as it came. ``call`` names its kind (see ``api.ROUTES``), ``at`` is the time it came (Unix seconds)."""

    call: str
    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    at: float = 0.0

    @cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """The query's names and values, in their order, empty ones included."""
        return parse_qsl(self.query, keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body, read as JSON (raises ValueError)."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """A reply as it is to be sent. A ``Content-Type`` in ``headers`` takes the place of JSON's."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def reply_json(content: object, status: int = 200) -> Reply:
    """Return a reply with ``content`` as JSON, written without blanks as PHP writes it."""
    return Reply(status, json.dumps(content, separators=(",", ":")).encode())


class Refused(Exception):
    """The call is refused as a whole: a status, and one message or several."""

    def __init__(self, status: int, *messages: str) -> None:
        """Keep what is to be said."""
        super().__init__(status, *messages)
        self.status = status
        self.messages = messages


def error_body(messages: Sequence[str], status: int, request_id: str) -> bytes:
    """Return the documented error body; the codes are made up, as no list of the real ones is public."""
    errors = [{"message": message, "code": 100_000 + status} for message in messages]
    return reply_json({"request_id": request_id, "errors": errors}).body
