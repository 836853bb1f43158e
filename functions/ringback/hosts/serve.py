"""The function on one machine: a process of many threads that answers, and one more for what is done beside.

gunicorn is what the Functions Framework serves with too. Its own process starts either anew should it be killed.
"""

import errno
import gc
import os
import socket
import threading
import time
from collections.abc import Callable

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped] # it ships none
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped] # as above

from ringback.hosts.connections import Connections
from ringback.hosts.wsgi import Application, make_application
from ringback.web import Request, Response

LONGEST_STOP = 30  # seconds that requests and a delivery have to end in when the process is told to stop
LONGEST_WAIT = 4  # seconds that a port may still be taken
BACKLOG = 2048  # connections that may wait while all threads are busy
LESS_URGENT = 10  # of 19: where the processors are short, answers come first, and what they have stored can wait
GLANCE = 0.1  # seconds between two looks at whether to stop
LONGEST_LINE = 8190  # bytes; some senders put a whole form into the URL

Work = Callable[[threading.Event], None]


class Worker(Connections):
    """A process that answers, or one that has ``work`` done instead.

    They are two because threads of one process take turns: each answer would wait for a part of a delivery.
    """

    work: Work | None = None

    def run(self) -> None:
        """Do either until the process is told to stop."""
        if self.work is None:
            super().run()
            return
        os.nice(LESS_URGENT)
        stop = threading.Event()
        working = threading.Thread(target=self.work, args=(stop,), daemon=True)
        working.start()
        try:
            while self.alive and self.is_parent_alive():
                self.notify()
                time.sleep(GLANCE)
        finally:  # what it holds when the time is over is given to the next one
            stop.set()
            working.join(LONGEST_STOP - 5)


class Server(BaseApplication):  # type: ignore[misc] # it comes without types
    """gunicorn, set up in code: it reads no file, no variable and no argument of its own."""

    def __init__(
        self,
        application: Application,
        listener: socket.socket,
        threads: int,
        work: Work | None,
        on_ready: Callable[[], object],
    ) -> None:
        """Serve ``application`` on a socket that listens already."""
        self._application = application
        self._listener = listener
        self._threads = threads
        self._work = work
        self._on_ready = on_ready
        super().__init__()

    def load_config(self) -> None:
        """Tell gunicorn how to serve."""
        settings: dict[str, object] = {
            "bind": f"fd://{self._listener.fileno()}",
            "workers": 2 if self._work else 1,
            "worker_class": Worker,
            "pre_fork": self._give_work,
            "threads": self._threads,
            "graceful_timeout": LONGEST_STOP,
            "limit_request_line": LONGEST_LINE,
            "forwarder_headers": "",  # else a header could say which path was asked for
            "loglevel": "warning",
            "control_socket_disable": True,
            "when_ready": lambda _server: self._on_ready(),
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def _give_work(self, server: Arbiter, worker: Worker) -> None:
        """Give the work to a new process if no other has it: at the start, and when the one that had it has died."""
        if not any(other.work for other in server.WORKERS.values()):
            worker.work = self._work

    def load(self) -> Application:
        """Return what answers."""
        return self._application


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 is any free one. Raises OSError.

    A server that was killed leaves its port to processes of its own, which notice that and end within seconds.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    patience = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > patience:
                raise
        time.sleep(GLANCE)


def run(
    handle: Callable[[Request], Response],
    listener: socket.socket,
    threads: int,
    work: Work | None,
    on_ready: Callable[[], object],
) -> None:
    """Answer requests until the process is told to stop (SIGTERM, SIGINT), with ``work`` in a process beside.

    ``on_ready`` is called when it can be told so. Leaves by SystemExit, with 0 when it was told to.
    """
    gc.collect()
    gc.freeze()  # what is there by now stays shared by the processes: looking for garbage would write to all of it
    Server(make_application(handle, Worker.note_read), listener, threads, work, on_ready).run()
