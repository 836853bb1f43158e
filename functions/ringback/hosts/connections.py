"""uvicorn's connections, with bounds on a request's head, in time and size, and our own answer to other bytes."""

import asyncio
from typing import ClassVar

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ringback.refusals import Refusals
from ringback.web import answer_json

LONGEST_HEAD_READ = 6.0  # seconds from a connection's beginning, or a request's first byte, to the end of its head
LONGEST_IDLE = 15  # seconds that a connection is kept after an answer, whatever comes, if no request begins
LONGEST_HEAD = 65536  # bytes of the request line and the headers; some senders put a whole form into the URL
MOST_AT_ONCE = 16  # requests of one connection that may wait for the one before them
UNREADABLE = answer_json(400, {"error": "the request can't be read"}).body
HEAD = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: "


class Connection(HttpToolsProtocol):
    """A connection that ends when the head of a request is not there in time: silent ones cost a little memory each."""

    refusals: ClassVar = Refusals()
    _limit: asyncio.TimerHandle | None = None
    _head: int | None = None  # bytes of the head that is being read, None while none is

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Give it some seconds to begin."""
        super().connection_made(transport)
        self._set_limit(LONGEST_HEAD_READ)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the limit."""
        self._lift_limit()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head has become too long."""
        if self._head is not None:
            self._head += len(data)
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except HttpParserError:
            self.send_400_response("")
        except HttpParserUpgrade as offer:
            self.data_received(self._write_plain_head() + data[offer.args[0] :])
        if self._head is not None and self._head > LONGEST_HEAD:
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """Give a request some seconds for its head. Raises ValueError when too many wait already."""
        if len(self.pipeline) >= MOST_AT_ONCE:
            raise ValueError  # the parser has it answered with 400
        super().on_message_begin()
        self._head = 0
        self._set_limit(LONGEST_HEAD_READ)

    def on_headers_complete(self) -> None:
        """Leave the body to the function that reads it. Raises ValueError for a head too long, and for CONNECT."""
        self._head = None
        self._lift_limit()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > LONGEST_HEAD or self.parser.get_method() == b"CONNECT":
            raise ValueError  # the parser has it answered with 400
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Give the next request some seconds to begin, and the rest of a body to be read away."""
        super().on_response_complete()
        if self.cycle.response_complete:
            self._set_limit(LONGEST_IDLE)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it may repeat a part of the request
        """Answer bytes that are no request; neither the answer nor the log repeats them."""
        self._head = None
        self._set_limit(LONGEST_IDLE)
        self.refusals.write(None, 400, "no request")
        self.transport.write(f"{HEAD}{len(UNREADABLE)}\r\n\r\n".encode() + UNREADABLE)
        self.transport.close()

    def _should_upgrade(self) -> bool:
        """Return whether the client offers another protocol; the parser reads no body then."""
        return bool(self.parser.should_upgrade())

    def _write_plain_head(self) -> bytes:
        """Return the head of the request as if it offered no other protocol, for a server may (RFC 9110, 7.8).

        Java's HttpClient offers HTTP/2 with each request that is not encrypted, and so does ``curl --http2``.
        """
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _set_limit(self, seconds: float) -> None:
        self._lift_limit()
        self._limit = self.loop.call_later(seconds, self.transport.abort)

    def _lift_limit(self) -> None:
        if self._limit:
            self._limit.cancel()
            self._limit = None
