"""``python -m tests.clocked serve ...``: Ringback under a wall clock that a test sets, as an operator or NTP may.

The file that ``TEST_CLOCK`` names says how many seconds it is ahead.
"""

import os
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

from ringback import clock
from ringback.cli import main

FILE = Path(os.environ["TEST_CLOCK"])


class Datetime(datetime):
    """The time on a wall whose clock is wrong."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Return the time that this clock shows."""
        right = datetime.now(tz) + timedelta(seconds=float(FILE.read_text() or 0))
        return cls.fromtimestamp(right.timestamp(), tz)


if __name__ == "__main__":
    clock.datetime = Datetime  # type: ignore[attr-defined]  # the module that reads the clock finds this one
    main()
