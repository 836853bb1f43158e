"""Reading a body where the server itself bounds neither its size nor the time that it takes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from socket import SHUT_RD, socket
from threading import Timer
from typing import Protocol

from ringback.web import LONGEST_READ, MAX_BODY

PIECE = 64 * 1024  # bytes


class Stream(Protocol):
    """A body that is being received."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, fewer at the end."""


def read_body(stream: Stream, length: int, connection: socket | None, seconds: float = LONGEST_READ) -> bytes:
    """Return a body, of one that is too large the first ``MAX_BODY + 1`` bytes; the rest is read away.

    ``length`` is how many bytes were announced, 0 where none were. Raises EOFError for fewer, also where they have not
    come through ``connection`` within some seconds, and any error that the server has for a body that is badly framed.
    """
    body, size = bytearray(), 0
    with _ending(connection, seconds):
        while piece := stream.read(PIECE):
            size += len(piece)
            body += piece[: MAX_BODY + 1 - len(body)]
    if size < length:
        raise EOFError
    return bytes(body)


@contextmanager
def _ending(connection: socket | None, seconds: float) -> Iterator[None]:
    """Have a connection end for its reader after some seconds.

    A time-out of the socket would begin anew with each byte, and one read of the server waits for many bytes.
    """
    if connection is None:  # a server that does not show it
        yield
        return
    timer = Timer(seconds, _end, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end(connection: socket) -> None:
    with suppress(OSError):  # it has ended already
        connection.shutdown(SHUT_RD)
