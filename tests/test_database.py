import os
import resource
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ringback.queues import QueueFailed
from ringback.queues.sqlite.database import MOVE_EVERY, Database, FileReplaced


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "queue.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    database = Database(str(path), patience=0.05)
    yield database
    database.close()


def add(database: Database, number: int = 1) -> None:
    with database.writing() as connection:
        connection.execute("INSERT INTO earlier VALUES (?, 0, '{}')", (number,))


def count(database: Database) -> int:
    ((number,),) = database.read("SELECT count(*) FROM earlier", {})
    return int(number)


def test_nothing_happens_before_first_use(path: Path) -> None:
    """Naming a file does not make it, so that it can be named before a fork."""
    Database(str(path)).close()
    assert not path.exists()


def test_what_is_written_is_kept(database: Database) -> None:
    """What was written is there when the file is opened again."""
    add(database)
    database.close()
    assert count(database) == 1


def test_failed_block_leaves_nothing(database: Database) -> None:
    """A block that fails has written nothing, and the next one can."""

    def fail() -> None:
        with database.writing() as connection:
            connection.execute("INSERT INTO earlier VALUES (1, 0, '{}')")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    add(database)
    assert count(database) == 1


def test_commit_waits_for_the_disk(database: Database) -> None:
    """SQLite is told to keep a log, to wait for the disk with each commit, and to overwrite what is deleted."""
    settings = {
        name: database.read(f"PRAGMA {name}", {})[0][0]
        for name in ("journal_mode", "synchronous", "secure_delete", "wal_autocheckpoint")
    }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1, "wal_autocheckpoint": 0}


@pytest.mark.parametrize("before", [None, 0o644])
def test_only_the_owner_can_read_it(database: Database, path: Path, before: int | None) -> None:
    """The file and its two helpers are for their owner alone, also where the file was there and open to all."""
    if before is not None:
        path.touch(before)
    mask = os.umask(0)
    add(database)
    os.umask(mask)
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    assert modes == {"queue.db": "0o600", "queue.db-wal": "0o600", "queue.db-shm": "0o600"}


def test_log_does_not_grow_for_ever(database: Database, path: Path) -> None:
    """After every so many commits the log starts again, and it is empty when it was tidied."""
    log = path.with_name("queue.db-wal")
    sizes = []
    for _ in range(3):
        for _ in range(MOVE_EVERY):
            add(database)
        sizes.append(log.stat().st_size)
    assert sizes[1] <= sizes[0] * 1.1
    assert sizes[2] <= sizes[0] * 1.1
    database.tidy()
    assert log.stat().st_size < 5000


def test_log_is_left_alone_while_others_write(database: Database, path: Path) -> None:
    """That the log can't be moved just now is no failure."""
    add(database)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        database.tidy()
    other.close()
    assert count(database) == 1


def test_locked_file_is_named(database: Database, path: Path) -> None:
    """Whoever can't write for too long is told which file it is and what may be the matter; later it goes on."""
    add(database)
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(QueueFailed, match=r"queue\.db.*locked.*no other program holding it"):
            add(database)
        other.execute("ROLLBACK")
    other.close()
    add(database)
    assert count(database) == 2


def test_one_writes_at_a_time(database: Database, path: Path) -> None:
    """From its first look on whoever writes is alone, so that what was looked up stays true until it is acted upon."""
    add(database)
    other = Database(str(path), patience=0.05)
    with database.writing(), pytest.raises(QueueFailed, match="locked"):
        add(other)
    other.close()


def test_missing_folder_is_named(tmp_path: Path) -> None:
    """A folder that is not there is said to be at fault, and is looked for again."""
    database = Database(str(tmp_path / "later" / "queue.db"))
    with pytest.raises(QueueFailed, match=r"No such file or directory.*is its folder there"):
        add(database)
    (tmp_path / "later").mkdir()
    add(database)
    assert count(database) == 1
    database.close()


def test_other_file_is_refused(database: Database, path: Path) -> None:
    """A file that is no database stays as it is."""
    path.write_bytes(b"something else\n" * 100)
    with pytest.raises(QueueFailed, match="not a database"):
        add(database)
    assert path.read_bytes() == b"something else\n" * 100


def test_newer_file_is_refused(database: Database, path: Path) -> None:
    """A file that a newer Ringback has written is not touched by an older one."""
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(QueueFailed, match="newer Ringback"):
        add(database)


@pytest.mark.parametrize("lock", ["EXCLUSIVE", "IMMEDIATE"])
def test_waits_for_who_opens_it_first(path: Path, lock: str) -> None:
    """A process that finds the new file in use, because another is just making it, tries again."""
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute(f"BEGIN {lock}")
    timer = threading.Timer(0.1, other.close)
    timer.start()
    database = Database(str(path), patience=5)
    add(database)
    timer.join()
    assert count(database) == 1
    database.close()


@pytest.mark.parametrize("lock", ["EXCLUSIVE", "IMMEDIATE"])
def test_who_is_never_let_in_gives_up(database: Database, path: Path, lock: str) -> None:
    """A file that stays locked while it is opened is given up after the same time."""
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute(f"BEGIN {lock}")
        with pytest.raises(QueueFailed, match="locked"):
            add(database)
    other.close()


def run(script: str, *arguments: object) -> str:
    """Return what a Python process prints that runs the script."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=30).stdout


OPEN_AT_ONCE = """
import sys
from ringback.queues.sqlite.database import Database
database = Database(sys.argv[1])
sys.stdin.readline()
for number in range(50):
    with database.writing() as connection:
        connection.execute("INSERT INTO earlier VALUES (?, 0, '{}')", (number,))
"""


def test_several_processes_make_and_share_it(path: Path, database: Database) -> None:
    """Processes that open a new file at once all get in, and each can write all the time."""
    command = [sys.executable, "-c", OPEN_AT_ONCE, str(path)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        process.communicate(b"go\n", timeout=30)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert count(database) == 150


FULL = """
import resource, sys
from ringback.queues import QueueFailed
from ringback.queues.sqlite.database import Database
database = Database(sys.argv[1])
def add(text):
    with database.writing() as connection:
        connection.execute("INSERT INTO earlier VALUES (0, 0, ?)", (text,))
add("before")
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
try:
    add("x" * 1_000_000)
except QueueFailed as error:
    print("failed:", error)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
add("after")
print([row["outcome"][:9] for row in database.read("SELECT outcome FROM earlier", {})])
"""


@pytest.mark.skipif(resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY, reason="needs a free limit")
def test_full_disk_is_said_and_survived(path: Path) -> None:
    """What no longer fits is refused aloud; what was there is kept, and when there is room it goes on."""
    failed, *rest = run(FULL, path).splitlines()
    assert failed.startswith("failed: the queue's file ")
    assert "the disk not full" in failed
    assert rest == ["['before', 'after']"]


def test_reader_holds_no_writer_up(path: Path) -> None:
    """While another program reads the file, however long, nobody has to wait to write to it."""
    database = Database(str(path), patience=20)
    add(database)
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM earlier").fetchall()
        started = time.monotonic()
        for number in range(2 * MOVE_EVERY):
            add(database, number)
        assert time.monotonic() - started < 15
    database.close()


@pytest.mark.parametrize("replaced", [True, False])
def test_file_that_is_replaced(database: Database, path: Path, replaced: bool) -> None:  # noqa: FBT001
    """Where another file lies in its place, or none, nothing is written any more, and that is told with the way out."""
    add(database)
    for each in path.parent.glob("queue.db*"):
        each.unlink()
    if replaced:
        other = Database(str(path))
        add(other)
        other.close()
    for _ in range(2):
        with pytest.raises(FileReplaced, match="ringback restore"):
            add(database)
    assert database.is_lost
    fresh = Database(str(path))
    add(fresh)
    assert count(fresh) == 1 + replaced
    fresh.close()


def test_log_that_is_deleted(database: Database, path: Path) -> None:
    """What is in a log that was deleted is saved, and the file is let go."""
    add(database)
    path.with_name("queue.db-wal").unlink()
    with pytest.raises(FileReplaced):
        add(database)
    database.close()
    fresh = Database(str(path))
    assert count(fresh) == 1
    fresh.close()


def test_nothing_is_left_beside_a_file_that_is_closed(database: Database, path: Path) -> None:
    """When it is closed its log is moved into it, so that a copy of the file alone is whole."""
    add(database)
    database.close()
    assert [each.name for each in path.parent.iterdir()] == ["queue.db"]
    add(database)
    assert count(database) == 2


@pytest.mark.parametrize(("days", "is_taken"), [(1, True), (2, False), (3, False)])
def test_log_of_another_day(database: Database, path: Path, days: int, is_taken: bool) -> None:  # noqa: FBT001
    """A copy beside the log of a later day is refused, since SQLite would mix the two; beside its own it is whole."""
    log = path.with_name("queue.db-wal")
    add(database)
    database.close()
    copy = path.read_bytes()
    for _ in range(days):
        add(database)
        kept = log.read_bytes()
        database.close()
    path.write_bytes(copy)
    log.write_bytes(kept)
    fresh = Database(str(path))
    if is_taken:
        assert count(fresh) == 2
    else:
        with pytest.raises(QueueFailed, match="is not of the file"):
            count(fresh)
        log.unlink()
        assert count(fresh) == 1
    fresh.close()


def test_link_that_leads_nowhere_is_not_followed(database: Database, path: Path, tmp_path: Path) -> None:
    """Another user may have laid it, and would choose where the file is made."""
    path.symlink_to(tmp_path / "elsewhere.db")
    with pytest.raises(QueueFailed, match="delete the link"):
        add(database)
    assert not (tmp_path / "elsewhere.db").exists()


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_link_in_the_place_of_a_log_is_refused(database: Database, path: Path, tmp_path: Path, ending: str) -> None:
    """What stands where the log belongs, and is a link, is not written through."""
    other = tmp_path / "other"
    other.write_text("precious")
    Path(f"{path}{ending}").symlink_to(other)
    with pytest.raises(QueueFailed, match="is a link"):
        add(database)
    assert other.read_text() == "precious"
