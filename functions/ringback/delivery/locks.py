"""One person at a time: locks by name, within this process."""

import threading
import time
from collections.abc import Hashable, Iterable, Iterator
from contextlib import ExitStack, contextmanager

from ringback.errors import CallFailed


class Locks:
    """Locks by name, made when they are wanted and dropped when no thread holds or awaits them."""

    def __init__(self) -> None:
        """Start without any."""
        self._guard = threading.Lock()
        self._locks: dict[Hashable, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, names: Iterable[Hashable], deadline: float) -> Iterator[None]:
        """Hold the locks of all names. They are taken in one order, so that no two holders wait for each other.

        Raises CallFailed when they can't be had by ``deadline`` (monotonic): their holder may have more time.
        """
        with ExitStack() as stack:
            for name in sorted(set(names), key=repr):
                stack.enter_context(self._hold_one(name, deadline))
            yield

    @contextmanager
    def _hold_one(self, name: Hashable, deadline: float) -> Iterator[None]:
        with self._count(name) as lock:
            if not lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
                raise CallFailed("no time left: another event about the same person took it")
            try:
                yield
            finally:
                lock.release()

    @contextmanager
    def _count(self, name: Hashable) -> Iterator[threading.Lock]:
        """Count the threads that hold or await a lock, so that it can be dropped after the last of them."""
        with self._guard:
            lock, users = self._locks.get(name, (threading.Lock(), 0))
            self._locks[name] = lock, users + 1
        try:
            yield lock
        finally:
            with self._guard:
                users = self._locks[name][1]
                if users == 1:
                    del self._locks[name]
                else:
                    self._locks[name] = lock, users - 1
