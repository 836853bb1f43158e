"""Direct mode: the whole way inside the request, and the answer to it."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback import log
from ringback.app import App
from ringback.direct import LEAST_TRY, answer, deliver_now
from ringback.event import Again, Done, Event
from ringback.outcome import Outcome, Status
from ringback.pipeline import Pipeline
from ringback.settings import Settings
from ringback.shared import MOST_AT_ONCE, Shared
from ringback.web import Request, Response
from tests.events import make_event
from tests.given import LOG_KEY, SECRET, load, load_source, make_source
from tests.sandbox import Sandbox, faults

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SOURCE = load_source(make_source())
HEADERS = {"x-api-key": SECRET, "content-type": "application/json"}
OPEN = load_source(make_source(verify="none"))


@pytest.fixture(autouse=True)
def logged() -> None:
    """The log as the doors set it up."""
    log.configure()


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    """A stand-in Thulium for all tests."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def thulium(started: Sandbox) -> Sandbox:
    """The stand-in with a campaign and two customers."""
    started.reset()
    started.add_campaign("00001")
    started.add_customer(1, surname="Lis")
    started.add_customer(2, surname="Sowa")
    return started


class Clock:
    """A clock and a sleep that stand still but for each other."""

    def __init__(self) -> None:
        self.now = NOW
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def configure(thulium: Sandbox, answer_within: float = 8, **top: Any) -> Settings:
    """Return settings with one source, whose sender waits so long."""
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
    return load(
        {"thulium": access, "log_key": LOG_KEY, "sources": {"website": make_source(answer_within=answer_within)}, **top}
    )


def deliver(settings: Settings, clock: Clock, *ids: int) -> Response:
    """Deliver leads of these customers as one request."""
    events = [make_event(number, data={"id": number}, received_at=NOW) for number in ids]
    source = settings.sources["website"]
    shared = Shared(Pipeline(settings).deliver, clock=clock)
    return deliver_now(shared, source, events, time.monotonic(), clock, sleep=clock.sleep)


def statuses(response: Response) -> list[str]:
    """Return the outcomes that an answer tells."""
    return [outcome["status"] for outcome in json.loads(response.body)["outcomes"]]


# --- trying again ---


def test_what_is_done_is_answered_at_once(thulium: Sandbox) -> None:
    """Where nothing is deferred nobody waits."""
    clock = Clock()
    response = deliver(configure(thulium), clock, 1, 2, 3)
    assert (response.status, statuses(response), clock.slept) == (200, ["ADDED", "ADDED", "FAILED"], [])
    assert thulium.counts["batch"] == 1


def test_only_what_is_deferred_is_tried_again(thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """An event that has its outcome keeps it; the others are tried again, each try counted, and logged once."""
    thulium.fail("batch", faults.Fault(work=True, leave_out=(2,)), times=1)
    clock = Clock()
    response = deliver(configure(thulium), clock, 1, 2)
    assert (response.status, statuses(response)) == (200, ["ADDED", "ALREADY_EXISTS"])
    assert [len(call.json["records"]) for call in thulium.calls("batch")] == [2, 1]
    assert len(clock.slept) == 1
    assert 0.5 <= clock.slept[0] <= 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    outcomes = [line for line in lines if line["event"].startswith("customer.")]
    assert [(line["event_id"], line["status"], line["attempt"]) for line in outcomes] == [
        ("e1", "ADDED", 1), ("e2", "ALREADY_EXISTS", 2),
    ]  # fmt: skip


def test_waits_grow_until_the_patience_is_over(thulium: Sandbox) -> None:
    """It is tried as often as there is time, ever less often, and in the end the sender is asked to do so."""
    thulium.fail("batch", faults.error(503), times=None)
    settings, clock = configure(thulium), Clock()
    response = deliver(settings, clock, 1)
    assert (response.status, statuses(response)) == (503, ["DEFERRED"])
    assert 2 <= len(clock.slept) <= 4
    assert clock.slept == sorted(clock.slept)
    assert all(wait < settings.sources["website"].answer_within - LEAST_TRY for wait in clock.slept)


def test_long_retry_after_is_not_waited_for(thulium: Sandbox) -> None:
    """What Thulium wants to be left alone for longer than the sender waits is the sender's to wait for."""
    thulium.fail("batch", faults.error(429, retry_after="60"), times=None)
    clock = Clock()
    response = deliver(configure(thulium), clock, 1)
    assert clock.slept == []
    assert (response.status, response.headers["Retry-After"]) == (503, "60")
    assert thulium.counts["batch"] == 1


def test_short_retry_after_is_waited_for(thulium: Sandbox) -> None:
    """What fits into the sender's patience is waited for."""
    thulium.fail("batch", faults.error(429, retry_after="3"), times=1)
    clock = Clock()
    assert statuses(deliver(configure(thulium), clock, 1)) == ["ADDED"]
    assert [round(wait) for wait in clock.slept] == [3]


def test_no_try_without_time_for_it(thulium: Sandbox) -> None:
    """A try that would be cut off is not begun: it would leave Thulium's part in doubt."""
    thulium.fail("batch", faults.error(503), times=1)
    clock = Clock()
    assert statuses(deliver(configure(thulium, answer_within=1.5), clock, 1)) == ["DEFERRED"]
    assert clock.slept == []


def test_nothing_is_parked_where_nothing_is_kept(thulium: Sandbox) -> None:
    """What a queue would park is left to the sender, who is asked to send it again."""
    thulium.fail("batch", faults.error(429, retry_after="3600"), times=None)
    response = deliver(configure(thulium, max_age="30m"), Clock(), 1)
    assert (response.status, statuses(response), response.headers["Retry-After"]) == (503, ["DEFERRED"], "3600")


def test_patience_has_an_end(thulium: Sandbox) -> None:
    """However long a sender would wait, the platforms do not: it is answered within 25 seconds."""
    thulium.fail("batch", faults.error(503), times=None)
    clock = Clock()
    deliver(configure(thulium, answer_within=300), clock, 1)
    assert max(clock.slept) < 25


# --- many at once ---


def test_requests_that_wait_share_a_call(thulium: Sandbox) -> None:
    """Of requests that come at once eight begin; the others wait for one to end, and go to Thulium in few calls."""
    numbers = range(101, 125)
    for number in numbers:
        thulium.add_customer(number, surname=f"Lis {number}")
    thulium.fail("batch", faults.Fault(work=True, wait=0.4), times=MOST_AT_ONCE)
    app = App(configure(thulium, answer_within=20))
    requests = [Request("POST", "/website", "", HEADERS, json.dumps({"id": number}).encode()) for number in numbers]
    with ThreadPoolExecutor(len(numbers)) as pool:
        answers = list(pool.map(app.handle, requests))
    assert [statuses(answer) for answer in answers] == [["ADDED"]] * len(numbers)
    sizes = [len(call.json["records"]) for call in thulium.calls("batch")]
    assert sum(sizes) == len(numbers)
    assert sizes[:MOST_AT_ONCE] == [1] * MOST_AT_ONCE
    assert len(sizes) <= MOST_AT_ONCE + 3


# --- the answer ---


def done(status: Status, **rest: Any) -> Done:
    """Return a final verdict."""
    return Done(Outcome(status, **rest))


def again(seconds: float) -> Again:
    """Return the verdict to try again after so many seconds."""
    return Again(Outcome(Status.DEFERRED, "x"), NOW + timedelta(seconds=seconds))


def results(*verdicts: Done | Again) -> list[tuple[Event, Done | Again]]:
    """Return verdicts with their events."""
    return [(make_event(number), verdict) for number, verdict in enumerate(verdicts)]


def test_outcome_is_told() -> None:
    """A sender hears all that there is to say of its lead, but for the person's hash."""
    outcome = Outcome(Status.FAILED, "no", "00001", 5, 6, 400, "hash")
    told = json.loads(answer(SOURCE, results(Done(outcome)), NOW).body)["outcomes"]
    assert told == [
        {
            "event_id": "e0",
            "status": "FAILED",
            "campaign_id": "00001",
            "customer_id": 5,
            "record_id": 6,
            "message": "no",
        }
    ]


def test_open_source_hears_little() -> None:
    """Where anybody may ask, nobody hears of ids, reasons and fields."""
    outcome = Outcome(Status.INVALID, "no", "00001", 5, 6, fields={"a": "b"})
    told = json.loads(answer(OPEN, results(Done(outcome)), NOW).body)["outcomes"]
    assert told == [{"event_id": "e0", "status": "INVALID"}]


def test_fields_at_fault_are_named() -> None:
    """An INVALID lead names its fields."""
    invalid = done(Status.INVALID, reason="a: b", fields={"a": "b"})
    told = json.loads(answer(SOURCE, results(invalid), NOW).body)["outcomes"]
    assert told[0]["fields"] == {"a": "b"}


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([done(Status.ADDED)], 200),
        ([done(status) for status in Status if status not in (Status.DEFERRED, Status.INVALID)], 200),
        ([done(Status.INVALID), done(Status.ADDED)], 200),
        ([done(Status.INVALID)], 422),
        ([done(Status.INVALID), done(Status.INVALID)], 422),
        ([done(Status.ADDED), again(1)], 503),
        ([done(Status.INVALID), again(1)], 503),
    ],
)
def test_status(verdicts: list[Done | Again], status: int) -> None:
    """Any lead deferred is 503, all INVALID 422, anything else 200."""
    assert answer(SOURCE, results(*verdicts), NOW).status == status


@given(st.lists(st.floats(-1e4, 1e6), min_size=1))
def test_retry_after_is_whole_and_bounded(waits: list[float]) -> None:
    """``Retry-After`` is the longest wait, in whole seconds, from half a minute to an hour."""
    response = answer(SOURCE, results(*(again(wait) for wait in waits)), NOW)
    seconds = int(response.headers["Retry-After"])
    assert seconds == min(max(seconds, 30), 3600)
    assert seconds in (30, 3600) or seconds - 1 < max(waits) <= seconds + 1e-3
