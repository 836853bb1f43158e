"""gunicorn's threads, with patience for nobody who connects and says nothing, and an answer of our own to nonsense.

All of a request has to be there within seconds: who opens many connections and sends nothing, or a byte now and then,
would have all threads else. https://docs.gunicorn.org/en/stable/deploy.html advises a proxy before it for that.
"""

import selectors
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped] # it ships no types

from ringback import log
from ringback.web import answer_json

LONGEST_READ = 6.0  # seconds in which a request has to be there, headers and body
LONGEST_ANSWER = 40.0  # seconds for the rest: some work, and sending the answer to who may not take it
LONGEST_SILENCE = 4.0  # seconds in which its first byte has to
UNREADABLE = answer_json(400, {"error": "the request can't be read"})
HEAD = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"


class Connections(ThreadWorker):  # type: ignore[misc] # as above
    """A process that answers. A thread is given a connection when something has come on it, and not before."""

    limits: ClassVar[dict[socket.socket, tuple[float, int]]] = {}
    _looked = 0.0

    @classmethod
    def note_read(cls, environ: Mapping[str, Any]) -> None:
        """Take note that a request is there: from now on it is we who take the time, until it is to be sent."""
        cls.limits[environ["gunicorn.socket"]] = time.monotonic() + LONGEST_ANSWER, socket.SHUT_RDWR

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to a thread, or watch it until there is something to read."""
        if conn.initialized or conn.data_ready or conn.wait_for_data(0):
            super().enqueue_req(conn)
            return
        conn.timeout = time.monotonic() + LONGEST_SILENCE
        conn.sock.settimeout(0)
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> object:
        """Read and answer a request; the reading ends in time, and so does the sending."""
        self.limits[conn.sock] = time.monotonic() + LONGEST_READ, socket.SHUT_RD
        try:
            return super().handle(conn)
        finally:
            self.limits.pop(conn.sock, None)

    def notify(self) -> None:
        """End what takes too long; gunicorn calls this once a second at least."""
        super().notify()
        now = time.monotonic()
        if now - self._looked < 1:
            return
        self._looked = now
        for sock, how in [(sock, how) for sock, (until, how) in list(self.limits.items()) if until < now]:
            with suppress(OSError):
                sock.shutdown(how)

    def handle_error(self, _req: object, client: socket.socket, _address: object, _error: Exception) -> None:
        """Answer what is no request; neither the answer nor the log repeats any of it."""
        log.write(
            "WARNING", "refused: no request", "webhook.refused", source=None, http_status=400, reason="no request"
        )
        with suppress(OSError):
            client.sendall(HEAD.format(len(UNREADABLE.body)).encode() + UNREADABLE.body)
