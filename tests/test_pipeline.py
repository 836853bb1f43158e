"""The way of events from the queue to their verdicts."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from typing import Any

import pytest

from ringback.event import Again, Done, Verdict
from ringback.pipeline import LONGEST_DELIVERY, PAUSE, Pipeline
from ringback.web import Request, Response
from tests.given import SECRET
from tests.leads import NOW, configure, deliver, make_event, read_statuses
from tests.sandbox import Sandbox, faults

ADA = {"phone_number": "601000001", "email": "ada@example.com"}
DAY = timedelta(hours=24)


def judge(pipeline: Pipeline, event: Any, **arguments: Any) -> Verdict:
    """Return the verdict about one event."""
    (verdict,) = pipeline.deliver([event], **{"now": NOW, **arguments})
    return verdict


# What it costs


@pytest.mark.parametrize(
    ("known", "data", "calls"),
    [
        ({}, {"phone_number": "601000001"}, {"search": 2, "create": 1, "batch": 1}),
        ({}, ADA, {"search": 3, "create": 1, "batch": 1}),
        ({}, {**ADA, "identifier": "crm:7"}, {"search": 5, "create": 1, "batch": 1}),
        ({"phone_number": "601000001"}, {"phone_number": "601000001"}, {"search": 1, "batch": 1}),
        ({"phone_number": "601000001", "email": "ada@example.com"}, ADA, {"search": 1, "batch": 1}),
        ({"phone_number": "601000001"}, ADA, {"search": 1, "customer": 1, "update": 1, "batch": 1}),
        ({"email": "ada@example.com"}, ADA, {"search": 2, "customer": 1, "update": 1, "batch": 1}),
        ({"customer_id": 441}, {"customer_id": 441}, {"batch": 1}),
    ],
)
def test_calls(thulium: Sandbox, known: dict[str, Any], data: dict[str, Any], calls: dict[str, int]) -> None:
    """No call is made that could be left out: for who is new, who is known, who lacks something, whose id is known.

    The campaign's statuses are asked for once.
    """
    if known:
        thulium.add_customer(surname="Lis", **known)
    assert read_statuses(deliver(configure(thulium), make_event(**data))) == ["ADDED"]
    assert thulium.counts == {"statuses": 1, **calls}


def test_calls_of_many(thulium: Sandbox) -> None:
    """A hundred known people in one delivery cost a search each and one batch call."""
    for n in range(100):
        thulium.add_customer(surname="Lis", phone_number=f"60100{n:04}")
    events = [make_event(phone_number=f"60100{n:04}") for n in range(100)]
    assert read_statuses(deliver(configure(thulium), *events)) == ["ADDED"] * 100
    assert thulium.counts == {"statuses": 1, "search": 100, "batch": 1}


# Verdicts


def test_verdicts_are_in_order(thulium: Sandbox) -> None:
    """Each event has its verdict, in the order of the events, whatever becomes of its neighbours."""
    thulium.add_customer(441, surname="Lis")
    thulium.put_record("00001", 441, record_id=100)
    events = [
        make_event(customer_id=441),
        make_event(phone_number="none"),
        make_event("optout", phone_number="601000002"),
        make_event(customer_id=448),
        make_event("gone"),
        make_event(**ADA),
    ]
    verdicts = Pipeline(configure(thulium)).deliver(events, NOW)
    assert all(isinstance(verdict, Done) for verdict in verdicts)
    assert read_statuses([verdict.outcome for verdict in verdicts]) == [
        *("ALREADY_EXISTS", "INVALID", "STOPPED", "FAILED", "INVALID", "ADDED")
    ]


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 0.5, 1), (4, 4, 8), (50, 450, 900)])
def test_again(thulium: Sandbox, attempt: int, least: float, most: float) -> None:
    """What is deferred is tried again later and later."""
    thulium.fail("batch", faults.error(503))
    verdict = judge(Pipeline(configure(thulium)), replace(make_event(**ADA), attempt=attempt))
    assert isinstance(verdict, Again)
    assert timedelta(seconds=least) <= verdict.at - NOW <= timedelta(seconds=most)


def test_thulium_says_when(thulium: Sandbox) -> None:
    """A Retry-After of whatever call is waited out."""
    thulium.fail("search", faults.error(429, retry_after="120"))
    verdict = judge(Pipeline(configure(thulium)), make_event(**ADA))
    assert isinstance(verdict, Again)
    assert verdict.at == NOW + timedelta(seconds=120)


def test_refused_password_is_waited_out(thulium: Sandbox) -> None:
    """A refused password is tried again after a minute at the earliest."""
    verdict = judge(Pipeline(configure(thulium, access={"password": "an-old-one"})), make_event(**ADA))
    assert isinstance(verdict, Again)
    assert verdict.at - NOW >= timedelta(seconds=60)


def test_old_lead_is_parked(thulium: Sandbox) -> None:
    """What is too old to be called unasked is parked, and nobody is asked about it."""
    pipeline = Pipeline(configure(thulium, log_key="an-invented-key-long-enough"))
    verdict = judge(pipeline, make_event(**ADA), now=NOW + DAY + timedelta(seconds=1))
    assert isinstance(verdict, Done)
    assert (verdict.outcome.status, verdict.outcome.reason) == ("PARKED", "older than max_age")
    assert verdict.outcome.person  # whoever was not called may ask why
    assert thulium.counts == {}
    assert judge(pipeline, make_event(**ADA), now=NOW + DAY).outcome.status == "ADDED"


def test_pause_begins_with_the_answer(thulium: Sandbox) -> None:
    """What Thulium asks to wait is counted from when it has answered, however long that took."""
    thulium.fail("batch", replace(faults.error(429, retry_after="120"), wait=1.1))
    verdict = judge(Pipeline(configure(thulium)), make_event(**ADA))
    assert isinstance(verdict, Again)
    assert verdict.at >= NOW + timedelta(seconds=121)


def test_lead_that_will_be_too_old_is_parked(thulium: Sandbox) -> None:
    """What could only be tried again when it is too old is parked at once, with the reason of its last failure."""
    thulium.fail("batch", faults.error(503, retry_after="120"))
    verdict = judge(Pipeline(configure(thulium, max_age="1m")), make_event(**ADA))
    assert isinstance(verdict, Done)
    assert verdict.outcome.status == "PARKED"
    assert (verdict.outcome.reason or "").startswith("Thulium answered 503")


def test_stop_is_never_given_up(thulium: Sandbox) -> None:
    """An opt-out has no age: one of long ago is carried out too."""
    assert (
        judge(Pipeline(configure(thulium)), make_event("optout", **ADA), now=NOW + 100 * DAY).outcome.status
        == "STOPPED"
    )


def test_stop_that_thulium_keeps_refusing(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """It is tried ever more slowly, raises an alarm after an hour, and is parked before a queue would delete it."""
    thulium.fail("batch", faults.error(503), times=None)
    pipeline, event, now = Pipeline(configure(thulium)), make_event("optout", **ADA), NOW
    tries = []
    while isinstance(verdict := judge(pipeline, event, now=now), Again):
        tries.append(now)
        event, now = replace(event, attempt=event.attempt + 1), verdict.at
    assert verdict.outcome.status == "PARKED"
    assert timedelta(days=12) < now - NOW <= timedelta(days=13)
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    assert all(timedelta(hours=3) <= pause <= timedelta(hours=6) for pause in pauses[-20:])
    alarms = [line for line in lines if line["event"] == "stop.undone"]
    assert {line["severity"] for line in alarms} == {"ERROR"}
    assert len(alarms) == 1 + sum(each - NOW > timedelta(hours=1) for each in tries)


@pytest.mark.parametrize(
    ("data", "status"),
    [({"phone_number": "brak"}, "INVALID"), ({}, "INVALID"), ({"customer_id": 7}, "FAILED")],
)
def test_stop_that_stops_no_customer(
    thulium: Sandbox, lines: list[dict[str, Any]], data: dict[str, Any], status: str
) -> None:
    """An opt-out that ends without having stopped anyone is an error with an alarm of its own, the first one too."""
    outcomes = deliver(configure(thulium), make_event("optout", **data), make_event(phone_number="brak"))
    assert read_statuses(outcomes) == [status, "INVALID"]
    (alarm,) = [line for line in lines if line["event"] == "stop.undone"]
    assert (alarm["severity"], alarm["source"], alarm["status"]) == ("ERROR", "optout", status)


def test_stop_that_is_carried_out_is_no_alarm(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """A stop that was carried out, or is tried again within the hour, raises none."""
    thulium.fail("batch", faults.error(503))
    pipeline = Pipeline(configure(thulium))
    assert isinstance(judge(pipeline, make_event("optout", **ADA)), Again)
    assert isinstance(judge(pipeline, make_event("optout", **ADA)), Done)
    assert not [line for line in lines if line["event"] == "stop.undone"]


def test_paused(thulium: Sandbox) -> None:
    """While deliveries are paused everything waits, and Thulium is not asked."""
    settings = configure(thulium, paused=True, queue="sqlite:///ringback.db")
    verdict = judge(Pipeline(settings), make_event(**ADA))
    assert isinstance(verdict, Again)
    assert (verdict.at, verdict.outcome.status, verdict.outcome.reason) == (NOW + PAUSE, "DEFERRED", "paused")
    assert thulium.counts == {}


def test_nothing_to_deliver(thulium: Sandbox) -> None:
    """No events, no verdicts."""
    assert Pipeline(configure(thulium)).deliver([], NOW) == []


def test_event_that_was_not_foreseen(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """A mistake of ours with one event is logged without its values, and its neighbours are called."""

    class Unreadable(dict[str, Any]):
        def __iter__(self) -> Iterator[str]:
            raise RuntimeError("601000001")

        def keys(self) -> Any:
            raise RuntimeError("601000001")

    outcomes = deliver(configure(thulium), replace(make_event(), data=Unreadable()), make_event(**ADA))
    assert read_statuses(outcomes) == ["DEFERRED", "ADDED"]
    assert outcomes[0].reason == "internal error"
    (line,) = (line for line in lines if line["event"] == "internal.error")
    assert line["message"].endswith("of website could not be mapped: RuntimeError")
    assert "601" not in repr([line["message"], line["where"]])


# In time


def test_deadline_is_kept(thulium: Sandbox) -> None:
    """Whatever Thulium does, the verdicts are there by the deadline."""
    thulium.fail("*", faults.hang(), times=None)
    start = time.monotonic()
    events = [make_event(phone_number=f"60100{n:04}") for n in range(20)] + [make_event("optout", **ADA)]
    verdicts = Pipeline(configure(thulium)).deliver(events, NOW, start + 0.4)
    assert time.monotonic() - start < 4
    assert all(isinstance(verdict, Again) for verdict in verdicts)


@pytest.mark.parametrize("call", ["search", "create"])
def test_hanging_call_keeps_no_neighbour_from_being_called(thulium: Sandbox, call: str) -> None:
    """While a customer can't be found or made, there is time left to call those who are known."""
    thulium.add_customer(441, surname="Lis")
    thulium.add_customer(442, surname="Mak", phone_number="601000002")
    thulium.fail(call, faults.hang())
    events = [make_event(**ADA), make_event(phone_number="601000002"), make_event(customer_id=441)]
    if call == "search":
        events.pop(1)  # whose search might be the one that hangs
    verdicts = Pipeline(configure(thulium)).deliver(events, NOW, time.monotonic() + 2)
    assert [str(verdict.outcome.status) for verdict in verdicts] == ["DEFERRED", *["ADDED"] * (len(events) - 1)]


def test_single_lead_has_all_of_the_time(thulium: Sandbox) -> None:
    """Where nobody is beside it, a lead may take the whole time to be found."""
    thulium.fail("search", faults.Fault(work=True, wait=3.2))
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    verdict = judge(Pipeline(configure(thulium)), make_event(phone_number="601000001"), deadline=time.monotonic() + 4)
    assert verdict.outcome.status == "ADDED"


def test_single_thin_event_has_all_of_the_time(thulium: Sandbox) -> None:
    """Where nobody is beside it, it may take more than half of the time to complete an event."""
    with serve() as url:
        settings = configure(thulium, sources={"website": {"fetch": {"url": url + "/leads/{number}"}}})
        verdict = judge(Pipeline(settings), make_event(number=9), deadline=time.monotonic() + 2.8)
    assert verdict.outcome.status == "ADDED"


def test_large_request_is_done_in_several_tries(thulium: Sandbox) -> None:
    """What there is time for is done, and of what is sent again the rest: nobody waits behind who is done."""
    for number in range(40):
        thulium.add_customer(surname="Lis", phone_number=f"6010000{number:02}")
    thulium.slow(0.1, "search")
    pipeline = Pipeline(configure(thulium, access={"parallel": 2}))
    events = [make_event(phone_number=f"6010000{number:02}") for number in range(40)]
    done = []
    for _ in range(10):
        verdicts = pipeline.deliver(events, NOW, time.monotonic() + 1.2)
        done.append(sum(isinstance(verdict, Done) for verdict in verdicts))
        if done[-1] == 40:
            break
    assert done[0] > 0
    assert done[-1] == 40
    assert len(done) < 10


def test_nobody_waits_for_a_neighbour(thulium: Sandbox) -> None:
    """Whoever has less time does not wait for another event about the same person that has more."""
    thulium.fail("search", faults.Fault(work=True, wait=2.0))
    pipeline = Pipeline(configure(thulium))
    first = threading.Thread(target=deliver, args=(pipeline, make_event(**ADA)))
    first.start()
    while not thulium.counts:
        time.sleep(0.01)
    start = time.monotonic()
    verdict = judge(pipeline, make_event(**ADA), deadline=start + 0.1)
    assert time.monotonic() - start < 1.8
    assert verdict.outcome.reason == "no time left: another event about the same person took it"
    first.join()
    assert len(thulium.customers) == 1


def test_deadline_where_nobody_waits() -> None:
    """A delivery from a queue ends too, before its events are given to somebody else."""
    assert LONGEST_DELIVERY < 300


# What has to be fetched


class Sender(BaseHTTPRequestHandler):
    """Completes an event: number 7 does not exist, 8 is refused, 9 is slow. ``most`` is how many it had at a time."""

    now = most = 0
    lock = threading.Lock()

    def do_GET(self) -> None:
        number = int(self.path.rpartition("/")[2])
        self.count(1)
        time.sleep(1.7 if number == 9 else 0.1)
        self.count(-1)
        content = json.dumps({"phone_number": f"60100{number:04}"}).encode()
        self.send_response({7: 404, 8: 403}.get(number, 200))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def count(self, change: int) -> None:
        with self.lock:
            Sender.now += change
            Sender.most = max(Sender.most, Sender.now)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve() -> Iterator[str]:
    """Run a sender's API, and give its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sender)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_thin_events(thulium: Sandbox) -> None:
    """Thin events are completed side by side; what does not exist has failed, what is refused is tried again."""
    with serve() as url:
        settings = configure(thulium, sources={"website": {"fetch": {"url": url + "/leads/{number}"}}})
        outcomes = deliver(settings, *(make_event(number=n) for n in range(16)), make_event())
    expected = ["ADDED"] * 17
    expected[7], expected[8], expected[16] = "FAILED", "DEFERRED", "INVALID"
    assert read_statuses(outcomes) == expected
    assert Sender.most > 1
    assert len(thulium.customers) == 14


def test_stop_of_what_is_gone(thulium: Sandbox) -> None:
    """Whose contact was deleted is stopped by what the event itself says of them."""
    thulium.add_customer(441, surname="Lis", identifier="7")
    thulium.put_record("00001", 441, status_id=3)
    with serve() as url:
        optout = {"fetch": {"url": url + "/leads/{number}"}, "map": {"identifier": "to_string(number)"}}
        outcomes = deliver(configure(thulium, sources={"optout": optout}), make_event("optout", number=7))
    assert read_statuses(outcomes) == ["STOPPED"]
    assert [record["status_id"] for record in thulium.records("00001")] == [6]


def test_stop_of_what_is_gone_that_names_nobody(thulium: Sandbox) -> None:
    """Whom nobody knows by what the event itself says is no stranger to be made; what says nothing has failed."""
    with serve() as url:
        known = {"fetch": {"url": url + "/leads/{number}"}, "map": {"identifier": "to_string(number)"}}
        fetched = {**known, "map": {"phone_number": "phone_number"}}
        outcomes = [
            *deliver(configure(thulium, sources={"optout": known}), make_event("optout", number=7)),
            *deliver(configure(thulium, sources={"optout": fetched}), make_event("optout", number=7)),
        ]
    assert [(each.status, each.reason) for each in outcomes] == [
        ("SKIPPED", "no such customer"),
        ("FAILED", "fetch: it does not exist any more"),
    ]
    assert thulium.customers == []


def test_sender_that_is_silent_keeps_no_other_sender_up(thulium: Sandbox) -> None:
    """Who has not answered a few times is not asked any more in a delivery: others are waiting to be."""
    with serve() as url, socket.create_server(("127.0.0.1", 0), backlog=99) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/{{number}}"
        sources = {"shop": {"fetch": {"url": address}}, "website": {"fetch": {"url": url + "/leads/{number}"}}}
        settings = configure(thulium, access={"timeout": 0.5}, sources=sources)
        thin = [make_event("shop", number=number) for number in range(40)]
        outcomes = deliver(settings, *thin, make_event(number=1))
    assert read_statuses(outcomes) == ["DEFERRED"] * 40 + ["ADDED"]
    assert {outcome.reason for outcome in outcomes[:40]} == {"fetch: no answer in time", "fetch: no time left"}


def test_old_lead_is_not_fetched(thulium: Sandbox) -> None:
    """Nobody is asked about what is too old, its sender neither."""
    settings = configure(thulium, sources={"website": {"fetch": {"url": "http://127.0.0.1:9/{number}"}}})
    assert judge(Pipeline(settings), make_event(number=1), now=NOW + 2 * DAY).outcome.status == "PARKED"


# The first half


def test_accept(thulium: Sandbox) -> None:
    """A request's events come with their source; what brings none comes with its answer."""
    pipeline = Pipeline(configure(thulium))
    headers = {"x-api-key": SECRET, "content-type": "application/json"}
    taken = pipeline.accept(Request("POST", "/website", "", headers, json.dumps(ADA).encode()), NOW)
    assert isinstance(taken, tuple)
    assert (taken[0].name, [event.data for event in taken[1]]) == ("website", [ADA])
    assert isinstance(pipeline.accept(Request("HEAD", "/website", "", {}, b""), NOW), Response)
    assert thulium.counts == {}


def test_sender_that_does_not_answer_keeps_others_for_a_while_only(
    thulium: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many thin events wait for a server that says nothing, an event beside them is delivered soon."""
    monkeypatch.setattr("ringback.pipeline.LONGEST_FETCH", 0.3)
    with socket.create_server(("127.0.0.1", 0), backlog=99) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/{{id}}"
        settings = configure(thulium, sources={"shop": {"fetch": {"url": url}}})
        thin = [make_event("shop", id=str(number)) for number in range(40)]
        started = time.monotonic()
        outcomes = deliver(settings, *thin, make_event(phone_number="601000001"))
    assert time.monotonic() - started < 5
    assert read_statuses(outcomes) == ["DEFERRED"] * 40 + ["ADDED"]
