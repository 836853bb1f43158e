"""Two processes on one Thulium that carries writes out long after it has failed to answer them, by a clock of its own.

``play(seed)`` plays one round; from a shell: ``python -m tests.late_writes 600`` plays so many, and tells what went
wrong.
"""

import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ringback.event import Again, Event
from ringback.pipeline import Pipeline
from ringback.settings import Settings
from tests.leads import NOW, configure, make_event
from tests.sandbox import Fault, Sandbox, World, faults

WARSAW = ZoneInfo("Europe/Warsaw")
SILENT = (
    *(faults.error(status) for status in (500, 502, 503, 504)),
    faults.reset(after_work=False),
    Fault(wire="close"),
    Fault(body="HTTP is not what this is", wire="short"),
    faults.says("null", work=False),
)
WRITES = ("change", "change", "change", "create", "batch", "update", "stop")
LATEST = 29.0  # seconds until Thulium carries out what it has not answered
PEOPLE = 3


class Time:
    """A clock that a test moves."""

    def __init__(self) -> None:
        """Start at the usual time."""
        self.now = NOW

    def in_warsaw(self) -> datetime:
        """Return the time on Thulium's wall."""
        return self.now.astimezone(WARSAW)


@dataclass
class Round:
    """What happens in one round, and to whom: all of it follows from the seed but for what threads do at once."""

    thulium: Sandbox
    time: Time
    chance: random.Random
    settings: Settings
    pipelines: list[Pipeline] = field(default_factory=list)
    waiting: list[tuple[datetime, Event]] = field(default_factory=list)
    stopped: set[int] = field(default_factory=set)
    leads: Counter[int] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        """Have people in the campaign or not, and events of theirs on their way."""
        self.thulium.reset()
        self.thulium.add_campaign("00001")
        self.thulium.slow(self.chance.choice((0.0, 0.002, 0.006)))
        self.pipelines = [Pipeline(self.settings) for _ in range(2)]
        for person in range(PEOPLE):
            if self.chance.random() < 0.7:  # comes again
                customer = self.thulium.add_customer(surname="Lis", **describe(person))
                self.thulium.put_record("00001", customer, status_id=9)
            for kind in self.chance.choices(("website", "shop", "optout"), k=self.chance.randint(1, 4)):
                at = self.time.now + timedelta(seconds=self.chance.choice((0, 0, 0, 1, 2, 5, 35)))
                self.waiting.append((at, make_event(kind, **self.tell(person, kind))))
                self.leads[person] += kind != "optout"
                self.stopped |= {person} if kind == "optout" else set()

    def tell(self, person: int, kind: str) -> dict[str, str]:
        """Return what an event says of a person: a lead all there is, an opt-out perhaps only a part.

        Where records are kept an opt-out has the number: by an address alone it may miss whom a lead is just creating.
        """
        details = describe(person)
        if kind == "optout" and self.settings.campaigns["callbacks"].on_existing == "requeue":
            details.pop(self.chance.choice(("phone_number", "email", "neither")), None)
        return details

    def go_on(self) -> None:
        """Let the time pass until something is due, and have it delivered, by both processes at once."""
        self.time.now = max(self.time.now, min(at for at, _ in self.waiting))
        due = [event for at, event in self.waiting if at <= self.time.now]
        self.waiting = [(at, event) for at, event in self.waiting if at > self.time.now]
        self.chance.shuffle(due)
        for _ in range(self.chance.choice((0, 1, 2, 3))):
            fault = faults.later(self.chance.uniform(1, LATEST), self.chance.choice(SILENT))
            self.thulium.fail(self.chance.choice(WRITES), fault, after=self.chance.choice((0, 0, 1)))
        if self.chance.random() < 0.2:  # a process ends, and another one begins
            self.pipelines[self.chance.randint(0, 1)] = Pipeline(self.settings)
        cut = self.chance.randint(0, len(due))
        run_both(lambda: self.deliver(self.pipelines[0], due[:cut]), lambda: self.deliver(self.pipelines[1], due[cut:]))
        for call in WRITES:
            self.thulium.heal(call)

    def deliver(self, pipeline: Pipeline, events: list[Event]) -> None:
        """Do what a queue does with the verdicts on some events."""
        for event, verdict in zip(events, pipeline.deliver(events, self.time.now), strict=True):
            if isinstance(verdict, Again):
                self.waiting.append((verdict.at, replace(event, attempt=event.attempt + 1)))
            else:
                self.outcomes[str(verdict.outcome.status)] += 1

    def find_wrongs(self) -> Iterator[str]:
        """Yield what must not be, once all is done and nothing more can come."""
        self.time.now += timedelta(minutes=2)
        self.thulium.catch_up()
        called = [each["customer_id"] for each in self.thulium.records("00001") if each["system_status"] != "NO_CALL"]
        for person in range(PEOPLE):
            customers = [each["customer_id"] for each in self.thulium.customers if is_about(each, person)]
            calls = len(set(called) & set(customers))
            if person in self.stopped and calls:
                yield f"person {person} said stop, and is called"
            if calls > 1:
                yield f"person {person} is called {calls} times"
            if self.leads[person] == 1 and person not in self.stopped and len(customers) != 1:
                yield f"person {person} is {len(customers)} customers"


def describe(person: int) -> dict[str, Any]:
    """Return what a person's events say."""
    return {"phone_number": f"60100000{person}", "email": f"p{person}@example.com"}


def is_about(customer: dict[str, object], person: int) -> bool:
    """Return whether a customer has any of a person's details."""
    about = describe(person)
    return about["phone_number"] in str(customer["phone_numbers"]) or about["email"] in str(customer["emails"])


def run_both(*works: Callable[[], None]) -> None:
    """Do several things at once."""
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def play(seed: int, thulium: Sandbox, time: Time, settings: Settings) -> tuple[list[str], Counter[str]]:
    """Play a round; return what is wrong after it, and how many events have ended how."""
    time.now = NOW
    round_ = Round(thulium, time, random.Random(seed), settings)
    round_.begin()
    while round_.waiting:
        round_.go_on()
    return list(round_.find_wrongs()), round_.outcomes


def open_thulium(time: Time) -> Sandbox:
    """Return a Thulium that goes by a clock."""
    return Sandbox(world=World(now=time.in_warsaw))


def main() -> None:
    """Play as many rounds as is said."""
    time, ends, wrong = Time(), Counter[str](), 0
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with open_thulium(time) as thulium:
        settings = configure(thulium, callbacks={"on_existing": sys.argv[3] if len(sys.argv) > 3 else "requeue"})
        for seed in range(first, first + int(sys.argv[1])):
            wrongs, outcomes = play(seed, thulium, time, settings)
            ends += outcomes
            wrong += bool(wrongs)
            for each in wrongs:
                print(seed, each, flush=True)
    print(f"{wrong} of {sys.argv[1]} rounds went wrong; {sum(ends.values())} events: {dict(ends)}")


if __name__ == "__main__":
    main()
