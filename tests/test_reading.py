"""Reading a body where the server bounds neither its size nor its time."""

import io
import socket
import threading
from collections.abc import Iterator

import pytest

from ringback.hosts.reading import PIECE, read_body
from ringback.web import MAX_BODY


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client and its server, connected."""
    client, server = socket.socketpair()
    with client, server:
        yield client, server


def test_body_that_comes_in_time(pair: tuple[socket.socket, socket.socket]) -> None:
    """A connection whose body was there in time stays open for the next request."""
    client, server = pair
    assert read_body(io.BytesIO(b"whole"), 5, server, 0.05) == b"whole"
    for timer in threading.enumerate():
        if isinstance(timer, threading.Timer):
            timer.join()
    client.sendall(b"next")
    assert server.recv(4) == b"next"


def test_body_that_does_not_come(pair: tuple[socket.socket, socket.socket]) -> None:
    """A body of which a part is missing when the time is over breaks off."""
    client, server = pair
    client.sendall(b"half")
    with server.makefile("rb") as stream, pytest.raises(EOFError):
        read_body(stream, 8, server, 0.05)


def test_connection_that_has_ended(pair: tuple[socket.socket, socket.socket]) -> None:
    """A connection that is closed already is no failure of the deadline's own."""
    ended = socket.socket()
    client, server = pair

    def say_it_later() -> None:
        client.sendall(b"late")
        client.shutdown(socket.SHUT_WR)

    with ended, server.makefile("rb") as stream:  # the deadline ends a connection that was never made
        later = threading.Timer(0.2, say_it_later)
        later.start()
        assert read_body(stream, 4, ended, 0.05) == b"late"
        later.join()


@pytest.mark.parametrize("size", [0, 1, PIECE, MAX_BODY, MAX_BODY + 1, 2 * MAX_BODY])
def test_no_more_is_kept_than_shows_that_it_is_too_large(size: int) -> None:
    """Of a body of any size at most a byte more than the limit is kept, and it is read to its end."""
    stream = io.BytesIO(bytes(size))
    assert len(read_body(stream, size, None)) == min(size, MAX_BODY + 1)
    assert stream.tell() == size
