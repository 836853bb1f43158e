"""The queue for one machine: a SQLite file.

Of the libraries that were looked at none can do it: huey deletes a task when it hands it to a worker, so that a killed
worker loses it; litequeue commits without waiting for the disk and never frees what a dead worker has locked;
persist-queue is not for several processes and frees what the living hold. None can store an event together with the
key that recognises a redelivery, or tell later what became of it.
"""

import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from ringback.event import Again, Event, Verdict
from ringback.limits import UNLIMITED, Limits
from ringback.queues.database import PATIENCE, Database
from ringback.queues.message import dump_event, dump_outcome, load_event, storable
from ringback.queues.together import Together

LEASE = timedelta(seconds=30)  # after so long the events of a worker that was killed are given to another

_STORE = """
INSERT INTO event (key, source, id, received_at, received_last, known_until, started_at, due_at, message)
SELECT :key, :source, :id, :received_at, :now, :known_until, :received_at, :now, :message
WHERE NOT EXISTS (SELECT 1 FROM event WHERE key = :key AND known_until > :now)
"""
_COUNT = "UPDATE event SET received = received + 1, received_last = :now WHERE key = :key AND known_until > :now"
_DUE = "SELECT * FROM event WHERE due_at <= :now ORDER BY due_at, number LIMIT :limit"
_COUNT_DUE = "SELECT count(*) FROM (SELECT 1 FROM event WHERE due_at <= :now LIMIT :limit)"
_HOLD = "UPDATE event SET due_at = :until, held = 1, holds = holds + 1, attempt = attempt + 1 WHERE number = :number"

# Each time that an event is taken is counted: whoever had it before, and was too slow, is not heard any more.
_HELD = "WHERE number = :number AND holds = :hold AND held"
_RENEW = f"UPDATE event SET due_at = :until {_HELD}"  # noqa: S608 - made of constants
_HAND_BACK = f"UPDATE event SET due_at = :now, held = 0, attempt = attempt - 1 {_HELD}"  # noqa: S608 - made of constants
_SETTLE = f"""
UPDATE event SET due_at = :due_at, held = 0, told_at = :now, status = :status, reason = :reason,
person = coalesce(:person, person), outcome = :outcome, message = CASE WHEN :keep THEN message END {_HELD}
"""  # noqa: S608 - made of constants


@dataclass(frozen=True, kw_only=True)
class Held(Event):
    """An event that was taken, to be settled by whoever has it.

    ``number`` is its place in the file, and ``hold`` counts how often somebody has had it.
    """

    number: int
    hold: int


class SqliteQueue:
    """Events in the SQLite file at ``path``, for any number of threads and processes on one machine."""

    def __init__(self, path: str, *, patience: float = PATIENCE) -> None:
        """Remember the path; the file is opened, or made, on first use."""
        self.database = Database(path, patience=patience)
        self._puts = Together(self._store)
        self._arrived = threading.Event()

    def put(self, events: Sequence[Event], now: datetime, limits: Limits = UNLIMITED) -> list[Event]:  # noqa: ARG002 - not counted yet
        """Store the events durably, each once: one that is known already (also: parked) is only counted.

        Raises QueueFailed; then none of them is stored. Of threads that wait here together one commits for all.
        """
        self._puts.run([_row(event, now) for event in events])
        self._arrived.set()
        return []

    def wait(self, seconds: float) -> None:
        """Return when something has been put by this process, at once if it has since the last call, or in time."""
        self._arrived.wait(seconds)
        self._arrived.clear()

    def count_due(self, limit: int, now: datetime) -> int:
        """Return how many events could be taken now, up to ``limit``. Raises QueueFailed."""
        ((count,),) = self.database.read(_COUNT_DUE, {"now": now.timestamp(), "limit": limit})
        return int(count)

    def take(self, limit: int, now: datetime, *, lease: timedelta = LEASE) -> list[Held]:
        """Return up to ``limit`` events that are due, the longest due first, and hold them for the time of ``lease``.

        Nobody else is given them meanwhile; what is not settled, renewed or handed back by then is due again.
        ``attempt`` has been counted up. An event that can't be read is given with its ``problem``. Raises QueueFailed.
        """
        with self.database.writing() as connection:
            rows = connection.execute(_DUE, {"now": now.timestamp(), "limit": limit}).fetchall()
            until = (now + lease).timestamp()
            connection.executemany(_HOLD, [{"number": row["number"], "until": until} for row in rows])
        return [_take(row, now) for row in rows]

    def settle(self, results: Iterable[tuple[Held, Verdict]], now: datetime) -> list[tuple[Held, Verdict]]:
        """Store what became of events that were taken, and return those of the results that count.

        A result does not count if its event is no longer held, because the lease ran out and somebody else has it.
        The content of an event that nobody will need again is deleted. All or nothing; raises QueueFailed.
        """
        rows = [(result, _settled(*result, now)) for result in results]  # before others have to wait for the file
        with self.database.writing() as connection:
            return [result for result, row in rows if connection.execute(_SETTLE, row).rowcount]

    def renew(self, events: Iterable[Held], now: datetime, *, lease: timedelta = LEASE) -> None:
        """Hold events that were taken for the time of ``lease`` from now on. Raises QueueFailed."""
        until = (now + lease).timestamp()
        with self.database.writing() as connection:
            connection.executemany(_RENEW, [{**_held(event), "until": until} for event in events])

    def hand_back(self, events: Iterable[Held], now: datetime) -> None:
        """Let others have events that were taken and not tried. Raises QueueFailed."""
        with self.database.writing() as connection:
            connection.executemany(_HAND_BACK, [{**_held(event), "now": now.timestamp()} for event in events])

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self.database.close()

    def _store(self, puts: list[list[dict[str, object]]]) -> None:
        with self.database.writing() as connection:
            for row in chain.from_iterable(puts):
                if not connection.execute(_STORE, row).rowcount:
                    connection.execute(_COUNT, row)


def _row(event: Event, now: datetime) -> dict[str, object]:
    return {
        "key": event.key,
        "source": event.source,
        "id": storable(event.id),
        "received_at": event.received_at.timestamp(),
        "known_until": event.known_until.timestamp(),
        "now": now.timestamp(),
        "message": dump_event(event),
    }


def _take(row: sqlite3.Row, now: datetime) -> Held:
    now_known = {"attempt": row["attempt"] + 1, "number": row["number"], "hold": row["holds"] + 1}
    return Held(**{**vars(_read(row, now)), **now_known})


def _read(row: sqlite3.Row, now: datetime) -> Event:
    try:
        event = load_event(row["message"])
        started_at = datetime.fromtimestamp(row["started_at"], UTC)
    except (ValueError, TypeError, OverflowError) as error:  # a file that somebody else has written to
        problem = {"event": str(error) if isinstance(error, ValueError) else "it can't be read"}
        return Event(row["source"], row["id"], row["key"], None, now, problem=problem)
    if row["replayed"]:
        return replace(event, problem={}, over=None, started_at=started_at)
    return replace(event, started_at=None)


def _held(event: Held) -> dict[str, object]:
    return {"number": event.number, "hold": event.hold}


def _settled(event: Held, verdict: Verdict, now: datetime) -> dict[str, object]:
    outcome = verdict.outcome
    due_at = verdict.at.timestamp() if isinstance(verdict, Again) else None
    return {
        **_held(event),
        "now": now.timestamp(),
        "due_at": due_at,
        "status": outcome.status.value,
        "reason": None if outcome.reason is None else storable(outcome.reason),
        "person": outcome.person,
        "outcome": dump_outcome(outcome),
        "keep": due_at is not None or outcome.status.is_replayable,
    }
