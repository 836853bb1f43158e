"""While Thulium is down it is left alone, but for one call every few seconds that finds out whether it is up again."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ringback.errors import CallFailed
from ringback.event import Again, Event, Verdict
from ringback.pipeline import Pipeline
from ringback.thulium.breaker import ENOUGH, PROBE_EVERY, Breaker
from ringback.thulium.wire import Reply
from tests.leads import NOW, configure, deliver, make_event, read_statuses
from tests.sandbox import Fault, Sandbox, faults

PARALLEL = 4
DOWN = "thulium is down"


def make_events(count: int, first: int = 0) -> list[Event]:
    """Return an event each of so many people."""
    return [make_event(phone_number=f"60100{n:04}") for n in range(first, first + count)]


def open_pipeline(thulium: Sandbox) -> Pipeline:
    """Return a process that makes four calls at once."""
    return Pipeline(configure(thulium, access={"parallel": PARALLEL}))


def count_calls(thulium: Sandbox) -> int:
    """Return how many calls have come in."""
    return sum(thulium.counts.values())


def find_reasons(verdicts: Sequence[Verdict]) -> set[str | None]:
    """Return the reasons of some verdicts."""
    return {verdict.outcome.reason for verdict in verdicts}


def seconds(n: float) -> datetime:
    """Return the time so many seconds after the beginning."""
    return NOW + timedelta(seconds=n)


@pytest.mark.parametrize("fault", [faults.error(503), faults.html(502), faults.reset(after_work=False)])
def test_outage_costs_few_calls(thulium: Sandbox, fault: Fault, lines: list[dict[str, Any]]) -> None:
    """After some calls in a row that were not answered the rest are not made: their events come again soon."""
    thulium.fail("*", fault, times=None)
    pipeline = open_pipeline(thulium)
    verdicts = pipeline.deliver(make_events(300), NOW)
    assert count_calls(thulium) <= ENOUGH + PARALLEL
    assert [verdict.outcome.reason for verdict in verdicts].count(DOWN) >= 300 - ENOUGH - PARALLEL
    assert all(isinstance(verdict, Again) and verdict.at <= seconds(4) for verdict in verdicts)
    (line,) = (line for line in lines if line["event"] == "thulium.down")
    assert line["levelname"] == "WARNING"


def test_probes(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """As long as Thulium is down each few seconds one call is made, by whichever delivery comes first."""
    thulium.fail("*", faults.error(503), times=None)
    pipeline = open_pipeline(thulium)
    pipeline.deliver(make_events(20), NOW)
    thulium.forget()
    assert find_reasons(pipeline.deliver(make_events(20), seconds(1))) == {DOWN}
    assert count_calls(thulium) == 0
    for n in range(1, 11):
        pipeline.deliver(make_events(20), seconds(n * (PROBE_EVERY + 1)))
        assert count_calls(thulium) == n
    assert len([line for line in lines if line["event"] == "thulium.down"]) == 1


def test_fresh_lead_when_thulium_is_up_again(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """A lead that comes when it is time for a probe is the probe, and is called; with it all goes on."""
    thulium.fail("*", faults.error(503), times=None)
    pipeline = open_pipeline(thulium)
    pipeline.deliver(make_events(20), NOW)
    thulium.heal()
    assert find_reasons(pipeline.deliver(make_events(1, 50), seconds(1))) == {DOWN}
    assert read_statuses(deliver(pipeline, *make_events(1, 50), now=seconds(PROBE_EVERY + 1))) == ["ADDED"]
    assert read_statuses(deliver(pipeline, *make_events(20), now=seconds(PROBE_EVERY + 1))) == ["ADDED"] * 20
    assert [
        line["event"] for line in lines if line["event"].startswith("thulium.") and "batch" not in line["event"]
    ] == [
        "thulium.down",
        "thulium.up",
    ]


def test_waiting_events_when_thulium_is_up_again(thulium: Sandbox) -> None:
    """Those that were put off come again within seconds."""
    thulium.fail("*", faults.error(503), times=None)
    pipeline, events, now = open_pipeline(thulium), make_events(50), NOW
    verdicts = pipeline.deliver(events, now)
    thulium.heal()
    for _ in range(3):
        waiting = [event for event, each in zip(events, verdicts, strict=True) if isinstance(each, Again)]
        now = max(each.at for each in verdicts if isinstance(each, Again))
        events = [replace(event, attempt=event.attempt + 1) for event in waiting]
        verdicts = pipeline.deliver(events, now)
        if not any(isinstance(each, Again) for each in verdicts):
            break
    assert find_reasons(verdicts) == {None}
    assert now <= seconds(10)
    assert len(thulium.records("00001")) == 50


@pytest.mark.parametrize("call", ["search", "batch", "statuses"])
def test_hiccup_of_one_lead_holds_nobody_up(thulium: Sandbox, call: str) -> None:
    """A first failure is one lead's alone."""
    thulium.fail(call, faults.error(503))
    pipeline = open_pipeline(thulium)
    deliver(pipeline, *make_events(1))
    assert read_statuses(deliver(pipeline, *make_events(1))) in (["ADDED"], ["ALREADY_EXISTS"])


@pytest.mark.parametrize("fault", [faults.error(400), faults.error(403), faults.error(404), faults.error(429)])
def test_refusals_are_answers(thulium: Sandbox, fault: Fault) -> None:
    """Who refuses is up: no number of refusals makes Thulium down."""
    thulium.fail("search", fault, times=None)
    pipeline = open_pipeline(thulium)
    verdicts = pipeline.deliver(make_events(2 * ENOUGH), NOW)
    assert DOWN not in find_reasons(verdicts)
    assert thulium.counts["search"] == 2 * ENOUGH


def test_one_call_of_many_that_is_broken(thulium: Sandbox) -> None:
    """A call that always breaks, among others that are answered, makes nobody wait for the others."""
    thulium.fail("create", faults.error(500), times=None)
    pipeline = Pipeline(configure(thulium, access={"parallel": 1}))
    verdicts = pipeline.deliver(make_events(2 * ENOUGH), NOW)
    assert DOWN not in find_reasons(verdicts)
    assert thulium.counts["create"] == 2 * ENOUGH


def test_opt_out_while_thulium_is_down(thulium: Sandbox) -> None:
    """An opt-out is not said to be done while nothing can be done, and is carried out as soon as it can."""
    thulium.add_customer(441, surname="Lis", phone_number="601000041")
    thulium.put_record("00001", 441, status_id=3)
    thulium.fail("*", faults.error(503), times=None)
    pipeline = open_pipeline(thulium)
    pipeline.deliver(make_events(20), NOW)
    stop = make_event("optout", phone_number="601000041")
    assert [(each.status, each.reason) for each in deliver(pipeline, stop, now=seconds(1))] == [("DEFERRED", DOWN)]
    thulium.heal()
    assert read_statuses(deliver(pipeline, stop, now=seconds(PROBE_EVERY + 1))) == ["STOPPED"]
    assert (thulium.record("00001", 441) or {})["status_id"] == 6


# By itself


class Hand:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def fail() -> Reply:
    """Be a call that is not answered."""
    raise CallFailed("the connection broke")


def break_it(breaker: Breaker) -> None:
    """Have as many calls fail as it takes."""
    for _ in range(ENOUGH):
        with pytest.raises(CallFailed, match="the connection broke"):
            breaker.let_through(fail, 10)


def test_one_probe_at_a_time() -> None:
    """While a probe is under way no other call is made, however long it takes."""
    clock = Hand()
    breaker, begun, end = Breaker(clock), threading.Event(), threading.Event()
    break_it(breaker)

    def hang() -> Reply:
        begun.set()
        end.wait()
        return Reply(200)

    clock.now += PROBE_EVERY
    probe = threading.Thread(target=lambda: breaker.let_through(hang, 10), daemon=True)
    probe.start()
    begun.wait()
    clock.now += 9
    with pytest.raises(CallFailed, match=DOWN) as refused:
        breaker.let_through(fail, 10)
    end.set()
    probe.join()
    assert (refused.value.retry_after, refused.value.is_in_doubt) == (PROBE_EVERY, False)
    assert breaker.let_through(lambda: Reply(200), 10).status == 200


def test_probe_that_never_ends() -> None:
    """A probe of which nothing is heard any more does not keep the next one from being made."""
    clock = Hand()
    breaker = Breaker(clock)
    break_it(breaker)
    clock.now += PROBE_EVERY
    with pytest.raises(ZeroDivisionError):
        breaker.let_through(lambda: Reply(1 // 0), 10)
    with pytest.raises(CallFailed, match=DOWN):
        breaker.let_through(fail, 10)
    clock.now += 10 + PROBE_EVERY
    assert breaker.let_through(lambda: Reply(200), 10).status == 200


def test_calls_in_a_row_are_counted() -> None:
    """One answer in between, and the count begins anew."""
    breaker = Breaker(Hand())
    for _ in range(3):
        for _ in range(ENOUGH - 1):
            assert breaker.let_through(lambda: Reply(503), 10).status == 503
        assert breaker.let_through(lambda: Reply(499), 10).status == 499
