"""The queue for one machine: a SQLite file.

Of the libraries that were looked at none can do it: huey deletes a task when it hands it to a worker, so that a killed
worker loses it; litequeue commits without waiting for the disk and never frees a dead worker's locks;
persist-queue is not for several processes and frees tasks that others still hold. None can store an event together with
the key that recognises a redelivery, or tell its outcome later.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice, zip_longest
from typing import NamedTuple

from ringback import log
from ringback.event import Again, Event, Verdict
from ringback.limits import UNLIMITED, Limits
from ringback.queues.limited import Limited
from ringback.queues.message import dump_event, dump_outcome, load_event, storable
from ringback.queues.sqlite.counts import add_counts, read_count
from ringback.queues.sqlite.database import PATIENCE, Database, PageDamaged
from ringback.queues.sqlite.jumps import Watch
from ringback.settings import Settings

PREFIX = "sqlite:///"  # of a queue's name in the configuration; what follows is the path
LEASE = timedelta(seconds=30)  # after so long the events of a process that was killed are given to another
BATCH_SIZE = 8 * 1024 * 1024  # bytes of the events of one batch: each of them is in memory several times over
SHARE = 4  # the part of a batch that is for the newest events: a new lead does not wait behind a whole backlog
SUSPECT = 2  # times that an event was taken without an end before it is tried alone

_STORE = """
INSERT INTO event (key, source, id, received_at, received_last, known_until, started_at, due_at, message)
SELECT :key, :source, :id, :received_at, :now, :known_until, :received_at, :now, :message
WHERE NOT EXISTS (SELECT 1 FROM event WHERE key = :key AND known_until > :now)
"""
_COUNT = "UPDATE event SET received = received + 1, received_last = :now WHERE key = :key AND known_until > :now"
_COUNT_DUE = "SELECT count(*) FROM (SELECT 1 FROM event WHERE due_at <= :now LIMIT :limit)"
_NEXT_SOURCE = "SELECT min(source) AS source FROM event WHERE due_at IS NOT NULL AND source > :last"
_DUE_OF_SOURCE = """
SELECT number FROM event WHERE source = :source AND due_at <= :now AND due_at IS NOT NULL
ORDER BY due_at, number LIMIT :limit
"""
_FRESH = """
SELECT number FROM event WHERE due_at IS NOT NULL AND attempt = 0 AND due_at <= :now ORDER BY number DESC LIMIT :limit
"""
_ROW = "SELECT * FROM event WHERE number = :number"
_HOLD = """
UPDATE event SET due_at = :until, held = 1, holds = :hold, attempt = attempt + 1, unended = unended + 1
WHERE number = :number AND holds = :hold - 1 AND due_at <= :now
"""
_TURN = """
INSERT INTO turn VALUES (:person, :until) ON CONFLICT (person) DO UPDATE SET until = :until WHERE until <= :now
"""

# Each time that an event is taken is counted: a process that had it before, and was too slow, is not heard any more.
_HELD = "WHERE number = :number AND holds = :hold AND held"
_RENEW = f"UPDATE event SET due_at = :until {_HELD}"  # noqa: S608 - made of constants
_HAND_BACK = f"""
UPDATE event SET due_at = :now, held = 0, attempt = attempt - 1, unended = unended - 1 {_HELD}
"""  # noqa: S608 - made of constants
_SETTLE = f"""
UPDATE event SET due_at = :due_at, held = 0, unended = 0, indexed = 1, told_at = :now, status = :status,
reason = :reason, person = coalesce(:person, person), outcome = :outcome, message = CASE WHEN :keep THEN message END
{_HELD}
"""  # noqa: S608 - made of constants
_KNOW = "INSERT OR IGNORE INTO known VALUES (:hash, :number)"
_MEND = """
UPDATE event SET due_at = :now WHERE due_at > :now AND NOT held AND (attempt = 0 OR told_at > :now)
"""
_LEASE_ANEW = "UPDATE event SET due_at = :until WHERE held AND (due_at > :longest OR :all)"
_LEASE_TURNS_ANEW = "UPDATE turn SET until = :until WHERE until > :longest OR :all"
_RELEASE = "DELETE FROM turn WHERE person = :person"
_RENEW_TURN = "UPDATE turn SET until = :until WHERE person = :person"


@dataclass(frozen=True, kw_only=True)
class Held(Event):
    """An event that was taken, to be settled by the process that has it.

    ``number`` is its place in the file, ``hold`` counts how often it was taken, ``unended`` how often since it was last
    settled or handed back. ``person`` is the same text for all events of one person.
    """

    number: int
    hold: int
    unended: int = 1
    person: str = ""

    @property
    def is_suspect(self) -> bool:
        """Whether it may be the event that ended the process each time: it is tried alone."""
        return self.unended >= SUSPECT


class Put(NamedTuple):
    """The events of one request, which are of one source, when they came (aware), and the source's limits."""

    events: Sequence[Event]
    now: datetime
    limits: Limits = UNLIMITED


class SqliteQueue:
    """Events in the SQLite file at ``path``, for any number of threads and processes on one machine."""

    def __init__(self, path: str, *, patience: float = PATIENCE) -> None:
        """Remember the path; the file is opened, or made, on first use."""
        self.database = Database(path, patience=patience)
        self._damaged: set[int] = set()
        self._limited = Limited()

    def put(self, events: Sequence[Event], now: datetime, limits: Limits = UNLIMITED) -> list[Event]:
        """Store the events durably, each once: one that is known already (also: parked) is only counted.

        Those above the ``limits`` are parked when they are delivered, so none is returned. Raises QueueFailed; then
        none of them is stored.
        """
        self.store([Put(events, now, limits)])
        return []

    def store(self, puts: Sequence[Put]) -> None:
        """Store the events of several requests, in one commit. Raises QueueFailed; then none is stored."""
        rows = [[_row(event, put.now) for event in put.events] for put in puts]  # before others wait for the file
        over: list[list[Event]] = []
        with self.database.writing(new=True) as connection:
            for put, its_rows in zip(puts, rows, strict=True):
                if put.limits == UNLIMITED:
                    for row in its_rows:
                        _store(connection, row)
                else:
                    over.append(_store_limited(connection, put))
        for events in over:
            self._limited.write(events)

    def count_due(self, limit: int, now: datetime) -> int:
        """Return how many events could be taken now, up to ``limit``. Raises QueueFailed."""
        ((count,),) = self.database.read(_COUNT_DUE, {"now": now.timestamp(), "limit": limit})
        return int(count)

    def look(
        self,
        limit: int,
        now: datetime,
        *,
        size: int = BATCH_SIZE,
        skip: Collection[int] = (),
        suspects: bool = True,
    ) -> list[Held]:
        """Return events that are due, as ``hold`` takes them: in turns by source, and some of the newest among them.

        They are up to ``limit``, of ``size`` bytes together unless the first alone is larger; the order is that in
        which they are to be delivered. Those whose number is in ``skip`` are passed over. One that has ended its
        process before is returned alone, or, without ``suspects``, nothing once it is its turn. An event that can't be
        read is there with its ``problem``. Raises QueueFailed.
        """
        chosen, found, total = self._choose(limit, now, skip), list[Held](), 0
        for number in chosen:
            row = self._read_row(number)
            if row is None or row["due_at"] is None:
                continue
            total += len(row["message"] or "")
            if found and total > size:
                break
            found.append(_look_at(row, now))
        if found and found[0].is_suspect:
            return found[:1] if suspects else []
        return [event for event in found if not event.is_suspect]

    def _choose(self, limit: int, now: datetime, skip: Collection[int]) -> list[int]:
        """Return the numbers of due events: of each source in turn the one that is due the longest, then the newest."""
        share = limit // SHARE
        newest = [n for n in self._list(_FRESH, now=now, limit=share + len(skip)) if n not in skip][:share]
        known, queues, source = {*skip, *newest}, list[list[int]](), ""
        while (source := self.database.read(_NEXT_SOURCE, {"last": source})[0]["source"]) is not None:
            queues.append(self._list(_DUE_OF_SOURCE, now=now, limit=limit + len(known), source=source))
        in_turns = (number for turn in zip_longest(*queues) for number in turn if number is not None)
        oldest = list(islice((number for number in in_turns if number not in known), limit - len(newest)))
        return [*oldest, *reversed(newest)]

    def _list(self, statement: str, *, now: datetime, limit: int, source: str = "") -> list[int]:
        values = {"now": now.timestamp(), "limit": limit, "source": source}
        return [row["number"] for row in self.database.read(statement, values)]

    def _read_row(self, number: int) -> sqlite3.Row | None:
        """Return an event's row; None for one that can't be read, whose page is damaged: it keeps no other one back."""
        if number in self._damaged:
            return None
        try:
            return next(iter(self.database.read(_ROW, {"number": number})), None)
        except PageDamaged:
            self._damaged.add(number)
            log.write(
                "ERROR", f"event number {number} in the queue's file is damaged, and not delivered", "queue.failed"
            )
            return None

    def hold(
        self, events: Sequence[Held], now: datetime, *, lease: timedelta = LEASE, watch: Watch | None = None
    ) -> list[Held]:
        """Take events that were looked at, and return those of them that could be had, for the time of ``lease``.

        No other process is given one meanwhile, nor another event of its person. An event that is not settled, renewed
        or handed back by then is due again. None is taken if ``watch`` sees that the clock was set since it showed
        ``now``: by a wrong one the leases of other processes seem to be over. Raises QueueFailed.
        """
        until, taken = (now + lease).timestamp(), list[Held]()
        with self.database.writing() as connection:
            if watch and not watch.is_even:
                return []
            has_turn: dict[str, bool] = {}
            for event in events:
                values = {**_held(event), "person": event.person, "now": now.timestamp(), "until": until}
                if event.person not in has_turn:
                    has_turn[event.person] = not event.person or connection.execute(_TURN, values).rowcount == 1
                if has_turn[event.person] and connection.execute(_HOLD, values).rowcount:
                    taken.append(event)
        return taken

    def take(self, limit: int, now: datetime, *, lease: timedelta = LEASE) -> list[Held]:
        """Look and hold, each event as if it had no person. Raises QueueFailed."""
        return self.hold(self.look(limit, now), now, lease=lease)

    def settle(self, results: Iterable[tuple[Held, Verdict]], now: datetime) -> list[tuple[Held, Verdict]]:
        """Store the verdicts on events that were taken, and return those of the results that count.

        A result does not count if its event is no longer held, because the lease ran out and another process has it.
        The content of an event that is not needed again is deleted. All or nothing; raises QueueFailed.
        """
        rows = [(result, _settled(*result, now)) for result in results]  # before others have to wait for the file
        counted = []
        with self.database.writing() as connection:
            for result, row in rows:
                if connection.execute(_SETTLE, row).rowcount:
                    counted.append(result)
                    hashes = result[1].outcome.known
                    connection.executemany(_KNOW, [{"hash": each, "number": row["number"]} for each in hashes])
            self._release(connection, [event for (event, _), _ in rows])
        return counted

    def renew(self, events: Iterable[Held], now: datetime, *, lease: timedelta = LEASE) -> None:
        """Hold events that were taken, and their persons, for the time of ``lease`` from now on. Raises QueueFailed."""
        until = (now + lease).timestamp()
        rows = [{**_held(event), "person": event.person, "until": until} for event in events]
        with self.database.writing() as connection:
            connection.executemany(_RENEW, rows)
            connection.executemany(_RENEW_TURN, [row for row in rows if row["person"]])

    def hand_back(self, events: Iterable[Held], now: datetime) -> None:
        """Let others have events that were taken and not tried. Raises QueueFailed."""
        events = list(events)
        with self.database.writing() as connection:
            connection.executemany(_HAND_BACK, [{**_held(event), "now": now.timestamp()} for event in events])
            self._release(connection, events)

    def mend_times(self, now: datetime, *, lease: timedelta = LEASE, was_set: bool = False) -> None:
        """Make events due that wait for a time of a clock ahead of the true one. Raises QueueFailed.

        An event never tried is due, and one tried at a later time than now. Leases begin anew if they are longer than
        any, or, where the clock ``was_set`` just now, all of them: the processes that have them are at work.
        """
        longest = (now + 2 * LEASE).timestamp()
        values = {"now": now.timestamp(), "longest": longest, "until": (now + lease).timestamp(), "all": was_set}
        with self.database.writing() as connection:
            connection.execute(_MEND, values)
            connection.execute(_LEASE_ANEW, values)
            connection.execute(_LEASE_TURNS_ANEW, values)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        self.database.close()

    def _release(self, connection: sqlite3.Connection, events: Iterable[Held]) -> None:
        persons = {event.person for event in events if event.person}
        connection.executemany(_RELEASE, [{"person": person} for person in persons])


def _store(connection: sqlite3.Connection, row: Mapping[str, object]) -> bool:
    """Store an event, and return whether it is new."""
    is_new = connection.execute(_STORE, row).rowcount == 1
    if not is_new:
        connection.execute(_COUNT, row)
    return is_new


def _store_limited(connection: sqlite3.Connection, put: Put) -> list[Event]:
    """Store the events of one request, and return those new ones that are above their source's limits."""
    source = put.events[0].source
    count, over, new = read_count(connection, source, put.limits, put.now), list[Event](), 0
    for event in put.events:
        marked = replace(event, over=count.find_over())
        if _store(connection, _row(marked, put.now)):
            count.add()
            new += 1
            over += [marked] if marked.over else []
    add_counts(connection, [source] * new, put.now)
    return over


def open_sqlite(settings: Settings) -> SqliteQueue | None:
    """Return the SQLite queue that the settings name, None when they name another or none. Nothing is opened yet."""
    queue = settings.queue or ""
    return SqliteQueue(queue.removeprefix(PREFIX)) if queue.startswith(PREFIX) else None


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


def _look_at(row: sqlite3.Row, now: datetime) -> Held:
    now_known = {"attempt": row["attempt"] + 1, "number": row["number"], "hold": row["holds"] + 1}
    return Held(**{**vars(_read(row, now)), **now_known, "unended": row["unended"]})


def _read(row: sqlite3.Row, now: datetime) -> Event:
    try:
        event = load_event(row["message"])
        started_at = datetime.fromtimestamp(row["started_at"], UTC)
    except (ValueError, TypeError, OverflowError) as error:  # a file that another program has written to
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
