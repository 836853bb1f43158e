"""The statuses of Thulium's campaigns, asked for once and kept: they change when a person changes them."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from ringback.errors import CallFailed

KEPT = 3600.0  # seconds
PAUSE = 60.0  # seconds without a call for a campaign whose statuses could not be had, where they are not needed

Row = Mapping[str, object]
Rows = Sequence[Row]


class Statuses:
    """Rows of ``GET outbounds/:id/statuses`` by campaign; one call for a campaign is under way at a time."""

    def __init__(self, ask: Callable[[str, float], Rows], clock: Callable[[], float]) -> None:
        """Take the call (of a campaign's id and a deadline), which may raise CallFailed, and a monotonic ``clock``."""
        self._ask = ask
        self._clock = clock
        self._kept: dict[str, tuple[Rows, float]] = {}
        self._paused: dict[str, float] = {}  # until when
        self._locks: dict[str, threading.Lock] = {}

    def find(self, campaign_id: str, deadline: float, status_id: object = None) -> Rows:
        """Return a campaign's statuses. Those that are kept are asked for anew if none of them has ``status_id``.

        Raises CallFailed.
        """
        rows = self._recall(campaign_id, status_id)
        if rows is not None:
            return rows
        with self._hold(campaign_id, deadline):
            rows = self._recall(campaign_id, status_id)  # another thread may have asked meanwhile
            if rows is None:
                rows = self._ask(campaign_id, deadline)
                self._kept[campaign_id] = rows, self._clock() + KEPT
            return rows

    def find_if_possible(self, campaign_id: str, deadline: float) -> Rows:
        """Return a campaign's statuses; none if they can't be had, and for a minute after that none either."""
        is_paused = self._clock() < self._paused.get(campaign_id, -math.inf)
        if is_paused and self._recall(campaign_id) is None:
            return ()
        try:
            return self.find(campaign_id, deadline)
        except CallFailed:
            self._paused[campaign_id] = self._clock() + PAUSE
            return ()

    def _recall(self, campaign_id: str, status_id: object = None) -> Rows | None:
        rows, until = self._kept.get(campaign_id, ((), -math.inf))
        has_it = status_id is None or any(str(row.get("status_id")) == str(status_id) for row in rows)
        return rows if self._clock() < until and has_it else None

    @contextmanager
    def _hold(self, campaign_id: str, deadline: float) -> Iterator[None]:
        lock = self._locks.setdefault(campaign_id, threading.Lock())
        if not lock.acquire(timeout=max(0.0, deadline - self._clock())):
            raise CallFailed("no time left")
        try:
            yield
        finally:
            lock.release()
