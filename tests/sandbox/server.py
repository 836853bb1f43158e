"""The stand-in's HTTP: a threaded server on loopback that keeps connections open.

It reads a request's head itself: the standard library's handler spends several times as long on it, and the stand-in
must not be what a measurement measures.
"""

import socket
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from http.server import ThreadingHTTPServer
from socketserver import StreamRequestHandler
from urllib.parse import unquote

from tests.sandbox import api
from tests.sandbox.exchange import Received, Reply
from tests.sandbox.faults import Fault, spoil
from tests.sandbox.operations import PREFIX, operate
from tests.sandbox.sending import WIRES, Line, whole
from tests.sandbox.world import World

_LINE = 65536


class Server(ThreadingHTTPServer):
    """Listens, and knows its open connections so that it can end them."""

    daemon_threads = False  # so that closing waits for the threads
    request_queue_size = 256
    world: World

    def __init__(self, world: World, port: int) -> None:
        """Listen on loopback; port 0 takes any that is free."""
        self.world = world
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), Handler)

    def process_request_thread(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Remember the connection while it is served."""
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    def hang_up(self) -> None:
        """End every connection, and whatever waits."""
        self.stopping.set()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # it has ended meanwhile


class Handler(StreamRequestHandler):
    """Serves one connection, request after request."""

    disable_nagle_algorithm = True
    server: Server

    def handle(self) -> None:
        """Serve until either side has had enough."""
        line = Line(self.connection, self.server.stopping)
        try:
            while self._serve_one(line):
                pass
        except OSError:
            return  # the client has gone, or was idle for too long

    def _serve_one(self, line: Line) -> bool:
        """Serve one request; tell whether there may be another."""
        self.connection.settimeout(self.server.world.ways.idle_seconds)
        request = self.rfile.readline(_LINE).decode("latin-1").split()
        self.connection.settimeout(None)
        if len(request) != len(("GET", "/", "HTTP/1.1")):
            return False
        headers = self._headers()
        body = self.rfile.read(int(headers.get("content-length") or 0))
        received = _received(request[0], request[1], headers, body)
        goes_on = serve(self.server.world, received, line)
        return goes_on and headers.get("connection", "").lower() != "close"

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        while (line := self.rfile.readline(_LINE)) not in (b"\r\n", b"\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return headers


def _received(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Received:
    path, _, query = target.partition("?")
    path = unquote(path)
    return Received(api.which(method, path), method, path, query, headers, body, time.time())


def serve(world: World, received: Received, line: Line) -> bool:
    """Answer one request, as told; tell whether the connection is still of use."""
    if received.path.startswith(PREFIX):
        return whole(line, operate(world, received.path.removeprefix(PREFIX), received.query, received.body))
    with world.lock:
        api.catch_up(world)
        world.note(received)
        fault = world.plan.next(received.call)
        pause = world.latency.get(received.call, world.latency.get("*", 0.0))
    line.pause(pause)
    return whole(line, _worked(world, received)) if fault is None else _misserve(world, received, line, fault)


def _misserve(world: World, received: Received, line: Line, fault: Fault) -> bool:
    line.pause(fault.wait)
    if fault.late is not None:
        line.wait_for_hang_up()
        line.pause(fault.late)
    if fault.later is not None:
        with world.lock:
            world.put_off.append((world.now() + timedelta(seconds=fault.later), received))
    reply = _worked(world, received) if fault.work else Reply()
    return WIRES[fault.wire](line, spoil(fault, reply, received), fault)


def _worked(world: World, received: Received) -> Reply:
    with world.lock:
        return api.answer(world, received)
