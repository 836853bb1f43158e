"""What a SQLite queue's file holds."""

import sqlite3

from ringback.queues import QueueFailed

VERSION = 1

# Numbers are never used again (AUTOINCREMENT): a late worker must not settle another event than the one it had.
# Times are in seconds since 1970. An event is settled when it is due no more; its message is kept for as long as
# it can be of use. ``earlier`` has what was said of an event before, once for each change of mind.
SCHEMA = (
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
    f"PRAGMA user_version = {VERSION}",
)


def make_tables(connection: sqlite3.Connection) -> None:
    """Make the tables in a file that has none. Raises QueueFailed for a file of a newer Ringback, and sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for statement in SCHEMA if version == 0 else ():
        connection.execute(statement)
    connection.execute("COMMIT")
    if version > VERSION:
        raise QueueFailed("the queue's file was written by a newer Ringback, which has to be used for it")
