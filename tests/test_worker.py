import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from ringback import log
from ringback.app import read_clock
from ringback.event import Event, Verdict
from ringback.hosts.verdicts import Deliver
from ringback.hosts.worker import Worker
from ringback.outcome import Outcome, Status
from ringback.queues.history import trace
from ringback.queues.sqlite import SqliteQueue
from tests.events import NOW, again, done, make_event

Reports = list[tuple[str, Status]]


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
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
        return [each for batch in self.batches for each in batch]


def start(worker: Worker) -> tuple[threading.Thread, threading.Event]:
    stop = threading.Event()
    thread = threading.Thread(target=worker.run, args=(stop,), daemon=True)
    thread.start()
    return thread, stop


def finish(running: tuple[threading.Thread, threading.Event]) -> None:
    thread, stop = running
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def until(condition: Callable[[], object]) -> None:
    """Wait until something has come true."""
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends, "it has not come true"
        time.sleep(0.005)


def quietly(_event: Event, _outcome: Outcome, _seconds: float) -> None:
    """Report nothing."""


def noting(reports: Reports) -> Callable[[Event, Outcome, float], None]:
    return lambda event, outcome, _: reports.append((event.id, outcome.status))


def steps(worker: Worker, count: int = 1) -> None:
    for _ in range(count):
        worker.step(threading.Event())


def test_event_is_delivered_at_once(queue: SqliteQueue) -> None:
    """What is put while a worker waits is delivered and reported within a fraction of a second."""
    thulium, reports = Thulium(), Reports()
    running = start(Worker(queue, thulium, noting(reports)))
    time.sleep(0.1)
    started = time.monotonic()
    queue.put([make_event()], read_clock())
    until(lambda: reports)
    assert time.monotonic() - started < 3
    finish(running)
    assert reports == [("e1", Status.ADDED)]
    assert queue.database.read("SELECT status FROM event", {})[0]["status"] == "ADDED"


def test_event_of_another_process_is_found(queue: SqliteQueue) -> None:
    """What another process has put is found without a sign from it."""
    other = SqliteQueue(queue.database.path)
    thulium = Thulium()
    running = start(Worker(queue, thulium, quietly))
    other.put([make_event()], read_clock())
    until(lambda: thulium.seen)
    finish(running)
    other.close()


def test_outcome_is_logged(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    """Unless told otherwise a worker writes the log's line for each outcome."""
    log.configure()
    queue.put([make_event()], NOW)
    steps(Worker(queue, Thulium(), clock=lambda: NOW))
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["event_id"], line["status"]) == ("customer.outcome", "e1", "ADDED")


def test_full_batches_first(queue: SqliteQueue) -> None:
    """What is there is taken in batches as full as can be."""
    queue.put([make_event(number) for number in range(250)], NOW)
    thulium = Thulium()
    steps(Worker(queue, thulium, quietly, clock=lambda: NOW), 4)
    assert [len(batch) for batch in thulium.batches] == [100, 100, 50]


@pytest.mark.parametrize("seconds", [0, 0.05])
def test_burst_makes_few_batches(queue: SqliteQueue, seconds: float) -> None:
    """300 events that come one by one make at most 10 batches, however fast Thulium is, and none waits long."""
    assert any(
        is_burst_taken_well(queue, seconds, number) for number in (0, 300, 600)
    )  # a disk that is busy may spoil one


def is_burst_taken_well(queue: SqliteQueue, seconds: float, first: int) -> bool:
    """Tell whether 300 more events made few batches, and none of them waited long."""
    thulium, waits = Thulium(seconds=seconds), list[float]()

    def report(event: Event, _outcome: Outcome, _seconds: float) -> None:
        waits.append((read_clock() - event.received_at).total_seconds())

    running = start(Worker(queue, thulium, report))
    for number in range(first, first + 300):
        queue.put([make_event(number, received_at=read_clock())], read_clock())
        time.sleep(0.001)
    until(lambda: len(waits) == 300)
    finish(running)
    return len(thulium.batches) <= 10 and max(waits) < 1


def test_stream_is_not_waited_out(queue: SqliteQueue) -> None:
    """When events keep coming for ever, the first does not wait for the last."""
    thulium, now = Thulium(), read_clock()
    numbers = count()
    worker = Worker(queue, thulium, quietly, batch_size=1_000_000)
    stop = threading.Event()

    def stream() -> None:
        while not stop.is_set():
            queue.put([make_event(next(numbers))], now)

    thread = threading.Thread(target=stream, daemon=True)
    queue.put([make_event(-1)], now)
    thread.start()
    started = time.monotonic()
    worker.step(stop)
    assert time.monotonic() - started < 5
    stop.set()
    thread.join()
    assert thulium.seen[0] == "e-1"


def test_deferred_event_is_tried_again(queue: SqliteQueue) -> None:
    """What is to be tried again is, at its time; each try is reported."""
    now = [NOW]
    reports = Reports()
    thulium = Thulium(lambda event: again(60) if event.attempt == 1 else done())
    worker = Worker(queue, thulium, noting(reports), clock=lambda: now[0])
    queue.put([make_event()], NOW)
    steps(worker, 2)
    now[0] += timedelta(seconds=60)
    steps(worker, 2)
    assert reports == [("e1", Status.DEFERRED), ("e1", Status.ADDED)]


def test_only_what_is_stored_is_reported(queue: SqliteQueue) -> None:
    """A worker that was too slow, so that another has its event, reports no outcome: the other will."""
    reports = Reports()

    def judge(_: Event) -> Verdict:
        (event,) = queue.take(1, NOW + timedelta(hours=1))
        queue.settle([(event, done(Status.SKIPPED))], NOW)
        return done()

    queue.put([make_event()], NOW)
    steps(Worker(queue, Thulium(judge), noting(reports), clock=lambda: NOW))
    assert reports == []


def test_lease_is_renewed_while_delivering(queue: SqliteQueue) -> None:
    """However long a delivery takes, no other worker is given its events meanwhile."""
    lease = timedelta(seconds=0.9)
    slow, other = Thulium(seconds=2), Thulium()
    queue.put([make_event()], read_clock())
    running = [start(Worker(queue, slow, quietly, lease=lease))]
    until(lambda: slow.seen)
    running.append(start(Worker(queue, other, quietly, lease=lease)))
    until(lambda: queue.database.read("SELECT * FROM event WHERE status = 'ADDED'", {}))
    for each in running:
        finish(each)
    assert (slow.seen, other.seen) == (["e1"], [])


def test_lost_lease_is_logged(queue: SqliteQueue, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """When a lease can't be renewed the log says so, and the delivery goes on."""
    log.configure()
    path, said = tmp_path / "queue.db", list[str]()

    def has_failed() -> bool:
        said.append(capsys.readouterr().out)
        return '"queue.failed"' in said[-1]

    def judge(_: Event) -> Verdict:
        queue.close()
        path.rename(tmp_path / "aside")
        path.mkdir()
        until(has_failed)
        path.rmdir()
        (tmp_path / "aside").rename(path)
        return done()

    queue.put([make_event()], NOW)
    worker = Worker(queue, Thulium(judge), quietly, lease=timedelta(seconds=3), clock=lambda: NOW)
    steps(worker)
    assert queue.database.read("SELECT status FROM event", {})[0]["status"] == "ADDED"


def fail(_events: Sequence[Event], _now: datetime) -> Sequence[Verdict]:
    raise LookupError("601 000 001")


def leave_out(_events: Sequence[Event], _now: datetime) -> Sequence[Verdict]:
    return [done()]


@pytest.mark.parametrize("deliver", [fail, leave_out])
def test_failing_delivery_loses_nothing(
    queue: SqliteQueue, deliver: Deliver, capsys: pytest.CaptureFixture[str]
) -> None:
    """When delivering fails as a whole all its events come back later, each at another time; the log says where."""
    log.configure()
    reports = Reports()
    queue.put([make_event(number) for number in range(3)], NOW)
    steps(Worker(queue, deliver, noting(reports), clock=lambda: NOW))
    assert reports == [("e0", Status.DEFERRED), ("e1", Status.DEFERRED), ("e2", Status.DEFERRED)]
    tries = {trace(queue.database, f"e{number}")[0].next_try for number in range(3)}
    assert len(tries) == 3
    assert all(at is not None and at > NOW for at in tries)
    logged = capsys.readouterr().out
    assert "3 events could not be delivered" in logged
    assert "601" not in logged


def test_worker_outlives_everything(queue: SqliteQueue, capsys: pytest.CaptureFixture[str]) -> None:
    """Even a report that fails does not end the worker; it goes on after a pause."""
    log.configure()
    thulium = Thulium()

    def report(event: Event, _outcome: Outcome, _seconds: float) -> None:
        if event.id == "e1":
            raise LookupError("601 000 001")

    running = start(Worker(queue, thulium, report))
    queue.put([make_event(1)], read_clock())
    until(lambda: thulium.seen)
    queue.put([make_event(2)], read_clock())
    until(lambda: thulium.seen == ["e1", "e2"])
    finish(running)
    logged = capsys.readouterr().out
    assert "the worker has failed: LookupError" in logged
    assert "601" not in logged


def test_worker_waits_for_its_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A queue that can't be used is tried again about once a second, and said in the log each time."""
    log.configure()
    queue = SqliteQueue(str(tmp_path / "later" / "queue.db"))
    thulium, said = Thulium(), list[str]()

    def has_failed() -> bool:
        said.append(capsys.readouterr().out)
        return '"queue.failed"' in "".join(said)

    running = start(Worker(queue, thulium, quietly))
    until(has_failed)
    (tmp_path / "later").mkdir()
    queue.put([make_event()], read_clock())
    until(lambda: thulium.seen)
    finish(running)
    queue.close()
    said.append(capsys.readouterr().out)
    assert "".join(said).count('"queue.failed"') <= 2


def test_stopping_finishes_what_is_being_delivered(queue: SqliteQueue) -> None:
    """A worker that is told to stop while it delivers still stores the outcomes, and takes nothing more."""
    queue.put([make_event(1), make_event(2)], read_clock())
    go = threading.Event()

    def judge(_: Event) -> Verdict:
        go.wait(20)
        return done()

    thulium = Thulium(judge)
    thread, stop = start(Worker(queue, thulium, quietly, batch_size=1))
    until(lambda: thulium.seen)
    stop.set()
    go.set()
    finish((thread, stop))
    statuses = [row["status"] for row in queue.database.read("SELECT status FROM event ORDER BY number", {})]
    assert statuses == ["ADDED", None]


def test_stopping_hands_back_what_does_not_end(queue: SqliteQueue) -> None:
    """What is still being delivered some time after a worker was told to stop is given to the next one at once."""
    go = threading.Event()

    def judge(_: Event) -> Verdict:
        go.wait(20)
        return done()

    queue.put([make_event()], read_clock())
    thulium = Thulium(judge)
    thread, stop = start(Worker(queue, thulium, quietly, lease=timedelta(seconds=3)))
    until(lambda: thulium.seen)
    stop.set()
    until(lambda: queue.count_due(1, read_clock()))
    assert thread.is_alive()
    (event,) = queue.take(1, read_clock())
    assert event.attempt == 1
    go.set()
    finish((thread, stop))
    queue.settle([(event, done())], read_clock())
    ((status,),) = queue.database.read("SELECT status FROM event", {})
    assert status == "ADDED"


def test_stopping_hands_back_what_was_not_begun(queue: SqliteQueue) -> None:
    """What a worker has taken but not begun when it is told to stop is there for the next, untried."""
    queue.put([make_event()], NOW)
    stop = threading.Event()
    stop.set()
    thulium = Thulium()
    Worker(queue, thulium, quietly, clock=lambda: NOW).step(stop)
    assert thulium.seen == []
    assert [event.attempt for event in queue.take(1, NOW)] == [1]


def test_paused_worker_delivers_nothing(queue: SqliteQueue) -> None:
    """While it is paused nothing is delivered, and nothing is lost; it stops when it is told to."""
    queue.put([make_event()], NOW)
    thulium = Thulium()
    running = start(Worker(queue, thulium, quietly, paused=True))
    time.sleep(0.1)
    finish(running)
    assert thulium.seen == []
    assert queue.count_due(1, NOW) == 1


def test_idle_worker_does_next_to_nothing(queue: SqliteQueue) -> None:
    """A worker without work takes less than a twentieth of a processor."""
    running = start(Worker(queue, Thulium(), quietly))
    time.sleep(0.1)
    shares = []
    for _ in range(3):  # what another test has left running may disturb one
        before = time.process_time()
        time.sleep(0.4)
        shares.append((time.process_time() - before) / 0.4)
    assert min(shares) < 0.05
    finish(running)


def test_worker_clears_up(queue: SqliteQueue) -> None:
    """Outcomes that are older than the retention are purged by the worker."""
    queue.put([make_event()], NOW)
    (event,) = queue.take(1, NOW)
    queue.settle([(event, done())], NOW)
    running = start(Worker(queue, Thulium(), quietly, clock=lambda: NOW + timedelta(days=31)))
    until(lambda: not trace(queue.database, "e1"))
    finish(running)


def test_clock_is_aware() -> None:
    """The worker's own clock gives aware times, in UTC."""
    assert read_clock().tzinfo is UTC


def test_back_off_grows(queue: SqliteQueue) -> None:
    """The more often delivering fails, the longer until the next try."""
    now = [NOW]
    waits = []

    def report(_event: Event, _outcome: Outcome, _seconds: float) -> None:
        at = trace(queue.database, "e1")[0].next_try
        assert at is not None
        waits.append((at - now[0]).total_seconds())
        now[0] = at

    queue.put([make_event()], NOW)
    steps(Worker(queue, fail, report, clock=lambda: now[0]), 7)
    assert len(waits) == 7
    assert waits[6] > 8 * waits[0]


def test_retention(queue: SqliteQueue) -> None:
    """What was settled longer ago than the configured retention is deleted."""
    queue.put([make_event()], NOW)
    steps(Worker(queue, Thulium(), quietly, clock=lambda: NOW))
    later = NOW + timedelta(hours=2)
    running = start(Worker(queue, Thulium(), quietly, retention=timedelta(hours=1), clock=lambda: later))
    until(lambda: not queue.database.read("SELECT 1 FROM event", {}))
    finish(running)
