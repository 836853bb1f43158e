"""Log lines written by a thread: a standard output that takes none keeps neither answers nor deliveries waiting."""

import json
import os
import select
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

MOST_LINES = 10_000  # that may wait; of others than outcomes no more are taken then
MOST_OUTCOMES = 50_000  # lines that may wait; then outcomes are not taken either
LONGEST_END = 2.0  # seconds for the lines that wait when the process ends


class _Line(NamedTuple):
    text: bytes
    is_outcome: bool


class LogWriter:
    """Takes lines from any thread at once, and writes them to a file descriptor in their order.

    Those that could not be written are counted; a line says so, ``log.dropped``, as soon as lines are taken again.
    """

    def __init__(self, descriptor: int) -> None:
        """Start the thread; several processes may write to the same pipe, and none breaks a line of another."""
        self._descriptor = descriptor
        self._waiting: deque[_Line] = deque()
        self._dropped: Counter[bool] = Counter()
        self._changed = threading.Condition()
        self._is_writing = False
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def put(self, text: bytes, *, is_outcome: bool) -> None:
        """Have a line written, which ends with a line feed. Never waits."""
        with self._changed:
            if len(self._waiting) >= (MOST_OUTCOMES if is_outcome else MOST_LINES):
                self._dropped[is_outcome] += 1
                return
            self._waiting.append(_Line(text, is_outcome))
            self._changed.notify()

    def end(self, seconds: float = LONGEST_END) -> None:
        """Wait until all is written, for some seconds at most."""
        until = time.monotonic() + seconds
        while (self._waiting or self._is_writing) and time.monotonic() < until:
            time.sleep(0.01)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._is_writing = False
                while not self._waiting:
                    self._changed.wait()
                lines, self._is_writing = list(self._waiting), True
                self._waiting.clear()
            for piece in _gather(lines):
                if not self._write(piece):
                    self._count(piece)
            self._tell_dropped()

    def _write(self, lines: Sequence[_Line]) -> bool:
        text = b"".join(line.text for line in lines)
        try:
            while text:
                select.select([], [self._descriptor], [])  # another program may have made it one that does not block
                text = text[os.write(self._descriptor, text) :]
        except OSError:  # a pipe that is closed, a disk that is full
            return False
        return True

    def _count(self, lines: Iterable[_Line]) -> None:
        with self._changed:
            self._dropped.update(line.is_outcome for line in lines)

    def _tell_dropped(self) -> None:
        with self._changed:
            dropped = self._dropped.copy()
        if dropped.total() and self._write([_name(dropped)]):
            with self._changed:
                self._dropped -= dropped


def _gather(lines: Iterable[_Line]) -> Iterator[Sequence[_Line]]:
    """Yield the lines in pieces that a pipe takes as one, each; a longer line is a piece of its own."""
    piece: list[_Line] = []
    size = 0
    for line in lines:
        if piece and size + len(line.text) > select.PIPE_BUF:
            yield piece
            piece, size = [], 0
        piece.append(line)
        size += len(line.text)
    yield piece


def _name(dropped: Counter[bool]) -> _Line:
    content = {
        "message": f"{dropped.total()} lines were not written: standard output did not take them",
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "severity": "ERROR",
        "event": "log.dropped",
        "outcomes": dropped[True],
        "others": dropped[False],
    }
    return _Line(json.dumps(content).encode() + b"\n", is_outcome=False)
