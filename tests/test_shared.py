"""Shared deliveries: requests that wait at the same time go to Thulium together."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest

from ringback.event import Again, Done, Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.shared import MOST_AT_ONCE, Shared
from tests.leads import NOW, make_event
from tests.working import until

LONG = 20.0  # seconds


def read_number(event: Event) -> str:
    """Return an event's number."""
    assert isinstance(event.data, dict)
    return str(event.data["phone_number"])


class Slow:
    """Deliveries that last until they are let go; each is a list of numbers."""

    def __init__(self) -> None:
        """Start with none."""
        self.begun: list[list[str]] = []
        self.deadlines: list[float | None] = []
        self.failure: Exception | None = None
        self.gate = threading.Event()

    def deliver(self, events: Sequence[Event], _: datetime, deadline: float | None) -> Sequence[Verdict]:
        """Return that all are added, with the number as the reason."""
        self.begun.append([read_number(event) for event in events])
        self.deadlines.append(deadline)
        assert self.gate.wait(LONG)
        if self.failure:
            raise self.failure
        return [Done(Outcome(Status.ADDED, read_number(event))) for event in events]


@pytest.fixture
def slow() -> Slow:
    """Deliveries that can be held up."""
    return Slow()


@pytest.fixture
def shared(slow: Slow) -> Iterator[Shared]:
    """Shared deliveries of events whose number is their person."""
    yield Shared(slow.deliver, read_number, 3, lambda: NOW)
    slow.gate.set()


def events(*numbers: int) -> list[Event]:
    """Return an event for each number."""
    return [make_event(phone_number=str(number)) for number in numbers]


def deadline(seconds: float = LONG) -> float:
    """Return a time some seconds ahead."""
    return time.monotonic() + seconds


def read(verdicts: Sequence[Verdict]) -> list[str | None]:
    """Return the reasons, which are the numbers."""
    return [verdict.outcome.reason for verdict in verdicts]


@contextmanager
def filled(shared: Shared, slow: Slow) -> Iterator[None]:
    """Keep all deliveries busy while the block lasts."""
    for number in range(MOST_AT_ONCE):
        shared.submit(events(1000 + number), deadline())
    until(lambda: len(slow.begun) == MOST_AT_ONCE)
    yield
    slow.gate.set()


def test_no_request_waits_while_a_delivery_is_free(shared: Shared, slow: Slow) -> None:
    """Each of the first requests begins a delivery of its own at once."""
    with filled(shared, slow):
        assert [len(each) for each in slow.begun] == [1] * MOST_AT_ONCE


def test_those_that_wait_go_together(shared: Shared, slow: Slow) -> None:
    """What comes while all deliveries are busy is delivered together, up to a batch, and each gets its own."""
    with filled(shared, slow):
        waiting = [shared.submit(events(number), deadline()) for number in range(4)]
        waiting.append(shared.submit(events(10, 11, 12, 13), deadline()))
        assert len(slow.begun) == MOST_AT_ONCE
    assert [read(each.result(LONG)) for each in waiting] == [["0"], ["1"], ["2"], ["3"], ["10", "11", "12", "13"]]
    assert sorted(slow.begun[MOST_AT_ONCE:], key=len) == [["3"], ["0", "1", "2"], ["10", "11", "12", "13"]]


def test_one_person_is_in_no_two_deliveries(shared: Shared, slow: Slow) -> None:
    """The second event of a person waits for the first, though deliveries are free, and keeps no other one waiting."""
    first = shared.submit(events(1), deadline())
    second = shared.submit(events(2, 1), deadline())
    third = shared.submit(events(2), deadline())  # behind the second: the order of one person's events is kept
    other = shared.submit(events(3), deadline())
    until(lambda: len(slow.begun) == 2)
    assert sorted(slow.begun) == [["1"], ["3"]]
    slow.gate.set()
    assert [read(each.result(LONG)) for each in (first, second, third, other)] == [["1"], ["2", "1"], ["2"], ["3"]]
    assert slow.begun[2:] in ([["2", "1"], ["2"]], [["2", "1", "2"]])


def test_a_request_that_calls_works_itself_and_has_the_rest_begun(shared: Shared, slow: Slow) -> None:
    """``deliver`` returns the verdicts; what has waited for it to end is begun before."""
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(shared.deliver, events(1), deadline())
        until(lambda: slow.begun == [["1"]])
        second = shared.submit(events(1), deadline())
        slow.gate.set()
        assert read(first.result(LONG)) == ["1"]
        assert read(second.result(LONG)) == ["1"]


def test_each_request_keeps_its_deadline(shared: Shared, slow: Slow) -> None:
    """A delivery ends at its first request's deadline; a request whose sender waits much longer goes with others."""
    early, late = deadline(10), deadline(19)
    with filled(shared, slow):
        waiting = [shared.submit(events(number), at) for number, at in ((1, early), (2, early + 0.5), (3, late))]
    assert [read(each.result(LONG)) for each in waiting] == [["1"], ["2"], ["3"]]
    assert set(slow.deadlines[MOST_AT_ONCE:]) == {early, late}


def test_request_that_gets_no_turn_is_deferred(shared: Shared, slow: Slow) -> None:
    """What has not begun by its deadline is deferred, and is not delivered any more."""
    with filled(shared, slow):
        verdicts = shared.deliver(events(1, 2), deadline(0.05))
        assert [type(verdict) for verdict in verdicts] == [Again, Again]
        after = shared.submit(events(3), deadline())
    assert read(after.result(LONG)) == ["3"]
    assert ["1", "2"] not in slow.begun


def test_request_that_has_begun_is_waited_for(shared: Shared, slow: Slow) -> None:
    """What has begun by its deadline ends by itself, and is told as it ended."""
    verdicts = shared.submit(events(1), deadline())
    threading.Timer(0.1, slow.gate.set).start()
    assert read(shared.wait(verdicts, 1, deadline(0))) == ["1"]


def test_failure_is_told_to_all_that_shared_it(shared: Shared, slow: Slow) -> None:
    """An exception of a delivery is raised for each of its requests, and the next delivery is not kept from."""
    with filled(shared, slow):
        waiting: list[Any] = [shared.submit(events(number), deadline()) for number in range(2)]
        slow.failure = RuntimeError("broken")
    for each in waiting:
        with pytest.raises(RuntimeError, match="broken"):
            each.result(LONG)
    slow.failure = None
    assert read(shared.deliver(events(9), deadline())) == ["9"]
