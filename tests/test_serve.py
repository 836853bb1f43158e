"""`ringback serve` under a real HTTP client: the function, its worker, and how they end."""

import fcntl
import json
import os
import resource
import signal
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from itertools import islice, permutations
from pathlib import Path
from typing import Any

import pytest

from tests.configs import SECRET, make_source, write_config
from tests.sandbox import Sandbox, faults
from tests.service import Service

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes and pipes are looked at")
KEY = {"X-Api-Key": SECRET, "Content-Type": "application/json"}


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    """A stand-in Thulium with the campaign."""
    with Sandbox() as sandbox:
        sandbox.add_campaign("00001")
        yield sandbox


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """The queue's file."""
    return tmp_path / "queue.db"


def configure(folder: Path, thulium: Sandbox, **changes: Any) -> dict[str, str]:
    """Write a configuration for the stand-in, and return the environment that names it."""
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
    return write_config(folder, thulium=access, sources={"website": make_source(consent=None)}, **changes)


def lead(number: int) -> bytes:
    """Return what a form sends."""
    return json.dumps({"name": f"Ada Lis{number}", "phone": f"601000{number:03}"}).encode()


def test_direct_mode(tmp_path: Path, thulium: Sandbox) -> None:
    """Without a queue the answer comes with the outcome, and SIGTERM ends it with 0."""
    with Service(configure(tmp_path, thulium)) as service:
        assert service.ask("GET", "/") == (200, b"Ringback is up.\n")
        status, body = service.ask("POST", "/website", lead(1), KEY)
        assert (status, json.loads(body)["outcomes"][0]["status"]) == (200, "ADDED")
        assert service.ask("POST", "/website", lead(1))[0] == 401
        assert service.ask("POST", "/website", bytes(1024 * 1024 + 1), KEY)[0] == 413
        assert service.stop() == 0
    assert len(service.lines("customer.outcome")) == 1
    assert len(thulium.records("00001")) == 1


def test_queue_is_emptied_beside(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """With a SQLite queue the sender is answered before Thulium is asked, and the worker delivers."""
    thulium.slow(2, "batch")
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}")) as service:
        start = time.monotonic()
        status, body = service.ask("POST", "/website", lead(1), KEY)
        took = time.monotonic() - start
        assert (status, json.loads(body)["accepted"]) == (200, 1)
        assert took < 2
        service.wait_until(lambda: service.lines("customer.outcome"))
        assert service.stop() == 0
    assert service.lines("customer.outcome")[0]["status"] == "ADDED"
    assert len(thulium.records("00001")) == 1


@pytest.mark.parametrize("state", ["answers", "hangs", "is down"])
def test_accepting_waits_for_nobody(tmp_path: Path, thulium: Sandbox, queue: Path, state: str) -> None:
    """With a queue the sender is answered at once, whether Thulium answers, hangs or is down."""
    settings = configure(tmp_path, thulium, queue=f"sqlite:///{queue}")
    if state == "hangs":
        thulium.fail("*", faults.hang(), times=None)
    elif state == "is down":
        thulium.stop()
    with Service(settings) as service:
        for number in range(1, 6):
            start = time.monotonic()
            assert service.ask("POST", "/website", lead(number), KEY)[0] == 200
            assert time.monotonic() - start < 5  # a call to Thulium may take ten


def test_stop_lets_a_delivery_end(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """SIGTERM in the midst of a delivery: it is ended, its outcome stored, and the exit code is 0."""
    thulium.slow(0.5, "batch")
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}")) as service:
        service.ask("POST", "/website", lead(1), KEY)
        service.wait_until(lambda: thulium.counts.get("batch"))
        assert service.stop() == 0
    assert [line["status"] for line in service.lines("customer.outcome")] == ["ADDED"]
    with closing(sqlite3.connect(queue)) as connection:
        assert connection.execute("SELECT status, held FROM event").fetchall() == [("ADDED", 0)]


def test_next_start_delivers_what_was_left(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """`paused: true` accepts and delivers nothing; a start without it delivers all of it."""
    url = f"sqlite:///{queue}"
    with Service(configure(tmp_path, thulium, queue=url, paused=True)) as service:
        assert "paused" in "".join(service.err)
        for number in range(3):
            assert service.ask("POST", "/website", lead(number), KEY)[0] == 200
        time.sleep(0.3)
        assert service.stop() == 0
    assert thulium.counts == {}
    with Service(configure(tmp_path, thulium, queue=url)) as service:
        service.wait_until(lambda: len(service.lines("customer.outcome")) == 3)
    assert len(thulium.records("00001")) == 3


def test_thulium_that_is_down(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """While Thulium is down events are accepted and deferred; when it is back they are delivered."""
    thulium.fail("*", faults.error(503), times=2)
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}")) as service:
        assert service.ask("POST", "/website", lead(1), KEY)[0] == 200
        service.wait_until(lambda: service.lines("customer.outcome"))
    assert len(service.lines("customer.deferred")) == 1


def test_capture(tmp_path: Path) -> None:
    """`--capture` keeps each request, shows its preview, answers 200 and calls nobody, whatever the configuration."""
    environ = {"RINGBACK_CONFIG": str(tmp_path / "none.yaml")}
    with Service(environ, "--capture", str(tmp_path / "kept")) as service:
        assert service.ask("POST", "/form", lead(1), {"Content-Type": "application/json"})[0] == 200
        service.wait_until(lambda: "phone_number" in "".join(service.out))
        assert service.stop() == 0
    assert "without the configuration" in "".join(service.err)
    assert len(list((tmp_path / "kept").glob("*-form.http"))) == 1


# --- what is no request ---

NO_REQUESTS = [
    b"POST /website?name=Jan Kowalski&phone=601000077 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /website?phone=601000077\r\n\r\n",
    b"post /Kowalski HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /K\xc5\x82os HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /website HTTP/9.9\r\nHost: Kowalski\r\n\r\n",
    b"POST /website HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Kowalski\r\n\r\n",
    b"POST /website HTTP/1.1\r\nHost: x\r\nContent-Length: 601000077x\r\n\r\n",
    b"POST /website HTTP/1.1\r\nHost: x\r\nX-Long: " + b"Kowalski" * 9000 + b"\r\n\r\n",
    b"POST /website HTTP/1.1\r\nHost: x\r\nKowalski\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03Kowalski\r\n\r\n",
]


def converse(service: Service, said: bytes) -> bytes:
    """Say something to the server's port, and return all that it says."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as connection:
        connection.sendall(said)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_what_is_no_request(tmp_path: Path, thulium: Sandbox) -> None:
    """What is no HTTP gets one line of JSON and a 4xx, and neither answer nor log repeats any of it."""
    with Service(configure(tmp_path, thulium)) as service:
        for said in NO_REQUESTS:
            head, _, body = converse(service, said).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 4"), said[:99]
            assert list(json.loads(body)) == ["error"]
            assert body.count(b"\n") == 1
        assert service.ask("GET", "/", b"", {"SCRIPT_NAME": "/x", "PATH_INFO": "/y"})[0] == 200
        assert service.stop() == 0
    told = "".join((*service.out, *service.err))
    assert not any(word in told for word in ("Kowalski", "601000077", "ip="))


def wait_for_outcomes(service: Service, count: int) -> None:
    """Return when so many events have their outcome."""
    service.wait_until(lambda: len(service.lines("customer.outcome")) == count)


# --- signals, and processes that are killed ---


@LINUX
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGUSR1], ids=lambda number: number.name)
@pytest.mark.parametrize("to_all", [True, False], ids=["to all", "to the first"])
def test_signal_in_the_midst(
    *, number: signal.Signals, to_all: bool, tmp_path: Path, thulium: Sandbox, queue: Path
) -> None:
    """A signal that is none of ours ends it in order: each event is delivered, or kept for the next start."""
    thulium.slow(0.3, "batch")
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}")) as service:
        port = service.port
        for each in range(5):
            assert service.ask("POST", "/website", lead(each), KEY)[0] == 200
        service.wait_until(lambda: thulium.counts.get("batch"))
        (os.killpg if to_all else os.kill)(service.process.pid, number)
        assert service.process.wait(20) == 0
    told = [line["status"] for line in service.lines("customer.outcome")]
    with closing(sqlite3.connect(queue)) as connection:
        rows = connection.execute("SELECT status, due_at IS NOT NULL, held FROM event").fetchall()
    assert told == ["ADDED"] * len(thulium.records("00001"))
    assert Counter(rows) == +Counter({("ADDED", 0, 0): len(told), (None, 1, 0): 5 - len(told)})
    with socket.create_server(("127.0.0.1", port or 0)):
        pass  # the port is free


@LINUX
def test_job_control(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """After a terminal's signals to stop, in any order, events are delivered, and a killed process comes back."""
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}")) as service:
        for order in permutations((signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP)):
            for number in order:
                service.process.send_signal(number)
                os.killpg(service.process.pid, number)
        os.kill(service.list_processes()[1], signal.SIGKILL)
        assert service.ask("POST", "/website", lead(1), KEY)[0] == 200
        wait_for_outcomes(service, 1)
        assert len(service.list_processes()) == 2
        assert service.stop() == 0
    assert len(thulium.records("00001")) == 1


@LINUX
def test_killed_processes_come_back(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """Whichever process is killed: another one answers, or delivers."""
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}")) as service:
        for number, pid in enumerate(service.list_processes()):
            os.kill(pid, signal.SIGKILL)
            assert service.ask("POST", "/website", lead(number), KEY)[0] == 200
            wait_for_outcomes(service, number + 1)
        assert len(service.list_processes()) == 2
        assert service.stop() == 0
    assert len(service.lines("process.ended")) == 2
    assert len(thulium.records("00001")) == 2


@LINUX
def test_killed_parent(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """When the first process is killed the others end, and another start has the port within seconds."""
    environ = configure(tmp_path, thulium, queue=f"sqlite:///{queue}")
    with Service(environ) as service:
        others = service.list_processes()
        service.process.kill()
        with Service(environ, port=service.port or 0) as second:
            assert second.port == service.port
            assert second.ask("POST", "/website", lead(1), KEY)[0] == 200
            second.wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in others))
            second.wait_until(lambda: second.lines("customer.outcome"))


# --- many clients that say nothing ---


@pytest.fixture
def silent() -> Iterator[int]:
    """How many silent clients this process can be: 3,000 where it may have as many connections."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = most if most != resource.RLIM_INFINITY else 10_000
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before, min(allowed, 10_000)), most))
    yield min(3000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


def test_thousands_of_silent_clients(silent: int, tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """While 3,000 connections say nothing, or half of something, an honest request is answered within a second."""
    half = b"POST /website HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf"
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}")) as service, ExitStack() as open_:
        for number in range(silent):
            connection = socket.create_connection(("127.0.0.1", service.port), timeout=20)
            open_.callback(connection.close)
            connection.sendall((b"", half, b"POST /web")[number % 3])
        took = []
        for number in range(5):
            start = time.monotonic()
            assert service.ask("POST", "/website", lead(number), KEY)[0] == 200
            took.append(time.monotonic() - start)
        assert sorted(took)[2] < 1, took


@LINUX
def test_no_files_left(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """A process that may open no more files breaks connections off and says so; with room again it takes events."""
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}")) as service:
        for pid in service.list_processes():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (100, 100))
        with ExitStack() as open_:
            for _ in range(150):
                open_.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=20))
            with pytest.raises(ConnectionError):
                service.ask("GET", "/")

        def is_taken() -> bool:
            with suppress(ConnectionError):
                return service.ask("POST", "/website", lead(1), KEY)[0] == 200
            return False

        service.wait_until(is_taken)
        wait_for_outcomes(service, 1)
        assert service.stop() == 0
    assert {line["reason"] for line in service.lines("webhook.refused")} == {"too many connections"}
    assert len(service.err) == 1  # that it listens


# --- a log that takes nothing ---


@LINUX
def test_log_that_takes_nothing(tmp_path: Path, thulium: Sandbox, queue: Path) -> None:
    """While no one reads standard output, answers and deliveries go on; when it is read, all lines are there."""
    read, written = os.pipe()
    fcntl.fcntl(written, fcntl.F_SETPIPE_SZ, 4096)
    with Service(configure(tmp_path, thulium, queue=f"sqlite:///{queue}"), output=written) as service:
        os.close(written)
        for number in range(30):
            assert service.ask("POST", "/website", lead(number), KEY)[0] == 200
        service.wait_until(lambda: len(thulium.records("00001")) == 30)
        with open(read, encoding="utf-8") as output:  # noqa: PTH123 - a descriptor
            outcomes = (line for line in map(json.loads, output) if line["event"] == "customer.outcome")
            assert len(list(islice(outcomes, 30))) == 30
        for number in range(30, 33):
            assert service.ask("POST", "/website", lead(number), KEY)[0] == 200
        service.wait_until(lambda: len(thulium.records("00001")) == 33)
        assert service.stop() == 0
