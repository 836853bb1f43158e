"""Shared deliveries: the events of requests that wait at the same time go to Thulium together, in one batch call."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringback.clock import read_clock
from ringback.event import Again, Event, Verdict
from ringback.outcome import Outcome, Status

MOST_AT_ONCE = 8  # deliveries
NEAR = 1.0  # seconds between the deadlines of requests that share a delivery: it ends at the first of them
NO_TIME = Outcome(Status.DEFERRED, "no time left: all deliveries were under way")
PAUSE = timedelta(seconds=30)

Deliver = Callable[[Sequence[Event], datetime, float | None], Sequence[Verdict]]
Verdicts = Future[Sequence[Verdict]]


@dataclass(eq=False)
class _Wish:
    """The events of one request, their persons, and when its sender has to have its answer (monotonic)."""

    events: Sequence[Event]
    persons: frozenset[str]
    deadline: float
    verdicts: Verdicts = field(default_factory=Future)


class Shared:
    """Delivers the events of many requests, those that wait together in one go; up to eight such deliveries at once.

    No request waits while one of the eight is free. The events of one person are in no two of them, and keep their
    order: ``find_person`` returns the same text for all of them, and "" for an event of which no person is known.
    """

    def __init__(
        self,
        deliver: Deliver,
        find_person: Callable[[Event], str] = lambda _: "",
        most: int = 100,
        clock: Callable[[], datetime] = read_clock,
    ) -> None:
        """Remember the parts. ``most`` events are in one delivery, but for one request that has more."""
        self._deliver = deliver
        self._find_person = find_person
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: list[_Wish] = []
        self._persons: set[str] = set()
        self._running = 0
        self._pool: ThreadPoolExecutor | None = None

    def deliver(self, events: Sequence[Event], deadline: float) -> Sequence[Verdict]:
        """Return a verdict for each event, by ``deadline`` (monotonic). The thread that calls works if it can."""
        wish, begun = self._add(events, deadline)
        if begun:
            self._run(begun)
            self._go_on()
        return self.wait(wish.verdicts, len(events), deadline)

    def submit(self, events: Sequence[Event], deadline: float) -> Verdicts:
        """Return a future of a verdict for each event; the work is done in other threads."""
        wish, begun = self._add(events, deadline)
        if begun:
            self._start(begun)
        return wish.verdicts

    def wait(self, verdicts: Verdicts, count: int, deadline: float) -> Sequence[Verdict]:
        """Return the verdicts of ``submit``; the events are deferred if the work has not begun by the deadline."""
        try:
            return verdicts.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            return self.give_up(verdicts, count) or verdicts.result()

    def give_up(self, verdicts: Verdicts, count: int) -> Sequence[Verdict]:
        """Return that the events are deferred, and see to it that they are; nothing once the work has begun."""
        return [Again(NO_TIME, self._clock() + PAUSE)] * count if verdicts.cancel() else []

    def _add(self, events: Sequence[Event], deadline: float) -> tuple[_Wish, list[_Wish]]:
        persons = frozenset(filter(None, map(self._find_person, events)))
        wish = _Wish(events, persons, deadline)
        with self._lock:
            self._waiting.append(wish)
            return wish, self._choose()

    def _choose(self) -> list[_Wish]:
        """Take the requests that can be delivered together now, the longest waiting first; the lock is held."""
        if self._running == MOST_AT_ONCE:
            return []
        chosen, left, others, size = list[_Wish](), list[_Wish](), set(self._persons), 0
        for wish in self._waiting:
            is_near = not chosen or abs(wish.deadline - chosen[0].deadline) <= NEAR
            if wish.persons & others or (chosen and size + len(wish.events) > self._most) or not is_near:
                left.append(wish)
                others |= wish.persons
            elif wish.verdicts.set_running_or_notify_cancel():
                chosen.append(wish)
                size += len(wish.events)
        self._waiting = left
        self._running += bool(chosen)
        self._persons.update(*(wish.persons for wish in chosen))
        return chosen

    def _run(self, wishes: list[_Wish]) -> None:
        events = [event for wish in wishes for event in wish.events]
        try:
            verdicts, start = self._deliver(events, self._clock(), min(wish.deadline for wish in wishes)), 0
            for wish in wishes:
                wish.verdicts.set_result(verdicts[start : (start := start + len(wish.events))])
        except Exception as error:  # noqa: BLE001 - raised where the verdicts are waited for
            for wish in wishes:
                wish.verdicts.set_exception(error)
        finally:
            with self._lock:
                self._running -= 1
                self._persons.difference_update(*(wish.persons for wish in wishes))

    def _go_on(self) -> None:
        """Have all begun that has waited for a delivery to end."""
        while True:
            with self._lock:
                begun = self._choose()
            if not begun:
                return
            self._start(begun)

    def _start(self, wishes: list[_Wish]) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(MOST_AT_ONCE, "delivery")
        self._pool.submit(self._run_on, wishes)

    def _run_on(self, wishes: list[_Wish]) -> None:
        while wishes:
            self._run(wishes)
            with self._lock:
                wishes = self._choose()
