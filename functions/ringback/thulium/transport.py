"""urllib3 with a deadline: a call ends at one point in time, whatever the other side does or leaves undone.

urllib3's own timeouts are per read and per address: a byte a second never ends, and a host with four dead addresses
takes four times as long. Here the seconds that urllib3 gives a connection become a point in time, and whatever blocks
(connecting, the TLS handshake, each send, each read) gets what is left of it. Only the resolver can't be interrupted:
it has its own limits (``options timeout`` in ``/etc/resolv.conf``).

Importing this module takes as long as importing urllib3: import it where a call is made.
"""

import http.client
import io
import socket
import time
from functools import partial
from typing import TYPE_CHECKING

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Retry, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NewConnectionError
from urllib3.response import HTTPResponse

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

IDLE = 4.0  # seconds; less than the shortest common keep-alive (Apache's 5), so that we are the ones who hang up
LEAST = 0.001  # seconds; zero would mean "do not block" to a socket
PIECE = 16384  # bytes; what TLS puts into one record

# The only retry below the delivery of an event, which is repeated as a whole by whoever settles it: where no
# connection came about, nothing was sent, so that even a POST may be tried again at once.
# A Retry-After is handed over like any reply: urllib3 would make a failure of it that has neither status nor seconds.
RETRIES = Retry(
    total=1, connect=1, read=False, redirect=False, status=False, other=False, respect_retry_after_header=False
)


class Until(Timeout):
    """A deadline (monotonic time) in the shape of urllib3's timeout: a retry gets what is left, not all of it again."""

    def __init__(self, deadline: float) -> None:
        """Keep the deadline."""
        super().__init__()
        self.deadline = deadline

    def clone(self) -> "Until":
        """Return the same deadline."""
        return Until(self.deadline)

    @property
    def connect_timeout(self) -> float:
        """Return the seconds that are left."""
        return max(self.deadline - time.monotonic(), LEAST)

    @property
    def read_timeout(self) -> float:
        """Return the seconds that are left."""
        return self.connect_timeout


class _Connection(HTTPConnection):
    """A connection all of whose work ends when the seconds are over that urllib3 has set as its ``timeout``."""

    _deadline = 0.0
    _used = 0.0

    @property
    def timeout(self) -> float:
        return max(self._deadline - time.monotonic(), LEAST)

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._deadline = time.monotonic() + (seconds or 0)

    @property
    def is_connected(self) -> bool:
        # The wall clock, because a frozen machine's monotonic one may stand still while the other side hangs up.
        return abs(time.time() - self._used) < IDLE and super().is_connected

    def _new_conn(self) -> socket.socket:
        try:
            return _connect(self._dns_host, self.port, self._deadline)
        except (TimeoutError, socket.gaierror):  # trying again would cost the time that is not left, or more
            raise
        except OSError as error:
            raise NewConnectionError(self, "no address has answered") from error

    def send(self, data: bytes) -> None:  # type: ignore[override]  # only bytes are ever sent
        for start in range(0, len(data), PIECE):
            if self.sock is not None:
                self.sock.settimeout(_left(self._deadline))
            super().send(data[start : start + PIECE])

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as in urllib3: its own kind of reply
        self._used = time.time()
        self.response_class = partial(_Response, self._deadline)  # type: ignore[assignment]  # it is only ever called
        return super().getresponse()


class _TlsConnection(_Connection, HTTPSConnection):
    """The same over TLS; its handshake, too, has only what connecting has left of the time."""


class _Response(http.client.HTTPResponse):
    """A reply whose status line, headers and body have to be there before the deadline."""

    def __init__(self, deadline: float, sock: socket.socket, method: str | None = None) -> None:
        super().__init__(sock, method=method)
        self.fp = io.BufferedReader(_Reader(deadline, sock, self.fp.detach()))


class _Reader(io.RawIOBase):
    """A socket's bytes; each read waits no longer than until the deadline."""

    def __init__(self, deadline: float, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._deadline, self._sock, self._raw = deadline, sock, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        self._sock.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS = {"http": _Pool, "https": _TlsPool}


def _left(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def _connect(host: str, port: int, deadline: float) -> socket.socket:
    """Return a socket connected to the first address that answers; each gets an equal share of what is left.

    Raises OSError (gaierror, TimeoutError, ...) when none does.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failure = OSError("no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(_left(deadline) / (len(addresses) - tried))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            sock.settimeout(_left(deadline))
            return sock
        except OSError as error:
            sock.close()
            failure = error
    raise failure
