"""One SQLite file that several threads and processes write to, and that keeps what it has confirmed."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from ringback.queues import QueueFailed
from ringback.queues.forks import after_forks, before_forks
from ringback.queues.tables import make_tables

PATIENCE = 3.5  # seconds; a sender waits for eight, and may have waited for another one's patience before
MOMENT = 50  # milliseconds
MOVE_EVERY = 100  # commits after which the log is moved into the file


class Database:
    """The file at ``path``, made on first use and readable by its owner alone.

    One connection a process, which ``lock`` guards; it is closed before a fork, and each side opens its own. Where the
    file has been replaced, or is gone, it is opened anew: nothing is written to one that nobody finds again.
    ``patience`` is for how many seconds another process may hold the file before ``QueueFailed`` is raised.
    """

    def __init__(self, path: str, *, patience: float = PATIENCE) -> None:
        """Remember the path; nothing is opened yet."""
        self.path = path
        self.lock = threading.RLock()
        self._patience = patience
        self._connection: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._commits = 0
        before_forks(self._hold)
        after_forks(self._release)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes are on the disk when the block has ended, and undone when it has failed.

        Raises QueueFailed.
        """
        with self._using() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # after some errors SQLite has rolled back by itself
                    connection.execute("ROLLBACK")
                raise
            self._commits += 1
            if self._commits % MOVE_EVERY == 0:
                self._move_log(connection, "RESTART")  # not shortened, since growing costs time

    def read(self, statement: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        """Return the rows that a SELECT finds. Raises QueueFailed."""
        with self._using() as connection:
            return connection.execute(statement, values).fetchall()

    def tidy(self) -> bool:
        """Move the log into the file and empty it, so that what was deleted is in neither; say whether that was done.

        It is not while another program reads the file. Raises QueueFailed.
        """
        with self._using() as connection:
            return self._move_log(connection, "TRUNCATE")

    def _move_log(self, connection: sqlite3.Connection, mode: str) -> bool:
        """Move the log into the file, and say whether all of it was; else the next time will do.

        Readers are waited for a moment only: whoever waits here keeps all others from writing.
        """
        connection.execute(f"PRAGMA busy_timeout = {MOMENT}")
        try:
            return _move_log(connection, mode)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {round(self._patience * 1000)}")

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self.lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _hold(self) -> None:
        """Close the file, and keep it closed until ``_release``: SQLite does not bear a fork with an open file.

        https://www.sqlite.org/howtocorrupt.html, "Carrying an open database connection across a fork".
        """
        self.lock.acquire()
        self.close()

    def _release(self) -> None:
        self.lock.release()

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self.lock:
            try:
                if self._connection is None or _identify(self.path) != self._file:
                    self.close()
                    self._connection = _connect(self.path, self._patience)
                    self._file = _identify(self.path)
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                raise QueueFailed(
                    f"the queue's file {self.path} can't be used ({error}): is its folder there and writable, "
                    "the disk not full, and no other program holding it?"
                ) from error


def _identify(path: str) -> tuple[int, int] | None:
    """Return what tells a file from one that has been put in its place; None where there is none."""
    with suppress(FileNotFoundError):
        found = Path(path).stat()
        return found.st_dev, found.st_ino
    return None


def _connect(path: str, patience: float) -> sqlite3.Connection:
    _make_private(Path(path))
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        _keep_log(connection, patience)
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before it is confirmed
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # see _move_log
        connection.execute("PRAGMA cache_size = -1000")  # KiB; the system keeps the file in memory anyway
        make_tables(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _move_log(connection: sqlite3.Connection, mode: str) -> bool:
    """Move the log into the file while nobody writes, and say whether all of it was.

    SQLite's own way of doing it lets others write meanwhile, which up to version 3.51.2 could damage the file in rare
    cases: https://www.sqlite.org/wal.html#walresetbug.
    """
    is_busy = True
    with suppress(sqlite3.OperationalError):
        ((is_busy, _, _),) = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    return not is_busy


def _make_private(path: Path) -> None:
    """Create the file, and take away what others may do with it; SQLite gives its two helpers the file's mode."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with suppress(FileNotFoundError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)


def _keep_log(connection: sqlite3.Connection, patience: float) -> None:
    """Switch to the write-ahead log. SQLite does not wait by itself when two processes do this at once."""
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
