"""How the processes of a service see whether each is at work, and whether the first one is still there."""

import mmap
import os
import threading
import time

LONGEST_SILENCE = 15.0  # seconds without a beat after which a process hangs, or was stopped
LONGEST_ORPHAN = 4.0  # seconds that a process goes on when the first one was killed
GLANCE = 0.1  # seconds between two looks at the first one

_SIZE = 8  # bytes of a beat


class Pulse:
    """The time of the last beat of each of ``count`` processes, in memory that they share when they are forked."""

    def __init__(self, count: int, longest_silence: float = LONGEST_SILENCE) -> None:
        """Let all of them have had a beat just now. A process is at work for ``longest_silence`` seconds after one."""
        self._longest_silence = longest_silence
        # As numbers, each of which is written at once: `struct` writes zeros first, and a process that read those just
        # then would take a healthy one for dead.
        self._beats = memoryview(mmap.mmap(-1, _SIZE * count)).cast("d")
        for index in range(count):
            self.beat(index)

    def beat(self, index: int) -> None:
        """Note that a process is at work."""
        self._beats[index] = time.monotonic()

    def is_alive(self, index: int) -> bool:
        """Return whether a process has been at work within the last seconds."""
        return bool(time.monotonic() - self._beats[index] < self._longest_silence)


class Life:
    """A process that does one of a service's works, from its beginning until ``stop`` is set."""

    def __init__(self, pulse: Pulse, index: int, parent: int) -> None:
        """Be the process whose beats are at ``index``; ``parent`` is the process that started it."""
        self.stop = threading.Event()
        self._pulse = pulse
        self._index = index
        self._parent = parent
        self._is_told = False

    def watch(self) -> None:
        """From now on set ``stop`` when the process is told to end, or its parent is gone.

        Without a parent the process ends within some seconds, whatever it does.
        """
        threading.Thread(target=self._watch, name="life", daemon=True).start()

    def tell(self, *_: object) -> None:
        """Tell the process to end; a signal's handler: takes no lock, for another signal may interrupt it."""
        self._is_told = True

    def beat(self) -> None:
        """Say that all is well, several times a second."""
        self._pulse.beat(self._index)

    def is_alive(self, index: int) -> bool:
        """Return whether another process of the service is at work."""
        return self._pulse.is_alive(index)

    def _watch(self) -> None:
        while os.getppid() == self._parent:
            if self._is_told:
                self.stop.set()
            time.sleep(GLANCE)
        self.stop.set()
        time.sleep(LONGEST_ORPHAN)
        os._exit(1)
