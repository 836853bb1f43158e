"""One batch of events on its way: delivered, settled, reported."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ringback import log
from ringback.event import Again, Done, Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.queues import QueueFailed
from ringback.queues.sqlite.jumps import Watch
from ringback.queues.sqlite.queue import Held, SqliteQueue
from ringback.queues.verdicts import Deliver, judge

Report = Callable[[Event, Outcome, float], None]
Result = tuple[Held, Verdict]

MOST_ENDS = 3  # times that an event may have ended its process; then it is parked
AFTER_FAILURE = 0.5  # seconds


@dataclass(eq=False)
class Batch:
    """Events that are held. ``began`` is when (monotonic); ``is_over`` as soon as nothing more is done for them."""

    events: Sequence[Held]
    began: float = field(default_factory=time.monotonic)
    is_over: bool = False

    @property
    def is_suspect(self) -> bool:
        """Whether it is one event that has ended its process before, and is tried alone for that."""
        return len(self.events) == 1 and self.events[0].is_suspect


def deliver_batch(  # noqa: PLR0913, PLR0917 - what it works on, and how
    batch: Batch, queue: SqliteQueue, deliver: Deliver, report: Report, clock: Callable[[], datetime], patience: float
) -> None:
    """Deliver a batch, store the verdicts and report those that count. Raises nothing.

    Storing is tried for ``patience`` seconds; then all of the batch is tried again when the lease is over.
    """
    try:
        watch = Watch(clock)
        verdicts = [_follow(verdict, watch.measure_jump()) for verdict in _judge(batch, deliver, clock)]
        results = list(zip(batch.events, verdicts, strict=True))
        for event, verdict in _settle(queue, results, clock, patience):
            report(event, verdict.outcome, time.monotonic() - batch.began)
    except Exception as error:  # noqa: BLE001 - logged; it would be lost in a thread's future
        log.write_bug(error, f"{len(batch.events)} events could not be settled")
    finally:
        batch.is_over = True


def _judge(batch: Batch, deliver: Deliver, clock: Callable[[], datetime]) -> Sequence[Verdict]:
    (first, *_) = batch.events
    if batch.is_suspect and first.unended >= MOST_ENDS:
        reason = f"it ended the delivering process {first.unended} times"
        return [Done(Outcome(Status.PARKED, reason))]
    return judge(batch.events, deliver, clock)


def _follow(verdict: Verdict, jump: timedelta) -> Verdict:
    """Return a verdict for a clock that was set while it was found: a pause of 30 s stays one."""
    return replace(verdict, at=verdict.at + jump) if isinstance(verdict, Again) and jump else verdict


def _settle(
    queue: SqliteQueue, results: Sequence[Result], clock: Callable[[], datetime], patience: float
) -> Sequence[Result]:
    until, is_told = time.monotonic() + patience, False
    while True:
        try:
            return queue.settle(results, clock())
        except QueueFailed as error:
            if not is_told:
                log.write("ERROR", f"what became of {len(results)} events can't be stored: {error}", "queue.failed")
            is_told = True
            if queue.database.is_lost or time.monotonic() > until:
                return []
        time.sleep(AFTER_FAILURE)
