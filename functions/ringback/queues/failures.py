"""The log lines of a queue that fails, at each request or each look."""

import time
from collections.abc import Callable

from ringback import log
from ringback.bounded import Bounded

MOST = 3  # lines
PERIOD = 60.0  # seconds


class Failures:
    """Writes ``queue.failed``, up to three lines a minute; the next line counts the failures that had none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a monotonic clock, in seconds."""
        self._bounded = Bounded(MOST, PERIOD, clock)

    def write(self, text: str) -> None:
        """Write a line if there is one left."""
        unlogged = self._bounded.count(None)
        if unlogged is not None:
            log.write("ERROR", text, "queue.failed", unlogged=unlogged)
