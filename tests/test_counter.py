"""Events are counted: by a process alone, and by all of them together."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from ringback.event import Event
from ringback.limits import UNLIMITED, Limits
from ringback.queues.counter import Counter, CountFailed
from ringback.queues.limited import PERIOD
from tests.events import make_event

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Store:
    """A store as the clouds' are: it adds for all who ask, counts the calls, and fails when told."""

    def __init__(self) -> None:
        self.hours: dict[tuple[str, str], list[int]] = {}
        self.calls = 0
        self.fails = False
        self._lock = threading.Lock()

    def add(self, source: str, number: int, now: datetime) -> Sequence[int]:
        """Count."""
        with self._lock:
            self.calls += 1
            if self.fails:
                raise CountFailed("the store: AccessDenied")
            hours = self.hours.setdefault((source, now.date().isoformat()), [0] * 24)
            hours[now.hour] += number
            return list(hours)


class Clock:
    """A monotonic clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def make_events(number: int, source: str = "website") -> list[Event]:
    """Return so many events."""
    return [make_event(n, source=source) for n in range(number)]


def count_over(counter: Counter, number: int, limits: Limits, now: datetime = NOW, source: str = "website") -> int:
    """Return how many of so many events, which come in one request, are above the limits."""
    return sum(event.over is not None for event in counter.mark(make_events(number, source), limits, now))


@pytest.mark.parametrize("store", [None, Store()])
def test_hours_and_days_begin_anew(store: Store | None) -> None:
    """Each hour of the clock has its own count, and each day (UTC), for which parked events do not count."""
    counter, limits = Counter(store), Limits(3, 8)
    assert [count_over(counter, 2, limits) for _ in range(3)] == [0, 1, 2]
    assert [count_over(counter, 3, limits, NOW + n * HOUR) for n in range(1, 4)] == [0, 1, 3]
    assert count_over(counter, 3, limits, NOW + 15 * HOUR) == 0


def test_times_are_of_one_zone() -> None:
    """An hour is the same hour whatever zone its time is told in."""
    counter, limits = Counter(), Limits(per_hour=1)
    assert count_over(counter, 1, limits) == 0
    assert count_over(counter, 1, limits, NOW.astimezone(timezone(timedelta(hours=2)))) == 1


def test_sources_are_counted_apart() -> None:
    """A flood at one source takes nothing of another."""
    counter = Counter()
    assert count_over(counter, 9, Limits(per_hour=3)) == 6
    assert count_over(counter, 3, Limits(per_hour=3), source="shop") == 0


def test_nothing_is_counted_without_limits() -> None:
    """A source without limits costs no call, and neither does a request without events."""
    store = Store()
    counter = Counter(store)
    assert counter.mark(make_events(3), UNLIMITED, NOW) == make_events(3)
    assert counter.mark([], Limits(1, 1), NOW) == []
    assert store.calls == 0


def test_processes_share_a_store() -> None:
    """Two processes with one store let through as many as one, the first ones."""
    store = Store()
    one, other = Counter(store), Counter(store)
    assert [count_over(counter, 2, Limits(per_hour=5)) for counter in (one, other, one, other)] == [0, 0, 1, 2]


def test_one_call_for_a_request() -> None:
    """The store is asked once for a request of any number of events."""
    store = Store()
    count_over(Counter(store), 1000, Limits(per_hour=5000))
    assert store.calls == 1


def test_flood_makes_no_flood_of_calls() -> None:
    """As soon as a process knows that a source is above its limit, it asks no more until the next hour."""
    store = Store()
    counter = Counter(store)
    assert [count_over(counter, 1, Limits(per_hour=3)) for _ in range(50)] == [0] * 3 + [1] * 47
    assert store.calls == 3
    other = Counter(store)  # learns with its first event what the others have counted
    assert [count_over(other, 1, Limits(per_hour=3)) for _ in range(50)] == [1] * 50
    assert store.calls == 4
    assert count_over(counter, 1, Limits(per_hour=3), NOW + HOUR) == 0
    assert store.calls == 5


@pytest.mark.parametrize("store", [None, Store()])
def test_threads_let_through_no_more(store: Store | None) -> None:
    """Threads that count at once let through exactly as many as the limit, with a store and without."""
    counter = Counter(store)
    with ThreadPoolExecutor(8) as pool:
        over = list(pool.map(lambda _: count_over(counter, 3, Limits(40, 90)), range(160)))
    assert 160 * 3 - sum(over) == 40


def test_store_that_fails_costs_no_lead(lines: list[dict[str, Any]]) -> None:
    """While the store fails events are let through, within the limits for this process alone; a line says so."""
    store, clock = Store(), Clock()
    counter = Counter(store, clock)
    assert count_over(counter, 2, Limits(per_hour=5)) == 0
    store.fails = True
    assert [count_over(counter, 1, Limits(per_hour=5)) for _ in range(4)] == [0, 0, 0, 1]
    failed = [line for line in lines if line["event"] == "counter.failed"]
    assert [(line["severity"], line["unlogged"]) for line in failed] == [("ERROR", 0)]
    assert "AccessDenied" in failed[0]["message"]
    clock.now += 60
    assert count_over(counter, 1, Limits(per_hour=5), NOW + HOUR) == 0
    assert [line["unlogged"] for line in lines if line["event"] == "counter.failed"] == [0, 2]


def test_one_line_a_minute(lines: list[dict[str, Any]]) -> None:
    """What is above is told with an alarm, in a line a minute for a source; the next one counts the events between."""
    clock = Clock()
    counter = Counter(None, clock)
    for _ in range(5):
        count_over(counter, 10, Limits(4, 100))
    count_over(counter, 7, Limits(per_day=5), source="shop")
    clock.now += PERIOD
    count_over(counter, 1, Limits(4, 100))
    told = [(line["severity"], line["source"], line["reason"], line["events"]) for line in lines]
    assert told == [
        ("ERROR", "website", "more than 4 an hour", 6),
        ("ERROR", "shop", "more than 5 a day", 2),
        ("ERROR", "website", "more than 4 an hour", 41),
    ]
    assert {line["event"] for line in lines} == {"source.limited"}
