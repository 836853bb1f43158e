"""A copy of a queue's file while it is in use, and bringing one back, with SQLite's own means: they know of the log."""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from ringback.errors import RingbackError
from ringback.queues import QueueFailed
from ringback.queues.sqlite.database import Database
from ringback.queues.sqlite.tables import VERSION, make_tables

PAGES = 1000  # copied at a time: what is written meanwhile goes into the copy too
PAUSE = 0.01  # seconds between two such pieces, for others to write

# An event that was held when the copy was made may still be settled by the process that had it: that counts no longer.
_RELEASE = "UPDATE event SET held = 0, holds = holds + 1000000, due_at = min(due_at, :now) WHERE held"
_KEEP_NUMBER = "INSERT INTO state VALUES ('log', :log) ON CONFLICT (name) DO UPDATE SET value = :log"


class BackupFailed(RingbackError):
    """The copy was not made, or not brought back; the text says why, and that nothing was changed."""


def back_up(path: str, target: Path) -> None:
    """Copy the queue's file at ``path`` to ``target``, which must not be there; only its owner may read it.

    Raises BackupFailed, also when SQLite finds the copy damaged.
    """
    if not Path(path).exists():
        raise BackupFailed(f"{path}: no such file, so there is nothing to copy")
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy, pages=PAGES, sleep=PAUSE)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        check(target)
    except FileExistsError:
        raise BackupFailed(f"{target}: is there already; name another file") from None
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            target.unlink()
        raise BackupFailed(f"{target}: {error}; the copy was not made") from None


def restore(path: str, copy: Path, now: datetime) -> Path:
    """Bring a copy back into the queue's file at ``path``, also while it is in use; return where the old one is kept.

    Events that were held when the copy was made are due. Raises BackupFailed; then the file is as it was.
    """
    check(copy)
    kept = Path(f"{path}.before-{now:%Y%m%d-%H%M%S}")
    database = Database(path)
    try:
        number = database.read_log_number()
        back_up(path, kept)
        with (
            database.writing() as connection,
            closing(sqlite3.connect(f"file:{quote(str(copy))}?mode=ro", uri=True)) as source,
        ):
            connection.execute("COMMIT")  # the copying locks the file itself
            source.backup(connection)
            make_tables(connection)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_RELEASE, {"now": now.timestamp()})
            connection.execute("DELETE FROM turn")
            connection.execute(_KEEP_NUMBER, {"log": number})
    except QueueFailed as error:
        raise BackupFailed(f"{error} Try again, or stop `ringback serve` before") from None
    finally:
        database.close()
    return kept


def check(file: Path) -> None:
    """Raise BackupFailed for a file that is no queue of this Ringback or an earlier one, or is damaged."""
    if not file.is_file():
        raise BackupFailed(f"{file}: no such file")
    try:
        with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupFailed(f"{file}: {error}; it is no queue's file, or it is damaged") from None
    if not 0 < version <= VERSION:
        raise BackupFailed(f"{file}: it was not written by this Ringback or an earlier one")
    if found != "ok":
        raise BackupFailed(f"{file}: it is damaged: {found}")
