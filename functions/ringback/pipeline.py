"""The way of an event.

request -> verify -> parse -> events -> [queue] -> fetch -> map -> lead -> customer -> campaign -> outcome -> log

The log line is written where the outcome is stored.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from time import monotonic
from typing import TypeVar

from ringback import log
from ringback.delivery.campaigns import Campaigns
from ringback.delivery.clock import Clock
from ringback.delivery.customers import Customers
from ringback.delivery.demands import Demands
from ringback.delivery.doubts import Doubts
from ringback.delivery.fetch import complete
from ringback.delivery.locks import Locks
from ringback.delivery.memory import Memory
from ringback.delivery.parallel import run_each
from ringback.delivery.stop import Stop
from ringback.delivery.verdict import Judge
from ringback.errors import NO_ANSWER
from ringback.event import Again, Event, Verdict
from ringback.intake import Taken, take_in
from ringback.mapping import Assignment, Mapper
from ringback.outcome import TOO_OLD, Outcome, Status
from ringback.settings import Settings
from ringback.thulium.api import FindAccess, Thulium, nowhere
from ringback.thulium.breaker import Breaker
from ringback.thulium.wire import Wire
from ringback.web import Request, Response

Item = TypeVar("Item")
Result = TypeVar("Result")

PAUSE = timedelta(minutes=15)  # after which a queue that can't wait asks again whether deliveries are still paused
LONGEST_FETCH = 15.0  # seconds for completing all thin events of a delivery: others wait for them
KEPT_BACK = 4  # the part of the time that is: one call of the four that a new person takes
LONGEST_DELIVERY = 120.0  # seconds that a delivery may take when no sender waits for an answer


class Pipeline:
    """The two halves of an event's way: ``accept`` gives events to be stored, ``deliver`` a verdict for each."""

    def __init__(self, settings: Settings, wire: Wire | None = None, find_access: FindAccess = nowhere) -> None:
        """Wire the parts together; nothing is connected yet."""
        self.settings = settings
        self._wire = wire or Wire(settings.thulium.parallel)
        self._clock = Clock()
        thulium = Thulium(settings.thulium, self._wire, find_access=find_access, breaker=Breaker(self._clock))
        self._mapper = Mapper(settings)
        locks, self._memory, doubts = Locks(), Memory(), Doubts(self._clock)
        self._customers = Customers(thulium, settings, locks, self._memory, doubts)
        self._demands = Demands(thulium, settings)
        self._campaigns = Campaigns(thulium, settings, locks, self._memory, doubts)
        self._stop = Stop(thulium, settings, locks, doubts)
        self._judge = Judge(settings)

    def accept(self, request: Request, now: datetime) -> Taken | Response:
        """Return the source and the verified events of a request, or its answer. Raises RefusedRequest."""
        return take_in(request, self.settings, now)

    def deliver(self, events: Sequence[Event], now: datetime, deadline: float | None = None) -> list[Verdict]:
        """Return a verdict for each event, in their order; by ``deadline`` (monotonic) in any case."""
        if self.settings.paused:
            return [Again(Outcome(Status.DEFERRED, "paused"), now + PAUSE) for _ in events]
        self._clock.tell(now)
        began = monotonic()
        until = deadline if deadline is not None else began + LONGEST_DELIVERY
        threads = self.settings.thulium.parallel
        share = 0.5 if len(events) > 1 else 1.0  # of the time: there may be others who wait for nothing to be fetched
        fetched_by, hung = min(began + share * (until - began), began + LONGEST_FETCH), list[str]()
        fetched = run_each(
            lambda event: self._fetch(event, now, fetched_by, hung), events, threads, self._is_thin, self._is_done
        )
        mapped = [
            self._map_gone(event, item, now) if isinstance(item, Outcome) else self._map(item, now)
            for event, item in zip(events, fetched, strict=True)
        ]
        outcomes = _advance(mapped, lambda some: self._call(some, until))
        # A pause begins when Thulium has answered, and not when it was asked; whole seconds will do.
        ended = now + timedelta(seconds=int(monotonic() - began))
        is_direct = deadline is not None and self.settings.queue is None  # a sender waits, and no queue has the events
        left = until - monotonic() if is_direct else None
        return [self._judge.judge(event, outcome, ended, left) for event, outcome in zip(events, outcomes, strict=True)]

    def _is_thin(self, event: Event) -> bool:
        source = self.settings.sources.get(event.source)
        return source is not None and source.fetch is not None

    def _is_done(self, event: Event) -> bool:
        """Return whether an event has been delivered before: those that have not come first, for they wait longest."""
        return self._memory.recall(event) is not None

    def _fetch(self, event: Event, now: datetime, deadline: float, hung: list[str]) -> Event | Outcome:
        """Return an event, completed if it is thin.

        ``hung`` has a source for each time that its sender was silent; after some it is not asked any more.
        """
        source = self.settings.sources.get(event.source)
        if source and source.action == "lead" and event.over:
            return self.park(event)
        if source and self.is_too_old(event, now):
            return self._mapper.mark(Outcome(Status.PARKED, TOO_OLD), event)
        if source is None or source.fetch is None:
            return event
        is_hung = hung.count(source.name) >= self.settings.thulium.parallel
        seconds = 0.0 if is_hung else min(deadline - monotonic(), self.settings.thulium.timeout)
        found = complete(event, source.fetch, self._wire, seconds)
        if isinstance(found, Outcome) and found.reason == f"fetch: {NO_ANSWER}":
            hung.append(source.name)
        return found

    def park(self, event: Event) -> Outcome:
        """Return the outcome of an event that is above its source's limits."""
        return self._mapper.mark(Outcome(Status.PARKED, event.over), event)

    def is_too_old(self, event: Event, now: datetime) -> bool:
        """Return whether an event is too old for a call. An opt-out has no age."""
        return self._judge.is_too_old(event, now)

    def _map(self, event: Event, now: datetime) -> Assignment | Outcome:
        try:
            return self._mapper.map(event, now)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not take the event's neighbours with it
            log.write_bug(error, f"event {event.id} of {event.source} could not be mapped")
            return Outcome(Status.DEFERRED, "internal error")

    def _map_gone(self, event: Event, found: Outcome, now: datetime) -> Assignment | Outcome:
        """Return the result of an event that can't be completed: an opt-out still names its person itself."""
        source = self.settings.sources.get(event.source)
        if source is None or source.action == "lead" or found.status is not Status.FAILED:
            return found
        result = self._map(event, now)
        if isinstance(result, Outcome):
            return found
        nobody_new = replace(source, customer=replace(source.customer, on_missing="fail"))
        return replace(result, source=nobody_new)

    def _call(self, assignments: Sequence[Assignment], deadline: float) -> list[Outcome]:
        """Carry out the opt-outs, and only then search the leads: one may have a number that is stopped here."""
        stops = [each for each in assignments if each.source.action == "stop"]
        leads = [each for each in assignments if each.source.action == "lead"]
        stopped = iter(self._stop_all(stops, self._keep_back(deadline) if leads else deadline))
        added = iter(self._add_all(leads, deadline))
        return [next(stopped if each.source.action == "stop" else added) for each in assignments]

    def _stop_all(self, stops: Sequence[Assignment], deadline: float) -> list[Outcome]:
        known = self._customers.identify(stops, self._keep_back(deadline))
        return _advance(known, lambda some: self._stop.stop(some, deadline))

    def _add_all(self, leads: Sequence[Assignment], deadline: float) -> list[Outcome]:
        whole = self._demands.check(leads, deadline)
        identify_by = self._keep_back(deadline) if len(leads) > 1 else deadline
        known = _advance(whole, lambda some: self._customers.identify(some, identify_by))
        return _advance(known, lambda some: self._campaigns.add(some, deadline))

    def _keep_back(self, deadline: float) -> float:
        """Return the deadline of one step, which leaves time for a further one, for another person."""
        return deadline - min(self.settings.thulium.timeout, max(0.0, deadline - monotonic()) / KEPT_BACK)


def _advance(
    items: Sequence[Item | Outcome], step: Callable[[list[Item]], Sequence[Result | Outcome]]
) -> list[Result | Outcome]:
    """Take all items a step further that have no outcome yet."""
    going = [item for item in items if not isinstance(item, Outcome)]
    results = iter(step(going)) if going else iter(())
    return [item if isinstance(item, Outcome) else next(results) for item in items]
