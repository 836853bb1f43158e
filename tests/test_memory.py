"""What this process remembers of its events."""

from datetime import timedelta

import pytest

from ringback.delivery.memory import MOST, Memory
from tests.events import NOW, make_event


def test_what_is_done_is_known_with_its_customer() -> None:
    """An event that comes once more is known, and whom it was about; another one is not."""
    memory = Memory()
    memory.remember(make_event(1), 441)
    assert memory.recall(make_event(1, attempt=2)) == 441
    assert memory.recall(make_event(2)) is None


@pytest.mark.parametrize(("identified", "known_for"), [(False, timedelta(hours=24)), (True, timedelta(days=30))])
def test_memory_ends(*, identified: bool, known_for: timedelta) -> None:
    """As long as a queue recognises an event so does the memory: the same form a week later is another lead."""
    memory = Memory()
    memory.remember(make_event(identified=identified), 441)
    again = make_event(identified=identified, received_at=NOW + known_for - timedelta(seconds=1))
    memory.remember(again, 442)  # that it came once more makes it no younger
    assert memory.recall(again) == 441
    later = make_event(identified=identified, received_at=NOW + known_for)
    assert memory.recall(later) is None
    memory.remember(later, 443)
    assert memory.recall(later) == 443


def test_what_is_forgotten_is_not_done() -> None:
    """An event can be forgotten, known or not."""
    memory = Memory()
    memory.remember(make_event(), 441)
    memory.forget(make_event())
    memory.forget(make_event())
    assert memory.recall(make_event()) is None


def test_memory_is_bounded() -> None:
    """It stays small; the oldest is forgotten first."""
    memory = Memory()
    for number in range(MOST + 5):
        memory.remember(make_event(number), 441)
    assert [memory.recall(make_event(number)) for number in (4, 5)] == [None, 441]
