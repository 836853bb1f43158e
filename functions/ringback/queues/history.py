"""What became of the events in a SQLite file; and putting them back, forgetting them, clearing up."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ringback.event import Event
from ringback.outcome import TOO_OLD, Outcome, Status
from ringback.queues.database import Database
from ringback.queues.message import load_event, load_outcome, storable

RETENTION = timedelta(days=30)

_KEPT = """
due_at IS NULL AND message IS NOT NULL AND (:id IS NULL OR id = :id)
AND (:source IS NULL OR source = :source) AND (:reason IS NULL OR reason = :reason)
AND (:even_if_old OR reason IS NOT :too_old)
"""
_COUNT = f"""
SELECT source, status, reason, count(*) AS count FROM event WHERE {_KEPT} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""  # noqa: S608 - made of constants
_REPLAY = f"""
UPDATE event SET due_at = :now, attempt = 0, replayed = 1, status = NULL, reason = NULL, outcome = NULL, told_at = NULL,
started_at = :now WHERE {_KEPT}
"""  # noqa: S608 - made of constants
_NEXT_KEPT = "SELECT number, message FROM event WHERE message IS NOT NULL AND number > :last ORDER BY number LIMIT 500"
_PURGE = """
DELETE FROM event WHERE number IN
(SELECT number FROM event WHERE due_at IS NULL AND told_at <= :before ORDER BY told_at LIMIT :limit)
"""


@dataclass(frozen=True)
class Story:
    """All that is known of one event.

    ``received`` counts how often its sender has sent it. ``outcome`` is the latest, said at ``told_at``; ``earlier``
    has those before it, each with the time at which it was last said. ``next_try`` is None when it is settled;
    while ``held`` it is being tried, and ``next_try`` is when somebody else would try it if nothing were heard.
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


def trace_person(database: Database, person: str, is_about: Callable[[Event], bool]) -> list[Story]:
    """Return the stories of the events about a person (their hash), the oldest first. Raises QueueFailed.

    ``is_about`` is asked of each event whose content is still there: see ``forget``.
    """
    known = database.read("SELECT number FROM event WHERE person = :person", {"person": person})
    numbers = {row["number"] for row in known} | set(_find_mentions(database, is_about))
    found = [database.read("SELECT * FROM event WHERE number = :number", {"number": n}) for n in sorted(numbers)]
    return [_story(database, row) for rows in found for row in rows]


def count_kept(
    database: Database, *, event_id: str | None = None, source: str | None = None, reason: str | None = None
) -> list[Kept]:
    """Return the counts of what ``replay`` with the same choice would put back ``even_if_old``. Raises QueueFailed."""
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
    """Make what is PARKED, FAILED or INVALID, all of it or what is chosen, due as if it had come in now.

    What was parked because it was too old to be called stays, unless ``even_if_old``. Returns how many events it were.
    Raises QueueFailed.
    """
    values = {**_choice(event_id, source, reason, even_if_old=even_if_old), "now": now.timestamp()}
    with database.writing() as connection:
        return connection.execute(_REPLAY, values).rowcount


def forget(database: Database, person: str, is_about: Callable[[Event], bool]) -> int:
    """Delete all events about a person (their hash), also what waits. Returns how many. Raises QueueFailed.

    ``is_about`` is asked of each event whose content is still there: of one that waits for its first try, or could
    not be read, nobody has noted whom it is about. ``Database.tidy`` then clears what the disk has of them.
    """
    found = _find_mentions(database, is_about)
    with database.writing() as connection:
        known = connection.execute("DELETE FROM event WHERE person = ?", (person,)).rowcount
        return known + sum(connection.execute("DELETE FROM event WHERE number = ?", (n,)).rowcount for n in found)


def _find_mentions(database: Database, is_about: Callable[[Event], bool]) -> list[int]:
    return [row["number"] for row in _list_kept(database) if _is_about(row["message"], is_about)]


def _list_kept(database: Database) -> Iterator[sqlite3.Row]:
    """Yield the events whose content is there, some at a time: there may be more than memory holds."""
    last = 0
    while rows := database.read(_NEXT_KEPT, {"last": last}):
        yield from rows
        last = rows[-1]["number"]


def _is_about(message: str, is_about: Callable[[Event], bool]) -> bool:
    try:
        return is_about(load_event(message))
    except ValueError:
        return False


def purge(database: Database, now: datetime, *, retention: timedelta = RETENTION, limit: int = 1000) -> int:
    """Delete events that were settled longer ago than ``retention``, up to ``limit`` of them. Returns how many.

    With them goes the memory by which redeliveries are recognised. What has been deleted before, the content of
    events that were settled, is now gone from the log beside the file too. Raises QueueFailed.
    """
    with database.writing() as connection:
        count = connection.execute(_PURGE, {"before": (now - retention).timestamp(), "limit": limit}).rowcount
    database.tidy()
    return count


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
