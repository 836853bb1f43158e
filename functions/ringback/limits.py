"""How many events of a source are delivered in an hour and in a day; what is above is parked. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ringback.event import Event


@dataclass(frozen=True)
class Limits:
    """The most events of a source in an hour and in a day of the clock (UTC); None is no limit."""

    per_hour: int | None = None
    per_day: int | None = None

    def find_over(self, hour: int, day: int) -> str | None:
        """Return why the event with these numbers (from 1) in its hour and its day is parked; None if it is not."""
        if self.per_hour is not None and hour > self.per_hour:
            return f"more than {self.per_hour} an hour"
        if self.per_day is not None and day > self.per_day:
            return f"more than {self.per_day} a day"
        return None


UNLIMITED = Limits()
DEFAULT = Limits(per_hour=300, per_day=2000)  # far above what the forms of a small company bring


def mark(events: Iterable[Event], limits: Limits, hour: int, day: int) -> list[Event]:
    """Return new events of one source, with ``over`` in those that are above its limits.

    ``hour`` and ``day`` are how many events were counted before these, see ``count_day``. With ``Limits(per_hour=2)``
    and ``hour=1`` the first of two events is delivered, and the second is "more than 2 an hour".
    """
    return [replace(event, over=limits.find_over(hour + n, day + n)) for n, event in enumerate(events, start=1)]


def count_day(hours: Sequence[int], limits: Limits) -> int:
    """Return how many events count for the day, given the counts of its hours.

    What was above the limit of an hour was parked, and takes nothing of the day: else a flood of one hour would park
    all leads until midnight.
    """
    return sum(hours if limits.per_hour is None else (min(count, limits.per_hour) for count in hours))
