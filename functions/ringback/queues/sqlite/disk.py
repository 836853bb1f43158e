"""Room on the disk: new events are refused before it is full, so that those that are there can still be settled."""

import os
from contextlib import suppress
from pathlib import Path

HIGH_WATER = 32 * 1024 * 1024  # bytes that must be free for a new event, a tenth of a small disk
RESERVE = 8 * 1024 * 1024  # bytes of a file that is given up when settling finds no room, a fortieth of a small disk
LEAST = 1024 * 1024  # bytes that a commit may take


class Disk:
    """The disk that the queue's file at ``path`` is on."""

    def __init__(self, path: str) -> None:
        """Remember the path; nothing is written yet."""
        self._folder = Path(path).absolute().parent
        self._reserve = Path(f"{path}-reserve")
        self._log = Path(f"{path}-wal")

    def has_room(self) -> bool:
        """Return whether new events may be stored."""
        free = self._count_free()
        return free == float("inf") or free >= self._find_mark()

    def has_long_log(self) -> bool:
        """Return whether the log has to be moved into the file while there is room for it. Raises OSError."""
        return self._log.stat().st_size > self._find_mark() // 4

    def is_full(self) -> bool:
        """Return whether there is hardly room for one commit."""
        return self._count_free() < LEAST

    def keep_reserve(self) -> None:
        """Make the reserve unless it is there, or the disk has no room for it to spare."""
        if self._reserve.exists() or not self.has_room():
            return
        with suppress(OSError):  # without one a full disk is mended by hand
            self._write(min(RESERVE, self._count_all() // 40))

    def _write(self, size: int) -> None:
        descriptor = os.open(self._reserve, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, max(size, 1))
        except OSError:
            self._reserve.unlink()
        finally:
            os.close(descriptor)

    def give_up_reserve(self) -> bool:
        """Free the reserve for a write that has to succeed, and return whether there was one."""
        try:
            self._reserve.unlink()
        except OSError:
            return False
        return True

    def _find_mark(self) -> int:
        return min(HIGH_WATER, self._count_all() // 10)

    def _count_free(self) -> float:
        try:
            found = os.statvfs(self._folder)
        except OSError:  # a folder that is not there is named by SQLite
            return float("inf")
        return found.f_bavail * found.f_frsize

    def _count_all(self) -> int:
        found = os.statvfs(self._folder)
        return found.f_blocks * found.f_frsize
