"""A request as a file: as it came, readable for people and for `ringback preview`. Pure."""

import re

from ringback.web import Request

_START = re.compile(rb"([A-Z]{3,7}) (/[^ ?\r\n]*)\??([^ \r\n]*) HTTP/1\.1\r\n")


def dump_request(request: Request) -> bytes:
    """Return the request as HTTP writes it; ``load_request`` gives the equal request."""
    target = request.path + (f"?{request.query}" if request.query else "")
    lines = [f"{request.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
    head = "".join(f"{line}\r\n" for line in lines)
    return head.encode("latin-1", "backslashreplace") + b"\r\n" + request.body


def load_request(content: bytes) -> Request | None:
    """Return the request that ``dump_request`` made this of, None for any other content."""
    start = _START.match(content)
    head, found, body = content.partition(b"\r\n\r\n")
    if not start or not found:
        return None
    method, path, query = (part.decode("latin-1") for part in start.groups())
    pairs = (line.partition(": ") for line in head.decode("latin-1").split("\r\n")[1:])
    return Request(method, path, query, {name.lower(): value for name, _, value in pairs}, body)
