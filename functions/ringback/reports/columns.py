"""Rows of texts as lines for people, aligned. Pure."""

from collections.abc import Iterable, Sequence


def align(rows: Iterable[Sequence[str]], *, indent: int = 0) -> list[str]:
    """Return a line for each row, every column as wide as its widest text but for the last, which stays as it is."""
    table = list(rows)
    columns = max((len(row) for row in table), default=0)
    widths = [max((len(row[n]) for row in table if n < len(row) - 1), default=0) for n in range(columns)]
    return [" " * indent + "  ".join(map(str.ljust, row, widths)).rstrip() for row in table]
