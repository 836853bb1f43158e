"""The wall clock, beside one that can't be set: whether it was set, and since when it is to be trusted."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

LEAST_JUMP = 5.0  # seconds: far less than a lease has left when it is renewed
TRUSTED_AFTER = 3600.0  # seconds without a jump


class Jump(Enum):
    """How the wall clock was set."""

    FORWARD = "forward"
    BACK = "back"


class Watch:
    """Compares the wall clock with a monotonic one, each time that it is asked."""

    def __init__(self, wall: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Note the present difference of both."""
        self._wall = wall
        self._monotonic = monotonic
        self.now = wall()
        self._ahead = self._measure()
        self._since = monotonic()

    @property
    def is_trusted(self) -> bool:
        """Whether the wall clock has run evenly for so long that rows that are old by it may be deleted."""
        return self._monotonic() - self._since >= TRUSTED_AFTER

    @property
    def is_even(self) -> bool:
        """Whether the wall clock has not been set since the last look."""
        return not self.measure_jump()

    def measure_jump(self) -> timedelta:
        """Return by how much the wall clock was set since the last look: ahead, or back (negative)."""
        jump = self._wall().timestamp() - self._monotonic() - self._ahead
        return timedelta(seconds=jump if abs(jump) >= LEAST_JUMP else 0)

    def look(self) -> Jump | None:
        """Return how the wall clock was set since the last look, None if it was not. ``now`` is its time."""
        self.now = self._wall()
        before, self._ahead = self._ahead, self._measure()
        if abs(self._ahead - before) < LEAST_JUMP:
            return None
        self._since = self._monotonic()
        return Jump.FORWARD if self._ahead > before else Jump.BACK

    def _measure(self) -> float:
        return self.now.timestamp() - self._monotonic()
