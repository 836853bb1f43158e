"""Writes that were not answered: Thulium may have carried them out, or may still do so."""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager

from ringback.errors import CallFailed

# Seconds after which a write that was not answered is carried out, or never will be: as long as Thulium's own samples
# (https://api.thulium.com/docs/api) wait for an answer. Its documentation gives no limit.
SETTLED = 30.0
ROUNDING = 1.0  # seconds; pauses between two tries are counted in whole ones, and a doubt is over when the try comes
MAY_COME = "a write about the same person was not answered, and may still come"


class Doubts:
    """The writes of this process that are in doubt, by the names of what they are about, until they have settled."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Take a clock (seconds) that never goes back."""
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[Hashable, float] = {}

    @contextmanager
    def watch(self, names: Iterable[Hashable]) -> Iterator[None]:
        """Make one write about some names, and remember them if it is in doubt afterwards."""
        try:
            yield
        except CallFailed as error:
            if error.is_in_doubt:
                self._note(names)
            raise

    def find(self, names: Iterable[Hashable]) -> CallFailed | None:
        """Return the failure of whatever is not to be done before a write about one of the names has settled, if any.

        Ask before you look: what may come until then is not seen before.
        """
        with self._lock:
            wait = max((self._until.get(name, 0.0) for name in names), default=0.0) - self._clock()
        return CallFailed(MAY_COME, sent=False, retry_after=wait + ROUNDING) if wait > 0 else None

    def _note(self, names: Iterable[Hashable]) -> None:
        with self._lock:
            now = self._clock()
            self._until = {name: until for name, until in self._until.items() if until > now}
            self._until |= dict.fromkeys(names, now + SETTLED - ROUNDING)
