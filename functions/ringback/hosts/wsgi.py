"""A WSGI server's request, turned into our own, and our answer into WSGI's."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from ringback.web import MAX_BODY, Request, Response

PIECE = 64 * 1024  # bytes read at a time
MOST_READ = 64 * 1024 * 1024  # bytes of a body, most of them read away; who sends more is left to it

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., object]], Iterable[bytes]]


def make_application(
    handle: Callable[[Request], Response], on_read: Callable[[Environ], object] = lambda _: None
) -> Application:
    """Return the WSGI application that has ``handle`` answer each request.

    ``on_read`` is told when a request has been read, whole or not.
    """

    def application(environ: Environ, start_response: Callable[..., object]) -> list[bytes]:
        answer = answer_to(environ, handle, on_read)
        length = ("Content-Length", str(len(answer.body)))
        start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", [*answer.headers.items(), length])
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else answer.body]

    return application


def answer_to(
    environ: Environ, handle: Callable[[Request], Response], on_read: Callable[[Environ], object]
) -> Response:
    """Return our answer to a request."""
    try:
        body, is_whole = read_body(environ), True
    except Exception:  # noqa: BLE001 - each server has errors of its own for a body that breaks off or is badly framed
        body, is_whole = b"", False
    on_read(environ)
    path, _, query = environ["RAW_URI"].partition("?")
    return handle(Request(environ["REQUEST_METHOD"], path, query, read_headers(environ), body, is_whole))


def read_headers(environ: Environ) -> dict[str, str]:
    """Return a request's headers, their names in lower case."""
    names = {name: name.removeprefix("HTTP_") for name in environ if name.startswith("HTTP_")}
    names |= {name: name for name in ("CONTENT_TYPE", "CONTENT_LENGTH") if environ.get(name)}
    return {plain.lower().replace("_", "-"): environ[name] for name, plain in names.items()}


def read_body(environ: Environ) -> bytes:
    """Return the body, of one that is too large the first ``MAX_BODY + 1`` bytes; ``EOFError`` if it breaks off.

    The rest is read away in pieces: who is still sending when the answer comes may never see it.
    """
    body, size = bytearray(), 0
    while size < MOST_READ and (piece := environ["wsgi.input"].read(PIECE)):
        size += len(piece)
        body += piece[: MAX_BODY + 1 - len(body)]
    if size < min(int(environ.get("CONTENT_LENGTH") or 0), MOST_READ):
        raise EOFError
    return bytes(body)
