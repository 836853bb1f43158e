"""Empties a SQLite queue: takes what is due, has it delivered, stores what became of it, and says so in the log."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from ringback import log
from ringback.app import read_clock
from ringback.event import Event
from ringback.hosts.verdicts import Deliver, judge
from ringback.outcome import Outcome
from ringback.queues import QueueFailed, history
from ringback.queues.sqlite import LEASE, Held, SqliteQueue

Report = Callable[[Event, Outcome, float], None]

POLL = 0.025  # seconds between two looks at what other processes have put, or at what has become due
QUIET = 0.02  # seconds without another event after which a batch is not waited for any longer
LONGEST_COMPANY = 0.5  # seconds that an event waits at most for others that keep coming
AFTER_FAILURE = 1.0  # seconds
PURGE_EVERY = 30.0  # seconds


class Worker:
    """Delivers a queue's events in batches of up to ``batch_size``; several workers may share one queue.

    ``deliver`` gives a verdict for each event, in their order; should it raise, all its events are tried again later.
    ``report`` is called with event, outcome and seconds for each outcome that was stored. ``lease`` is the time after
    which the events of a worker that was killed are given to another. One that is ``paused`` delivers nothing. What was
    settled longer ago than ``retention`` is deleted.
    """

    def __init__(  # noqa: PLR0913 - what it works on, and three knobs
        self,
        queue: SqliteQueue,
        deliver: Deliver,
        report: Report = log.write_outcome,
        *,
        batch_size: int = 100,
        lease: timedelta = LEASE,
        paused: bool = False,
        retention: timedelta = history.RETENTION,
        clock: Callable[[], datetime] = read_clock,
    ) -> None:
        """Take the parts; nothing is opened before ``run``."""
        self._queue = queue
        self._deliver = deliver
        self._report = report
        self._batch_size = batch_size
        self._lease = lease
        self._paused = paused
        self._retention = retention
        self._clock = clock
        self._purged = -PURGE_EVERY

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; what is being delivered then is finished, or handed back if that takes long."""
        if self._paused:
            stop.wait()
        while not stop.is_set():
            try:
                self._purge()
                if not self.step(stop):
                    self._queue.wait(POLL)
            except QueueFailed as error:
                log.write("ERROR", str(error), "queue.failed")
                stop.wait(AFTER_FAILURE)
            except Exception as error:  # noqa: BLE001 - logged; a worker that is gone would deliver nothing ever again
                log.write_bug(error, "the worker has failed")
                stop.wait(AFTER_FAILURE)

    def step(self, stop: threading.Event) -> int:
        """Take what is due, deliver and settle it. Returns how many events it were. Raises QueueFailed."""
        if not self._gather(stop):
            return 0
        events = self._queue.take(self._batch_size, self._clock(), lease=self._lease)
        if stop.is_set():
            self._queue.hand_back(events, self._clock())
        else:
            self._deliver_all(events, stop)
        return len(events)

    def _deliver_all(self, events: Sequence[Held], stop: threading.Event) -> None:
        started = time.monotonic()
        with self._holding(events, stop):
            verdicts = judge(events, self._deliver, self._clock)
        for event, verdict in self._queue.settle(zip(events, verdicts, strict=True), self._clock()):
            self._report(event, verdict.outcome, time.monotonic() - started)

    def _gather(self, stop: threading.Event) -> int:
        """Wait as long as more events keep coming, so that a burst makes few batches. Returns how many there are."""
        until = time.monotonic() + LONGEST_COMPANY
        before, count = 0, self._queue.count_due(self._batch_size, self._clock())
        while before < count < self._batch_size and time.monotonic() < until and not stop.wait(QUIET):
            before, count = count, self._queue.count_due(self._batch_size, self._clock())
        return count

    @contextmanager
    def _holding(self, events: Sequence[Held], stop: threading.Event) -> Iterator[None]:
        """Renew the lease as long as the block runs; once ``stop`` is set, for a third of it at most."""
        done = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(events, done, stop), daemon=True)
        renewing.start()
        try:
            yield
        finally:
            done.set()
            renewing.join()

    def _renew(self, events: Sequence[Held], done: threading.Event, stop: threading.Event) -> None:
        is_ending = False
        while not done.wait(self._lease.total_seconds() / 3):
            try:
                if is_ending:
                    self._queue.hand_back(events, self._clock())
                    return
                self._queue.renew(events, self._clock(), lease=self._lease)
            except QueueFailed as error:
                log.write("ERROR", str(error), "queue.failed")
            is_ending = stop.is_set()

    def _purge(self) -> None:
        if time.monotonic() - self._purged >= PURGE_EVERY:
            self._purged = time.monotonic()
            history.purge(self._queue.database, self._clock(), retention=self._retention)
