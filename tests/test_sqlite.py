import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest

from ringback.event import Event
from ringback.outcome import Outcome, Status
from ringback.queues import QueueFailed
from ringback.queues.sqlite import LEASE, Held, SqliteQueue
from ringback.queues.sqlite.history import replay
from ringback.queues.sqlite.jumps import Watch
from ringback.queues.sqlite.queue import Put
from tests.events import NOW, again, done, make_event

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def queue(path: Path) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(str(path), patience=0.1)
    yield queue
    queue.close()


def rows(queue: SqliteQueue) -> list[sqlite3.Row]:
    return queue.database.read("SELECT * FROM event ORDER BY number", {})


def plain(held: list[Held]) -> list[Event]:
    """Return the events as they would be if nobody held them."""
    names = [each.name for each in fields(Event)]
    return [Event(**{name: getattr(event, name) for name in names}) for event in held]


def ids(events: list[Held]) -> list[str]:
    return [event.id for event in events]


# --- put and take ---


def test_event_comes_out_as_it_went_in(queue: SqliteQueue) -> None:
    """What is put is taken, whole."""
    event = make_event(
        data={"n": 10**30, "x": 0.1, "text": "Łoś"},
        identified=False,
        request={"headers": {"user-agent": "x"}, "query": {"a": "b"}},
        problem={"id": "is missing"},
        trace="t",
    )
    queue.put([event], NOW)
    assert plain(queue.take(10, NOW)) == [event]


def test_oldest_come_first(queue: SqliteQueue) -> None:
    """Events come in the order in which they were put, no more of them at once than asked for."""
    for number in (3, 1, 2):
        queue.put([make_event(number), make_event(number + 10)], NOW + number * SECOND)
    assert ids(queue.take(4, NOW + 9 * SECOND)) == ["e1", "e11", "e2", "e12"]
    assert ids(queue.take(4, NOW + 9 * SECOND)) == ["e3", "e13"]
    assert queue.take(4, NOW + 9 * SECOND) == []


def test_nothing_is_put(queue: SqliteQueue) -> None:
    """No events are no work."""
    queue.put([], NOW)
    assert rows(queue) == []


def test_what_is_due_is_counted(queue: SqliteQueue) -> None:
    """The count tells what could be taken, and counts no further than asked."""
    queue.put([make_event(number) for number in range(5)], NOW)
    assert queue.count_due(3, NOW) == 3
    assert queue.count_due(9, NOW) == 5
    assert queue.count_due(9, NOW - SECOND) == 0


def test_all_or_none_are_stored(queue: SqliteQueue, path: Path) -> None:
    """When putting fails nothing is stored, and putting it all again stores it once."""
    queue.put([make_event(0)], NOW)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueFailed, match="locked"):
            queue.put([make_event(1), make_event(2)], NOW)
    other.close()
    queue.put([make_event(1), make_event(2)], NOW)
    assert ids(queue.take(9, NOW)) == ["e0", "e1", "e2"]


def test_requests_share_a_commit(queue: SqliteQueue) -> None:
    """What several requests bring is stored in one commit, each event once."""
    queue.put([make_event(0)], NOW)
    commits: list[str] = []
    connection = queue.database._connection
    assert connection is not None
    connection.set_trace_callback(lambda statement: commits.append(statement) if statement == "COMMIT" else None)
    queue.store([Put([make_event(number), make_event(number + 100)], NOW) for number in [*range(1, 65), 7]])
    assert len(commits) == 1
    assert len(rows(queue)) == 129


# --- redeliveries ---


@pytest.mark.parametrize(
    ("identified", "later", "count"),
    [
        (True, timedelta(0), 1),
        (True, 30 * DAY - SECOND, 1),
        (True, 30 * DAY, 2),
        (False, DAY - SECOND, 1),
        (False, DAY, 2),
    ],
)
def test_redelivery_is_recognised(queue: SqliteQueue, *, identified: bool, later: timedelta, count: int) -> None:
    """An event is known again for 30 days by its id and content, for 24 hours by its content alone."""
    queue.put([make_event(identified=identified)], NOW)
    queue.put([make_event(identified=identified, received_at=NOW + later)], NOW + later)
    assert len(queue.take(9, NOW + later)) == count


def test_redelivery_is_counted(queue: SqliteQueue) -> None:
    """A redelivery leaves a trace: how many there were, and when the last came."""
    queue.put([make_event(), make_event()], NOW)
    queue.put([make_event()], NOW + DAY)
    (row,) = rows(queue)
    assert (row["received"], row["received_last"]) == (3, (NOW + DAY).timestamp())


@pytest.mark.parametrize("status", [status for status in Status if status.is_final])
def test_redelivery_changes_no_outcome(queue: SqliteQueue, status: Status) -> None:
    """What has its outcome keeps it when its sender sends it again; also what is parked waits for a replay."""
    queue.put([make_event()], NOW)
    queue.settle([(event, done(status)) for event in queue.take(1, NOW)], NOW)
    queue.put([make_event()], NOW + SECOND)
    assert queue.take(9, NOW + SECOND) == []
    assert [row["status"] for row in rows(queue)] == [status]


def test_same_content_a_day_later_is_settled_by_itself(queue: SqliteQueue) -> None:
    """Two events of one key, which came a day apart, each get the outcome that was meant for them."""
    first, second = (make_event(identified=False, received_at=NOW + number * DAY) for number in range(2))
    queue.put([first], NOW)
    queue.put([second], NOW + DAY)
    taken = queue.take(9, NOW + DAY)
    assert plain(taken) == [first, second]
    queue.settle([(taken[1], done(reason="second")), (taken[0], done(reason="first"))], NOW + DAY)
    assert [row["reason"] for row in rows(queue)] == ["first", "second"]


# --- leases ---


def test_held_events_are_given_to_nobody_else(queue: SqliteQueue) -> None:
    """Until the lease runs out nobody else gets the event; then somebody does, and it is the next attempt."""
    queue.put([make_event()], NOW)
    assert [event.attempt for event in queue.take(1, NOW)] == [1]
    assert queue.take(1, NOW + LEASE - SECOND) == []
    assert [event.attempt for event in queue.take(1, NOW + LEASE)] == [2]


def test_lease_is_renewed(queue: SqliteQueue) -> None:
    """Who is still at work keeps the event."""
    queue.put([make_event()], NOW)
    queue.renew(queue.take(1, NOW), NOW + LEASE / 2)
    assert queue.take(1, NOW + LEASE) == []
    assert len(queue.take(1, NOW + LEASE * 1.5)) == 1


def test_late_worker_is_not_heard(queue: SqliteQueue) -> None:
    """Who has lost the event to somebody else can neither settle, renew nor hand it back; the other can."""
    queue.put([make_event()], NOW)
    (late,) = queue.take(1, NOW)
    (mine,) = queue.take(1, NOW + LEASE)
    assert queue.settle([(late, done(reason="late"))], NOW + LEASE) == []
    queue.hand_back([late], NOW + LEASE)
    queue.renew([late], NOW + LEASE, lease=DAY)
    assert queue.take(1, NOW + LEASE) == []
    assert len(queue.settle([(mine, done(reason="mine"))], NOW + LEASE)) == 1
    assert queue.settle([(late, done(reason="late")), (mine, done(reason="again"))], NOW + LEASE) == []
    assert [row["reason"] for row in rows(queue)] == ["mine"]


def test_late_worker_is_not_heard_after_a_replay(queue: SqliteQueue) -> None:
    """Although a replay counts the attempts anew, nobody is mistaken for who had the event before."""
    queue.put([make_event()], NOW)
    (late,) = queue.take(1, NOW)
    queue.settle([(event, done(Status.PARKED)) for event in queue.take(1, NOW + LEASE)], NOW + LEASE)
    replay(queue.database, NOW + LEASE)
    (mine,) = queue.take(1, NOW + LEASE)
    assert mine.attempt == late.attempt
    assert queue.settle([(late, done())], NOW + LEASE) == []


def test_late_worker_does_not_settle_another_event(queue: SqliteQueue) -> None:
    """When an event was deleted while somebody held it, the next one is not taken for it."""
    queue.put([make_event(1)], NOW)
    (deleted,) = queue.take(1, NOW)
    with queue.database.writing() as connection:
        connection.execute("DELETE FROM event")
    queue.put([make_event(2)], NOW)
    queue.take(1, NOW)
    assert queue.settle([(deleted, done())], NOW) == []
    assert [row["status"] for row in rows(queue)] == [None]


def test_handed_back_events_are_due_at_once(queue: SqliteQueue) -> None:
    """What was handed back untried can be taken at once, and the attempt does not count."""
    queue.put([make_event()], NOW)
    queue.hand_back(queue.take(1, NOW), NOW)
    assert [event.attempt for event in queue.take(1, NOW)] == [1]


# --- settling ---


def test_deferred_event_comes_back_at_its_time(queue: SqliteQueue) -> None:
    """What is to be tried again is due at that time, not before, with its reason kept meanwhile."""
    queue.put([make_event()], NOW)
    results = [(event, again(60)) for event in queue.take(1, NOW)]
    assert queue.settle(results, NOW) == results
    (row,) = rows(queue)
    assert (row["status"], row["reason"], row["held"]) == ("DEFERRED", "Thulium does not answer", 0)
    assert queue.take(1, NOW + 59 * SECOND) == []
    assert plain(queue.take(1, NOW + 60 * SECOND)) == [make_event(attempt=2)]


@pytest.mark.parametrize("status", [status for status in Status if status.is_final])
def test_content_is_kept_only_while_it_may_be_needed(queue: SqliteQueue, status: Status) -> None:
    """With its outcome the content of an event goes, unless a replay could need it."""
    queue.put([make_event()], NOW)
    queue.settle([(event, done(status)) for event in queue.take(1, NOW)], NOW)
    (row,) = rows(queue)
    assert (row["message"] is not None) is status.is_replayable
    assert row["due_at"] is None


def test_outcomes_of_any_size_are_stored(queue: SqliteQueue) -> None:
    """Numbers that no database takes, and half characters, are no reason to lose an outcome."""
    queue.put([make_event(id="\ud800")], NOW)
    verdict = done(reason="\ud800", customer_id=10**40, record_id=-1)
    assert len(queue.settle([(event, verdict) for event in queue.take(1, NOW)], NOW)) == 1


def test_person_is_kept_when_later_unknown(queue: SqliteQueue) -> None:
    """Once it is known whom an event is about, a try that does not get that far does not make it forgotten."""
    queue.put([make_event()], NOW)
    queue.settle([(event, done(Status.PARKED, person="p")) for event in queue.take(1, NOW)], NOW)
    assert [row["person"] for row in rows(queue)] == ["p"]
    queue.put([make_event(2)], NOW)
    outcome = Outcome(Status.DEFERRED, person="q")
    queue.settle([(event, type(again())(outcome, NOW)) for event in queue.take(1, NOW)], NOW)
    queue.settle([(event, done(person=None)) for event in queue.take(1, NOW)], NOW)
    assert [row["person"] for row in rows(queue)] == ["p", "q"]


def test_unreadable_event_is_no_obstacle(queue: SqliteQueue) -> None:
    """An event that was stored but can't be read is given with its problem, so that it gets an outcome, too."""
    queue.put([make_event(1), make_event(2)], NOW)
    with queue.database.writing() as connection:
        connection.execute("UPDATE event SET message = 'nonsense' WHERE id = 'e1'")
    broken, good = queue.take(9, NOW)
    assert (broken.source, broken.id, broken.data) == ("website", "e1", None)
    assert broken.problem == {"event": "this is no event that was stored here: it is not JSON"}
    assert plain([good]) == [make_event(2)]
    assert len(queue.settle([(broken, done(Status.INVALID)), (good, done())], NOW)) == 2


@pytest.mark.parametrize("damage", ["message = NULL", "message = 7", "started_at = 'x'", "started_at = 1e300"])
def test_row_of_somebody_else_is_no_obstacle(queue: SqliteQueue, damage: str) -> None:
    """Whatever another program has made of a row, it is given with its problem, and the others are delivered."""
    queue.put([make_event(1), make_event(2)], NOW)
    with queue.database.writing() as connection:
        connection.execute(f"UPDATE event SET {damage} WHERE id = 'e1'")  # noqa: S608 - from the table above
    broken, good = queue.take(9, NOW)
    assert (broken.id, broken.data, broken.received_at) == ("e1", None, NOW)
    assert broken.problem.keys() == {"event"}
    assert plain([good]) == [make_event(2)]


# --- several processes, some of which are killed ---


def start(script: str, path: Path, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-u", "-W", "error", "-c", IMPORTS + script, str(path), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["functions", "."])}
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


def run_at_once(*processes: "subprocess.Popen[str]") -> list[list[str]]:
    """Let processes go when all are ready, and return the words that each has printed by its end."""
    assert [output(process).readline() for process in processes] == ["ready\n"] * len(processes)
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    printed = [process.communicate(timeout=30)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes)
    return printed


def kill(process: "subprocess.Popen[str]") -> str:
    """Kill a process as nothing else can, and return what it had printed."""
    process.send_signal(signal.SIGKILL)
    return process.communicate(timeout=10)[0]


def output(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout


IMPORTS = """
import sys, time
from datetime import UTC, datetime
from ringback.queues.sqlite.history import replay
from ringback.queues.sqlite import SqliteQueue
from tests.events import NOW, done, make_event
queue = SqliteQueue(sys.argv[1])
"""

TAKE_ALL = """
print("ready")
sys.stdin.readline()
while events := queue.take(7, NOW):
    settled = queue.settle([(event, done()) for event in events], NOW)
    print(*(event.id for event, _ in settled))
"""


def test_workers_share_without_doubling(queue: SqliteQueue, path: Path) -> None:
    """Two workers in processes of their own get all events between them, and none both."""
    queue.put([make_event(number) for number in range(300)], NOW)
    shares = run_at_once(start(TAKE_ALL, path), start(TAKE_ALL, path))
    assert sorted(shares[0] + shares[1]) == sorted(f"e{number}" for number in range(300))


PUT = """
print("ready")
sys.stdin.readline()
first = int(sys.argv[2])
for number in range(first, first + 100):
    queue.put([make_event(number)], NOW)
"""


def test_processes_put_the_same_event_once(queue: SqliteQueue, path: Path) -> None:
    """Of two processes that are sent the same events at the same time each event is stored once."""
    run_at_once(start(PUT, path, 0), start(PUT, path, 50))
    assert sorted(row["received"] for row in rows(queue)) == [1] * 100 + [2] * 50


PUT_FOR_EVER = """
number = 0
while True:
    queue.put([make_event(number)], NOW)
    print(number)
    number += 1
"""


def test_confirmed_events_survive_a_kill(queue: SqliteQueue, path: Path) -> None:
    """A process that is killed while it puts loses nothing of which it has said that it is stored."""
    door = start(PUT_FOR_EVER, path)
    told = [output(door).readline() for _ in range(50)]
    told += kill(door).splitlines(keepends=True)
    confirmed = [f"e{line.strip()}" for line in told if line.endswith("\n")]
    assert ids(queue.take(10**6, NOW))[: len(confirmed)] == confirmed


TAKE_AND_HANG = """
print(*(event.id for event in queue.take(5, NOW)))
time.sleep(60)
"""


def test_killed_worker_gives_its_events_back(queue: SqliteQueue, path: Path) -> None:
    """What a worker held that was killed is given to another when the lease is over."""
    queue.put([make_event(number) for number in range(5)], NOW)
    worker = start(TAKE_AND_HANG, path)
    held = output(worker).readline().split()
    kill(worker)
    assert queue.take(9, NOW) == []
    retaken = queue.take(9, NOW + LEASE)
    assert ids(retaken) == held
    assert {event.attempt for event in retaken} == {2}


@pytest.mark.parametrize("hours", [3, -3])
def test_nothing_is_taken_by_a_clock_that_was_set(queue: SqliteQueue, hours: int) -> None:
    """A clock that was set since it showed the time takes nothing: by it the leases of others may seem to be over."""
    wall = [NOW]
    watch = Watch(lambda: wall[0], lambda: 0.0)
    queue.put([make_event(1)], NOW)
    found = queue.look(1, NOW)
    wall[0] += timedelta(hours=hours)
    assert queue.hold(found, NOW, watch=watch) == []
    watch.look()
    assert queue.hold(found, NOW, watch=watch) == found
