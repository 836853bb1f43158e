"""A flood of refused requests leaves few lines, and is counted."""

import threading
from typing import Any

from ringback.refusals import Refusals


class Clock:
    """A monotonic clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def read(lines: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    """Return the source and the count of each line."""
    return [(line["source"], line["unlogged"]) for line in lines]


def test_ten_a_second(lines: list[dict[str, Any]]) -> None:
    """Ten lines a second are written for a source; the first of the next one tells how many requests had none."""
    clock = Clock()
    refusals = Refusals(clock)
    for _ in range(35):
        refusals.write("website", 401, "wrong signature")
    assert read(lines) == [("website", 0)] * 10
    clock.now += 1.5
    for _ in range(11):
        refusals.write("website", 401, "wrong signature")
    assert read(lines)[10:] == [("website", 25), *[("website", 0)] * 9]
    clock.now += 1
    refusals.write("website", 401, "wrong signature")
    assert read(lines)[20:] == [("website", 1)]


def test_each_source_has_its_own(lines: list[dict[str, Any]]) -> None:
    """A flood at one source, or at paths that are none, hides no refusal of another."""
    refusals = Refusals(Clock())
    for _ in range(20):
        refusals.write(None, 401, "unknown source")
    refusals.write("website", 415, "content type")
    assert read(lines)[10:] == [("website", 0)]


def test_no_request_is_lost_from_the_count(lines: list[dict[str, Any]]) -> None:
    """Threads that refuse at once are all counted."""
    clock = Clock()
    refusals = Refusals(clock)

    def refuse() -> None:
        for _ in range(100):
            refusals.write("x", 401, "wrong signature")

    threads = [threading.Thread(target=refuse) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clock.now += 1
    refusals.write("x", 401, "wrong signature")
    assert sum(1 + line["unlogged"] for line in lines) == 801
