"""A worker that runs until nothing is left to be done."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from ringback.clock import read_clock
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.bell import Bell
from ringback.queues.sqlite.worker import Way, Worker

PATIENCE = 20.0  # seconds


@contextmanager
def working(worker: Worker) -> Iterator[threading.Event]:
    """Have a worker run while the block lasts; it is told to end by the event that is given, or afterwards."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until something has come true, for some seconds at most."""
    ends = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < ends, "it has not come true"
        time.sleep(0.005)


def work_off(
    queue: SqliteQueue,
    way: Way,
    clock: Callable[[], datetime] = read_clock,
    batch_size: int = 100,
    patience: float = PATIENCE,
) -> None:
    """Deliver all that is due, and return when it is settled, which may take ``patience`` seconds."""
    bell = Bell()
    with working(Worker(queue, way, bell, clock=clock, batch_size=batch_size)) as stop:
        until(lambda: not is_busy(queue, clock()), patience)
        stop.set()
        bell.ring()


def is_busy(queue: SqliteQueue, now: datetime) -> bool:
    """Return whether events are due or held."""
    found = queue.database.read(
        "SELECT 1 FROM event WHERE due_at IS NOT NULL AND (held OR due_at <= :now) LIMIT 1", {"now": now.timestamp()}
    )
    return bool(found)
