"""The time of day."""

from datetime import UTC, datetime


def read_clock() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)
