"""The lines of a flood: it must not fill the log, nor hide how large it was."""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass


@dataclass
class _Period:
    """When it began (monotonic), how many lines it has, and how many things have none."""

    began: float
    lines: int = 0
    unlogged: int = 0


class Bounded:
    """Allows ``most`` lines in so many ``seconds`` for each key; the next line counts what had none."""

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._periods: dict[Hashable, _Period] = {}
        self._lock = threading.Lock()

    def count(self, key: Hashable, number: int = 1) -> int | None:
        """Return how many things before these had no line; None if these ``number`` things are to have none either."""
        with self._lock:
            now = self._clock()
            period = self._periods.setdefault(key, _Period(now))
            if now - period.began >= self._seconds:
                period.began, period.lines = now, 0
            if period.lines == self._most:
                period.unlogged += number
                return None
            period.lines += 1
            unlogged, period.unlogged = period.unlogged, 0
            return unlogged
