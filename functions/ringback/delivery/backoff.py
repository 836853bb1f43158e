"""When what could not be delivered is tried again."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta

FIRST = 1.0  # seconds
LONGEST = 900.0
LONGEST_OF_A_STOP = 6 * 3600.0
LONGEST_ASKED = 3600.0  # what a Retry-After may ask for
REFUSED_PASSWORD = 60.0  # no password is mended faster, and Thulium may lock an account that is tried more often


def next_try(  # noqa: PLR0913 - chance is an argument like everywhere
    attempt: int,
    now: datetime,
    retry_after: float | None = None,
    http_status: int | None = None,
    jitter: Callable[[], float] = random.random,
    *,
    longest: float = LONGEST,
) -> datetime:
    """Return when an event is tried again whose try number ``attempt`` (from 1) has failed at ``now``.

    The wait doubles with each try, up to ``longest`` seconds, less a random half, so that what failed together does not
    come back together. What Thulium asked for (``retry_after``, seconds) is waited out, within an hour.
    """
    wait = min(longest, FIRST * 2 ** min(attempt - 1, 20)) * (0.5 + jitter() / 2)
    asked = min(retry_after or 0.0, LONGEST_ASKED)
    least = REFUSED_PASSWORD if http_status == 401 else 0.0  # noqa: PLR2004 - Unauthorized
    return now + timedelta(seconds=max(wait, asked, least))
