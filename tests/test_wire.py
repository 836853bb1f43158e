"""Calls to other servers, over real sockets: what goes out, what comes back, and that every call ends."""

import errno
import logging
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ringback.errors import CallFailed
from ringback.thulium.wire import MAX_REPLY, Reply, Wire

FUNCTIONS = Path(__file__).parent.parent / "functions"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SHORT = 0.15  # seconds that a call gets which is to run out of time
SLACK = 1.5  # seconds that it may come back later than that, on a busy machine

Behaviour = Callable[[socket.socket, bytes], object]


class Server:
    """A server that reads requests and behaves as it is told, for each request on each connection."""

    def __init__(self, behave: Behaviour, context: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.context = context
        self.requests: list[bytes] = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def run(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            stream = self.context.wrap_socket(connection, server_side=True) if self.context else connection
            with stream:
                while request := read_request(stream):
                    self.requests.append(request)
                    self.behave(stream, request)


def read_request(stream: socket.socket) -> bytes:
    """Return the next request's bytes, or none when the other side has hung up."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += (more := stream.recv(65536))
        if not more:
            return b""
    head, _, body = received.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    while len(body) < length:
        body += stream.recv(65536)
    return head + b"\r\n\r\n" + body


@contextmanager
def serving(behave: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(behave, context)
    threading.Thread(target=server.run, daemon=True).start()
    yield server
    server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()


def answer(reply: bytes) -> Behaviour:
    return lambda stream, _: stream.sendall(reply)


def flood(stream: socket.socket, _: bytes) -> None:
    """Send interim replies, and nothing but."""
    while True:
        stream.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 300)


def drip(*parts: bytes) -> Behaviour:
    """Send the parts at once, then the last one again and again, slowly."""

    def behave(stream: socket.socket, _: bytes) -> None:
        for part in chain(parts, repeat(parts[-1], 200)):
            stream.sendall(part)
            time.sleep(0.02)
        stream.close()

    return behave


def hang_up(stream: socket.socket, _: bytes) -> None:
    stream.shutdown(socket.SHUT_RDWR)


def reset(stream: socket.socket, _: bytes) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    stream.close()


def hang(stream: socket.socket, _: bytes) -> None:
    """Say nothing until the other side has gone."""
    stream.recv(1)


def failure(wire: Wire, url: str, seconds: float = 5, **more: Any) -> tuple[CallFailed, float]:
    """Return how a call failed, and how long that took."""
    started = time.monotonic()
    with pytest.raises(CallFailed) as caught:
        wire.call(more.pop("method", "GET"), url, seconds=seconds, **more)
    return caught.value, time.monotonic() - started


@pytest.fixture
def wire() -> Wire:
    return Wire()


def address(port: int) -> tuple[Any, ...]:
    """Return one answer of the resolver."""
    return (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[int]) -> None:
    """Let each question to the resolver have the next answer (ports on this machine), and then the last one again."""
    rest = chain(answers, repeat(answers[-1]))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [address(port) for port in next(rest)])


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port on which nobody listens, and which nobody else is given."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port that takes no further connection and does not say so: its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        callers = [socket.socket() for _ in range(4)]
        for caller in callers:
            caller.settimeout(0)
            assert caller.connect_ex(listener.getsockname()) in (0, errno.EINPROGRESS)
        time.sleep(0.02)
        yield listener.getsockname()[1]
        for caller in callers:
            caller.close()


# What goes out and what comes back


def test_a_reply_is_handed_over_as_it_came(wire: Wire) -> None:
    """A reply has its status, its headers in lower case, and its body's bytes, whatever the status."""
    with serving(answer(b'HTTP/1.1 418 No\r\nX-One: 1\r\nContent-Length: 9\r\n\r\n{"a":"b"}')) as server:
        reply = wire.call("GET", f"{server.url}/api/customers", seconds=5)
    assert reply == Reply(418, {"x-one": "1", "content-length": "9"}, b'{"a":"b"}')
    assert reply.json() == {"a": "b"}


def test_json_goes_out_with_its_type(wire: Wire) -> None:
    """A JSON request is UTF-8 in its smallest form and says so; the caller's headers go with it."""
    with serving(answer(OK)) as server:
        wire.call("POST", f"{server.url}/x", seconds=5, json={"a": [1, "ł"]}, headers={"Accept-Language": "en"})
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /x HTTP/1.1"
    assert {
        "Content-Type: application/json; charset=utf-8",
        "Accept: application/json",
        "Accept-Language: en",
        "Accept-Encoding: identity",
    } <= set(lines)
    assert body == rb'{"a":[1,"\u0142"]}'


def test_without_json_there_is_no_body(wire: Wire) -> None:
    """A request without JSON has neither a body nor a content type."""
    with serving(answer(OK)) as server:
        wire.call("GET", server.url, seconds=5)
    assert server.requests[0].endswith(b"\r\n\r\n")
    assert b"content-type" not in server.requests[0].lower()


@pytest.mark.parametrize(
    ("params", "query"),
    [
        ({"phone_number": "+48601000001"}, b"phone_number=%2B48601000001"),
        ([("customer_id[]", "441"), ("customer_id[]", "442")], b"customer_id%5B%5D=441&customer_id%5B%5D=442"),
        ({"email": "żółw&x@example.pl"}, b"email=%C5%BC%C3%B3%C5%82w%26x%40example.pl"),
    ],
)
def test_params_are_encoded(wire: Wire, params: Any, query: bytes) -> None:
    """Parameters are percent-encoded UTF-8, and a name may come more than once."""
    with serving(answer(OK)) as server:
        wire.call("GET", f"{server.url}/c", seconds=5, params=params)
    assert server.requests[0].startswith(b"GET /c?" + query + b" HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (b"HTTP/1.1 204 None\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"{}"),
    ],
)
def test_every_kind_of_body_is_read(wire: Wire, reply: bytes, body: bytes) -> None:
    """A reply's body may be absent, in chunks, or come after an interim reply; the connection is used again."""
    with serving(answer(reply)) as server:
        assert [wire.call("GET", server.url, seconds=5).body for _ in range(2)] == [body, body]
    assert server.connections == 1


def test_a_body_may_end_with_the_connection(wire: Wire) -> None:
    """A reply without a length ends when the server hangs up."""

    def behave(stream: socket.socket, _: bytes) -> None:
        stream.sendall(b"HTTP/1.0 200 OK\r\n\r\nall of it")
        stream.shutdown(socket.SHUT_RDWR)

    with serving(behave) as server:
        assert wire.call("GET", server.url, seconds=5).body == b"all of it"


def test_a_byte_order_mark_is_no_error() -> None:
    """JSON that begins with a byte order mark, as some PHP pages do, is read."""
    assert Reply(200, {}, b'\xef\xbb\xbf{"a":1}').json() == {"a": 1}


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a":', b"\xff\xfe\xfd", b"[" * 100_000, b"9" * 5_000])
def test_what_is_no_json_raises_one_kind_of_error(body: bytes) -> None:
    """Whatever the body is, reading it as JSON gives a value or raises ValueError."""
    with pytest.raises(ValueError):
        Reply(200, {}, body).json()


def test_any_body_has_a_text() -> None:
    """Text is made of any bytes."""
    assert Reply(200, {}, b"\xc5\x82\xff").text == "ł\ufffd"


# The deadline


@pytest.mark.parametrize(
    "behave",
    [
        hang,
        flood,
        drip(b"H", b"T"),
        drip(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nX-A: ", b"1"),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
    ids=[
        "hang",
        "flood",
        "status line",
        "headers",
        "header",
        "interim replies",
        "body",
        "chunks",
        "body without length",
    ],
)
def test_a_slow_reply_ends_at_the_deadline(wire: Wire, behave: Behaviour) -> None:
    """A reply that does not come, or byte by byte, is given up when the call's time is over."""
    with serving(behave) as server:
        failed, seconds = failure(wire, server.url, SHORT, method="POST", json={})
    assert failed.reason == "no answer in time"
    assert SHORT <= seconds < SHORT + SLACK


@pytest.mark.parametrize("pause", [0.01, SHORT + SLACK], ids=["slowly", "not"])
def test_a_server_that_does_not_read_is_given_up(wire: Wire, pause: float) -> None:
    """A request that can't be sent off, or only slowly, is given up when the call's time is over."""

    def read(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(65536):
                time.sleep(pause)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=read, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that little is more than it takes
        failed, seconds = failure(wire, url, SHORT, method="PUT", json="x" * 6_000_000)
    assert failed.reason == "no answer in time"
    assert seconds < SHORT + SLACK


def test_a_slow_connect_ends_at_the_deadline(wire: Wire, deaf: int) -> None:
    """A host that does not take the connection is given up when the call's time is over."""
    failed, seconds = failure(wire, f"http://127.0.0.1:{deaf}", SHORT)
    assert failed.reason == "no answer in time"
    assert SHORT <= seconds < SHORT + SLACK


def test_dead_addresses_share_the_time(wire: Wire, deaf: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host with several dead addresses takes no longer than one with one."""
    resolve(monkeypatch, [deaf, deaf, deaf])
    failed, seconds = failure(wire, "http://acme.example", SHORT)
    assert failed.reason == "no answer in time"
    assert seconds < SHORT + SLACK


def test_a_live_address_is_reached_behind_a_dead_one(wire: Wire, deaf: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first address of a host may be dead as long as another one answers."""
    with serving(answer(OK)) as server:
        resolve(monkeypatch, [deaf, server.port])
        assert wire.call("GET", "http://acme.example", seconds=4 * SHORT).body == b"{}"


def test_a_handshake_that_hangs_ends_at_the_deadline(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that takes the connection but never begins TLS is given up when the call's time is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        resolve(monkeypatch, [port, port])
        failed, seconds = failure(wire, "https://acme.example", SHORT)
    assert failed.reason == "no answer in time"
    assert SHORT <= seconds < SHORT + SLACK


# What breaks


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (reset, "the connection broke"),
        (hang_up, "the connection broke"),
        (answer(b"SSH-2.0-x\r\n\r\n"), "the reply is broken"),
        (answer(b"HTTP/1.1 200 OK\r\n" + b"X-A: 1\r\n" * 200), "the reply is broken"),
        (answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a number\r\n"), "the reply is broken"),
    ],
    ids=["reset", "hung up", "not HTTP", "many headers", "bad chunk"],
)
def test_a_broken_reply_is_a_failed_call(wire: Wire, behave: Behaviour, reason: str) -> None:
    """A reply that does not come or is no HTTP fails the call, once, and the reason says why."""
    with serving(behave) as server:
        failed, _ = failure(wire, server.url, method="POST", json={})
    assert failed.reason == reason
    assert failed.http_status is None
    assert failed.is_in_doubt
    assert len(server.requests) == 1


def test_half_a_body_is_no_reply(wire: Wire) -> None:
    """A body that is shorter than announced fails the call: what is missing may be the part that matters."""

    def behave(stream: socket.socket, _: bytes) -> None:
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n[]")
        stream.shutdown(socket.SHUT_RDWR)

    with serving(behave) as server:
        assert failure(wire, server.url)[0].reason == "the reply is broken"


@pytest.mark.parametrize(
    "head",
    [
        b"200 OK\r\n\r\n",
        b"200 OK\r\nContent-Length: 9999999999\r\n\r\n",
        b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n",
        b"302 Found\r\nLocation: /x\r\n\r\n",
    ],
    ids=["no length", "length", "chunk", "redirect"],
)
def test_an_endless_body_is_given_up(wire: Wire, head: bytes) -> None:
    """A reply of more than 8 MiB is not read further, a redirect's neither, and its connection is closed."""

    def behave(stream: socket.socket, _: bytes) -> None:
        stream.sendall(b"HTTP/1.1 " + head)
        while True:
            stream.sendall(b"x" * 65536)

    with serving(behave) as server:
        assert failure(wire, server.url, 20)[0].reason == "the reply is too large"
        server.behave = answer(OK)
        assert wire.call("GET", server.url, seconds=5).status == 200
    assert server.connections == 2


def test_the_largest_body_is_read(wire: Wire) -> None:
    """A reply of 8 MiB is read."""
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_REPLY}\r\n\r\n".encode()
    with serving(answer(head + b"x" * MAX_REPLY)) as server:
        assert len(wire.call("GET", server.url, seconds=5).body) == MAX_REPLY


def test_a_refused_connection_is_named(wire: Wire, refusing: int) -> None:
    """A host on which nobody listens fails the call at once."""
    failed, seconds = failure(wire, f"http://127.0.0.1:{refusing}")
    assert failed.reason == "connection refused"
    assert not failed.is_in_doubt
    assert seconds < SLACK


def test_a_refused_connection_is_tried_once_more(wire: Wire, refusing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no connection came about nothing was sent: even a POST is tried again."""
    with serving(answer(OK)) as server:
        resolve(monkeypatch, [refusing], [server.port])
        assert wire.call("POST", "http://acme.example", seconds=5, json={}).body == b"{}"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("error", "reason", "times"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "the host is not known", 1),
        (OSError(errno.ENETUNREACH, "unreachable"), "no connection", 2),
    ],
)
def test_a_host_that_is_not_reached_is_named(
    wire: Wire, error: OSError, reason: str, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that the resolver does not know fails the call at once, a network that is not there after a second try."""
    asked = []

    def ask(*question: object, **_: object) -> None:
        asked.append(question)
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    failed, _ = failure(wire, "http://acme.example")
    assert (failed.reason, failed.is_in_doubt, len(asked)) == (reason, False, times)


def test_a_host_without_an_address_is_not_reached(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name without any address fails the call."""
    resolve(monkeypatch, [])
    assert failure(wire, "http://acme.example")[0].reason == "no connection"


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://", {}),
        ("ftp://acme.example/", {}),
        ("acme.example", {}),
        (f"http://{'a' * 70}.example/", {}),
        ("http://127.0.0.1:1/", {"X-A": "1\r\nX-B: 2"}),
        ("http://127.0.0.1:1/", {"X-A": "łoś"}),
    ],
)
def test_what_can_not_be_sent_is_a_failed_call(wire: Wire, url: str, headers: dict[str, str]) -> None:
    """An address or a header that can't be used fails the call like everything else."""
    assert failure(wire, url, headers=headers)[0].reason in (
        "the address or a header makes no sense",
        "connection refused",
    )


def test_a_failure_shows_nothing_of_the_request(wire: Wire, refusing: int, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a failure, nor its traceback, nor a library's log line holds the URL: a phone number may be in it."""
    caplog.set_level(logging.WARNING)
    failed, _ = failure(wire, f"http://127.0.0.1:{refusing}/customers", params={"phone_number": "601000001"})
    with serving(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nno header at all\r\n\r\n{}")) as server:
        wire.call("GET", server.url, seconds=5, params={"phone_number": "601000001"})
    assert (str(failed), failed.message) == ("connection refused", "")
    assert failed.__suppress_context__
    assert caplog.records == []


# What is left alone


def test_a_redirect_is_not_followed(wire: Wire) -> None:
    """A redirect is a reply like any other: a password does not go where it points."""
    with serving(answer(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")) as server:
        reply = wire.call("GET", server.url, seconds=5)
    assert (reply.status, reply.headers["location"]) == (302, "/elsewhere")
    assert len(server.requests) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
@pytest.mark.parametrize("status", [413, 429, 503])
def test_a_retry_after_is_handed_over(wire: Wire, method: str, status: int) -> None:
    """A reply that says when to come back is a reply: nobody waits here, nobody calls twice, and nothing is lost."""
    reply = f"HTTP/1.1 {status} Later\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(answer(reply)) as server:
        found = wire.call(method, server.url, seconds=5)
    assert (found.status, found.headers["retry-after"], len(server.requests)) == (status, "120", 1)


def test_cookies_are_not_kept(wire: Wire) -> None:
    """A cookie that a server sets does not come back to it."""
    with serving(answer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")) as server:
        for _ in range(2):
            wire.call("GET", server.url, seconds=5)
    assert b"cookie" not in server.requests[1].lower()


def test_the_environment_is_ignored(wire: Wire, refusing: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a proxy nor a password comes from the environment."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{refusing}")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(answer(OK)) as server:
        assert wire.call("GET", server.url, seconds=5).status == 200
    assert b"authorization" not in server.requests[0].lower()


def test_nothing_heavy_is_imported_before_the_first_call() -> None:
    """A function that only stores events never imports requests."""
    make = "from ringback.thulium.wire import Wire; Wire()"
    program = f"import sys; {make}; print({{'requests', 'urllib3', 'ssl'}} & {{*sys.modules}})"
    run = subprocess.run([sys.executable, "-c", program], cwd=FUNCTIONS, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# Connections


def test_a_connection_is_used_again(wire: Wire) -> None:
    """Calls one after the other share one connection."""
    with serving(answer(OK)) as server:
        for _ in range(5):
            wire.call("POST", server.url, seconds=5, json={})
    assert (server.connections, len(server.requests)) == (1, 5)


def test_a_connection_that_the_server_has_closed_is_replaced(wire: Wire) -> None:
    """A POST does not meet a connection that the server has closed while it was idle."""

    def behave(stream: socket.socket, _: bytes) -> None:
        stream.sendall(OK)
        stream.shutdown(socket.SHUT_RDWR)

    with serving(behave) as server:
        for _ in range(2):
            wire.call("POST", server.url, seconds=5, json={})
            time.sleep(0.05)
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_connection_that_has_been_idle_is_replaced(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """After some seconds a connection is not trusted any more: something between may have forgotten it silently."""
    with serving(answer(OK)) as server:
        wire.call("POST", server.url, seconds=5, json={})
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 10)
        wire.call("POST", server.url, seconds=5, json={})
    assert (server.connections, len(server.requests)) == (2, 2)


def test_a_call_that_failed_leaves_no_connection_behind(wire: Wire) -> None:
    """The late reply to a call that was given up is not taken for the reply to the next."""

    def behave(stream: socket.socket, request: bytes) -> None:
        time.sleep(SHORT + 0.1 if b"slow" in request else 0)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + request[5:9])

    with serving(behave) as server:
        failure(wire, f"{server.url}/slow", SHORT)
        time.sleep(0.15)
        assert wire.call("GET", f"{server.url}/next", seconds=5).body == b"next"


def test_many_threads_share_one_wire(wire: Wire) -> None:
    """Sixteen calls go on at the same time, each gets its own reply, and no connection is made twice."""
    together = threading.Barrier(16)

    def behave(stream: socket.socket, request: bytes) -> None:
        together.wait(5)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n" + request[5:9])

    with serving(behave) as server, ThreadPoolExecutor(16) as threads:
        for _ in range(3):
            names = [f"{number:04}" for number in range(16)]
            replies = threads.map(lambda name: wire.call("GET", f"{server.url}/{name}", seconds=5).text, names)
            assert list(replies) == names
    assert server.connections == 16


# TLS


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate for 127.0.0.1 that nobody has signed but itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("acme.example")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the certificate among those that this machine trusts."""
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(certificate))


def test_a_certificate_that_nobody_vouches_for_is_refused(wire: Wire, tls: ssl.SSLContext) -> None:
    """A server whose certificate is not trusted gets no request."""
    with serving(answer(OK), tls) as server:
        failed, _ = failure(wire, server.url, headers={"Authorization": "Basic eDp5"})
    assert (failed.reason, failed.is_in_doubt) == ("the certificate is not trusted", False)
    assert server.requests == []


def test_a_certificate_for_another_host_is_refused(wire: Wire, tls: ssl.SSLContext, trusted: None) -> None:
    """A trusted certificate of another host is no better."""
    with serving(answer(OK), tls) as server:
        assert failure(wire, server.url)[0].reason == "the certificate is not trusted"
    assert server.requests == []


def test_a_server_without_tls_is_refused(wire: Wire) -> None:
    """A server that does not speak TLS where it should is named."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            connection.sendall(b"220 mail.example ESMTP\r\n" * 10)
            connection.close()

        threading.Thread(target=greet, daemon=True).start()
        failed, _ = failure(wire, f"https://127.0.0.1:{listener.getsockname()[1]}")
    assert failed.reason in ("no common TLS", "the connection broke")


def test_a_trusted_certificate_is_accepted(
    wire: Wire, tls: ssl.SSLContext, trusted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over TLS, too, calls share a connection, and a large request arrives whole."""
    with serving(answer(OK), tls) as server:
        resolve(monkeypatch, [server.port])
        for _ in range(2):
            assert wire.call("POST", "https://acme.example", seconds=5, json="x" * 100_000).body == b"{}"
    assert server.connections == 1
    assert all(request.endswith(b'x"') and len(request) > 100_002 for request in server.requests)


@pytest.mark.parametrize(
    "behave",
    [
        drip(b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x"),
    ],
    ids=["headers", "body"],
)
def test_the_deadline_holds_over_tls(
    wire: Wire, tls: ssl.SSLContext, trusted: None, behave: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply that comes byte by byte over TLS is given up when the call's time is over."""
    with serving(behave, tls) as server:
        resolve(monkeypatch, [server.port])
        failed, seconds = failure(wire, "https://acme.example", SHORT)
    assert failed.reason == "no answer in time"
    assert SHORT <= seconds < SHORT + SLACK
