"""The two values that cross a door: a request and a response."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

MAX_BODY = 1024 * 1024  # bytes; no sender of leads is known to need a tenth of it
LONGEST_READ = 6.0  # seconds in which a body has to be there
MAX_VALUES = 40_000  # in one; a notification of a thousand leads has some 15,000, a contact with its history 30,000
MAX_DEPTH = 32  # levels in one
TOO_MANY = f"the body has more than {MAX_VALUES} values"
TOO_DEEP = f"the body is nested more than {MAX_DEPTH} levels deep"


@dataclass(frozen=True)
class Request:
    """One HTTP request, as it came: header names in lower case, path and query undecoded, the body's raw bytes.

    A door hands over at most ``MAX_BODY + 1`` bytes of a body, so that a larger body can be seen and refused.
    A request whose body breaks off or is badly framed is not whole, and has none.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)  # it may hold a token, as headers do, and people, as bodies do
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    is_whole: bool = True


@dataclass(frozen=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Handle = Callable[[Request], Response]


def answer_json(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer whose body is ``content`` as one line of JSON (UTF-8)."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
    return Response(status, body, {"Content-Type": "application/json", **(headers or {})})
