"""Empties a SQLite queue: takes due events, has them delivered in batches that overlap, and clears up."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringback import log
from ringback.clock import read_clock
from ringback.event import Event
from ringback.queues import QueueFailed
from ringback.queues.failures import Failures
from ringback.queues.sqlite import history
from ringback.queues.sqlite.batch import Batch, Report, deliver_batch
from ringback.queues.sqlite.bell import Bell
from ringback.queues.sqlite.database import PageDamaged
from ringback.queues.sqlite.jumps import Watch
from ringback.queues.sqlite.queue import BATCH_SIZE, LEASE, Held, SqliteQueue
from ringback.queues.verdicts import Deliver

SLOTS = 4  # batches at once: while one waits for its last call, others make theirs
POLL = 0.25  # seconds between two looks at what other processes have put, and at what has become due
COMPANY = 0.1  # seconds that events wait for others while a batch is under way
AFTER_FAILURE = 1.0  # seconds
PURGE_EVERY = 2.0  # seconds
TIDY_EVERY = 30.0  # seconds after which what was deleted is gone from the log too
MOST_SKIPPED = 1000  # events that wait for another one of their person, and are not looked at again meanwhile
LONGEST_BATCH = 240.0  # seconds; a delivery ends in half of that, so that one which takes longer hangs
LONGEST_END = 20.0  # seconds that batches have when the worker is told to stop


class DeliveryHangs(Exception):
    """A batch does not end, so that the process has to."""


@dataclass(frozen=True)
class Way:
    """How events are delivered.

    ``deliver`` gives a verdict for each, in their order, and ``report`` is told those that were stored, with seconds.
    ``find_person`` returns the same text for all events of one person, "" for none; ``list_known`` the hashes by which
    an event's person is found later.
    """

    deliver: Deliver
    find_person: Callable[[Event], str] = lambda _: ""
    list_known: Callable[[Event], Sequence[str]] = lambda _: ()
    report: Report = log.write_outcome


class Worker:
    """Delivers a queue's events in batches of up to ``batch_size``; several workers may share one queue.

    ``bell`` is rung when something was put. ``lease`` is the time after which the events of a worker that was killed
    are given to another. One that is ``paused`` delivers nothing. What was settled longer ago than ``retention`` is
    deleted.
    """

    def __init__(  # noqa: PLR0913 - what it works on, and some knobs
        self,
        queue: SqliteQueue,
        way: Way,
        bell: Bell | None = None,
        *,
        batch_size: int = 100,
        lease: timedelta = LEASE,
        paused: bool = False,
        retention: timedelta = history.RETENTION,
        clock: Callable[[], datetime] = read_clock,
        watch: Watch | None = None,
        longest_end: float = LONGEST_END,
    ) -> None:
        """Take the parts; nothing is opened before ``run``. ``watch`` looks at ``clock``."""
        self._queue = queue
        self._way = way
        self._bell = bell or Bell()
        self._batch_size = batch_size
        self._lease = lease
        self._paused = paused
        self._retention = retention
        self._clock = clock
        self._watch = watch or Watch(clock)
        self._longest_end = longest_end
        self._batches: list[Batch] = []
        self._skipped: set[int] = set()
        self._failures = Failures()
        self._is_mended = False
        self._is_indexing = True
        self._looked = self._renewed = self._purged = self._tidied = float("-inf")

    def run(self, stop: threading.Event, beat: Callable[[], object] = lambda: None) -> None:
        """Work until ``stop`` is set; deliveries under way are finished, or handed back if that takes long.

        ``beat`` is called several times a second as long as all is well. Raises DeliveryHangs and FileReplaced, after
        which the process has to end: threads of it may still be at work.
        """
        pool = ThreadPoolExecutor(SLOTS)
        while not stop.is_set():
            beat()
            self._bell.wait(self._try_step(pool))
        self._end(beat)
        pool.shutdown(wait=False)

    def _try_step(self, pool: ThreadPoolExecutor) -> float:
        """Take one step, and return for how many seconds there is nothing more to do."""
        try:
            return self._step(pool)
        except QueueFailed as error:
            if self._queue.database.is_lost:
                raise
            self._failures.write(str(error))
        except DeliveryHangs:
            raise
        except Exception as error:  # noqa: BLE001 - logged; a worker that is gone would deliver nothing ever again
            log.write_bug(error, "the worker has failed")
        return AFTER_FAILURE

    def _step(self, pool: ThreadPoolExecutor) -> float:
        self._mend()
        self._reap()
        self._renew()
        self._clear_up()
        if self._paused:
            self._index()
            return POLL
        while len(self._batches) < SLOTS and (events := self._take()):
            batch = Batch(events)
            self._batches.append(batch)
            pool.submit(self._deliver, batch)
        if not self._batches:
            self._index()
        return COMPANY if self._batches else POLL

    def _deliver(self, batch: Batch) -> None:
        patience = self._lease.total_seconds()
        deliver_batch(batch, self._queue, self._way.deliver, self._way.report, self._clock, patience)
        self._bell.ring()

    def _take(self) -> list[Held]:
        """Return events to be delivered now, held; none while there are few, and more may come."""
        if any(batch.is_suspect for batch in self._batches) or not self._is_worth_it():
            return []
        self._looked = time.monotonic()
        now = self._watch.now  # by which leases have been mended, whatever the clock has been set to since
        found = self._queue.look(
            self._batch_size, now, size=BATCH_SIZE // SLOTS, skip=self._skipped, suspects=not self._batches
        )
        persons = [replace(event, person=self._way.find_person(event)) for event in found]
        taken = self._queue.hold(persons, now, lease=self._lease, watch=self._watch) if persons else []
        self._skip(persons, taken)
        return taken

    def _is_worth_it(self) -> bool:
        if not self._batches or time.monotonic() - self._looked >= COMPANY:
            return True
        return self._queue.count_due(self._batch_size, self._clock()) >= self._batch_size

    def _skip(self, found: Sequence[Held], taken: Sequence[Held]) -> None:
        """Pass over events whose person has another one under way, until a batch has ended."""
        if len(self._skipped) > MOST_SKIPPED:
            self._skipped.clear()
        self._skipped |= {event.number for event in found} - {event.number for event in taken}

    def _reap(self) -> None:
        going = [batch for batch in self._batches if not batch.is_over]
        if len(going) < len(self._batches) or not going:
            self._skipped.clear()
        self._batches = going
        if any(time.monotonic() - batch.began > LONGEST_BATCH for batch in going):
            raise DeliveryHangs

    def _renew(self) -> None:
        if time.monotonic() - self._renewed >= self._lease.total_seconds() / 3:
            self._renewed = time.monotonic()
            for batch in self._batches:
                self._queue.renew(batch.events, self._clock(), lease=self._lease)

    def _mend(self) -> None:
        """See to it that no event waits for a time that a wrong clock has set, and that no lease ends by it."""
        jump = self._watch.look()
        if jump:
            log.write("WARNING", f"the clock was set {jump.value}", "clock.set")
        if jump or not self._is_mended:
            self._is_mended = True  # before it is: should the file be damaged, what is not goes on
            self._queue.mend_times(self._watch.now, lease=self._lease, was_set=bool(jump))

    def _clear_up(self) -> None:
        if self._watch.is_trusted and time.monotonic() - self._purged >= PURGE_EVERY:
            self._purged = time.monotonic()
            history.purge(self._queue.database, self._clock(), retention=self._retention)
        if time.monotonic() - self._tidied >= TIDY_EVERY:
            self._tidied = time.monotonic()
            self._queue.database.tidy()

    def _index(self) -> None:
        if self._is_indexing:
            try:
                history.index(self._queue.database, self._way.list_known)
            except PageDamaged:
                self._is_indexing = False  # `trace` and `forget` read what is not indexed
                raise

    def _end(self, beat: Callable[[], object]) -> None:
        """Wait for the batches under way, then hand back those that have not ended."""
        until = time.monotonic() + self._longest_end
        while (going := [batch for batch in self._batches if not batch.is_over]) and time.monotonic() < until:
            beat()
            self._bell.wait(POLL)
        try:
            self._queue.hand_back([event for batch in going for event in batch.events], self._clock())
        except QueueFailed as error:  # they are due again when the lease is over
            self._failures.write(str(error))
