"""The log lines of refused requests."""

import time
from collections.abc import Callable

from ringback import log
from ringback.bounded import Bounded

MOST_A_SECOND = 10  # lines for one source


class Refusals:
    """Writes a line for each refused request, up to ten a second for a source; the next line counts the others."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounded = Bounded(MOST_A_SECOND, 1, clock)

    def write(self, source: str | None, http_status: int, reason: str) -> None:
        """Write ``webhook.refused``; ``source`` is one of the configuration's, None for a path that names none."""
        unlogged = self._bounded.count(source)
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
