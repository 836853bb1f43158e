import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ringback.event import Done, Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.database import Database
from ringback.queues.sqlite.history import (
    RETENTION,
    Kept,
    Story,
    count_kept,
    forget,
    purge,
    replay,
    trace,
    trace_person,
)
from tests.events import NOW, PERSON, again, done, make_event

MINUTE = timedelta(minutes=1)


def know_nothing(_: Event) -> list[str]:
    """Return that an event that waits tells of no person."""
    return []


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    yield queue
    queue.close()


def settle(queue: SqliteQueue, verdict: Verdict, minutes: float = 0) -> None:
    """Have all that is due at that time settled the same way."""
    now = NOW + minutes * MINUTE
    queue.settle([(event, verdict) for event in queue.take(100, now)], now)


def fill(queue: SqliteQueue) -> None:
    """Put events of two sources that end in every way there is."""
    verdicts = [
        done(Status.PARKED, "no answer", person="p1"),
        done(Status.PARKED, "no answer", person="p2"),
        done(Status.PARKED, "older than max_age", person="p1"),
        done(Status.INVALID, "no phone number", person=None),
        done(Status.FAILED, "Thulium said no"),
        done(Status.ADDED),
        done(Status.SKIPPED, "no consent"),
    ]
    events = [make_event(number, source="crm" if number == 1 else "website") for number in range(len(verdicts))]
    queue.put(events, NOW)
    queue.settle(zip(queue.take(100, NOW), verdicts, strict=True), NOW)


def content(queue: SqliteQueue) -> bytes:
    """Return all bytes of the file and its helpers."""
    return b"".join(file.read_bytes() for file in Path(queue.database.path).parent.iterdir())


# --- the story of an event ---


def test_story_of_what_waits(queue: SqliteQueue) -> None:
    """Before its first try an event has been received, and its first try is due."""
    queue.put([make_event()], NOW)
    (story,) = trace(queue.database, "e1")
    assert story == Story(
        source="website",
        event_id="e1",
        received_at=NOW,
        received_last=NOW,
        received=1,
        attempt=0,
        held=False,
        outcome=None,
        told_at=None,
        next_try=NOW,
        earlier=(),
    )


def test_story_of_what_is_being_tried(queue: SqliteQueue) -> None:
    """While an event is held its story says so, and when it would be tried again."""
    queue.put([make_event()], NOW)
    queue.take(1, NOW, lease=MINUTE)
    (story,) = trace(queue.database, "e1")
    assert (story.attempt, story.held, story.next_try) == (1, True, NOW + MINUTE)


def test_story_tells_all(queue: SqliteQueue) -> None:
    """A story has each change of mind with its time, what was said in between only once, and the end of it."""
    refused = Done(Outcome(Status.FAILED, "Thulium said no", http_status=400, fields={"email": "is none"}))
    queue.put([make_event()], NOW)
    settle(queue, again(60, "no answer"))
    settle(queue, again(120, "no answer"), 1)
    settle(queue, again(180, "busy"), 2)
    queue.put([make_event()], NOW + 2.5 * MINUTE)
    settle(queue, refused, 3)
    replay(queue.database, NOW + 4 * MINUTE)
    settle(queue, done(customer_id=7, record_id=8), 5)
    (story,) = trace(queue.database, "e1")
    assert story.outcome == done(customer_id=7, record_id=8).outcome
    assert (story.told_at, story.next_try, story.held) == (NOW + 5 * MINUTE, None, False)
    assert (story.received, story.received_last, story.attempt) == (2, NOW + 2.5 * MINUTE, 1)
    assert story.earlier == (
        (NOW + 1 * MINUTE, again(reason="no answer").outcome),
        (NOW + 2 * MINUTE, again(reason="busy").outcome),
        (NOW + 3 * MINUTE, refused.outcome),
    )


def test_stories_are_found_by_id_and_person(queue: SqliteQueue) -> None:
    """Two sources may use the same id; a person may have several events; the oldest come first."""
    queue.put([make_event(1, source="crm", id="same"), make_event(2, id="same"), make_event(3)], NOW)
    settle(queue, done(person=PERSON))
    assert [(story.source, story.event_id) for story in trace(queue.database, "same")] == [
        ("crm", "same"),
        ("website", "same"),
    ]
    assert [story.event_id for story in trace_person(queue.database, [[PERSON]], know_nothing)] == [
        "same",
        "same",
        "e3",
    ]
    assert trace(queue.database, "other") == trace_person(queue.database, [["other"]], know_nothing) == []


def test_id_with_half_a_character_is_found(queue: SqliteQueue) -> None:
    """An id that no database takes as it is can be asked for as it is."""
    queue.put([make_event(id="\ud800")], NOW)
    assert len(trace(queue.database, "\ud800")) == 1
    settle(queue, done(Status.PARKED))
    assert replay(queue.database, NOW, event_id="\ud800") == 1


# --- replaying ---


def test_what_can_be_replayed_is_counted(queue: SqliteQueue) -> None:
    """What is kept for a replay is told by source, status and reason, with counts."""
    fill(queue)
    assert count_kept(queue.database) == [
        Kept("crm", Status.PARKED, "no answer", 1),
        Kept("website", Status.FAILED, "Thulium said no", 1),
        Kept("website", Status.INVALID, "no phone number", 1),
        Kept("website", Status.PARKED, "no answer", 1),
        Kept("website", Status.PARKED, "older than max_age", 1),
    ]


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        ({}, ["e0", "e1", "e2", "e3", "e4"]),
        ({"event_id": "e3"}, ["e3"]),
        ({"event_id": "e5"}, []),
        ({"source": "crm"}, ["e1"]),
        ({"reason": "no answer"}, ["e0", "e1"]),
        ({"source": "website", "reason": "no answer"}, ["e0"]),
        ({"source": "other"}, []),
    ],
)
def test_replay_takes_what_is_chosen(queue: SqliteQueue, choice: dict[str, Any], ids: list[str]) -> None:
    """All that is parked, failed or invalid can be put back, or what is named; as many as were counted."""
    fill(queue)
    assert sum(kept.count for kept in count_kept(queue.database, **choice)) == len(ids)
    assert replay(queue.database, NOW + MINUTE, **choice, even_if_old=True) == len(ids)
    assert [event.id for event in queue.take(100, NOW + MINUTE)] == ids
    assert replay(queue.database, NOW + MINUTE, **choice, even_if_old=True) == 0


def test_replay_leaves_what_was_too_old(queue: SqliteQueue) -> None:
    """What was parked for its age alone stays as it is, until it is asked for in so many words."""
    fill(queue)
    assert replay(queue.database, NOW + MINUTE) == 4
    (kept,) = count_kept(queue.database)
    assert (kept.reason, kept.count) == ("older than max_age", 1)


def test_replayed_event_begins_anew(queue: SqliteQueue) -> None:
    """A replayed event is as it was received, but for the problem that it had then, which may be mended."""
    queue.put([make_event(problem={"event_id": "is missing"})], NOW)
    settle(queue, again(60))
    settle(queue, done(Status.INVALID), 1)
    replay(queue.database, NOW + 2 * MINUTE)
    (event,) = queue.take(1, NOW + 2 * MINUTE)
    assert (event.data, event.problem, event.attempt) == (make_event().data, {}, 1)
    assert (event.received_at, event.age_from) == (NOW, NOW + 2 * MINUTE)


def test_replay_of_what_is_old(queue: SqliteQueue) -> None:
    """An event's age counts from its replay; the story keeps when it was received."""
    queue.put([make_event()], NOW)
    settle(queue, done(Status.PARKED, "older than max_age"))
    later = NOW + timedelta(days=2)
    replay(queue.database, later, even_if_old=True)
    (event,) = queue.take(1, later)
    assert event.age_from == later
    queue.settle([(event, again(60))], later)
    assert trace(queue.database, "e1")[0].received_at == NOW


def test_replayed_event_is_still_recognised(queue: SqliteQueue) -> None:
    """That an event was replayed makes its redelivery no second event."""
    queue.put([make_event()], NOW)
    settle(queue, done(Status.PARKED))
    replay(queue.database, NOW, even_if_old=True)
    queue.put([make_event()], NOW)
    assert len(queue.take(9, NOW)) == 1


def test_unreadable_event_keeps_its_problem(queue: SqliteQueue) -> None:
    """What could not be read is not read by being replayed."""
    queue.put([make_event()], NOW)
    with queue.database.writing() as connection:
        connection.execute("UPDATE event SET message = '{}'")
    settle(queue, done(Status.INVALID))
    replay(queue.database, NOW)
    assert queue.take(1, NOW)[0].problem


# --- forgetting ---


def test_person_is_forgotten(queue: SqliteQueue) -> None:
    """Of a forgotten person nothing is left, whatever became of their events, nor in the file's free space."""
    queue.put([make_event(1, data={"name": "Zenobia Testowa"}), make_event(2)], NOW)
    first, second = queue.take(9, NOW)
    queue.settle([(first, again(60)), (second, done(Status.PARKED, person="other"))], NOW)
    settle(queue, done(Status.PARKED, person="gone"), 1)
    assert b"Zenobia Testowa" in content(queue)
    assert forget(queue.database, [["gone"]], know_nothing) == 1
    assert queue.database.tidy()
    assert trace(queue.database, "e1") == trace_person(queue.database, [["gone"]], know_nothing) == []
    assert queue.database.read("SELECT * FROM earlier", {}) == []
    assert b"Zenobia Testowa" not in content(queue)
    assert len(trace(queue.database, "e2")) == 1
    assert forget(queue.database, [["gone"]], know_nothing) == 0


def test_what_waits_is_asked_for_the_person(queue: SqliteQueue) -> None:
    """An event that nobody has tried, or of which no lead could be made, is found by its content, however many wait."""
    queue.put([make_event(number, data={"tel": "1" if number % 300 == 0 else "2"}) for number in range(1200)], NOW)
    queue.settle([(queue.take(1, NOW)[0], done(Status.INVALID, known=("1", "tel")))], NOW)
    with queue.database.writing() as connection:
        connection.execute("UPDATE event SET message = '{' WHERE id = 'e5'")
    known = [["1"], ["4", "tel"]]
    assert forget(queue.database, known, lambda event: ["1", "tel"] if event.data == {"tel": "1"} else ["tel"]) == 4
    assert queue.count_due(2000, NOW) == 1196


def test_reader_keeps_the_log(queue: SqliteQueue) -> None:
    """It is said when what was deleted could not be cleared from the log, because somebody else is reading."""
    queue.put([make_event(1)], NOW)
    with closing(sqlite3.connect(queue.database.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM event").fetchall()
        queue.put([make_event(2)], NOW)
        impatient = Database(queue.database.path, patience=0.1)
        assert not impatient.tidy()
        impatient.close()
    assert queue.database.tidy()


def test_content_is_gone_when_it_is_not_needed(queue: SqliteQueue) -> None:
    """After the next clearing up what was settled has left no trace of its content on the disk."""
    queue.put([make_event(number, data={"name": "Zenobia Testowa", "note": "x" * 9000}) for number in range(9)], NOW)
    settle(queue, done())
    queue.database.tidy()
    assert b"Zenobia Testowa" not in content(queue)
    assert len(trace(queue.database, "e1")) == 1


def test_old_outcomes_are_purged(queue: SqliteQueue) -> None:
    """What was settled long ago goes, the oldest first and so many at once; what still waits stays, however old."""
    queue.put([make_event(number) for number in range(5)], NOW)
    for minute, event in enumerate(queue.take(3, NOW)):
        queue.settle([(event, done(Status.PARKED if minute else Status.ADDED))], NOW + minute * MINUTE)
    settle(queue, again(0))
    assert purge(queue.database, NOW + RETENTION - MINUTE) == 0
    assert purge(queue.database, NOW + RETENTION + 9 * MINUTE, limit=2) == 2
    assert [len(trace(queue.database, f"e{number}")) for number in range(5)] == [0, 0, 1, 1, 1]
    assert purge(queue.database, NOW + MINUTE * 9, retention=MINUTE) == 1
    assert queue.count_due(9, NOW + RETENTION) == 2


@pytest.mark.parametrize("command", ["replay", "forget"])
def test_others_can_write_between_pieces(command: str, queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long command leaves the file to others after each thousand rows, for as long as those have taken."""
    events = [make_event(number) for number in range(2500)]
    queue.put(events, NOW)
    held = queue.take(2500, NOW)
    queue.settle([(event, done(Status.PARKED, known=("h",))) for event in held], NOW)
    free: list[float] = []

    def wait(seconds: float) -> None:
        begun = time.monotonic()
        queue.put([make_event(3000 + len(free))], NOW)
        assert time.monotonic() - begun < 5  # as long as the file is waited for
        free.append(seconds)

    monkeypatch.setattr(time, "sleep", wait)
    if command == "replay":
        assert replay(queue.database, NOW) == 2500
    else:
        assert forget(queue.database, [["h"]], know_nothing) == 2500
    assert len(free) == 3
    assert min(free) > 0
