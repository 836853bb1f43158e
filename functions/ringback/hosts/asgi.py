"""An ASGI server's request, turned into our own, and our answer into ASGI's."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from ringback.web import LONGEST_READ, MAX_BODY, Request, Response, answer_json

MOST_READ = 64 * 1024 * 1024  # bytes of a body, most of them read away; who sends more is left to it
MOST_UNREAD = 64 * 1024 * 1024  # bytes of all bodies that are being read
BUSY = answer_json(503, {"error": "too many large requests at once"}, {"Retry-After": "30"})

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Door:
    """The ASGI application that has ``handle`` answer each request."""

    def __init__(self, handle: Callable[[Request], Awaitable[Response]]) -> None:
        """Keep the function; it raises nothing."""
        self._handle = handle
        self._unread = 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Read a request, and answer it."""
        body = bytearray()
        is_whole = await self._read(body, receive)
        answer = BUSY if is_whole is None else await self._handle(make_request(scope, bytes(body), is_whole=is_whole))
        length = (b"content-length", b"%d" % len(answer.body))
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else answer.body})

    async def _read(self, body: bytearray, receive: Receive) -> bool | None:
        """Read a body, of one that is too large the first ``MAX_BODY + 1`` bytes; return whether it was there in time.

        The rest is read away: a client that is still sending when the answer comes may never see it. None is returned
        when so much is being read that there is no memory for more; a body that comes in one piece is always read.
        """
        try:
            async with asyncio.timeout(LONGEST_READ):
                return await self._read_pieces(body, receive)
        except TimeoutError:
            return False
        finally:
            self._unread -= len(body)

    async def _read_pieces(self, body: bytearray, receive: Receive) -> bool | None:
        size = 0
        while size < MOST_READ:
            message = await receive()
            if message["type"] != "http.request":  # the client has hung up
                return False
            piece = message["body"][: MAX_BODY + 1 - len(body)]
            size += len(message["body"])
            body += piece
            self._unread += len(piece)
            if not message["more_body"]:
                return True
            if self._unread > MOST_UNREAD:
                return None
        return True


def make_request(scope: Message, body: bytes, *, is_whole: bool) -> Request:
    """Return our own request; one that is not whole has no body."""
    return Request(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=read_headers(scope["headers"]),
        body=body if is_whole else b"",
        is_whole=is_whole,
    )


def read_headers(pairs: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers, their names in lower case; one that came several times has its values with commas between.

    Names with an underscore are left out: behind some servers they stand for those with a dash.
    """
    headers: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        if "_" not in name:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers
