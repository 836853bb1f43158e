"""One thread that stores the events of all requests, in one commit for all that wait at the same time."""

import asyncio
import queue
from collections.abc import Callable, Sequence
from threading import Thread

from ringback.queues.sqlite.queue import Put

MOST_AT_ONCE = 500  # requests in one commit

Store = Callable[[Sequence[Put]], object]


class Committer:
    """Stores events for an event loop: those that come during a commit share the next one."""

    def __init__(self, store: Store, on_stored: Callable[[], object] = lambda: None) -> None:
        """Remember the functions; ``on_stored`` is called after each commit, in the thread."""
        self._store = store
        self._on_stored = on_stored
        self._waiting: queue.SimpleQueue[tuple[Put, asyncio.Future[None]]] = queue.SimpleQueue()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def put(self, put: Put) -> None:
        """Return when the events of a request are stored durably. Raises QueueFailed."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            Thread(target=self._run, args=(self._loop,), name="committer", daemon=True).start()
        stored = self._loop.create_future()
        self._waiting.put((put, stored))
        await stored

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            wishes = [self._waiting.get()]
            while len(wishes) < MOST_AT_ONCE and not self._waiting.empty():
                wishes.append(self._waiting.get())
            failure = self._try_to_store([put for put, _ in wishes])
            loop.call_soon_threadsafe(_tell, [stored for _, stored in wishes], failure)

    def _try_to_store(self, puts: Sequence[Put]) -> Exception | None:
        try:
            self._store(puts)
            self._on_stored()
        except Exception as error:  # noqa: BLE001 - raised again where it is waited for
            return error
        return None


def _tell(futures: Sequence[asyncio.Future[None]], failure: Exception | None) -> None:
    for future in futures:
        if future.cancelled():
            continue
        if failure:
            future.set_exception(failure)
        else:
            future.set_result(None)
