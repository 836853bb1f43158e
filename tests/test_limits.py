"""Which events of a source are above its limits; and the pipeline parks those."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.event import Event
from ringback.limits import UNLIMITED, Limits, count_day, mark
from ringback.outcome import Status
from tests.events import make_event
from tests.leads import NOW, configure, deliver, read_statuses
from tests.leads import make_event as make_lead
from tests.sandbox import Sandbox

HOURLY, DAILY = "more than 3 an hour", "more than 5 a day"


def read_over(events: list[Event]) -> list[str | None]:
    """Return what the events are above."""
    return [event.over for event in events]


@pytest.mark.parametrize(
    ("limits", "hour", "day", "over"),
    [
        (Limits(3, 5), 0, 0, [None, None, None, HOURLY]),
        (Limits(3, 5), 2, 2, [None, HOURLY, HOURLY, HOURLY]),
        (Limits(3, 5), 0, 4, [None, DAILY, DAILY, HOURLY]),
        (Limits(per_hour=3), 3, 9999, [HOURLY] * 4),
        (Limits(per_day=5), 9999, 3, [None, None, DAILY, DAILY]),
        (UNLIMITED, 9999, 9999, [None] * 4),
    ],
)
def test_marked(limits: Limits, hour: int, day: int, over: list[str | None]) -> None:
    """Of the events of a request those are marked that come after the limit of their hour or day is reached."""
    events = [make_event(n) for n in range(4)]
    marked = mark(events, limits, hour, day)
    assert read_over(marked) == over
    assert [replace(event, over=None) for event in marked] == events


@given(st.lists(st.integers(1, 20), max_size=30), st.integers(1, 50), st.integers(1, 80))
def test_no_more_than_the_limits(requests: list[int], per_hour: int, per_day: int) -> None:
    """However events are spread over requests, as many of an hour are delivered as the limits say, the first ones."""
    limits, count, marked = Limits(per_hour, per_day), 0, list[Event]()
    for number in requests:
        events = [make_event(count + n) for n in range(number)]
        marked += mark(events, limits, count, count_day([count], limits))
        count += number
    room = min(per_hour, per_day)
    assert [event.over is None for event in marked] == [n < room for n in range(count)]


def test_parked_events_take_nothing_of_the_day() -> None:
    """A flood in one hour leaves the day what it has left: what was parked does not count."""
    assert count_day([0, 2, 9000, 3], Limits(300, 2000)) == 305
    assert count_day([0, 2, 9000, 3], Limits(per_day=2000)) == 9005


def test_over_is_parked(thulium: Sandbox) -> None:
    """An event above a limit is parked with that reason, and its person known; its neighbours are delivered."""
    thulium.add_customer(7, phone_number="601000001")
    over = replace(make_lead(phone_number="601 000 002"), over=HOURLY)
    first, second = deliver(configure(thulium), make_lead(customer_id=7), over)
    assert (first.status, second.status, second.reason) == (Status.ADDED, Status.PARKED, HOURLY)
    assert second.person
    assert [record["customer_id"] for record in thulium.records("00001")] == [7]


def test_over_is_not_fetched(thulium: Sandbox) -> None:
    """Nothing is asked of a sender for an event that is parked."""
    settings = configure(thulium, sources={"website": {"fetch": {"url": "https://127.0.0.1:9/{id}"}}})
    (outcome,) = deliver(settings, replace(make_lead(id="1"), over=HOURLY))
    assert (outcome.status, outcome.reason) == (Status.PARKED, HOURLY)


def test_over_of_a_source_that_is_gone(thulium: Sandbox) -> None:
    """Should its source be gone from the configuration, that is the reason."""
    (outcome,) = deliver(configure(thulium), replace(make_lead("gone"), over=HOURLY))
    assert outcome.status is Status.INVALID


def test_opt_outs_are_never_parked_for_it(thulium: Sandbox) -> None:
    """A source that has become one of opt-outs carries out what was stored when it was one of leads."""
    stop = replace(make_lead("optout", phone_number="601 000 002"), over=HOURLY)
    assert read_statuses(deliver(configure(thulium), stop, now=NOW)) == ["STOPPED"]
