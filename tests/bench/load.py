"""Load: requests that were written beforehand, sent over connections that stay open, from a process of its own.

All that is done for a request is one send, one read and a look for the end of the answer's head.
"""

import asyncio
import resource
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import quantiles


@dataclass(frozen=True)
class Load:
    """What a run came to: answers of 200 and others, seconds, waiting times (ms), the sender's share of a core."""

    good: int
    bad: int
    seconds: float
    p50: float
    p99: float
    busy: float

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return self.good / self.seconds


def press(port: int, requests: Sequence[bytes], connections: int, seconds: float = 3600.0) -> Load:
    """Send the requests, each connection one at a time, until all are sent or the time is over; return what came."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_press, port, requests, connections, seconds).result()


def _press(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    return asyncio.run(_send_all(port, requests, connections, seconds))


async def _send_all(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Load:
    loop = asyncio.get_running_loop()
    waiting, started, used = iter(requests), time.perf_counter(), _used()
    senders = [_Sender(waiting, started + seconds, loop.create_future()) for _ in range(connections)]
    for sender in senders:
        await loop.create_connection(lambda each=sender: each, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*(sender.done for sender in senders))
    took = time.perf_counter() - started
    waits = sorted(wait * 1000 for sender in senders for wait in sender.waits)
    cuts = quantiles(waits, n=100) if len(waits) > 1 else waits * 99
    bad = sum(sender.bad for sender in senders)
    return Load(len(waits) - bad, bad, took, cuts[49], cuts[98], (_used() - used) / took)


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class _Sender(asyncio.Protocol):
    """One connection."""

    def __init__(self, requests: Iterator[bytes], until: float, done: "asyncio.Future[None]") -> None:
        self.waits: list[float] = []
        self.bad = 0
        self.done = done
        self._requests = requests
        self._until = until
        self._received = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]):
            return
        self.waits.append(time.perf_counter() - self._sent)
        self.bad += not head.startswith(b"HTTP/1.1 200 ")
        self._received = b""
        self._send()

    def connection_lost(self, problem: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(problem or ConnectionError("the server has hung up"))

    def _send(self) -> None:
        request = next(self._requests, None) if time.perf_counter() < self._until else None
        if request is None:
            self.done.set_result(None)
            self._transport.close()
        else:
            self._sent = time.perf_counter()
            self._transport.write(request)
