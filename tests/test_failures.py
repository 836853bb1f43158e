"""A queue that fails at each request leaves few lines, and its failures are counted."""

from typing import Any

from ringback.queues.failures import MOST, PERIOD, Failures


def test_few_lines_a_minute(lines: list[dict[str, Any]]) -> None:
    """The first failures in a minute have a line each; the first line of the next minute counts those that had none."""
    now = 100.0
    failures = Failures(lambda: now)
    for _ in range(MOST + 5):
        failures.write("the disk is full")
    now += PERIOD
    failures.write("the file is locked")
    assert [line["unlogged"] for line in lines] == [0] * MOST + [5]
    assert (lines[-1]["event"], lines[-1]["levelname"]) == ("queue.failed", "ERROR")
    assert lines[-1]["message"] == "the file is locked"
