"""A verdict for each event, whatever becomes of their delivery."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from ringback.event import Again, Event, Verdict
from ringback.outcome import Status
from ringback.queues.verdicts import judge
from tests.events import NOW, done, make_event


def fail(_events: Sequence[Event], _now: datetime) -> Sequence[Verdict]:
    """Fail as a mistake of ours would, with something personal in it."""
    raise KeyError("jan@example.com")


def leave_one_out(events: Sequence[Event], _now: datetime) -> Sequence[Verdict]:
    """Return a verdict too few."""
    return [done() for _ in events[1:]]


def test_verdicts_are_those_of_the_delivery() -> None:
    """The delivery's verdicts are returned, in the order of the events."""
    events = [make_event(number) for number in range(3)]
    verdicts = judge(events, lambda given, _: [done(reason=event.id) for event in given], lambda: NOW)
    assert [verdict.outcome.reason for verdict in verdicts] == ["e0", "e1", "e2"]


def test_nothing_to_deliver() -> None:
    """Without events nothing is delivered: not even a call that might fail."""
    assert judge([], fail, lambda: NOW) == []


@pytest.mark.parametrize("deliver", [fail, leave_one_out])
def test_delivery_that_breaks(deliver: Any, lines: list[dict[str, Any]]) -> None:
    """All events are tried again, each when its own number of tries says so, and one line tells of the mistake."""
    verdicts = judge([make_event(1), make_event(2, attempt=9)], deliver, lambda: NOW)
    assert [verdict.outcome.status for verdict in verdicts] == [Status.DEFERRED] * 2
    soon, late = (verdict.at for verdict in verdicts if isinstance(verdict, Again))
    assert NOW < soon < late
    (line,) = lines
    assert line["event"] == "internal.error"
    assert "jan" not in line["message"]
