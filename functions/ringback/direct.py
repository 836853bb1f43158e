"""Direct mode: the whole way inside the request, as often as the sender's patience allows, and the answer to it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from ringback import log
from ringback.event import Again, Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.pipeline import Pipeline
from ringback.settings import Source
from ringback.web import Response, answer_json

MARGIN = 0.25  # seconds of the sender's patience that are kept for our own work
LONGEST = 25.0  # seconds; the platforms end a request near 30, however long its sender would wait
LEAST_TRY = 1.0  # seconds that must be left for another try: one that is cut off leaves Thulium's part in doubt
LEAST_WAIT, LONGEST_WAIT = 30, 3600  # seconds that a sender is asked to wait before it sends again


def deliver_now(  # noqa: PLR0913 - clock and sleep are arguments like everywhere
    pipeline: Pipeline,
    source: Source,
    events: Sequence[Event],
    started: float,
    clock: Callable[[], datetime],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Response:
    """Return the answer to a request after its events' outcomes, within the sender's ``answer_within`` of ``started``.

    What is deferred is tried again as long as there is time: in direct mode nobody else would, but the sender.
    """
    deadline = started + min(source.answer_within, LONGEST) - MARGIN
    tried = dict(enumerate(events))
    verdicts = dict(enumerate(_deliver(pipeline, events, clock(), deadline)))
    while due := _find_due(verdicts, deadline - LEAST_TRY - time.monotonic(), clock()):
        sleep(max(due.values()))
        tried |= {n: replace(tried[n], attempt=tried[n].attempt + 1) for n in due}
        verdicts |= zip(due, _deliver(pipeline, [tried[n] for n in due], clock(), deadline), strict=True)
    for n, verdict in verdicts.items():
        log.write_outcome(tried[n], verdict.outcome, time.monotonic() - started)
    return answer(source, [(event, verdicts[n]) for n, event in enumerate(events)], clock())


def _deliver(pipeline: Pipeline, events: Sequence[Event], now: datetime, deadline: float) -> list[Verdict]:
    """Return the verdicts. Here nothing can be parked, so what would be is left to the sender to send again."""
    return [_unpark(verdict, now) for verdict in pipeline.deliver(events, now, deadline)]


def _unpark(verdict: Verdict, now: datetime) -> Verdict:
    if verdict.outcome.status is not Status.PARKED:
        return verdict
    return Again(replace(verdict.outcome, status=Status.DEFERRED), now + timedelta(seconds=LONGEST_WAIT))


def _find_due(verdicts: dict[int, Verdict], seconds: float, now: datetime) -> dict[int, float]:
    """Return the events that can be tried again within ``seconds``, and how long each has to wait."""
    waits = {n: max(0.0, (v.at - now).total_seconds()) for n, v in verdicts.items() if isinstance(v, Again)}
    return {n: wait for n, wait in waits.items() if wait < seconds}


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
    """Return what a sender is told of an outcome; one that nobody vouches for hears no more than its status."""
    told: dict[str, object] = {"event_id": event.id, "status": outcome.status}
    if is_open:
        return told
    told |= {"campaign_id": outcome.campaign_id, "customer_id": outcome.customer_id, "record_id": outcome.record_id}
    told["message"] = outcome.reason
    return {**told, "fields": dict(outcome.fields)} if outcome.fields else told
