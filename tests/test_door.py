"""The server's own door: any client, however slow, rude or large, gets its answer or its end, and harms no other."""

import asyncio
import json
import os
import re
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from ringback.hosts import asgi, connections, server
from ringback.hosts.life import Life, Pulse
from ringback.hosts.server import Handle, listen, serve
from ringback.web import MAX_BODY, Request, Response, answer_json
from tests.working import until

SOON = 0.3  # seconds, where the code has several
OK = b"HTTP/1.1 200 OK"
HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"

seen: list[Request] = []


async def echo(request: Request) -> Response:
    """Tell the size of the body."""
    seen.append(request)
    return answer_json(200, {"size": len(request.body), "whole": request.is_whole})


@contextmanager
def answering(handle: Handle = echo) -> Iterator[tuple[int, Life]]:
    """Serve at a port while the block lasts; all that is being read by then is answered."""
    seen.clear()
    listener = listen("127.0.0.1", 0)
    port, life = listener.getsockname()[1], Life(Pulse(1), 0, os.getppid())
    thread = threading.Thread(target=serve, args=(handle, listener, life))
    thread.start()
    try:
        yield port, life
    finally:
        life.stop.set()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a server that tells the size of each body."""
    with answering() as (number, _):
        yield number


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """All limits of time are short."""
    monkeypatch.setattr(connections, "LONGEST_HEAD_READ", SOON)
    monkeypatch.setattr(connections, "LONGEST_IDLE", SOON)
    monkeypatch.setattr(server, "LONGEST_IDLE", SOON)
    monkeypatch.setattr(asgi, "LONGEST_READ", SOON)


def connect(port: int) -> closing[socket.socket]:
    """Return a connection, to be closed by ``with``."""
    return closing(socket.create_connection(("127.0.0.1", port), timeout=20))


def read_all(connection: socket.socket) -> bytes:
    """Return all that comes until the other side has closed or broken off the connection."""
    said = b""
    with suppress(ConnectionError):
        while piece := connection.recv(65536):
            said += piece
    return said


def read_answer(connection: socket.socket) -> HTTPResponse:
    """Return the next answer."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer


def read_sizes(connection: socket.socket, count: int) -> list[int]:
    """Return the sizes that the next answers tell, which may come in one piece."""
    said = b""
    while said.count(b"}\n") < count:
        piece = connection.recv(65536)
        assert piece, said
        said += piece
    assert said.count(OK) == count
    return [int(size) for size in re.findall(rb'"size":([0-9]+)', said)]


def drip(connection: socket.socket, drop: bytes) -> None:
    """Send the same again and again until the other side has had enough."""
    with suppress(ConnectionError):
        while True:
            connection.sendall(drop)
            time.sleep(SOON / 10)


# --- time ---


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("said", [b"", b"POST /x HT", b"\r\n", b"POST /x HTTP/1.1\r\nHost: x\r\n"])
def test_half_a_head(said: bytes, port: int) -> None:
    """A connection on which no head is there in time is closed without an answer."""
    with connect(port) as connection:
        connection.sendall(said)
        assert read_all(connection) == b""
    assert seen == []


@pytest.mark.usefixtures("soon")
def test_head_that_trickles(port: int) -> None:
    """Byte after byte is not in time."""
    with connect(port) as connection:
        connection.sendall(b"GET /")
        drip(connection, b"x")
        assert read_all(connection) == b""
    assert seen == []


@pytest.mark.usefixtures("soon")
def test_body_that_trickles(port: int) -> None:
    """A body that is not there in time counts as none, and the connection ends although it trickles on."""
    with connect(port) as connection:
        connection.sendall(HEAD % 1000)
        drip(connection, b"x")
        assert read_all(connection).startswith(OK)
    assert [(request.body, request.is_whole) for request in seen] == [(b"", False)]


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("drop", [b"\r\n", b""], ids=["empty lines", "nothing"])
def test_connection_without_a_further_request(drop: bytes, port: int) -> None:
    """A connection is kept for a while after an answer, whatever comes that is no request."""
    with connect(port) as connection:
        connection.sendall(HEAD % 1 + b"x")
        assert json.loads(read_answer(connection).read()) == {"size": 1, "whole": True}
        if drop:
            drip(connection, drop)
        assert read_all(connection) == b""


@pytest.mark.usefixtures("soon")
def test_requests_at_once() -> None:
    """Requests that come in one piece are answered in their order, each in its own time."""

    async def handle(request: Request) -> Response:
        await asyncio.sleep(1.5 * SOON)
        return await echo(request)

    with answering(handle) as (port, _), connect(port) as connection:
        connection.sendall((HEAD % 1 + b"a") + (HEAD % 2 + b"bb"))
        assert [json.loads(read_answer(connection).read())["size"] for _ in range(2)] == [1, 2]


@pytest.mark.usefixtures("soon")
def test_request_shortly_before_the_end() -> None:
    """A request that comes while an idle connection may still be used is answered, whenever that is."""

    async def handle(request: Request) -> Response:
        await asyncio.sleep(len(request.body) * SOON)
        return await echo(request)

    with answering(handle) as (port, _), connect(port) as connection:
        for size in (0, 2):
            connection.sendall(HEAD % size + bytes(size))
            assert json.loads(read_answer(connection).read())["size"] == size
            time.sleep(SOON / 3)


def test_connection_that_is_kept(port: int) -> None:
    """A client may send one request after the other on one connection."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        for size in (0, 3, 70_000):
            connection.request("POST", "/x", bytes(size))
            assert json.loads(connection.getresponse().read())["size"] == size


# --- size ---


@pytest.mark.parametrize("where", ["path", "header"])
@pytest.mark.parametrize("pause", [0, 0.01], ids=["at once", "in pieces"])
def test_longest_head(where: str, pause: float, port: int) -> None:
    """A head of 60,000 bytes is read; one of 70,000 is answered 400, however it comes."""
    for size, status in ((60_000, 200), (70_000, 400)):
        long = b"a" * size
        path, header = (long, b"") if where == "path" else (b"", b"X-Long: " + long + b"\r\n")
        said = b"GET /" + path + b" HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n"
        with connect(port) as connection, suppress(ConnectionError):
            for start in range(0, len(said), 8000) if pause else [0]:
                connection.sendall(said[start : start + 8000] if pause else said)
                time.sleep(pause)
            assert read_answer(connection).status == status
    assert len(seen) == 1


def test_head_without_an_end(port: int) -> None:
    """A head that goes on and on is answered before it ends."""
    with connect(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            connection.sendall((b"X-Y: " + b"z" * 8000 + b"\r\n") * 2000)
    assert seen == []


def test_body_that_is_too_large(port: int) -> None:
    """Of a body too large one byte more than may be is read; the rest is read away, and the answer comes."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("POST", "/x", bytes(5 * MAX_BODY))
        assert json.loads(connection.getresponse().read()) == {"size": MAX_BODY + 1, "whole": True}


def test_body_without_an_end(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that goes on and on is answered before it ends."""
    monkeypatch.setattr(asgi, "MOST_READ", 2 * MAX_BODY)
    with connect(port) as connection:
        connection.sendall(HEAD % 10**12)
        connection.sendall(bytes(3 * MAX_BODY))
        assert json.loads(read_answer(connection).read()) == {"size": MAX_BODY + 1, "whole": True}


def test_too_many_large_bodies(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """When all bodies that are being read take too much memory the next is asked to come later; small ones are read."""
    monkeypatch.setattr(asgi, "MOST_UNREAD", 150_000)
    with connect(port) as first, connect(port) as second, connect(port) as third:
        first.sendall(HEAD % 200_000 + bytes(100_000))
        second.sendall(HEAD % 200_000 + bytes(100_000))
        [refused], _, _ = select.select([first, second], [], [], 20)
        other = second if refused is first else first
        answer = read_answer(refused)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        third.sendall(HEAD % 5 + b"small")
        assert json.loads(read_answer(third).read())["size"] == 5
        other.sendall(bytes(40_000))
        other.close()
        until(lambda: len(seen) == 2)
    with connect(port) as connection:
        connection.sendall(HEAD % 120_000 + bytes(120_000))
        assert json.loads(read_answer(connection).read())["size"] == 120_000


# --- manners ---


def test_client_that_hangs_up(port: int) -> None:
    """A client that is gone in the midst of a body has sent none; the next one is served."""
    with connect(port) as connection:
        connection.sendall(HEAD % 1000 + b"half")
    until(lambda: seen)
    assert (seen[0].body, seen[0].is_whole) == (b"", False)
    with connect(port) as connection:
        connection.sendall(HEAD % 1 + b"x")
        assert read_answer(connection).status == 200


def test_body_that_can_not_be_read(port: int, lines: list[dict[str, Any]]) -> None:
    """A body whose form is broken is answered 400, once, and counts as none."""
    with connect(port) as connection:
        connection.sendall(b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nKowalski\r\n")
        said = read_all(connection)
    assert said.startswith(b"HTTP/1.1 400")
    assert said.count(b"HTTP/") == 1
    until(lambda: seen)
    assert not seen[0].is_whole
    assert [(line["event"], line["http_status"]) for line in lines] == [("webhook.refused", 400)]


def test_head_request(port: int) -> None:
    """HEAD is answered as GET, without the body."""
    sizes = []
    for method in ("GET", "HEAD"):
        with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request(method, "/")
            answer = connection.getresponse()
            sizes.append((answer.headers["Content-Length"], len(answer.read())))
    assert sizes == [("24", 24), ("24", 0)]


def test_headers(port: int) -> None:
    """Names are read in lower case, several of one name with commas, and none with an underscore."""
    with connect(port) as connection:
        connection.sendall(b"GET /a%20b?c=%20 HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nX_A: 3\r\nX-B: \xc5\x82\r\n\r\n")
        assert read_answer(connection).status == 200
    assert seen[0].headers == {"x-a": "1,2", "x-b": "\u00c5\u0082"}
    assert (seen[0].path, seen[0].query) == ("/a%20b", "c=%20")


def test_client_that_asks_first(port: int) -> None:
    """A client that waits to be told to go on is told."""
    with connect(port) as connection:
        connection.sendall(b"POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"x")
        assert read_answer(connection).status == 200


OFFERS = {
    "HTTP/2": b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAB\r\n",
    "WebSocket": b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
}
FRAMED = {
    "length": b"Content-Length: 5\r\n\r\nhello",
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize("framed", FRAMED.values(), ids=FRAMED)
@pytest.mark.parametrize("size", [1, 50, 1000])
def test_client_that_offers_another_protocol(offer: bytes, framed: bytes, size: int, port: int) -> None:
    """Java's HttpClient offers HTTP/2 with each request: it is read as any other, and so is the next."""
    said = (b"POST /x?y HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\n" + offer + framed) * 2 + HEAD % 3 + b"end"
    with connect(port) as connection:
        for start in range(0, len(said), size):
            connection.sendall(said[start : start + size])
        assert read_sizes(connection, 3) == [5, 5, 3]
    assert [request.body for request in seen] == [b"hello", b"hello", b"end"]
    assert {(request.path, request.query, request.headers["x-a"]) for request in seen[:2]} == {("/x", "y", "1,2")}


@pytest.mark.parametrize("offer", [b"", *OFFERS.values()], ids=["none", *OFFERS])
@pytest.mark.parametrize("target", [b"x:443", b"/x", b"http://x/x"])
def test_client_that_wants_a_tunnel(offer: bytes, target: bytes, port: int) -> None:
    """CONNECT is no request to this server."""
    with connect(port) as connection:
        connection.sendall(b"CONNECT " + target + b" HTTP/1.1\r\nHost: x\r\n" + offer + b"\r\nabc")
        assert read_answer(connection).status == 400


def test_too_many_requests_at_once() -> None:
    """Of requests that come in one piece some wait for the one before them; more are refused, for each takes memory."""
    go_on = threading.Event()

    async def handle(request: Request) -> Response:
        await asyncio.to_thread(go_on.wait, 20)
        return await echo(request)

    with answering(handle) as (port, _), connect(port) as few, connect(port) as many:
        few.sendall((HEAD % 1 + b"x") * (connections.MOST_AT_ONCE + 1))
        many.sendall((HEAD % 1 + b"x") * 2000)
        assert read_answer(many).status == 400
        go_on.set()
        assert read_sizes(few, connections.MOST_AT_ONCE + 1) == [1] * (connections.MOST_AT_ONCE + 1)
    assert len(seen) <= connections.MOST_AT_ONCE + 2


# --- its beginning and end ---


def test_stop_while_a_body_is_read() -> None:
    """A request whose head was read by the time of the stop is answered; idle connections are closed."""
    with answering() as (port, life), connect(port) as connection, connect(port) as idle:
        connection.sendall(HEAD % 2 + b"a")
        time.sleep(0.1)
        life.stop.set()
        assert read_all(idle) == b""
        connection.sendall(b"b")
        assert read_all(connection).startswith(OK)
    assert [request.body for request in seen] == [b"ab"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)


def test_port_that_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that another one has is waited for, not for ever; one that can't be had at all is not."""
    monkeypatch.setattr(server, "LONGEST_WAIT", SOON)
    with listen("127.0.0.1", 0) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", number)
        monkeypatch.setattr(server, "LONGEST_WAIT", 20)
        threading.Timer(SOON, taken.close).start()
        listen("127.0.0.1", number).close()
    with pytest.raises(OSError, match="assign"):
        listen("192.0.2.1", 0)


def test_address_of_the_new_kind() -> None:
    """IPv6 works."""
    with listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6
