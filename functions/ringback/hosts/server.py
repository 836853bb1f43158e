"""The process that answers: uvicorn's event loop reads and judges requests; other threads store and deliver."""

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import Any

import uvicorn

from ringback.app import RETRY_AFTER, Accepted, App
from ringback.direct import Tries
from ringback.event import Event, Verdict
from ringback.hosts.asgi import Door
from ringback.hosts.committer import Committer
from ringback.hosts.connections import LONGEST_IDLE, Connection
from ringback.hosts.life import Life
from ringback.queues.sqlite.queue import Put
from ringback.web import Request, Response, answer_json

SMALL = 16384  # bytes of a body that is looked at in the event loop; a larger one must not keep others waiting
LONGEST_STOP = 28  # seconds that requests have to end in
LONGEST_WAIT = 6  # seconds that a port may still be accepted
GLANCE = 0.1  # seconds between two tries to have it
MOST_CONNECTIONS = 10_000  # each takes some kilobytes, and with the longest head 64
OTHER_FILES = 50  # that a process may need besides: for its queue, and connections to Thulium
BACKLOG = 2048  # connections that may wait to be accepted
NOT_DELIVERED = answer_json(503, {"error": "nothing is delivered at the moment"}, RETRY_AFTER)

Handle = Callable[[Request], Awaitable[Response]]


class _Server(uvicorn.Server):
    """uvicorn, told to stop by the supervisor and not by signals."""

    def __init__(self, config: uvicorn.Config, life: Life) -> None:
        super().__init__(config)
        self._life = life

    async def on_tick(self, counter: int) -> bool:
        """Beat; uvicorn calls this ten times a second."""
        self._life.beat()
        self.should_exit = self._life.stop.is_set()
        return await super().on_tick(counter)

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # as in uvicorn, but for the kind
        """Leave signals alone."""
        return contextlib.nullcontext()


class _Listener(socket.socket):
    """Breaks off connections for which a process has no files left, for their clients to try again.

    asyncio itself would try again and again, and tell each failure on standard error.
    """

    def accept(self) -> tuple[socket.socket, Any]:
        """Return a connection and its address. Raises ConnectionAbortedError, which asyncio passes over."""
        connection, address = super().accept()
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if connection.fileno() >= min(MOST_CONNECTIONS, files - OTHER_FILES):  # a new file has the lowest free number
            connection.close()
            Connection.refusals.write(None, 503, "too many connections")
            raise ConnectionAbortedError
        return connection, address


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any free one. Raises OSError.

    A service that was killed leaves its port to processes of its own, which notice that and end within seconds.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    patience = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            found = socket.create_server((host, port), family=family, backlog=BACKLOG)
            # Named as TCP, for asyncio then sends what it has at once (TCP_NODELAY), and an answer is two writes.
            return _Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=found.detach())
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > patience:
                raise
        time.sleep(GLANCE)


def serve(handle: Handle, listener: socket.socket, life: Life) -> None:
    """Answer requests until the process is told to stop; those that were read are answered."""
    with suppress(ValueError, OSError):  # each connection takes one
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # it would say a line for each request that is none
    config = uvicorn.Config(
        Door(handle),
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=LONGEST_IDLE,
        timeout_graceful_shutdown=LONGEST_STOP,
        backlog=BACKLOG,
    )
    asyncio.run(_Server(config, life).serve([listener]))


class Answering:
    """Has an app answer requests in an event loop."""

    def __init__(self, app: App, committer: Committer | None, is_delivering: Callable[[], bool] = lambda: True) -> None:
        """Take the app, and for one with a queue the committer, and whether events are delivered."""
        self._app = app
        self._committer = committer
        self._is_delivering = is_delivering
        self._large = ThreadPoolExecutor(1, "large")

    async def handle(self, request: Request) -> Response:
        """Return the answer to a request, whatever it is."""
        if not self._is_delivering():
            self._app.failures.write("nothing is delivered: the delivering process is not at work")
            return NOT_DELIVERED
        try:
            accepted = await self._accept(request)
            if isinstance(accepted, Response):
                return accepted
            if self._committer is None:
                return await self._deliver(accepted)
            await self._committer.put(Put(self._app.prepare(accepted), self._app.clock(), accepted.source.limits))
            return self._app.confirm(accepted, [])
        except Exception as error:  # noqa: BLE001 - each has an answer
            return self._app.explain(request, error)

    async def _accept(self, request: Request) -> Accepted | Response:
        if len(request.body) <= SMALL:
            return self._app.accept(request)
        return await asyncio.get_running_loop().run_in_executor(self._large, self._app.accept, request)

    async def _deliver(self, accepted: Accepted) -> Response:
        tries = Tries(accepted.source, accepted.events, accepted.started, self._app.clock)
        while due := tries.due:
            if tries.wait:
                await asyncio.sleep(tries.wait)
            tries.note(await self._try(due, tries.deadline))
        return tries.answer()

    async def _try(self, events: Sequence[Event], deadline: float) -> Sequence[Verdict]:
        shared = self._app.shared
        verdicts = shared.submit(events, deadline)
        there = asyncio.wrap_future(verdicts)
        loop = asyncio.get_running_loop()
        done, _ = await asyncio.wait([there], timeout=max(0.0, deadline - loop.time()))
        return (not done and shared.give_up(verdicts, len(events))) or await there
