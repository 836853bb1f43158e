"""The stories of the events in a SQLite file; and replaying them, forgetting them, clearing up."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from ringback.event import Event
from ringback.outcome import TOO_OLD, Outcome, Status
from ringback.queues.message import load_event, load_outcome, storable
from ringback.queues.sqlite.database import Database

RETENTION = timedelta(days=30)

Hashes = Sequence[Sequence[str]]  # all of which an event is known by, each in one of several forms
ListKnown = Callable[[Event], Sequence[str]]

PIECE = 1000  # rows that one statement changes: others want to write too

_KEPT = """
due_at IS NULL AND message IS NOT NULL AND (:id IS NULL OR id = :id)
AND (:source IS NULL OR source = :source) AND (:reason IS NULL OR reason = :reason)
AND (:even_if_old OR reason IS NOT :too_old)
"""
_COUNT = f"""
SELECT source, status, reason, count(*) AS count FROM event WHERE {_KEPT} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - made of constants
_NEXT_TO_REPLAY = f"SELECT number FROM event WHERE {_KEPT} AND number > :last ORDER BY number LIMIT :limit"  # noqa: S608 - as above
_REPLAY = """
UPDATE event SET due_at = :now, attempt = 0, unended = 0, replayed = 1, status = NULL, reason = NULL, outcome = NULL,
told_at = NULL, started_at = :now WHERE number = :number AND due_at IS NULL
"""
_NEXT_UNINDEXED = """
SELECT number, message FROM event WHERE indexed = 0 AND message IS NOT NULL AND number > :last
ORDER BY number LIMIT :limit
"""
_KNOWN_BY = "SELECT number FROM known WHERE hash = :hash UNION SELECT number FROM event WHERE person = :hash"
_OLD = "SELECT number FROM event WHERE due_at IS NULL AND told_at <= :before ORDER BY told_at LIMIT :limit"
_DELETE = "DELETE FROM event WHERE number = :number"


@dataclass(frozen=True)
class Story:
    """All that is known of one event.

    ``received`` counts how often its sender has sent it. ``outcome`` is the latest, said at ``told_at``; ``earlier``
    has those before it, each with the time at which it was last said. ``next_try`` is None when it is settled;
    while ``held`` it is being tried, and ``next_try`` is when its lease is over.
    """

    source: str
    event_id: str
    received_at: datetime
    received_last: datetime
    received: int
    attempt: int
    held: bool
    outcome: Outcome | None
    told_at: datetime | None
    next_try: datetime | None
    earlier: tuple[tuple[datetime, Outcome], ...]


@dataclass(frozen=True)
class Kept:
    """How many events of one source ended alike and can be replayed."""

    source: str
    status: Status
    reason: str | None
    count: int


def trace(database: Database, event_id: str) -> list[Story]:
    """Return the stories of the events with this id, the oldest first. Raises QueueFailed."""
    found = database.read("SELECT * FROM event WHERE id = :id ORDER BY number", {"id": storable(event_id)})
    return [_story(database, row) for row in found]


def trace_person(database: Database, hashes: Hashes, list_known: ListKnown) -> list[Story]:
    """Return the stories of the events that are known by all of some hashes, the oldest first. Raises QueueFailed.

    ``list_known`` gives the hashes of an event that came in just now, whose own are not noted yet.
    """
    found = (
        database.read("SELECT * FROM event WHERE number = :number", {"number": number})
        for number in find_numbers(database, hashes, list_known)
    )
    return [_story(database, row) for rows in found for row in rows]


def find_numbers(database: Database, hashes: Hashes, list_known: ListKnown) -> list[int]:
    """Return the numbers of the events that are known by all of some hashes, in their order. Raises QueueFailed."""
    noted = [{number for each in alternatives for number in _find(database, each)} for alternatives in hashes]
    numbers = set.intersection(*noted) if noted else set[int]()
    for number, event in _list_unindexed(database):
        known = set(list_known(event)) if event else set[str]()
        if hashes and all(known.intersection(alternatives) for alternatives in hashes):
            numbers.add(number)
    return sorted(numbers)


def _find(database: Database, hash_: str) -> list[int]:
    """Return the numbers of the events that are known by a hash, that of the log's ``person`` included."""
    return [row["number"] for row in database.read(_KNOWN_BY, {"hash": hash_})]


def index(database: Database, list_known: ListKnown, *, limit: int = PIECE) -> int:
    """Store the hashes of up to ``limit`` events that wait for a try. Returns how many. Raises QueueFailed."""
    rows = [
        (number, list_known(event) if event else ())
        for number, event in islice(_list_unindexed(database, limit), limit)
    ]
    if rows:
        with database.writing() as connection:
            for number, hashes in rows:
                connection.executemany("INSERT OR IGNORE INTO known VALUES (?, ?)", [(each, number) for each in hashes])
                connection.execute("UPDATE event SET indexed = 1 WHERE number = ?", (number,))
    return len(rows)


def count_kept(
    database: Database, *, event_id: str | None = None, source: str | None = None, reason: str | None = None
) -> list[Kept]:
    """Return the counts of events that ``replay`` of this choice would make due ``even_if_old``. Raises QueueFailed."""
    found = database.read(_COUNT, _choice(event_id, source, reason, even_if_old=True))
    return [Kept(row["source"], Status(row["status"]), row["reason"], row["count"]) for row in found]


def replay(  # noqa: PLR0913 - one for each way of choosing
    database: Database,
    now: datetime,
    *,
    event_id: str | None = None,
    source: str | None = None,
    reason: str | None = None,
    even_if_old: bool = False,
) -> int:
    """Make PARKED, FAILED and INVALID events, all or those that are chosen, due as if they had come in now.

    Events that were parked as too old stay, unless ``even_if_old``. Returns how many were made due.
    Raises QueueFailed.
    """
    choice = _choice(event_id, source, reason, even_if_old=even_if_old)
    last, count = 0, 0
    while rows := database.read(_NEXT_TO_REPLAY, {**choice, "last": last, "limit": PIECE}):
        last = rows[-1]["number"]
        with _writing_in_turn(database) as connection:
            for row in rows:
                count += connection.execute(_REPLAY, {"number": row["number"], "now": now.timestamp()}).rowcount
    return count


def forget(database: Database, hashes: Hashes, list_known: ListKnown) -> int:
    """Delete all events that have all of some hashes, waiting ones too. Returns how many. Raises QueueFailed.

    ``list_known`` is asked as in ``trace_person``. ``Database.tidy`` then clears the disk.
    """
    return _delete(database, find_numbers(database, hashes, list_known))


def forget_event(database: Database, event_id: str) -> int:
    """Delete the events with this id, waiting ones too. Returns how many. Raises QueueFailed."""
    rows = database.read("SELECT number FROM event WHERE id = :id", {"id": storable(event_id)})
    return _delete(database, [row["number"] for row in rows])


def purge(database: Database, now: datetime, *, retention: timedelta = RETENTION, limit: int = PIECE) -> int:
    """Delete events that were settled longer ago than ``retention``, up to ``limit`` of them. Returns how many.

    With them goes the memory by which redeliveries are recognised. Raises QueueFailed.
    """
    rows = database.read(_OLD, {"before": (now - retention).timestamp(), "limit": limit})
    return _delete(database, [row["number"] for row in rows])


@contextmanager
def _writing_in_turn(database: Database) -> Iterator[sqlite3.Connection]:
    """Write one of many pieces, then leave the file to others for as long: SQLite lets no one queue for it."""
    begun = time.monotonic()
    with database.writing() as connection:
        yield connection
    time.sleep(time.monotonic() - begun)


def _delete(database: Database, numbers: Sequence[int]) -> int:
    count = 0
    for start in range(0, len(numbers), PIECE):
        with _writing_in_turn(database) as connection:
            for number in numbers[start : start + PIECE]:
                count += connection.execute(_DELETE, {"number": number}).rowcount
    return count


def _list_unindexed(database: Database, limit: int = 500) -> Iterator[tuple[int, Event | None]]:
    """Yield the events whose hashes are not noted, some at a time, None for one that can't be read."""
    last = 0
    while rows := database.read(_NEXT_UNINDEXED, {"last": last, "limit": limit}):
        yield from ((row["number"], _read_event(row["message"])) for row in rows)
        last = rows[-1]["number"]


def _read_event(message: str) -> Event | None:
    try:
        return load_event(message)
    except ValueError:
        return None


def _choice(event_id: str | None, source: str | None, reason: str | None, *, even_if_old: bool) -> dict[str, object]:
    named = {"id": event_id if event_id is None else storable(event_id), "source": source, "reason": reason}
    return {**named, "even_if_old": even_if_old, "too_old": TOO_OLD}


def _story(database: Database, row: sqlite3.Row) -> Story:
    earlier = database.read("SELECT * FROM earlier WHERE number = :number ORDER BY rowid", {"number": row["number"]})
    return Story(
        source=row["source"],
        event_id=row["id"],
        received_at=datetime.fromtimestamp(row["received_at"], UTC),
        received_last=datetime.fromtimestamp(row["received_last"], UTC),
        received=row["received"],
        attempt=row["attempt"],
        held=bool(row["held"]),
        outcome=None if row["outcome"] is None else load_outcome(row["outcome"]),
        told_at=_moment(row["told_at"]),
        next_try=_moment(row["due_at"]),
        earlier=tuple((datetime.fromtimestamp(told["at"], UTC), load_outcome(told["outcome"])) for told in earlier),
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
