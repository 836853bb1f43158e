"""The tables of a queue's file, and the steps from an earlier version to this one."""

import sqlite3
from collections.abc import Mapping, Sequence

from ringback.queues import QueueFailed

# Numbers are never used again (AUTOINCREMENT): a late worker must not settle another event than the one it had.
# Times are in seconds since 1970. An event is settled when it is due no more; its message is kept for as long as
# it can be of use. ``earlier`` has what was said of an event before, once for each change of mind.
FIRST = (
    """
    CREATE TABLE event (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        key TEXT NOT NULL,
        source TEXT NOT NULL,
        id TEXT NOT NULL,
        received_at REAL NOT NULL,
        received_last REAL NOT NULL,
        received INTEGER NOT NULL DEFAULT 1,
        known_until REAL NOT NULL,
        started_at REAL NOT NULL,
        replayed INTEGER NOT NULL DEFAULT 0,
        attempt INTEGER NOT NULL DEFAULT 0,
        held INTEGER NOT NULL DEFAULT 0,
        holds INTEGER NOT NULL DEFAULT 0,
        due_at REAL,
        told_at REAL,
        status TEXT,
        reason TEXT,
        person TEXT,
        outcome TEXT,
        message TEXT
    )
    """,
    "CREATE INDEX event_key ON event (key)",
    "CREATE INDEX event_id ON event (id)",
    "CREATE INDEX event_person ON event (person) WHERE person IS NOT NULL",
    "CREATE INDEX event_due ON event (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX event_settled ON event (told_at) WHERE due_at IS NULL",
    "CREATE INDEX event_kept ON event (source) WHERE due_at IS NULL AND message IS NOT NULL",
    "CREATE TABLE earlier (number INTEGER NOT NULL, at REAL NOT NULL, outcome TEXT NOT NULL)",
    "CREATE INDEX earlier_number ON earlier (number)",
    """
    CREATE TRIGGER event_told AFTER UPDATE OF outcome ON event
    WHEN OLD.outcome IS NOT NULL AND (OLD.status, OLD.reason) IS NOT (NEW.status, NEW.reason)
    BEGIN INSERT INTO earlier VALUES (OLD.number, OLD.told_at, OLD.outcome); END
    """,
    """
    CREATE TRIGGER event_deleted AFTER DELETE ON event
    BEGIN DELETE FROM earlier WHERE number = OLD.number; END
    """,
)

# ``unended`` counts how often an event was taken since it was last settled or handed back: one that ends the process
# that delivers it is recognised by that. ``known`` has keyed hashes of all that an event's person is known by; an event
# is ``indexed`` once they are there. ``turn`` has the persons whose events are being delivered, each until its lease
# ends, ``count`` how many events of a source came in an hour since 1970, and ``state`` the number of the log, see
# ``database``.
SECOND = (
    "ALTER TABLE event ADD COLUMN unended INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE event ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0",
    "DROP INDEX event_due",
    "CREATE INDEX event_turn ON event (source, due_at, number) WHERE due_at IS NOT NULL",
    "CREATE INDEX event_fresh ON event (number, due_at) WHERE due_at IS NOT NULL AND attempt = 0",
    "CREATE INDEX event_unindexed ON event (number) WHERE indexed = 0 AND message IS NOT NULL",
    "CREATE TABLE known (hash TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (hash, number)) WITHOUT ROWID",
    "CREATE INDEX known_number ON known (number)",
    """
    CREATE TABLE count (
        source TEXT NOT NULL, hour INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (source, hour)
    ) WITHOUT ROWID
    """,
    "CREATE TABLE turn (person TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE state (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID",
    "DROP TRIGGER event_deleted",
    """
    CREATE TRIGGER event_deleted AFTER DELETE ON event BEGIN
    DELETE FROM earlier WHERE number = OLD.number; DELETE FROM known WHERE number = OLD.number; END
    """,
)

STEPS: Mapping[int, Sequence[str]] = {1: FIRST, 2: SECOND}
VERSION = max(STEPS)


def make_tables(connection: sqlite3.Connection, steps: Mapping[int, Sequence[str]] = STEPS) -> None:
    """Bring a file to the last of ``steps``, an empty one too, in one transaction.

    Raises QueueFailed for a file of a newer Ringback, and sqlite3.Error.
    """
    if _read_version(connection) == max(steps):  # nothing is to be written, and nobody has to be waited for
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _read_version(connection)
        check_version(version, max(steps))
        for step in range(version + 1, max(steps) + 1):
            for statement in steps[step]:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {max(steps)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def _read_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def check_version(found: int, known: int) -> None:
    """Raise QueueFailed for a file of a newer Ringback."""
    if found > known:
        raise QueueFailed("the queue's file was written by a newer Ringback, which has to be used for it")
