"""How many events each source has brought in each hour of a day, counted in the transaction that stores them."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ringback.limits import Limits, count_day

HOUR = 3600
KEPT_HOURS = 48

_READ = "SELECT hour, number FROM count WHERE source = ? AND hour >= ?"
_ADD = """
INSERT INTO count VALUES (:source, :hour, 1) ON CONFLICT (source, hour) DO UPDATE SET number = number + 1
"""
_FORGET = "DELETE FROM count WHERE hour < ?"


@dataclass
class Count:
    """The events of a source in the hour and the day (UTC) of a moment, as far as they were counted."""

    hour: int
    day: int
    limits: Limits

    def find_over(self) -> str | None:
        """Return why the next event is parked; None if it is not."""
        return self.limits.find_over(self.hour + 1, self.day + 1)

    def add(self) -> None:
        """Count an event; one above an hour's limit takes nothing of the day."""
        self.hour += 1
        self.day += self.limits.per_hour is None or self.hour <= self.limits.per_hour


def read_count(connection: sqlite3.Connection, source: str, limits: Limits, now: datetime) -> Count:
    """Return a source's counts by ``now`` (aware)."""
    this_hour, midnight = find_hour(now), find_hour(now.astimezone(UTC).replace(hour=0))
    numbers = dict(connection.execute(_READ, (source, midnight)).fetchall())
    return Count(numbers.get(this_hour, 0), count_day(list(numbers.values()), limits), limits)


def add_counts(connection: sqlite3.Connection, sources: Iterable[str], now: datetime) -> None:
    """Count an event for each time that a source is named, and forget counts that no limit asks for any more."""
    connection.executemany(_ADD, [{"source": source, "hour": find_hour(now)} for source in sources])
    connection.execute(_FORGET, (find_hour(now) - KEPT_HOURS,))


def find_hour(now: datetime) -> int:
    """Return the number of an hour since 1970."""
    return int(now.timestamp() // HOUR)
