"""A disk that is full: new events are refused before it is, and those that are there are still settled."""

import os
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from ringback.queues import QueueFailed
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.disk import HIGH_WATER, LEAST, RESERVE
from tests.events import NOW, done, make_event

Space = namedtuple("Space", "f_bavail f_blocks f_frsize")  # noqa: PYI024 - as the operating system's own


class Disk:
    """What the operating system says of the disk."""

    def __init__(self) -> None:
        """Start with room enough."""
        self.free = 10 * HIGH_WATER
        self.size = 100 * HIGH_WATER

    def statvfs(self, _: object) -> Space:
        """Return the room in blocks of a byte."""
        return Space(self.free, self.size, 1)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """A disk whose room the test says."""
    disk = Disk()
    monkeypatch.setattr(os, "statvfs", disk.statvfs)
    return disk


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    """A queue on that disk."""
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    yield queue
    queue.close()


def test_new_events_are_refused_while_there_is_room_to_settle(queue: SqliteQueue, disk: Disk, tmp_path: Path) -> None:
    """Below the high-water mark an event is refused, and a stored one is settled; the reserve is for worse."""
    queue.put([make_event(1)], NOW)
    queue.database.tidy()
    reserve = tmp_path / "queue.db-reserve"
    assert reserve.stat().st_size == RESERVE
    disk.free = HIGH_WATER - 1
    with pytest.raises(QueueFailed, match="the disk"):
        queue.put([make_event(2)], NOW)
    (held,) = queue.take(10, NOW)
    assert reserve.exists()
    disk.free = LEAST - 1
    assert queue.settle([(held, done())], NOW)
    assert not reserve.exists()
    queue.hand_back([], NOW)  # without a reserve too it is tried
    disk.free = 10 * HIGH_WATER
    queue.put([make_event(2)], NOW)
    queue.database.tidy()
    assert reserve.exists()


def test_small_disk_has_a_small_reserve(queue: SqliteQueue, disk: Disk, tmp_path: Path) -> None:
    """Of a small disk a tenth is kept free, and a fortieth kept back."""
    disk.size, disk.free = 4_000_000, 400_000
    queue.put([make_event(1)], NOW)
    queue.database.tidy()
    assert (tmp_path / "queue.db-reserve").stat().st_size == 100_000
    disk.free = 399_999
    with pytest.raises(QueueFailed):
        queue.put([make_event(2)], NOW)


def test_reserve_for_which_there_is_no_room(
    queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A reserve that can't be made whole is not left there in part, and nothing else fails."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", fail)
    queue.put([make_event(1)], NOW)
    queue.database.tidy()
    assert not (tmp_path / "queue.db-reserve").exists()
    assert queue.count_due(10, NOW) == 1


def test_log_does_not_fill_a_small_disk(queue: SqliteQueue, disk: Disk, tmp_path: Path) -> None:
    """The log is moved into the file and shortened before it takes much of the room that is kept free."""
    disk.size = disk.free = 40 * 1024 * 1024
    longest = 0
    for number in range(20):
        queue.put([make_event(number, data={"text": "x" * 300_000})], NOW)
        longest = max(longest, (tmp_path / "queue.db-wal").stat().st_size)
    assert longest < disk.size // 10 // 4 + 400_000
