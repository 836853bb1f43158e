"""How many events each source brings: counted in this process, and in a store that all processes share."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Protocol

from ringback import log
from ringback.bounded import Bounded
from ringback.errors import RingbackError
from ringback.event import Event
from ringback.limits import UNLIMITED, Limits, count_day, mark
from ringback.queues.limited import Limited

HOURS = tuple(f"h{hour:02}" for hour in range(24))  # how stores name the counts of a day (UTC)
KEPT_DAYS = 2  # after which a store may delete the counts of a day
FAILURE_PERIOD = 60.0  # seconds in which there is one line about a store that fails


class CountFailed(RingbackError):
    """The store has not counted. The text says which, what is wrong and what to look at."""


class Store(Protocol):
    """Counts for all processes together."""

    def add(self, source: str, number: int, now: datetime) -> Sequence[int]:
        """Count ``number`` more events of a source in the hour of ``now`` (UTC), in one call that is atomic.

        Returns the counts of that day's 24 hours, these events included. Raises CountFailed, within two seconds.
        """


@dataclass
class _Day:
    """The counts of a source in the hours of a day."""

    day: date
    hours: list[int] = field(default_factory=lambda: [0] * 24)


class Counter:
    """Marks the events that are above their source's limits, for any number of threads.

    Without a ``store`` each process counts alone. A store is asked once for a request, and not at all while the source
    is known to be above its limits: a flood of events makes no flood of calls. If the store fails, this process's own
    count decides.
    """

    def __init__(self, store: Store | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._days: dict[str, _Day] = {}
        self._lock = threading.Lock()
        self._limited = Limited(clock)
        self._failures = Bounded(1, FAILURE_PERIOD, clock)

    def mark(self, events: Sequence[Event], limits: Limits, now: datetime) -> list[Event]:
        """Count the events of one source that came ``now`` (aware), and return them, marked as ``limits.mark`` does."""
        if limits == UNLIMITED or not events:
            return list(events)
        now = now.astimezone(UTC)
        counts = self._count(events[0].source, len(events), limits, now)
        hour, day = _read_before(counts, len(events), limits, now)
        marked = mark(events, limits, hour, day)
        self._limited.write(marked)
        return marked

    def _count(self, source: str, number: int, limits: Limits, now: datetime) -> Sequence[int]:
        """Return the counts of the day's hours, these events included."""
        own = self._add(source, number, now)
        hour, day = _read_before(own, number, limits, now)
        if self._store is None or limits.find_over(hour + 1, day + 1):
            return own
        try:
            counts = self._store.add(source, number, now)
        except CountFailed as error:
            self._note(error)
            return own
        self._learn(source, counts, now)
        return counts

    def _add(self, source: str, number: int, now: datetime) -> list[int]:
        with self._lock:
            hours = self._find(source, now).hours
            hours[now.hour] += number
            return list(hours)

    def _learn(self, source: str, counts: Sequence[int], now: datetime) -> None:
        """Keep what all processes together have counted, where that is more than this one knew."""
        with self._lock:
            day = self._find(source, now)
            day.hours = [max(known, told) for known, told in zip(day.hours, counts, strict=True)]

    def _find(self, source: str, now: datetime) -> _Day:
        found = self._days.get(source)
        if found is None or found.day != now.date():
            found = self._days[source] = _Day(now.date())
        return found

    def _note(self, error: CountFailed) -> None:
        unlogged = self._failures.count(None)
        if unlogged is not None:
            log.write("ERROR", f"{error}; until then each process counts alone", "counter.failed", unlogged=unlogged)


def _read_before(counts: Sequence[int], number: int, limits: Limits, now: datetime) -> tuple[int, int]:
    """Return how many events of the hour and of the day were counted before ``number`` that are in the counts."""
    before = [count - number if hour == now.hour else count for hour, count in enumerate(counts)]
    return before[now.hour], count_day(before, limits)
