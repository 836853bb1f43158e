"""The door on Google Cloud, through the Functions Framework's own server."""

import hashlib
import hmac
import http.client
import io
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import flask
import functions_framework
import pytest
from flask.testing import FlaskClient

from ringback.errors import ConfigError
from ringback.web import MAX_BODY

SECRET = "0123456789abcdef0123456789abcdef"
CONFIG = f"""
thulium: {{url: "http://127.0.0.1:9", user: u, password: p}}
log_key: an-invented-key-long-enough
public_url: https://hooks.example.com
sources:
  website:
    verify: {{scheme: hmac, header: X-Signature, encoding: hex, signed: "{{method}} {{url}} {{body}}"}}
    secret: {SECRET}
    when: "`false`"
    map: {{customer_id: id}}
    campaign: "00001"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose one source takes no event for a lead."""
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG)
    monkeypatch.setenv("RINGBACK_CONFIG", str(path))
    return path


@pytest.fixture
def client(config: Path, root: Path) -> FlaskClient:
    """A client of the framework's application."""
    app = functions_framework.create_app("webhook", str(root / "functions/main.py"))
    return app.test_client()  # type: ignore[no-any-return]  # the framework has no types


def sign(target: str, body: bytes) -> dict[str, str]:
    """Return the headers of a signed JSON request."""
    signed = f"POST https://hooks.example.com{target} ".encode() + body
    signature = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-Signature": signature, "Content-Type": "application/json"}


# --- what crosses the door ---


@pytest.mark.parametrize("target", ["/website", "/website?a=1&a=2&b=%20%C5%82&c", "/website?x=%2B+%2f&y=a?b"])
@pytest.mark.parametrize("body", [b'{"id": 1}', '{"id": 1, "name": "Łoś"}'.encode()])
def test_everything_crosses_as_it_came(client: FlaskClient, target: str, body: bytes) -> None:
    """Method, path, raw query, headers and body reach the core as they were sent: else the signature would not hold."""
    answer = client.post(target, data=body, headers=sign(target, body))
    assert answer.status_code == 200
    assert answer.json
    assert answer.json["outcomes"][0]["status"] == "SKIPPED"
    assert answer.content_type == "application/json"


def test_large_bodies_are_refused(client: FlaskClient) -> None:
    """A body over the limit is answered with 413, in JSON, even where the signature is right."""
    body = b" " * MAX_BODY + b"{"
    answer = client.post("/website", data=body, headers=sign("/website", body))
    assert answer.status_code == 413
    assert answer.json
    assert answer.json.keys() == {"error"}


def test_body_of_the_largest_size(client: FlaskClient) -> None:
    """A body of exactly the limit is read."""
    body = b'{"id": 1}'.ljust(MAX_BODY)
    assert client.post("/website", data=body, headers=sign("/website", body)).status_code == 200


class Zeros(io.RawIOBase):
    """So many bytes, made as they are read."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:  # what the buffer protocol is has no name before Python 3.12
        count = min(len(buffer), self.left)
        self.left -= count
        return count


@pytest.mark.parametrize("length", [{"CONTENT_LENGTH": "30000000"}, {"wsgi.input_terminated": True}])
def test_large_bodies_are_never_held_in_memory(client: FlaskClient, length: dict[str, Any]) -> None:
    """Thirty megabytes cost no more memory than the largest body that is read, be their length said or not."""
    body = Zeros(30_000_000)
    tracemalloc.start()
    try:
        answer = client.post("/website", environ_overrides={"wsgi.input": body, **length})
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (answer.status_code, body.left) == (413, 0)
    assert peak < 6 * MAX_BODY


@pytest.mark.parametrize("path", ["/robots.txt", "/favicon.ico", "/a%0Ab", "/website/x", "/nobody"])
def test_every_path_is_ours(client: FlaskClient, path: str) -> None:
    """Paths that the framework keeps for itself are answered like every unknown source, in one line of JSON."""
    answer = client.post(path, data=b"{}")
    assert answer.status_code == 401
    assert answer.data.count(b"\n") == 1
    assert answer.json
    assert answer.json.keys() == {"error"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_every_method_is_ours(client: FlaskClient, method: str) -> None:
    """The framework answers no method by itself."""
    answer = client.open("/website", method=method)
    assert answer.status_code == 405
    assert answer.json
    assert answer.json.keys() == {"error"}


@pytest.mark.usefixtures("config")
def test_door_opens_without_the_framework(root: Path) -> None:
    """Whoever imports the door without the framework gets its functions all the same."""
    door = runpy.run_path(str(root / "functions/main.py"))
    with flask.Flask("alone").test_request_context("/"):
        assert door["webhook"](flask.request).data == b"Ringback is up.\n"


def test_bad_configuration_does_not_start(config: Path, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a bad configuration the function does not start, so that the platform keeps the revision that works."""
    config.write_text("thulium: {}")
    with pytest.raises(ConfigError, match="sources"):
        functions_framework.create_app("webhook", str(root / "functions/main.py"))
    assert '"config.invalid"' in capsys.readouterr().out


# --- a real server: what no test client can show ---


class Server:
    """The function under the framework's server, in a process of its own."""

    def __init__(self, config: Path, root: Path, *start: str) -> None:
        """Start it by ``python *start``, else as the platform does."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        start = start or ("-m", "functions_framework")
        command = (sys.executable, *start, "--target", "webhook", "--host", "127.0.0.1")
        source = ("--source", str(root / "functions/main.py"), "--port", str(self.port))
        with config.with_name("log").open("wb") as log:
            self.process = subprocess.Popen([*command, *source], stdout=log, stderr=log, start_new_session=True)

    def wait(self) -> None:
        """Return when the server answers."""
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                assert self.process.poll() is None, "the server has ended"
                time.sleep(0.05)
            else:
                return
        pytest.fail("the server does not answer")

    def stop(self) -> None:
        """End the server, and its workers with it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(10)

    def post(
        self, body: Iterator[bytes] | bytes, headers: dict[str, str], target: str = "/website"
    ) -> tuple[int, bytes]:
        """Return the status and the body that a POST is answered with."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", target, body, headers, encode_chunked=not isinstance(body, bytes))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def send(self, raw: bytes) -> bytes:
        """Send bytes and no more; return all that comes back."""
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Server]:
    """A running server."""
    config = tmp_path_factory.mktemp("server") / "config.yaml"
    config.write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RINGBACK_CONFIG", str(config))
        running = Server(config, root)
    try:
        running.wait()
        yield running
    finally:
        running.stop()


def whole(body: bytes) -> bytes:
    return body


def in_chunks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + 65536] for start in range(0, len(body), 65536))


class TestServer:
    @pytest.mark.parametrize("way", [whole, in_chunks])
    def test_answers(self, server: Server, way: Callable[[bytes], Iterator[bytes] | bytes]) -> None:
        """A signed request is answered, whether its length is said beforehand or not."""
        body = b'{"id": 1}'
        chunked = {} if way is whole else {"Transfer-Encoding": "chunked"}
        assert server.post(way(body), {**sign("/website", body), **chunked})[0] == 200

    @pytest.mark.parametrize("path", ["/robots.txt", "/a%0Ab", "//website", "//website?a"])
    def test_every_path_is_ours(self, server: Server, path: str) -> None:
        """The server itself answers no path either, however odd."""
        answer = server.send(f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 401 ")
        assert b'\r\n\r\n{"error":' in answer

    @pytest.mark.parametrize("way", [whole, in_chunks])
    def test_thirty_megabytes(self, server: Server, way: Callable[[bytes], Iterator[bytes] | bytes]) -> None:
        """A body of any size is refused in our words, and the next request is answered."""
        chunked = {} if way is whole else {"Transfer-Encoding": "chunked"}
        status, answer = server.post(way(bytes(30_000_000)), chunked)
        assert status == 413
        assert answer.startswith(b'{"error":')
        assert server.post(b"{}", {})[0] == 401

    @pytest.mark.parametrize(
        "body",
        [b'Content-Length: 100\r\n\r\n{"id": 1}', b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}",
         b'Transfer-Encoding: chunked\r\n\r\n9\r\n{"id": 1}'],
        ids=["shorter than said", "bad chunk", "no last chunk"],
    )  # fmt: skip
    def test_body_that_breaks_off(self, server: Server, body: bytes) -> None:
        """A body that does not end as it was to is 400: half a form must not become a lead."""
        answer = server.send(b"POST /website HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + body)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.endswith(b'{"error":"the body breaks off"}\n')


# Hurried, so that the test is over before the six seconds are that a body has.
HURRIED = """
from ringback import web
web.LONGEST_READ = 0.5
from functions_framework._cli import _cli
_cli()
"""


@pytest.mark.parametrize("framing", [b"Content-Length: 500", b"Transfer-Encoding: chunked"])
def test_body_that_trickles(config: Path, root: Path, framing: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many senders as there are threads, each with a byte now and then, hold an honest one up for seconds at most.

    They are answered 400, though each byte came soon after the one before.
    """
    monkeypatch.setenv("THREADS", "2")
    monkeypatch.setenv("PYTHONPATH", str(root / "functions"))
    server = Server(config, root, "-c", HURRIED)
    try:
        server.wait()
        with ExitStack() as open_:
            slow = [open_.enter_context(socket.create_connection(("127.0.0.1", server.port), 10)) for _ in range(2)]
            for each in slow:
                each.sendall(b"POST /website HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%b\r\n\r\n" % framing)
            open_.enter_context(trickling(slow))
            body = b'{"id": 1}'
            assert server.post(body, sign("/website", body))[0] == 200
            answers = [each.recv(65536) for each in slow]
    finally:
        server.stop()
    assert all(answer.startswith(b"HTTP/1.1 400 ") for answer in answers)


@contextmanager
def trickling(connections: list[socket.socket]) -> Iterator[None]:
    """Send a chunk of one byte through each connection every 20 ms while the block lasts, if the server takes it."""
    done = threading.Event()

    def send() -> None:
        while not done.wait(0.02):
            for each in connections:
                with suppress(OSError):
                    each.sendall(b"1\r\n{\r\n")

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
