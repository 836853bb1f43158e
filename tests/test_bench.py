"""The bench: it runs, and its table says what is met. That the figures are good is not tested: they need quiet."""

import pytest

from tests.bench.__main__ import PARTS, main
from tests.bench.table import Row, at_least, at_most, summarize


@pytest.mark.parametrize("part", ["cold", "core", "burst"])
def test_it_runs(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each row is printed as soon as it is there, with its figure and whether its target is met."""
    rows = main(["--quick", part])
    printed = capsys.readouterr().out
    assert rows
    assert all(str(row) in printed for row in rows)
    assert printed.endswith(f"{summarize(rows)}\n")


def test_a_part_that_is_not_there() -> None:
    """What can't be measured is said before anything is."""
    with pytest.raises(SystemExit):
        main(["everything"])
    assert "everything" not in PARTS


@pytest.mark.parametrize(
    ("row", "is_met", "end"),
    [
        (Row("a", "1 ms", "2 ms", 1.254, at_most(1.25)), True, "1.25  <= 1.25 yes"),
        (Row("a", "1 ms", "2 ms", 1.26, at_most(1.25)), False, "1.26  <= 1.25 NO"),
        (Row("a", "1 ms", "2 ms", 0.6, at_least(0.6)), True, "0.60  >= 0.6  yes"),
        (Row("a", "1 ms", "2 ms", 0.594, at_least(0.6)), False, "0.59  >= 0.6  NO"),
        (Row("a", "1 ms", "2 ms", 7.0), True, "7.00"),
    ],
)
def test_targets(row: Row, is_met: object, end: str) -> None:
    """A figure is held against its target as it is printed; without one it is for information."""
    assert row.is_met is is_met
    assert str(row).endswith(end)
