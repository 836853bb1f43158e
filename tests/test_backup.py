"""Copies of a queue's file, made and brought back while it is in use."""

import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.backup import BackupFailed, back_up, check, restore
from ringback.queues.sqlite.history import trace
from ringback.queues.sqlite.tables import FIRST
from tests.configs import run, write_config
from tests.events import NOW, done, make_event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The queue's file."""
    return tmp_path / "queue.db"


@pytest.fixture
def queue(path: Path) -> Iterator[SqliteQueue]:
    """A queue of one's own."""
    queue = SqliteQueue(str(path))
    yield queue
    queue.close()


def list_ids(file: Path) -> list[str]:
    """Return the ids of the events in a file."""
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM event ORDER BY number")]


def test_copy_has_all_that_was_confirmed(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    """A copy is one whole file for its owner alone, with what is still in the log, also while others write."""
    target, stop = tmp_path / "copy.db", threading.Event()
    other = SqliteQueue(str(path))

    def write() -> None:
        for number in range(100, 10_000):
            if stop.is_set():
                return
            other.put([make_event(number)], NOW)

    queue.put([make_event(number) for number in range(50)], NOW)
    thread = threading.Thread(target=write)
    thread.start()
    back_up(str(path), target)
    stop.set()
    thread.join()
    other.close()
    assert list_ids(target)[:50] == [f"e{number}" for number in range(50)]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.glob("copy.db*")] == ["copy.db"]


def test_copy_is_brought_back_while_the_file_is_in_use(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    """What is brought back is there at once for those that use the file; what was there before is kept."""
    target = tmp_path / "copy.db"
    queue.put([make_event(1)], NOW)
    back_up(str(path), target)
    queue.put([make_event(2)], NOW)
    kept = restore(str(path), target, NOW)
    assert (list_ids(path), list_ids(kept)) == (["e1"], ["e1", "e2"])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    queue.put([make_event(3)], NOW)
    assert [event.id for event in queue.take(9, NOW)] == ["e1", "e3"]


def test_what_is_brought_back_outlives_a_kill(path: Path, tmp_path: Path) -> None:
    """After a restore file and log fit together, also when the processes are killed at once."""
    queue, target = SqliteQueue(str(path)), tmp_path / "copy.db"
    queue.put([make_event(1)], NOW)
    back_up(str(path), target)
    for number in range(3):
        queue.put([make_event(number + 2)], NOW)
        queue.close()
    restore(str(path), target, NOW)
    queue.put([make_event(9)], NOW)
    moved = tmp_path / "killed"
    moved.mkdir()
    for each in path.parent.glob("queue.db*"):
        if each.is_file() and "before" not in each.name and "shm" not in each.name:
            (moved / each.name).write_bytes(each.read_bytes())
    queue.close()
    after = SqliteQueue(str(moved / "queue.db"))
    assert [event.id for event in after.take(9, NOW)] == ["e1", "e9"]
    after.close()


def test_what_was_held_is_due(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    """An event that was held when the copy was made is due when it is back; the old verdict counts no more."""
    queue.put([make_event(1)], NOW)
    (held,) = queue.take(1, NOW)
    back_up(str(path), tmp_path / "copy.db")
    restore(str(path), tmp_path / "copy.db", NOW)
    assert queue.settle([(held, done())], NOW) == []
    assert [event.id for event in queue.take(1, NOW + timedelta(seconds=1))] == ["e1"]


def test_file_of_an_earlier_version_is_brought_back(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    """A copy that an earlier version has made becomes one of this version."""
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        for statement in FIRST:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
    queue.put([make_event(1)], NOW)
    restore(str(path), old, NOW)
    queue.put([make_event(2)], NOW)
    assert list_ids(path) == ["e2"]


def test_nothing_is_brought_back_that_is_damaged(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    """A copy that is damaged, or no queue's, is refused, and the file is as it was."""
    queue.put([make_event(number, data="x" * 5000) for number in range(50)], NOW)
    target = tmp_path / "copy.db"
    back_up(str(path), target)
    content = bytearray(target.read_bytes())
    content[20_000:40_000] = b"\x07" * 20_000
    target.write_bytes(content)
    for file, said in (
        (target, "damaged"),
        (tmp_path / "none.db", "no such file"),
        (Path(__file__), "no queue's file"),
        (empty(tmp_path), "not written by this Ringback"),
    ):
        with pytest.raises(BackupFailed, match=said):
            restore(str(path), file, NOW)
    assert len(trace(queue.database, "e49")) == 1
    assert not list(tmp_path.glob("*.before-*"))


def empty(folder: Path) -> Path:
    """Return a database of another program."""
    file = folder / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (a)")
    return file


def test_copy_goes_nowhere_else(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    """No file is overwritten, none is left half, and where no queue is there is nothing to copy."""
    queue.put([make_event(1)], NOW)
    (tmp_path / "there").write_text("mine")
    with pytest.raises(BackupFailed, match="is there already"):
        back_up(str(path), tmp_path / "there")
    with pytest.raises(BackupFailed, match="not made"):
        back_up(str(path), tmp_path / "no" / "folder")
    with pytest.raises(BackupFailed, match="no such file"):
        back_up(str(tmp_path / "none.db"), tmp_path / "copy")
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "copy").exists()


def test_locked_file_is_left_as_it_is(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    """While another program holds the file for long nothing is brought back, and it is said how it may be."""
    queue.put([make_event(1)], NOW)
    back_up(str(path), tmp_path / "copy.db")
    with queue.database.writing(), pytest.raises(BackupFailed, match=r"queue\.db.*Try again"):
        restore(str(path), tmp_path / "copy.db", NOW)
    check(path)


def test_commands(queue: SqliteQueue, path: Path, tmp_path: Path) -> None:
    """`backup` copies and `restore` brings back, after a question; without a SQLite queue that is said."""
    environ = write_config(tmp_path, queue=f"sqlite:///{path}")
    queue.put([make_event(1)], NOW)
    copy = str(tmp_path / "copy.db")
    assert run("backup", copy, environ=environ).stdout == f"copied into {copy}\n"
    assert run("restore", copy, environ=environ).exit_code == 1
    assert "is brought back" in run("restore", copy, "--yes", environ=environ).stdout
    assert "is there already" in run("backup", copy, environ=environ).stderr
    direct = write_config(tmp_path, queue=None)
    assert "no SQLite queue" in run("backup", copy, environ=direct).stderr
