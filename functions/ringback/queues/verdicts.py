"""A verdict for each event, also when its delivery breaks: every queue asks here."""

from collections.abc import Callable, Sequence
from datetime import datetime

from ringback import log
from ringback.delivery.backoff import next_try
from ringback.event import Again, Event, Verdict
from ringback.outcome import Outcome, Status

Deliver = Callable[[Sequence[Event], datetime], Sequence[Verdict]]

BROKEN = Outcome(Status.DEFERRED, "internal error")


def judge(events: Sequence[Event], deliver: Deliver, clock: Callable[[], datetime]) -> Sequence[Verdict]:
    """Return a verdict for each event, in their order; should delivering them raise, all are tried again later.

    Each comes back at a time of its own, so that one that always fails does not keep others with it.
    """
    if not events:
        return []
    try:
        return [verdict for _, verdict in zip(events, deliver(events, clock()), strict=True)]
    except Exception as error:  # noqa: BLE001 - logged, and tried again
        log.write_bug(error, f"{len(events)} events could not be delivered")
    return [Again(BROKEN, next_try(event.attempt, clock())) for event in events]
