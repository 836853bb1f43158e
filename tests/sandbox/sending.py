"""How a reply leaves: whole, or as a fault wants it. Each way tells whether the connection is still of use."""

import select
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus

from tests.sandbox.exchange import Reply
from tests.sandbox.faults import Fault

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER with no time: close sends a reset
_GLANCE = 0.02  # seconds between two looks at whether the client is still there


class Line:
    """One client's connection. ``stopping`` is set when the server ends: nothing waits any longer then."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        """Take the connection over."""
        self.connection = connection
        self.stopping = stopping

    def send(self, data: bytes) -> bool:
        """Send it all; False when the client has gone."""
        try:
            self.connection.sendall(data)
        except OSError:
            return False
        return True

    def pause(self, seconds: float) -> None:
        """Wait so long, or until the server ends."""
        if seconds > 0:
            self.stopping.wait(seconds)

    def wait_for_hang_up(self) -> None:
        """Wait until the client has gone, or the server ends."""
        while not self.stopping.is_set() and not self._has_gone():
            pass

    def reset(self) -> None:
        """Have the connection closed with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)

    def _has_gone(self) -> bool:
        readable, _, _ = select.select([self.connection], [], [], _GLANCE)
        if not readable:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True


def head(reply: Reply, length: int | None) -> bytes:
    """Return the reply's head. ``length`` None: the body ends with the connection."""
    names = {"Content-Type": "application/json; charset=utf-8"}
    if reply.status == HTTPStatus.NO_CONTENT:
        names = {}
    else:
        names |= {"Connection": "close"} if length is None else {"Content-Length": str(length)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**names, **reply.headers}.items())
    return f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Unknown')}\r\n{lines}\r\n".encode("latin-1")


def whole(line: Line, reply: Reply) -> bool:
    """Send the reply in one piece."""
    return line.send(head(reply, len(reply.body)) + reply.body)


def _reset(line: Line, _reply: Reply, _fault: Fault) -> bool:
    line.reset()
    return False


def _close(_line: Line, _reply: Reply, _fault: Fault) -> bool:
    return False


def _short(line: Line, reply: Reply, _fault: Fault) -> bool:
    line.send(head(reply, len(reply.body) + 1) + reply.body[: len(reply.body) // 2])
    return False


def _hang(line: Line, _reply: Reply, _fault: Fault) -> bool:
    line.wait_for_hang_up()
    return False


def _drip_head(line: Line, reply: Reply, fault: Fault) -> bool:
    return _drip(line, head(reply, len(reply.body)) + reply.body, fault.pace)


def _drip_body(line: Line, reply: Reply, fault: Fault) -> bool:
    return line.send(head(reply, len(reply.body))) and _drip(line, reply.body, fault.pace)


def _drip(line: Line, data: bytes, pace: float) -> bool:
    for each in data:
        line.pause(pace)
        if line.stopping.is_set() or not line.send(bytes([each])):
            return False
    return True


def _endless(line: Line, reply: Reply, _fault: Fault) -> bool:
    going = line.send(head(reply, None) + b"[0")
    while going and not line.stopping.is_set():
        going = line.send(b",0" * 8192)
    return False


def _hang_up(line: Line, reply: Reply, _fault: Fault) -> bool:
    whole(line, reply)
    return False


WIRES: Mapping[str, Callable[[Line, Reply, Fault], bool]] = {
    "whole": lambda line, reply, _: whole(line, reply),
    "reset": _reset,
    "close": _close,
    "short": _short,
    "hang": _hang,
    "drip-head": _drip_head,
    "drip-body": _drip_body,
    "endless": _endless,
    "hang-up": _hang_up,
}
