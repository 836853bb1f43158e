"""The caller's time, which stands in for the wall's and never goes back."""

from datetime import datetime
from time import monotonic


class Clock:
    """Seconds since 1970, as the last delivery was told, going on by themselves between two of them.

    Where the wall's clock is put back, this one goes on: what waits for a time waits no longer for that.
    """

    def __init__(self) -> None:
        """Start with the machine's own."""
        self._ahead = 0.0  # of the machine's monotonic time

    def tell(self, now: datetime) -> None:
        """Take note of what time it is."""
        self._ahead = max(self._ahead, now.timestamp() - monotonic())

    def __call__(self) -> float:
        """Return the time."""
        return monotonic() + self._ahead
