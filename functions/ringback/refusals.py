"""The log lines of refused requests: a flood of them must not fill the log, nor hide how many there were."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from ringback import log

MOST_A_SECOND = 10  # lines for one source


@dataclass
class _Second:
    """One second of a source: when it began (monotonic), how many lines it has, and how many requests have none."""

    began: float
    lines: int = 0
    unlogged: int = 0


class Refusals:
    """Writes a line for each refused request, up to ten a second for a source; the next line counts the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds: dict[str | None, _Second] = {}
        self._lock = threading.Lock()

    def write(self, source: str | None, http_status: int, reason: str) -> None:
        """Write ``webhook.refused``; ``source`` is one of the configuration's, None for a path that names none."""
        unlogged = self._count(source)
        if unlogged is not None:
            log.write(
                "WARNING",
                f"refused: {reason}",
                "webhook.refused",
                source=source,
                http_status=http_status,
                reason=reason,
                unlogged=unlogged,
            )

    def _count(self, source: str | None) -> int | None:
        """Return how many requests before this one had no line, None if this one has none either."""
        with self._lock:
            now = self._clock()
            current = self._seconds.setdefault(source, _Second(now))
            if now - current.began >= 1:
                current.began, current.lines = now, 0
            if current.lines == MOST_A_SECOND:
                current.unlogged += 1
                return None
            current.lines += 1
            unlogged, current.unlogged = current.unlogged, 0
            return unlogged
