"""One piece of work done for all threads that wait for it: how a commit is shared."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, TypeVar

from ringback.queues import QueueFailed
from ringback.queues.forks import after_forks

Item = TypeVar("Item")

_PATIENCE = 1.0  # seconds after which a waiting thread looks for itself, should whoever was to wake it be gone


class _Wish(Generic[Item]):
    """What one thread wants done; ``turn`` is free when the thread has reason to look again."""

    def __init__(self, item: Item) -> None:
        self.item = item
        self.done = False
        self.failure: QueueFailed | None = QueueFailed("storing was interrupted")
        self.turn = threading.Lock()
        self.turn.acquire()

    def wake(self) -> None:
        with suppress(RuntimeError):  # it is free already
            self.turn.release()


class Together(Generic[Item]):
    """Calls ``work`` with the items of all threads that wait, one call at a time.

    One of the threads makes the call while the others sleep, so that the costly end of the work (a commit that waits
    for the disk) is paid once for all of them. Nobody waits for company: who finds nobody at work begins at once.
    """

    _mutex: threading.Lock
    _waiting: list[_Wish[Item]]
    _busy: bool

    def __init__(self, work: Callable[[list[Item]], None]) -> None:
        """Remember the work."""
        self._work = work
        self._reset()
        after_forks(self._reset, in_parent=False)

    def run(self, item: Item) -> None:
        """Return when the work has been done for this item.

        Raises QueueFailed as ``work`` did, or if the thread that was at work for this one was interrupted.
        """
        mine = _Wish(item)
        with self._mutex:
            self._waiting.append(mine)
        while not mine.done:
            if wishes := self._begin():
                self._do(wishes)
            else:
                mine.turn.acquire(timeout=_PATIENCE)
        if mine.failure is not None:
            raise mine.failure

    def _begin(self) -> list[_Wish[Item]]:
        with self._mutex:
            if self._busy:
                return []
            wishes, self._waiting = self._waiting, []
            self._busy = bool(wishes)
            return wishes

    def _do(self, wishes: list[_Wish[Item]]) -> None:
        failure: QueueFailed | None = wishes[0].failure
        try:
            self._work([wish.item for wish in wishes])
            failure = None
        except QueueFailed as error:
            failure = error
        finally:
            self._end(wishes, failure)

    def _end(self, wishes: list[_Wish[Item]], failure: QueueFailed | None) -> None:
        for wish in wishes:
            wish.done, wish.failure = True, failure
            wish.wake()
        with self._mutex:
            self._busy = False
            following = self._waiting[:1]
        for wish in following:
            wish.wake()

    def _reset(self) -> None:
        """Start with nobody at work and nobody waiting, as it is in the child of a fork."""
        self._mutex = threading.Lock()
        self._waiting = []
        self._busy = False
