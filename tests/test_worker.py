"""The worker of a SQLite queue: what it takes together, what it stores and reports, and how it goes on and ends."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ringback import log
from ringback.clock import read_clock
from ringback.event import Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.queues.sqlite import SqliteQueue, worker
from ringback.queues.sqlite.database import FileReplaced
from ringback.queues.sqlite.history import RETENTION, trace
from ringback.queues.sqlite.jumps import TRUSTED_AFTER, Watch
from ringback.queues.sqlite.queue import SUSPECT
from ringback.queues.sqlite.worker import DeliveryHangs, Way, Worker
from ringback.queues.verdicts import Deliver
from tests.events import NOW, again, done, make_event
from tests.working import until, work_off, working

Reports = list[tuple[str, Status]]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    """A queue of one's own."""
    queue = SqliteQueue(str(tmp_path / "queue.db"), patience=0.1)
    yield queue
    queue.close()


class Thulium:
    """Delivers: notes each batch, takes its time, and says of each event what it is told to say."""

    def __init__(self, judge: Callable[[Event], Verdict] = lambda _: done(), seconds: float = 0) -> None:
        self.batches: list[list[str]] = []
        self.judge = judge
        self.seconds = seconds

    def __call__(self, events: Sequence[Event], _now: datetime) -> Sequence[Verdict]:
        self.batches.append([event.id for event in events])
        time.sleep(self.seconds)
        return [self.judge(event) for event in events]

    @property
    def seen(self) -> list[str]:
        """The ids of all events, in the order in which they came."""
        return [each for batch in self.batches for each in batch]


class Gate:
    """Holds deliveries up until it is opened."""

    def __init__(self) -> None:
        self._is_open = threading.Event()

    def __call__(self, _: Event) -> Verdict:
        assert self._is_open.wait(20)
        return done()

    def open(self) -> None:
        """Let all go on."""
        self._is_open.set()


def quietly(_event: Event, _outcome: Outcome, _seconds: float) -> None:
    """Report nothing."""


def quiet(deliver: Deliver, find_person: Callable[[Event], str] = lambda _: "") -> Way:
    """Return a way that reports nothing."""
    return Way(deliver, find_person, report=quietly)


def noting(deliver: Deliver, reports: Reports) -> Way:
    """Return a way that notes what is reported."""
    return Way(deliver, report=lambda event, outcome, _: reports.append((event.id, outcome.status)))


def read_statuses(queue: SqliteQueue) -> list[str | None]:
    """Return the statuses of all events, in the order in which they were put."""
    return [row["status"] for row in queue.database.read("SELECT status FROM event ORDER BY number", {})]


# What is taken, and when


def test_event_is_delivered_at_once(queue: SqliteQueue) -> None:
    """What is put while a worker waits is delivered and reported within a fraction of a second."""
    reports = Reports()
    with working(Worker(queue, noting(Thulium(), reports))):
        time.sleep(0.1)
        started = time.monotonic()
        queue.put([make_event()], read_clock())
        until(lambda: reports)
        assert time.monotonic() - started < 3
    assert reports == [("e1", Status.ADDED)]
    assert read_statuses(queue) == ["ADDED"]


def test_event_of_another_process_is_found(queue: SqliteQueue) -> None:
    """What another process has put is found without a sign from it."""
    other = SqliteQueue(queue.database.path)
    thulium = Thulium()
    with working(Worker(queue, quiet(thulium))):
        other.put([make_event()], read_clock())
        until(lambda: thulium.seen)
    other.close()


def test_outcome_is_logged(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless told otherwise a worker writes the log's line for each outcome."""
    log.configure()
    queue.put([make_event()], NOW)
    work_off(queue, Way(Thulium()), lambda: NOW)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["event_id"], line["status"]) == ("customer.outcome", "e1", "ADDED")


def test_full_batches_first(queue: SqliteQueue) -> None:
    """What is there is taken in batches as full as can be."""
    queue.put([make_event(number) for number in range(250)], NOW)
    thulium = Thulium(seconds=0.05)
    work_off(queue, quiet(thulium), lambda: NOW)
    assert sorted(len(batch) for batch in thulium.batches) == [50, 100, 100]


def test_batches_overlap(queue: SqliteQueue) -> None:
    """While one batch waits for its last call others are delivered."""
    gate = Gate()
    thulium = Thulium(lambda event: gate(event) if event.id == "e0" else done())
    queue.put([make_event(number) for number in range(3)], NOW)
    with working(Worker(queue, quiet(thulium), batch_size=1, clock=lambda: NOW)):
        until(lambda: read_statuses(queue) == [None, "ADDED", "ADDED"])
        gate.open()
        until(lambda: read_statuses(queue) == ["ADDED"] * 3)


def test_one_person_is_in_one_batch_at_a_time(queue: SqliteQueue) -> None:
    """An event waits while another one of its person is being delivered, and keeps none of other persons waiting."""
    gate = Gate()
    thulium = Thulium(lambda event: gate(event) if event.id == "e1" else done())
    queue.put([make_event(number) for number in (1, 3, 2)], NOW)
    way = quiet(thulium, lambda event: str(int(event.id[1:]) % 2))
    with working(Worker(queue, way, batch_size=1, clock=lambda: NOW)):
        until(lambda: read_statuses(queue) == [None, None, "ADDED"])
        time.sleep(0.3)
        assert "e3" not in thulium.seen
        gate.open()
        until(lambda: read_statuses(queue) == ["ADDED"] * 3)


def test_one_person_is_in_one_process_at_a_time(queue: SqliteQueue) -> None:
    """An event also waits while another process delivers one of its person."""
    gate, other = Gate(), SqliteQueue(queue.database.path)
    first, second = Thulium(gate), Thulium()
    queue.put([make_event(1)], NOW)
    with working(Worker(queue, quiet(first, lambda _: "ada"), clock=lambda: NOW)):
        until(lambda: first.seen)
        queue.put([make_event(2)], NOW)
        with working(Worker(other, quiet(second, lambda _: "ada"), clock=lambda: NOW)):
            time.sleep(0.5)
            assert second.seen == []
            gate.open()
            until(lambda: read_statuses(queue) == ["ADDED"] * 2)
    other.close()


def test_flood_of_one_person_keeps_no_one_waiting(queue: SqliteQueue) -> None:
    """However many events of one person wait, another person's is delivered meanwhile."""
    gate = Gate()
    thulium = Thulium(lambda event: gate(event) if event.data == "flood" else done())
    queue.put([make_event(number, data="flood") for number in range(1300)], NOW)
    way = quiet(thulium, lambda event: "flood" if event.data == "flood" else "")
    with working(Worker(queue, way, batch_size=10, clock=lambda: NOW)):
        until(lambda: thulium.seen)
        queue.put([make_event(5000)], NOW)
        until(lambda: trace(queue.database, "e5000")[0].outcome)
        gate.open()


def test_sources_take_turns(queue: SqliteQueue) -> None:
    """A flood of one source's events keeps no other source's waiting: they are taken in turns."""
    queue.put([make_event(number, source="flood") for number in range(50)], NOW)
    queue.put([make_event(number) for number in range(100, 105)], NOW + timedelta(seconds=1))
    found = queue.look(12, NOW + timedelta(seconds=2))
    assert sum(event.source == "website" for event in found) == 5


def test_newest_do_not_wait_behind_a_backlog(queue: SqliteQueue) -> None:
    """A share of each batch is for the newest events."""
    queue.put([make_event(number) for number in range(100)], NOW)
    queue.put([make_event(number) for number in range(100, 103)], NOW + timedelta(hours=1))
    found = [event.id for event in queue.look(12, NOW + timedelta(hours=2))]
    assert found == [*(f"e{number}" for number in range(9)), "e100", "e101", "e102"]


def test_batch_is_bounded_in_bytes(queue: SqliteQueue) -> None:
    """Events of together more bytes than a batch may have are taken one after another, the largest alone."""
    big = {"text": "x" * 400_000}
    queue.put([make_event(number, data=big) for number in range(8)], NOW)
    assert len(queue.look(100, NOW, size=2_000_000)) == 4
    assert len(queue.look(100, NOW, size=1)) == 1


def test_burst_makes_few_batches(queue: SqliteQueue) -> None:
    """300 events that come one by one make few batches, and none waits long."""
    thulium, waits = Thulium(seconds=0.05), list[float]()

    def report(event: Event, _outcome: Outcome, _seconds: float) -> None:
        waits.append((read_clock() - event.received_at).total_seconds())

    with working(Worker(queue, Way(thulium, report=report))):
        for number in range(300):
            queue.put([make_event(number, received_at=read_clock())], read_clock())
        until(lambda: len(waits) == 300)
    assert len(thulium.batches) < 100


def test_deferred_event_is_tried_again(queue: SqliteQueue) -> None:
    """What is to be tried again is, at its time; each try is reported."""
    reports = Reports()
    way = noting(Thulium(lambda event: again(60) if event.attempt == 1 else done()), reports)
    queue.put([make_event()], NOW)
    work_off(queue, way, lambda: NOW)
    work_off(queue, way, lambda: NOW + timedelta(seconds=60))
    assert reports == [("e1", Status.DEFERRED), ("e1", Status.ADDED)]


# What is stored and reported


def test_only_what_is_stored_is_reported(queue: SqliteQueue) -> None:
    """A worker that was too slow, so that another has its event, reports no outcome: the other will."""
    reports = Reports()

    def judge(_: Event) -> Verdict:
        (event,) = queue.take(1, NOW + timedelta(hours=1))
        queue.settle([(event, done(Status.SKIPPED))], NOW)
        return done()

    queue.put([make_event()], NOW)
    work_off(queue, noting(Thulium(judge), reports), lambda: NOW)
    assert reports == []


def test_lease_is_renewed_while_delivering(queue: SqliteQueue) -> None:
    """However long a delivery takes, no other worker is given its events meanwhile."""
    lease = timedelta(seconds=0.9)
    slow, other = Thulium(seconds=2), Thulium()
    second = SqliteQueue(queue.database.path)
    queue.put([make_event()], read_clock())
    with working(Worker(queue, quiet(slow), lease=lease)):
        until(lambda: slow.seen)
        with working(Worker(second, quiet(other), lease=lease)):
            until(lambda: read_statuses(queue) == ["ADDED"])
    assert (slow.seen, other.seen) == (["e1"], [])
    second.close()


def test_verdicts_are_stored_when_the_file_is_free_again(
    queue: SqliteQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdicts that can't be stored at once are stored as soon as the file is free, and not thrown away."""
    log.configure()
    reports, said = Reports(), list[str]()
    other = SqliteQueue(queue.database.path)
    gate = Gate()
    queue.put([make_event()], NOW)
    thulium = Thulium(gate)

    def has_failed() -> bool:
        said.append(capsys.readouterr().out)
        return "can't be stored" in "".join(said)

    with working(Worker(queue, noting(thulium, reports), clock=lambda: NOW)):
        until(lambda: thulium.seen)
        with other.database.writing():
            gate.open()
            until(has_failed)
        until(lambda: reports)
    other.close()
    assert reports == [("e1", Status.ADDED)]
    assert "".join(said).count("can't be stored") == 1


def test_verdicts_that_can_not_be_stored(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    """When a file stays locked for longer than a lease the events are tried again as a whole later."""
    log.configure()
    reports, other, gate = Reports(), SqliteQueue(queue.database.path), Gate()
    thulium = Thulium(gate)
    queue.put([make_event()], read_clock())
    with working(Worker(queue, noting(thulium, reports), lease=timedelta(seconds=0.5))):
        until(lambda: thulium.seen)
        with other.database.writing():
            gate.open()
            time.sleep(2)
        until(lambda: reports)
    other.close()
    assert thulium.seen == ["e1", "e1"]
    assert "can't be stored" in capsys.readouterr().out


def fail(_events: Sequence[Event], _now: datetime) -> Sequence[Verdict]:
    """Fail as a whole."""
    raise LookupError("601 000 001")


def leave_out(_events: Sequence[Event], _now: datetime) -> Sequence[Verdict]:
    """Return too few verdicts."""
    return [done()]


@pytest.mark.parametrize("deliver", [fail, leave_out])
def test_failing_delivery_loses_nothing(
    queue: SqliteQueue, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    """When delivering fails as a whole all its events come back later, each at another time; the log says where."""
    log.configure()
    reports = Reports()
    queue.put([make_event(number) for number in range(3)], NOW)
    work_off(queue, noting(deliver, reports), lambda: NOW)
    assert sorted(reports) == [("e0", Status.DEFERRED), ("e1", Status.DEFERRED), ("e2", Status.DEFERRED)]
    tries = {trace(queue.database, f"e{number}")[0].next_try for number in range(3)}
    assert len(tries) == 3
    assert all(at is not None and at > NOW for at in tries)
    logged = capsys.readouterr().out
    assert "3 events could not be delivered" in logged
    assert "601" not in logged


def test_back_off_grows(queue: SqliteQueue) -> None:
    """The more often delivering fails, the longer until the next try."""
    now, waits = NOW, []
    queue.put([make_event()], NOW)
    for _ in range(7):
        work_off(queue, quiet(fail), lambda: now)  # noqa: B023 - called within the round
        at = trace(queue.database, "e1")[0].next_try
        assert at is not None
        waits.append((at - now).total_seconds())
        now = at
    assert waits[6] > 8 * waits[0]


# What ends the process that delivers


def crash(queue: SqliteQueue, now: datetime) -> list[str]:
    """Take what is due and be gone, as a process that crashes is; return the ids."""
    return [event.id for event in queue.take(100, now)]


def test_event_that_ends_its_process_takes_no_neighbour_along(queue: SqliteQueue) -> None:
    """What was taken twice without an end is taken alone, so that the others are delivered."""
    queue.put([make_event(number) for number in range(5)], NOW)
    now = NOW
    for _ in range(SUSPECT):
        assert len(crash(queue, now)) == 5
        now += timedelta(minutes=1)
    assert crash(queue, now) == ["e0"]
    thulium, reports = Thulium(), Reports()
    with working(Worker(queue, noting(thulium, reports), clock=lambda: now)):
        until(lambda: len(reports) == 4)
    assert sorted(thulium.batches) == [["e1"], ["e2"], ["e3"], ["e4"]]
    work_off(queue, noting(thulium, reports), lambda: now + timedelta(minutes=1))
    assert "e0" not in thulium.seen
    assert reports[-1] == ("e0", Status.PARKED)
    (story,) = trace(queue.database, "e0")
    assert story.outcome
    assert story.outcome.reason == "it ended the delivering process 3 times"


def test_suspect_is_delivered_while_nothing_else_is(queue: SqliteQueue) -> None:
    """While an event that may end the process is delivered no other is, so that it takes none along."""
    queue.put([make_event(1)], NOW)
    for minutes in range(SUSPECT):
        crash(queue, NOW + timedelta(minutes=minutes))
    queue.put([make_event(2)], NOW)
    gate, now = Gate(), NOW + timedelta(minutes=5)
    thulium = Thulium(lambda event: gate(event) if event.id == "e1" else done())
    with working(Worker(queue, quiet(thulium), batch_size=1, clock=lambda: now)):
        until(lambda: "e1" in thulium.seen)
        queue.put([make_event(3)], now)
        time.sleep(0.3)
        assert "e3" not in thulium.seen
        gate.open()
        until(lambda: read_statuses(queue) == ["ADDED"] * 3)


def test_delivery_that_hangs_ends_the_process(queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch that does not end although every delivery has a deadline has the process ended."""
    monkeypatch.setattr("ringback.queues.sqlite.worker.LONGEST_BATCH", 0.2)
    gate = Gate()
    queue.put([make_event()], NOW)
    with pytest.raises(DeliveryHangs):
        Worker(queue, quiet(Thulium(gate)), clock=lambda: NOW).run(threading.Event())
    gate.open()


def test_file_that_was_replaced_ends_the_process(queue: SqliteQueue, tmp_path: Path) -> None:
    """A worker whose file was replaced ends, so that the next one opens what is there now."""
    queue.put([make_event()], NOW)
    (tmp_path / "queue.db").rename(tmp_path / "aside.db")
    SqliteQueue(str(tmp_path / "queue.db")).put([make_event(2)], NOW)
    with pytest.raises(FileReplaced):
        Worker(queue, quiet(Thulium()), clock=lambda: NOW).run(threading.Event())


# How it goes on and ends


def test_worker_outlives_everything(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a report that fails nor a person that can't be found ends the worker."""
    log.configure()
    thulium = Thulium()

    def find_person(event: Event) -> str:
        if event.attempt == 1 and event.id == "e2" and "e2" not in failed:
            failed.append("e2")
            raise LookupError("601 000 002")
        return ""

    def report(event: Event, _outcome: Outcome, _seconds: float) -> None:
        if event.id == "e1":
            raise LookupError("601 000 001")

    failed: list[str] = []
    with working(Worker(queue, Way(thulium, find_person, report=report))):
        queue.put([make_event(1)], read_clock())
        until(lambda: thulium.seen)
        queue.put([make_event(2)], read_clock())
        until(lambda: thulium.seen == ["e1", "e2"])
    logged = capsys.readouterr().out
    assert "the worker has failed: LookupError" in logged
    assert "could not be settled: LookupError" in logged
    assert "601" not in logged


def test_worker_waits_for_its_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A queue that can't be used is tried again about once a second, and said in the log each time."""
    log.configure()
    queue = SqliteQueue(str(tmp_path / "later" / "queue.db"))
    thulium, said = Thulium(), list[str]()

    def has_failed() -> bool:
        said.append(capsys.readouterr().out)
        return '"queue.failed"' in "".join(said)

    with working(Worker(queue, quiet(thulium))):
        until(has_failed)
        (tmp_path / "later").mkdir()
        queue.put([make_event()], read_clock())
        until(lambda: thulium.seen)
    queue.close()
    said.append(capsys.readouterr().out)
    assert "".join(said).count('"queue.failed"') <= 2


def test_stopping_finishes_what_is_being_delivered(queue: SqliteQueue) -> None:
    """A worker that is told to stop while it delivers still stores the outcomes, and takes nothing more."""
    queue.put([make_event(number) for number in range(8)], read_clock())
    gate, beats = Gate(), []
    thulium = Thulium(gate)
    worker, stop = Worker(queue, quiet(thulium), batch_size=1), threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop, lambda: beats.append(1)))
    thread.start()
    until(lambda: len(thulium.seen) == 4)
    stop.set()
    before = len(beats)
    until(lambda: len(beats) > before + 1)
    gate.open()
    thread.join(10)
    assert sorted(map(str, read_statuses(queue))) == ["ADDED"] * 4 + ["None"] * 4


def test_stopping_hands_back_what_does_not_end(queue: SqliteQueue) -> None:
    """What is still being delivered some time after a worker was told to stop is given to the next one at once."""
    queue.put([make_event()], read_clock())
    gate = Gate()
    thulium = Thulium(gate)
    with working(Worker(queue, quiet(thulium), longest_end=0.2)) as stop:
        until(lambda: thulium.seen)
        stop.set()
        until(lambda: queue.count_due(1, read_clock()))
    (event,) = queue.take(1, read_clock())
    assert (event.attempt, event.unended) == (1, 0)
    gate.open()
    queue.settle([(event, done())], read_clock())
    assert read_statuses(queue) == ["ADDED"]


def test_stopping_while_the_file_is_locked(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    """What can't be handed back is told, and due again when its lease is over."""
    log.configure()
    queue.put([make_event()], read_clock())
    gate, other = Gate(), SqliteQueue(queue.database.path)
    thulium = Thulium(gate)
    with working(Worker(queue, quiet(thulium), longest_end=0.1)) as stop:
        until(lambda: thulium.seen)
        with other.database.writing():
            stop.set()
            time.sleep(1)
    gate.open()
    other.close()
    assert '"queue.failed"' in capsys.readouterr().out


def test_paused_worker_delivers_nothing(queue: SqliteQueue) -> None:
    """While it is paused nothing is delivered, and nothing is lost; what a person is known by is noted all the same."""
    queue.put([make_event()], NOW)
    thulium = Thulium()
    way = replace(quiet(thulium), list_known=lambda _: ("hash",))
    with working(Worker(queue, way, paused=True)):
        until(lambda: queue.database.read("SELECT hash FROM known", {}))
    assert thulium.seen == []
    assert queue.count_due(1, NOW) == 1


def test_idle_worker_does_next_to_nothing(queue: SqliteQueue) -> None:
    """A worker without work takes less than a twentieth of a processor."""
    with working(Worker(queue, quiet(Thulium()))):
        time.sleep(0.1)
        shares = []
        for _ in range(3):  # what another test has left running may disturb one
            before = time.process_time()
            time.sleep(0.4)
            shares.append((time.process_time() - before) / 0.4)
        assert min(shares) < 0.05


# Clocks, and what is old


class Hands:
    """A wall clock and a monotonic one that are set by hand."""

    def __init__(self) -> None:
        self.now = NOW
        self.seconds = 0.0

    def wait(self, seconds: float) -> None:
        """Let both go on."""
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds

    def make_worker(self, queue: SqliteQueue, retention: timedelta = RETENTION) -> Worker:
        """Return a worker that goes by these clocks."""
        watch = Watch(lambda: self.now, lambda: self.seconds)
        return Worker(queue, quiet(Thulium()), clock=lambda: self.now, watch=watch, retention=retention)


def test_old_outcomes_are_deleted(queue: SqliteQueue) -> None:
    """What was settled longer ago than the retention is deleted, in pieces, once the clock ran evenly for an hour."""
    hands = Hands()
    queue.put([make_event(number) for number in range(1500)], NOW)
    work_off(queue, quiet(Thulium()), lambda: NOW, batch_size=1500)
    with working(hands.make_worker(queue, retention=timedelta(hours=1))):
        hands.wait(TRUSTED_AFTER - 1)
        time.sleep(0.5)
        assert len(read_statuses(queue)) == 1500
        hands.wait(3)
        until(lambda: len(read_statuses(queue)) == 500)
        until(lambda: not read_statuses(queue))


def test_nothing_is_deleted_when_the_clock_jumps(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    """A clock that is ahead by a month for half a minute costs no outcome."""
    log.configure()
    hands = Hands()
    queue.put([make_event()], NOW)
    work_off(queue, quiet(Thulium()), lambda: NOW)
    with working(hands.make_worker(queue)):
        hands.wait(2 * TRUSTED_AFTER)
        time.sleep(0.6)
        hands.now += timedelta(days=31)
        time.sleep(0.6)
        assert read_statuses(queue) == ["ADDED"]
        hands.now -= timedelta(days=31)
        time.sleep(0.6)
    assert read_statuses(queue) == ["ADDED"]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in told if line["event"] == "clock.set"] == [
        "the clock was set forward",
        "the clock was set back",
    ]


def test_what_came_while_the_clock_was_ahead_is_due_at_once(queue: SqliteQueue) -> None:
    """What was put or deferred while the clock was hours ahead is due; what was held, after a lease."""
    ahead = NOW + timedelta(hours=3)
    queue.put([make_event(number) for number in range(3)], ahead)
    queue.hold(queue.look(1, ahead), ahead)
    (deferred,) = queue.take(1, ahead)
    queue.settle([(deferred, again(60, now=ahead))], ahead)
    begun, lease = time.monotonic(), timedelta(seconds=0.2)
    worker = Worker(
        queue, quiet(Thulium()), clock=lambda: NOW + timedelta(seconds=time.monotonic() - begun), lease=lease
    )
    with working(worker):
        until(lambda: read_statuses(queue) == ["ADDED"] * 3)


@pytest.mark.parametrize("hours", [3, -3])
def test_clock_that_is_set_ends_no_lease(queue: SqliteQueue, hours: int) -> None:
    """While one process delivers an event no other one takes it, however the clock is set."""
    hands = Hands()
    queue.put([make_event(1)], hands.now)
    (held,) = queue.take(1, hands.now)
    with working(hands.make_worker(queue)):
        time.sleep(0.1)
        hands.now += timedelta(hours=hours)
        queue.put([make_event(2)], hands.now)
        until(lambda: "ADDED" in read_statuses(queue))
    assert queue.settle([(held, done())], hands.now)


def test_clock_that_is_set_while_an_event_is_delivered(queue: SqliteQueue) -> None:
    """A pause that was given by a clock a month ahead is as long by the right one."""
    hands = Hands()
    right, hands.now = hands.now, hands.now + timedelta(days=31)

    def set_back(_: Event) -> Verdict:
        verdict = again(60, now=hands.now)
        hands.now = right
        return verdict

    queue.put([make_event(1)], hands.now)
    with working(Worker(queue, quiet(Thulium(set_back)), clock=lambda: hands.now)):
        until(lambda: read_statuses(queue) == ["DEFERRED"])
    (row,) = queue.database.read("SELECT due_at FROM event", {})
    assert abs(row["due_at"] - right.timestamp() - 60) < 2


def test_clock_that_is_set_back_while_it_works(queue: SqliteQueue) -> None:
    """When the clock is set back what was put before is due at once."""
    hands = Hands()
    hands.now += timedelta(hours=3)
    with working(hands.make_worker(queue)):
        until(lambda: queue.database.read("SELECT 1 FROM turn LIMIT 0", {}) == [])
        time.sleep(0.3)
        hands.now -= timedelta(hours=3)
        queue.put([make_event()], hands.now + timedelta(hours=3))
        until(lambda: read_statuses(queue) == ["ADDED"])


# A file that is damaged, and a worker that is held up


def test_damaged_page_keeps_only_its_own_events_back(
    queue: SqliteQueue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a file with a damaged page all other events are delivered, and the log names the one that is not, once."""
    log.configure()
    queue.put([make_event(number, data={"text": f"mark{number}" + "x" * 3000}) for number in range(1, 6)], NOW)
    queue.close()
    (file,) = tmp_path.glob("*.db")
    content = file.read_bytes()
    start = content.index(b"mark3") // 4096 * 4096
    file.write_bytes(content[:start] + b"\xff" * 4096 + content[start + 4096 :])
    thulium = Thulium()
    with working(Worker(queue, quiet(thulium), clock=lambda: NOW)):
        until(lambda: len(thulium.seen) == 4)
        queue.put([make_event(6)], NOW)
        until(lambda: len(thulium.seen) == 5)
        time.sleep(1.5)
    assert sorted(thulium.seen) == ["e1", "e2", "e4", "e5", "e6"]
    told = [line for line in capsys.readouterr().out.splitlines() if "event number 3" in line]
    assert len(told) == 1


def test_events_that_wait_for_another_one_of_their_person(queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many events of one person wait, each is delivered, one after the other, and other people's meanwhile."""
    monkeypatch.setattr(worker, "MOST_SKIPPED", 1)
    thulium = Thulium(seconds=0.5)
    queue.put([make_event(0)], NOW)
    with working(Worker(queue, quiet(thulium, lambda _: "Ada"), clock=lambda: NOW)):
        until(lambda: thulium.seen == ["e0"])
        for number in range(1, 5):
            queue.put([make_event(number)], NOW)
            time.sleep(0.11)
        until(lambda: len(thulium.seen) == 5)
    assert sorted(thulium.seen) == ["e0", "e1", "e2", "e3", "e4"]
