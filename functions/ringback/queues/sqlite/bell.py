"""A bell: wakes the process that waits for work, from any thread, and from any process that was forked since."""

import os
import select
import weakref
from contextlib import suppress

_MOST_RINGS = 65536  # bytes that are read away at once


class Bell:
    """Rung as often as one likes; all rings until the next wait are one."""

    def __init__(self) -> None:
        """Make the pipe that it is."""
        self._heard, self._rung = os.pipe()
        os.set_blocking(self._heard, False)
        os.set_blocking(self._rung, False)
        weakref.finalize(self, _close, self._heard, self._rung)

    def ring(self) -> None:
        """Wake the waiting process, or keep it from waiting the next time. Never blocks."""
        with suppress(BlockingIOError):  # enough rings are waiting
            os.write(self._rung, b"!")

    def wait(self, seconds: float) -> None:
        """Return when it rings, or after so many seconds."""
        if select.select([self._heard], [], [], seconds)[0]:
            os.read(self._heard, _MOST_RINGS)


def _close(*descriptors: int) -> None:
    for each in descriptors:
        os.close(each)
