"""The fault table: what can go wrong at Thulium, and what becomes of the leads, directly and through each queue."""

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil, log2
from pathlib import Path
from typing import Any

import pytest

from ringback import log
from ringback.app import App
from ringback.grammar.source import SENDERS_PATIENCE
from ringback.queues.sqlite import SqliteQueue, history
from ringback.settings import Settings
from ringback.web import Response
from tests.amazon import Amazon
from tests.cloud_tasks import CloudTasks
from tests.given import LOG_KEY, PROOF, load
from tests.journeys import Direct, Journey, Sqlite, Sqs, Tasks
from tests.sandbox import Fault, Sandbox, World, faults

# Four leads in one request: a customer by id, one who is found, a stranger, and one who is in the campaign already.
LEADS: list[dict[str, object]] = [
    {"id": "e1", "customer": 441},
    {"id": "e2", "phone": "601000042"},
    {"id": "e3", "phone": "601000043"},
    {"id": "e4", "customer": 444},
]
HEALTHY = {"e1": "ADDED", "e2": "ADDED", "e3": "ADDED", "e4": "REQUEUED"}
HIT = {  # whom it concerns when a kind of call goes wrong
    "search": ("e2", "e3"),
    "create": ("e3",),
    "batch": ("e1", "e2", "e3", "e4"),
    "record": ("e4",),
    "change": ("e4",),
}
ALL_KEYS = {
    *("time", "severity", "message", "event", "source", "event_id", "campaign_id", "customer_id", "person", "status"),
    *("record_id", "http_status", "reason", "attempt", "duration_ms", "trace"),
}
PATIENCE = 1.5  # seconds that the sender waits: too few for a second try within them
BUSY = 1.0  # seconds that a busy machine may add
QUICK = 0.3  # seconds that a call gets which is to run out of time
NONSENSE = "Thulium's reply makes no sense"
LATE = "no answer in time"


@dataclass(frozen=True)
class Row:
    """One fault: the calls that it is shown for, what is said of whom it hits, and for how long it is waited."""

    name: str
    fault: Fault
    reason: str
    calls: tuple[str, ...] = tuple(HIT)
    told: dict[str, dict[str, str]] = field(default_factory=dict)  # call -> event -> status, where not all are DEFERRED
    retry_after: tuple[int, int] = (30, 30)
    settles: float = 0.0  # seconds until Thulium has done what it does behind our back

    @property
    def timeout(self) -> float:
        """The seconds of one call."""
        return QUICK if LATE in self.reason else 10


FETCHING = ("search", "create", "batch", "record")  # whose replies have a body
SLOW = ("search", "create", "batch")  # the slow ones are shown for these alone, for the time's sake
ALL_DEFERRED = dict.fromkeys(HEALTHY, "DEFERRED")
FAR = "Fri, 01 Jan 2100 00:00:00 GMT"
PAST = "Thu, 01 Jan 2026 00:00:00 GMT"
FAILED_3 = {"create": {"e3": "FAILED"}}

ROWS = [
    Row("500", faults.error(500), "Thulium answered 500; Something went wrong."),
    Row("502 with HTML", faults.html(502), "Thulium answered 502"),
    Row("503", faults.error(503), "Thulium answered 503"),
    Row("503 in an hour", faults.error(503, retry_after="3600"), "Thulium answered 503", retry_after=(3600, 3600)),
    Row("429 in seconds", faults.error(429, retry_after="120"), "Thulium answered 429", retry_after=(119, 120)),
    Row("429 until a date", faults.error(429, retry_after=FAR), "Thulium answered 429", retry_after=(3600, 3600)),
    Row("429 until the past", faults.error(429, retry_after=PAST), "Thulium answered 429"),
    Row("429 for ever", faults.error(429, retry_after="99999999"), "Thulium answered 429", retry_after=(3600, 3600)),
    Row("429 with nonsense", faults.error(429, retry_after="soon"), "Thulium answered 429"),
    Row("reset before the work", faults.reset(after_work=False), "the connection broke"),
    Row("reset after the work", faults.reset(after_work=True), "the connection broke"),
    Row("closed without a word", Fault(work=True, wire="close"), "the connection broke"),
    Row("hang", faults.hang(), LATE, SLOW),
    Row("hang after the work", faults.hang(after_work=True), LATE, SLOW),
    Row("commit after we hung up", faults.late(0.2), LATE, SLOW, settles=0.4),
    Row("slow drip of the head", faults.drip("head"), LATE, SLOW),
    Row("slow drip of the body", faults.drip("body"), LATE, SLOW),
    Row("endless body", faults.endless(), "the reply is too large|no answer in time", SLOW),
    Row("empty 200", faults.says("", work=False), NONSENSE, FETCHING),
    Row("null", faults.says("null"), NONSENSE),
    Row("a list", faults.says("[1, 2]"), NONSENSE),
    Row("an empty list", faults.says("[]"), "Thulium's reply (leaves the customer out|makes no sense)", FETCHING[1:]),
    Row("a number", faults.says("42", work=False), NONSENSE),
    Row("a text", faults.says('"ok"', work=False), NONSENSE),
    Row("HTML with 200", faults.html(200), NONSENSE),
    Row("half a document", faults.half(), NONSENSE, FETCHING),
    Row("less than it says", Fault(work=True, wire="short"), "the reply is broken|the connection broke", FETCHING),
    Row("JSON too deep", faults.says("[" * 100_000), NONSENSE),
    Row("redirect", faults.redirect("http://127.0.0.1:9/"), "Thulium answered 302"),
    Row("204", Fault(status=204, body=""), NONSENSE, FETCHING),
    Row("errors with 200", faults.error(200), NONSENSE, ("create", "batch", "record", "change")),
    Row("403", faults.error(403), "Thulium answered 403"),
    Row("404", faults.error(404), "Thulium answered 404", ("search", "create", "batch")),
    Row("400", faults.error(400), "Thulium answered 400", told=FAILED_3),
    Row("409", faults.error(409), "Thulium answered 409", told=FAILED_3),
    Row("422", faults.error(422), "Thulium answered 422", told=FAILED_3),
    Row(
        "401",
        faults.error(401),
        "Thulium refused the password",
        told=dict.fromkeys(SLOW, ALL_DEFERRED),
        retry_after=(60, 60),
    ),
    Row(
        "without some customers",
        Fault(work=True, leave_out=(441, 444)),
        "Thulium's reply leaves the customer out",
        ("batch",),
        {"batch": {"e1": "DEFERRED", "e4": "DEFERRED"}},
    ),
    Row("with strangers", Fault(work=True, strangers=(9, 10)), "", ("batch",), {"batch": {}}),
    Row(
        "only strangers",
        faults.says('{"9": {"status": "ADDED", "record_id": 1}}', work=False),
        "Thulium's reply leaves the customer out",
        ("batch",),
    ),
    Row("unknown status", Fault(work=True, word="QUEUED"), "Thulium's reply has an unknown status: QUEUED", ("batch",)),
]
CASES = [pytest.param(row, call, id=f"{row.name} ({call})") for row in ROWS for call in row.calls]


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


PASSWORD = World().password


@pytest.fixture
def thulium(server: Sandbox) -> Sandbox:
    """A Thulium that knows three of the four, and has one of them in the campaign."""
    log.configure()
    server.reset()
    server.set_password(PASSWORD)
    server.add_campaign("00001")
    server.add_campaign("00009")
    for number in (441, 442, 444):
        server.add_customer(number, surname=f"Lis{number}", phone_number=f"601000{number - 400:03}")
    server.put_record("00001", 444)
    return server


def configure(thulium: Sandbox, timeout: float = 10, answer_within: float = PATIENCE) -> Settings:
    """Return settings for a source of lists of leads."""
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password, "timeout": timeout}
    source = {
        **PROOF,
        "answer_within": answer_within,
        "event_id": "id",
        "map": {"customer_id": "customer", "phone_number": "phone", "surname": "surname"},
        "campaign": "callbacks",
    }
    campaigns = {"callbacks": {"id": "00001", "on_existing": "requeue", "set": {"status_id": 3}}}
    return load({"thulium": access, "log_key": LOG_KEY, "campaigns": campaigns, "sources": {"website": source}})


Way = Callable[[Settings], Journey]


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(str(tmp_path / "ringback.db"))
    yield queue
    queue.close()


@pytest.fixture(params=["direct", "sqlite"])
def way(request: pytest.FixtureRequest, sqlite: SqliteQueue) -> Way:
    """Both ways on one machine."""
    return Direct if request.param == "direct" else lambda settings: Sqlite(settings, sqlite)


class Log:
    """What has been logged, read as it comes."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.lines: list[dict[str, Any]] = []

    def read(self) -> "Log":
        self.lines += map(json.loads, self._capsys.readouterr().out.splitlines())
        return self

    def kind(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        """The lines about leads, in their order."""
        return [line for line in self.lines if line["event"] in ("customer.outcome", "customer.deferred")]

    @property
    def told(self) -> dict[str, str]:
        """What was last said of each event."""
        return {line["event_id"]: line["status"] for line in self.outcomes}


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Log:
    return Log(capsys)


def expect(row: Row, call: str) -> dict[str, str]:
    """Return what is to become of each event while the fault lasts."""
    return {**HEALTHY, **row.told.get(call, dict.fromkeys(HIT[call], "DEFERRED"))}


def check_lines(said: Log, expected: dict[str, str], reason: str) -> None:
    """Every event has one line, with every key, and whoever is not done has the reason."""
    assert said.told == expected
    assert len(said.outcomes) == len(expected)
    for line in said.outcomes:
        assert line.keys() >= ALL_KEYS
        is_final = line["status"] != "DEFERRED"
        assert line["event"] == ("customer.outcome" if is_final else "customer.deferred")
        assert is_final or re.match(reason, line["reason"]), line["reason"]
    assert not said.kind("internal.error")


def check_nothing_is_invented(thulium: Sandbox, said: Log) -> None:
    """Whoever is told to be in the campaign is there."""
    there = {record["customer_id"] for record in thulium.records("00001")}
    claimed = {line["customer_id"] for line in said.outcomes if line["status"] in ("ADDED", "ALREADY_EXISTS")}
    assert claimed <= there


def check_answer(journey: Journey, answer: Response, expected: dict[str, str], retry_after: tuple[int, int]) -> None:
    """The sender is told: directly what became of each lead, and when to send again; else that it is stored."""
    content = json.loads(answer.body)
    if not isinstance(journey, Direct):
        assert (answer.status, content) == (200, {"accepted": 4, "events": list(HEALTHY)})
        return
    assert {each["event_id"]: each["status"] for each in content["outcomes"]} == expected
    is_done = "DEFERRED" not in expected.values()
    assert answer.status == (200 if is_done else 503)
    assert is_done or retry_after[0] <= int(answer.headers["Retry-After"]) <= retry_after[1]


def check_end(thulium: Sandbox, said: Log, finals: dict[str, str]) -> None:
    """In the end all are done, nobody was created twice, and nobody is in the campaign twice."""
    done = {event: status for event, status in said.told.items() if event not in finals}
    assert set(done.values()) <= {"ADDED", "ALREADY_EXISTS", "REQUEUED"}
    assert {**done, **finals} == said.told
    numbers = [customer["phone_numbers"] for customer in thulium.customers]
    assert len(numbers) == 4 - len(finals)
    records = [record["customer_id"] for record in thulium.records("00001")]
    assert len(records) == len(set(records)) == 4 - len(finals)


def walk(row: Row, call: str, journey: Journey, thulium: Sandbox, said: Log) -> None:
    """Send the leads while a kind of call goes wrong, mend it, go on, and look at everything on the way."""
    expected = expect(row, call)
    thulium.fail(call, row.fault, times=None)
    started = time.monotonic()
    answer = journey.send(LEADS)
    assert not isinstance(journey, Direct) or time.monotonic() - started < PATIENCE + BUSY
    said.read()
    check_lines(said, expected, row.reason)
    check_answer(journey, answer, expected, row.retry_after)
    check_nothing_is_invented(thulium, said)
    thulium.heal()
    time.sleep(row.settles)
    journey.go_on()
    check_end(thulium, said.read(), {event: status for event, status in expected.items() if status == "FAILED"})


@pytest.mark.parametrize(("row", "call"), CASES)
def test_fault(row: Row, call: str, way: Way, thulium: Sandbox, lines: Log) -> None:
    """While a call goes wrong nobody is lost, nothing is invented, and the others go on; mended, all are done once."""
    walk(row, call, way(configure(thulium, row.timeout)), thulium, lines)


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    with Amazon() as server:
        yield server


@pytest.fixture
def aws(amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> Amazon:
    amazon.reset()
    for name, value in amazon.environ.items():
        monkeypatch.setenv(name, value)
    return amazon


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fault_on_aws(row: Row, aws: Amazon, thulium: Sandbox, lines: Log) -> None:
    """What holds on one machine holds through SQS."""
    walk(row, "batch" if "batch" in row.calls else "search", Sqs(configure(thulium, row.timeout), aws), thulium, lines)


@pytest.fixture(scope="module")
def cloud() -> Iterator[CloudTasks]:
    with CloudTasks() as server:
        yield server


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fault_on_google_cloud(row: Row, cloud: CloudTasks, thulium: Sandbox, lines: Log) -> None:
    """What holds on one machine holds through Cloud Tasks, where each event is delivered alone."""
    call = "batch" if "batch" in row.calls else "search"
    walk(row, call, Tasks(configure(thulium, row.timeout), cloud), thulium, lines)


# --- what is no fault of one call ---


def lose_campaign(thulium: Sandbox) -> None:
    del thulium.world.store.campaigns["00001"]


def close_campaign(thulium: Sandbox) -> None:
    thulium.add_campaign("00001", is_active=False)


def find_campaign(thulium: Sandbox) -> None:
    thulium.add_campaign("00001")
    thulium.put_record("00001", 444)


@dataclass(frozen=True)
class Trouble:
    """What befalls all of Thulium, and how it ends."""

    reason: str
    begin: Callable[[Sandbox], object]
    end: Callable[[Sandbox], object]


TROUBLES = [
    Trouble("connection refused", Sandbox.stop, Sandbox.start),
    Trouble("Thulium answered 404", lose_campaign, find_campaign),
    Trouble("Thulium answered 400", close_campaign, find_campaign),
    Trouble(
        "Thulium refused the password", lambda at: at.set_password("rotated"), lambda at: at.set_password(PASSWORD)
    ),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.reason)
def test_trouble(trouble: Trouble, way: Way, thulium: Sandbox, lines: Log) -> None:
    """An outage, a campaign that is missing or closed, a wrong password: all wait, and all are done when it is over."""
    journey = way(configure(thulium))
    trouble.begin(thulium)
    try:
        answer = journey.send(LEADS)
    finally:
        trouble.end(thulium)
    check_lines(lines.read(), ALL_DEFERRED, trouble.reason)
    check_answer(journey, answer, ALL_DEFERRED, (30, 60))
    journey.go_on()
    check_end(thulium, lines.read(), {})


# --- an opt-out that another process undoes ---


def configure_stop(thulium: Sandbox) -> Settings:
    """Return settings for a source of opt-outs from a campaign that requeues."""
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
    source = {**PROOF, "event_id": "id", "map": {"customer_id": "customer"}, "campaign": "callbacks", "action": "stop"}
    campaign = {"id": "00001", "on_existing": "requeue", "set": {"status_id": 3}, "stop": {"status_id": 6}}
    return load(
        {"thulium": access, "log_key": LOG_KEY, "campaigns": {"callbacks": campaign}, "sources": {"website": source}}
    )


def undo_stop(journey: Journey, thulium: Sandbox, said: Log) -> None:
    """Have an opt-out carried out, and undone by whoever had looked at the record before: the next look finds that."""
    journey.send([LEADS[3]])
    thulium.put_record("00001", 444, status_id=3)
    for _ in range(2):
        journey.go_on()
    assert [line["status"] for line in said.read().outcomes] == ["DEFERRED", "DEFERRED", "STOPPED"]
    assert not said.kind("stop.undone")
    assert (thulium.record("00001", 444) or {})["status_id"] == 6


def test_stop_through_sqlite(sqlite: SqliteQueue, thulium: Sandbox, lines: Log) -> None:
    """An opt-out through SQLite is done when a further try has found it as the one before has left it."""
    undo_stop(Sqlite(configure_stop(thulium), sqlite), thulium, lines)


def test_stop_through_sqs(aws: Amazon, thulium: Sandbox, lines: Log) -> None:
    """The same holds through SQS, which counts the tries itself."""
    undo_stop(Sqs(configure_stop(thulium), aws), thulium, lines)


def test_stop_through_cloud_tasks(cloud: CloudTasks, thulium: Sandbox, lines: Log) -> None:
    """The same holds through Cloud Tasks, where each try is a task of its own."""
    undo_stop(Tasks(configure_stop(thulium), cloud), thulium, lines)


@pytest.mark.parametrize("call", list(HIT))
@pytest.mark.parametrize("fault", [faults.hang(), faults.drip("head"), faults.drip("body")], ids=lambda it: it.wire)
def test_sender_is_answered_in_time(fault: Fault, call: str, thulium: Sandbox) -> None:
    """However long Thulium may take over one call, its sender is answered within the time that it waits."""
    thulium.fail(call, fault, times=None)
    settings = configure(thulium, timeout=60, answer_within=0.6)
    started = time.monotonic()
    answer = Direct(settings).send(LEADS)
    assert time.monotonic() - started < 0.6 + BUSY
    assert answer.status == 503 or (call, fault.wire) == ("change", "drip-body")  # whose reply has no body


def test_default_patience() -> None:
    """A sender of whom nothing is known waits eight seconds."""
    assert SENDERS_PATIENCE == 8


@pytest.mark.parametrize("call", [call for call in HIT if call != "create"])
def test_short_trouble_is_waited_out(call: str, thulium: Sandbox, lines: Log) -> None:
    """Directly, what fails once is tried again while the sender waits, but for a creation that may still come."""
    thulium.fail(call, faults.error(503), times=1)
    answer = Direct(configure(thulium, answer_within=8)).send(LEADS)
    assert answer.status == 200
    check_end(thulium, lines.read(), {})
    assert max(line["attempt"] for line in lines.outcomes) == 2


def test_commit_after_the_next_try(sqlite: SqliteQueue, thulium: Sandbox, lines: Log) -> None:
    """A batch that Thulium carries out long after we hung up, and after we sent it again, changes nothing any more."""
    journey = Sqlite(configure(thulium, timeout=QUICK), sqlite)
    thulium.fail("batch", faults.late(0.5))
    journey.send(LEADS)
    journey.go_on()
    check_end(thulium, lines.read(), {})
    time.sleep(0.6)
    check_end(thulium, lines.read(), {})


def test_outage_for_good(sqlite: SqliteQueue, thulium: Sandbox, lines: Log) -> None:
    """What can't be delivered for a whole day is parked with its reason, and done when it is replayed."""
    journey = Sqlite(configure(thulium), sqlite)
    thulium.fail("*", faults.error(503), times=None)
    journey.send(LEADS)
    for _ in range(20):
        journey.go_on()
    assert set(lines.read().told.values()) == {"PARKED"}
    assert all("Thulium answered 503" in line["reason"] for line in lines.kind("customer.outcome"))
    thulium.heal()
    journey.go_on()
    assert not thulium.records("00001")[1:]
    history.replay(sqlite.database, journey.now, even_if_old=True)
    journey.step()
    check_end(thulium, lines.read(), {})


# --- one record that spoils its batch ---


def make_leads(thulium: Sandbox, count: int) -> list[dict[str, Any]]:
    return [{"id": f"e{n}", "customer": thulium.add_customer(surname=f"Sowa{n}")} for n in range(count)]


@pytest.mark.parametrize("place", [0, 1, 49, 50, 63, 99])
@pytest.mark.parametrize("status", [400, 413, 422])
def test_spoilt_batch(place: int, status: int, thulium: Sandbox, lines: Log) -> None:
    """One record of a hundred spoils the batch: it fails alone, in about 2*log2(n) calls more."""
    leads = make_leads(thulium, 100)
    thulium.poison(leads[place]["customer"], status=status, message="Wrong value of field.")
    answer = Direct(configure(thulium, answer_within=8)).send(leads)
    told = lines.read().told
    assert answer.status == 200
    assert [event for event, status in told.items() if status != "ADDED"] == [f"e{place}"]
    assert told[f"e{place}"] == "FAILED"
    assert thulium.counts["batch"] <= 1 + 2 * ceil(log2(100))


@pytest.mark.parametrize("count", [2, 3, 100])
def test_wrong_call_blames_nobody(count: int, thulium: Sandbox, lines: Log) -> None:
    """When both halves are refused alike it is the call that is wrong: nobody fails, and the calls stay few."""
    leads = make_leads(thulium, count)
    thulium.fail("batch", faults.error(400), times=None)
    answer = Direct(configure(thulium)).send(leads)
    assert answer.status == 503
    assert set(lines.read().told.values()) == {"DEFERRED"}
    assert thulium.counts["batch"] <= 1 + 2 * ceil(log2(count))


def test_two_spoilt_records(thulium: Sandbox, lines: Log) -> None:
    """Two bad records in both halves of a batch are found all the same, once one of their neighbours was taken."""
    leads = make_leads(thulium, 16)
    for place in (3, 12):
        thulium.poison(leads[place]["customer"])
    Direct(configure(thulium, answer_within=8)).send(leads)
    told = lines.read().told
    assert {event for event, status in told.items() if status != "ADDED"} == {"e3", "e12"}
    assert {told["e3"], told["e12"]} == {"FAILED"}


# --- a password that is refused ---


def test_refused_password_makes_no_storm(sqlite: SqliteQueue, thulium: Sandbox, lines: Log) -> None:
    """However many leads come while Thulium refuses the password, it is asked once, and one line says so loudly."""
    settings = configure(thulium)
    thulium.set_password("rotated")
    app = App(settings, clock=lambda: journey.now)
    journey = Direct(settings)
    for number in range(20):
        assert journey.post(app, [{"id": f"e{number}", "customer": 441}]).status == 503
    assert thulium.counts == {"statuses": 1}
    (line,) = lines.read().kind("thulium.refused")
    assert line["severity"] == "ERROR"
    assert set(lines.told.values()) == {"DEFERRED"}


def test_rotated_password_is_taken_at_once(thulium: Sandbox, lines: Log) -> None:
    """Where the secret has changed meanwhile, the refused call is made again with the new one, and nobody waits."""
    old = configure(thulium)
    thulium.set_password("rotated-password")
    new = configure(thulium).thulium
    journey = Direct(old)
    assert journey.post(App(old, find_access=lambda: new), LEADS).status == 200
    assert lines.read().told == HEALTHY
    assert not lines.kind("thulium.refused")


def test_everything_fails_in_turn(way: Way, thulium: Sandbox, lines: Log) -> None:
    """One fault after the other, on any call: in the end all are done once."""
    journey = way(configure(thulium))
    for row in ROWS:
        if row.timeout != QUICK and not row.told:
            thulium.fail("*", row.fault)
    journey.send(LEADS)
    for _ in range(40):
        journey.now -= timedelta(hours=1, minutes=45)  # so that nobody gets too old
        journey.go_on()
    check_end(thulium, lines.read(), {})
