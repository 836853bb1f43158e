"""The table: what was measured, beside what, and whether the target is met."""

from collections.abc import Iterable
from dataclasses import dataclass

FORMAT = "{:<50}{:>30}{:>36}{:>8}  {:<8}{}"


@dataclass(frozen=True)
class Target:
    """A limit that a figure has to keep to."""

    limit: float
    is_least: bool = False

    def is_met(self, figure: float) -> bool:
        """Return whether the figure, as it is printed, keeps to the limit."""
        return round(figure, 2) >= self.limit if self.is_least else round(figure, 2) <= self.limit

    def __str__(self) -> str:
        """Return it as it is printed."""
        return f"{'>=' if self.is_least else '<='} {self.limit:g}"


@dataclass(frozen=True)
class Row:
    """One figure: what it is of, what it is made of, and what it has to be. Without a target it is for information."""

    what: str
    measured: str
    beside: str
    figure: float
    target: Target | None = None

    @property
    def is_met(self) -> bool:
        """Whether the target, if there is one, is met."""
        return self.target is None or self.target.is_met(self.figure)

    def __str__(self) -> str:
        """Return it as one line of the table."""
        verdict = "" if self.target is None else "yes" if self.is_met else "NO"
        return FORMAT.format(
            self.what, self.measured, self.beside, f"{self.figure:.2f}", str(self.target or ""), verdict
        ).rstrip()


HEADING = FORMAT.format("", "measured", "beside it", "figure", "target", "met")


def at_most(limit: float) -> Target:
    """Return the target of a figure that must not be larger."""
    return Target(limit)


def at_least(limit: float) -> Target:
    """Return the target of a figure that must not be smaller."""
    return Target(limit, is_least=True)


def summarize(rows: Iterable[Row]) -> str:
    """Return how many targets are met."""
    targets = [row for row in rows if row.target]
    return f"{sum(row.is_met for row in targets)} of {len(targets)} targets are met"
