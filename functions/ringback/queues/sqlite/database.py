"""One SQLite file for several threads and processes, which keeps all that it has confirmed."""

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from ringback.queues import QueueFailed
from ringback.queues.sqlite.disk import Disk
from ringback.queues.sqlite.tables import make_tables

PATIENCE = 3.5  # seconds; a sender waits for eight, and may have waited for another one's patience before
MOMENT = 50  # milliseconds
MOVE_EVERY = 100  # commits after which the log is moved into the file
REPLACED = (
    "the queue's file {}, or the log beside it, was replaced or deleted while it was in use; `ringback serve` starts "
    "again with what is there now (`ringback restore` is the way to bring a copy back)"
)
OTHER_LOG = (
    "the log {0}-wal is not of the file {0}: one of them was copied or kept from another day; bring a copy back with "
    "`ringback restore`, or move the log away if what is in it does not matter"
)
FULL = "the disk is almost full: no new events are taken until there is room beside the queue's file {}"

_Identity = tuple[int, int] | None


class FileReplaced(QueueFailed):
    """Another file lies where the queue's was: nothing more is written, since no one would find it there."""


class PageDamaged(QueueFailed):
    """A part of the file can't be read; the rest may be good."""


class Database:
    """The file at ``path``, made on first use and readable by its owner alone.

    One connection a process, which ``lock`` guards; open it after a fork. ``patience`` is for how many seconds another
    process may hold the file before QueueFailed is raised. ``is_lost`` says that FileReplaced was: it is for good.
    """

    def __init__(self, path: str, *, patience: float = PATIENCE) -> None:
        """Remember the path; nothing is opened yet."""
        self.path = path
        self.lock = threading.RLock()
        self.is_lost = False
        self._patience = patience
        self._disk = Disk(path)
        self._connection: sqlite3.Connection | None = None
        self._files: tuple[_Identity, _Identity] = (None, None)
        self._commits = 0

    @contextmanager
    def writing(self, *, new: bool = False) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes are on the disk when the block has ended, and undone when it has failed.

        While the disk is almost full ``new`` events are refused; for all else a reserve is given up.
        Raises QueueFailed.
        """
        if new and not self._disk.has_room():
            raise QueueFailed(FULL.format(self.path))
        if not new and self._disk.is_full():
            self._disk.give_up_reserve()
        with self._using() as connection:
            self._check_files()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # after some errors SQLite has rolled back by itself
                    connection.execute("ROLLBACK")
                raise
            self._commits += 1
            if self._disk.has_long_log():
                self._move_log(connection, "TRUNCATE")
            elif self._commits % MOVE_EVERY == 0:
                self._move_log(connection, "RESTART")  # not shortened, since growing costs time

    def read(self, statement: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        """Return the rows that a SELECT finds. Raises QueueFailed."""
        with self._using() as connection:
            return connection.execute(statement, values).fetchall()

    def read_log_number(self) -> float:
        """Return the number of the log, by which it is known as the file's own. Raises QueueFailed."""
        return float(self.read(_READ_LOG, {})[0]["value"])

    def tidy(self) -> bool:
        """Move the log into the file and empty it, so that deleted rows are in neither; return whether that was done.

        It is not while another program reads the file. Raises QueueFailed.
        """
        with self._using() as connection:
            self._disk.keep_reserve()
            return self._move_log(connection, "TRUNCATE")

    def _move_log(self, connection: sqlite3.Connection, mode: str) -> bool:
        """Move the log into the file, and say whether all of it was; else the next time will do.

        Readers are waited for a moment only: this wait keeps all others from writing.
        """
        connection.execute(f"PRAGMA busy_timeout = {MOMENT}")
        try:
            is_moved = _move_log(connection, mode)
            if is_moved:
                _begin_log(connection, self.path, is_emptied=mode == "TRUNCATE")
            return is_moved
        finally:
            connection.execute(f"PRAGMA busy_timeout = {round(self._patience * 1000)}")

    def close(self) -> None:
        """Move the log into the file and close it, so that nothing is left beside it; the next use opens it again."""
        with self.lock:
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    _move_log(self._connection, "TRUNCATE")
                self._connection.close()
                self._connection = None

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self.lock:
            try:
                if self._connection is None:
                    self._connection = _connect(self.path, self._patience)
                    self._files = _identify(self.path)
                yield self._connection
            except (sqlite3.Error, OSError) as error:
                # The subclasses of DatabaseError say something of the whole file.
                kind = PageDamaged if type(error) is sqlite3.DatabaseError else QueueFailed
                raise kind(
                    f"the queue's file {self.path} can't be used ({error}): is its folder there and writable, "
                    "the disk not full, and no other program holding it?"
                ) from error

    def _check_files(self) -> None:
        """Raise FileReplaced, from now on, if file or log are not those that were opened; save the log's content.

        All processes that have this file open still share its log, so that it can be moved into the file in order.
        """
        if not self.is_lost and _identify(self.path) == self._files:
            return
        if not self.is_lost and self._connection is not None:
            with suppress(sqlite3.Error):
                _move_log(self._connection, "TRUNCATE")
        self.is_lost = True
        raise FileReplaced(REPLACED.format(self.path))


# The first thing that is written to a log is its number; the file alone has it too, or that of the log before.
_BEGIN_LOG = "INSERT INTO state VALUES ('log', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1"
_READ_LOG = "SELECT value FROM state WHERE name = 'log'"


def _identify(path: str) -> tuple[_Identity, _Identity]:
    """Return the identity of the file and of its log, to notice others in their places; None for one not there."""
    return _identify_one(path), _identify_one(f"{path}-wal")


def _identify_one(path: str) -> _Identity:
    try:
        found = os.stat(path)  # noqa: PTH116 - with each use of the file, and twice as fast as a Path
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connect(path: str, patience: float) -> sqlite3.Connection:
    _make_private(Path(path))
    _check_log(path)
    connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        _keep_log(connection, patience)
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before it is confirmed
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # see _move_log
        connection.execute("PRAGMA cache_size = -1000")  # KiB; the system keeps the file in memory anyway
        make_tables(connection)
        _begin_log(connection, path, is_emptied=True)
    except BaseException:
        connection.close()
        raise
    return connection


def _check_log(path: str) -> None:
    """Raise QueueFailed for a log that is not the file's own: SQLite would mix the two."""
    if not _has_log(path):
        return
    alone, together = (_read_log(f"file:{quote(path)}?{how}") for how in ("immutable=1", "mode=ro"))
    if alone is not None and (together is None or not alone <= together <= alone + 1):
        raise QueueFailed(OTHER_LOG.format(path))


def _begin_log(connection: sqlite3.Connection, path: str, *, is_emptied: bool) -> None:
    """Number a new log; of several processes that find it emptied one does."""
    with suppress(sqlite3.OperationalError):  # another process writes: the next move will do
        connection.execute("BEGIN IMMEDIATE")
        is_numbered = connection.execute(_READ_LOG).fetchone() is not None
        if not is_emptied or not is_numbered or not _has_log(path):
            connection.execute(_BEGIN_LOG)
        connection.execute("COMMIT")


def _has_log(path: str) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _read_log(address: str) -> float | None:
    """Return the number of the log, None where there is none yet, or the file and the log do not fit at all."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(address, uri=True)) as connection:
        found = connection.execute(_READ_LOG).fetchone()
        return float(found[0]) if found else None
    return None


def _move_log(connection: sqlite3.Connection, mode: str) -> bool:
    """Move the log into the file while nothing else writes, and say whether all of it was.

    SQLite's own way of doing it lets others write meanwhile, which up to version 3.51.2 could damage the file in rare
    cases: https://www.sqlite.org/wal.html#walresetbug.
    """
    is_busy = True
    with suppress(sqlite3.OperationalError):
        ((is_busy, _, _),) = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    return not is_busy


def _make_private(path: Path) -> None:
    """Create the file, and close it to other users; SQLite gives its two helpers the file's mode.

    A link that leads nowhere is not followed: another user may have laid it, and would choose where the file is.
    """
    if path.is_symlink() and not path.exists():
        raise QueueFailed(f"the queue's file {path} is a link to a file that is not there; delete the link")
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
    owners = {os.getuid(), path.stat().st_uid}
    for file in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        with suppress(FileNotFoundError):
            found = file.lstat()
            if file != path and (found.st_uid not in owners or file.is_symlink()):
                raise QueueFailed(f"{file} is a link, or belongs to another user: look at it, and delete it")
            if found.st_mode & 0o077 and not file.is_symlink():
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
