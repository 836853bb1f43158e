"""When it is tried again."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.delivery.backoff import LONGEST, LONGEST_ASKED, next_try

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def wait(attempt: int, jitter: float = 1.0, **more: float | None) -> float:
    """Return the seconds until the next try."""
    return (next_try(attempt, NOW, jitter=lambda: jitter, **more) - NOW).total_seconds()  # type: ignore[arg-type]  # ints


@pytest.mark.parametrize(
    ("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (10, 512), (11, 900), (12, 900), (1000, 900), (10**9, 900)]
)
def test_doubles(attempt: int, seconds: float) -> None:
    """The wait doubles with each try, up to 15 minutes."""
    assert wait(attempt) == seconds
    assert wait(attempt, jitter=0.0) == seconds / 2


def test_comes_back_at_different_times() -> None:
    """What failed together does not come back together."""
    assert len({next_try(5, NOW) for _ in range(10)}) > 1


@pytest.mark.parametrize(
    ("attempt", "asked", "seconds"), [(1, 120, 120), (1, 0, 1), (1, None, 1), (12, 120, 900), (1, 86400, 3600)]
)
def test_waits_as_long_as_was_asked(attempt: int, asked: float | None, seconds: float) -> None:
    """A Retry-After is waited out, within an hour, and never makes a wait shorter."""
    assert wait(attempt, retry_after=asked) == seconds


@pytest.mark.parametrize(("status", "seconds"), [(401, 60), (403, 1), (503, 1), (None, 1)])
def test_refused_password(status: int | None, seconds: float) -> None:
    """A refused password is not tried again at once: nobody mends one faster, and Thulium may lock the account."""
    assert wait(1, http_status=status) == seconds


@given(st.integers(1, 10**6), st.none() | st.floats(0, 1e9), st.sampled_from([None, 401, 429, 503]))
def test_bounds(attempt: int, asked: float | None, status: int | None) -> None:
    """A wait is never shorter than half a second, nor longer than an hour."""
    at = next_try(attempt, NOW, asked, status)
    assert 0.5 <= (at - NOW).total_seconds() <= max(LONGEST, LONGEST_ASKED)
