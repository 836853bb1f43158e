"""Direct mode: the whole way inside the request, as often as the sender's patience allows, and the answer to it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from ringback import log
from ringback.event import Again, Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.settings import Source
from ringback.shared import Shared
from ringback.verification.reply import reply
from ringback.web import Response, answer_json

MARGIN = 0.25  # seconds of the sender's patience that are kept for our own work
LONGEST = 25.0  # seconds; the platforms end a request near 30, however long its sender would wait
LEAST_TRY = 1.0  # seconds that must be left for another try: one that is cut off leaves Thulium's part in doubt
LEAST_WAIT, LONGEST_WAIT = 30, 3600  # seconds that a sender is asked to wait before it sends again


class Tries:
    """The events of one request, as often as they are tried within the sender's ``answer_within`` of ``started``.

    Deferred events are tried again as long as there is time: in direct mode no queue does it.
    ``due`` has the events of the next try, which begins in ``wait`` seconds; it is empty when there is no other.
    """

    def __init__(self, source: Source, events: Sequence[Event], started: float, clock: Callable[[], datetime]) -> None:
        """Make all events due now. ``started`` is monotonic, ``clock`` the time of day."""
        self.deadline = started + min(source.answer_within, LONGEST) - MARGIN
        self.wait = 0.0
        self._source = source
        self._started = started
        self._clock = clock
        self._tried = dict(enumerate(events))
        self._verdicts: dict[int, Verdict] = {}
        self._numbers = list(self._tried)

    @property
    def due(self) -> list[Event]:
        """The events to be delivered next."""
        return [self._tried[n] for n in self._numbers]

    def note(self, verdicts: Sequence[Verdict]) -> None:
        """Take the verdicts of the events that were due. The sender sends those again that a queue would park."""
        now = self._clock()
        self._verdicts |= zip(self._numbers, (_unpark(verdict, now) for verdict in verdicts), strict=True)
        waits = self._find_waits(self.deadline - LEAST_TRY - time.monotonic(), now)
        self._numbers, self.wait = list(waits), max(waits.values(), default=0.0)
        self._tried |= {n: replace(self._tried[n], attempt=self._tried[n].attempt + 1) for n in waits}

    def answer(self) -> Response:
        """Return the HTTP answer to the request, and write the outcomes of its events into the log."""
        for n, verdict in self._verdicts.items():
            log.write_outcome(self._tried[n], verdict.outcome, time.monotonic() - self._started)
        results = [(event, self._verdicts[n]) for n, event in self._tried.items()]
        return reply(self._source.reply, answer(self._source, results, self._clock()))

    def _find_waits(self, seconds: float, now: datetime) -> dict[int, float]:
        """Return the events that can be tried again within ``seconds``, and how long each has to wait."""
        waits = {n: max(0.0, (v.at - now).total_seconds()) for n, v in self._verdicts.items() if isinstance(v, Again)}
        return {n: wait for n, wait in waits.items() if wait < seconds}


def deliver_now(  # noqa: PLR0913 - clock and sleep are arguments like everywhere
    shared: Shared,
    source: Source,
    events: Sequence[Event],
    started: float,
    clock: Callable[[], datetime],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Response:
    """Return the answer to a request when its events have been tried."""
    tries = Tries(source, events, started, clock)
    while due := tries.due:
        if tries.wait:
            sleep(tries.wait)
        tries.note(shared.deliver(due, tries.deadline))
    return tries.answer()


def _unpark(verdict: Verdict, now: datetime) -> Verdict:
    if verdict.outcome.status is not Status.PARKED:
        return verdict
    return Again(replace(verdict.outcome, status=Status.DEFERRED), now + timedelta(seconds=LONGEST_WAIT))


def answer(source: Source, results: Sequence[tuple[Event, Verdict]], now: datetime) -> Response:
    """Return the HTTP answer to a request of which this has become."""
    outcomes = [verdict.outcome for _, verdict in results]
    content = {"outcomes": [describe(event, verdict.outcome, is_open=source.is_open) for event, verdict in results]}
    waits = [(verdict.at - now).total_seconds() for _, verdict in results if isinstance(verdict, Again)]
    if waits:
        wait = min(max(LEAST_WAIT, ceil(max(waits))), LONGEST_WAIT)
        return answer_json(503, content, {"Retry-After": str(wait)})
    if all(outcome.status is Status.INVALID for outcome in outcomes):
        return answer_json(source.on_invalid, content)
    return answer_json(200, content)


def describe(event: Event, outcome: Outcome, *, is_open: bool) -> dict[str, object]:
    """Return an outcome as its sender is answered; a sender that proves nothing gets no more than the status."""
    told: dict[str, object] = {"event_id": event.id, "status": outcome.status}
    if is_open:
        return told
    told |= {"campaign_id": outcome.campaign_id, "customer_id": outcome.customer_id, "record_id": outcome.record_id}
    told["message"] = outcome.reason
    return {**told, "fields": dict(outcome.fields)} if outcome.fields else told
