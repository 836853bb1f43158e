"""The log lines of events that are above their source's limits, for which an alarm rises."""

import time
from collections.abc import Callable, Iterable

from ringback import log
from ringback.bounded import Bounded
from ringback.event import Event

PERIOD = 60.0  # seconds in which a source has one line


class Limited:
    """Writes ``source.limited``, once a minute for each source; the next line counts the events that had none."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._bounded = Bounded(1, PERIOD, clock)

    def write(self, events: Iterable[Event]) -> None:
        """Write a line if any of the events of one request, which are of one source, are above its limits."""
        over = [event for event in events if event.over]
        unlogged = self._bounded.count(over[0].source, len(over)) if over else None
        if unlogged is not None:
            log.write(
                "ERROR",
                f"{over[0].source} brings {over[0].over}: what is above is kept back; has its URL leaked?",
                "source.limited",
                source=over[0].source,
                reason=over[0].over,
                events=unlogged + len(over),
            )
