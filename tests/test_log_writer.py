"""Log lines that a thread writes: whatever standard output does, nothing waits, and no line is missing untold."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from ringback import log_writer
from ringback.log_writer import LogWriter
from tests.working import until

LINE = b'{"event": "x", "text": "%s"}\n'
LONG = LINE % (b"y" * 1000)
MOST = 65536  # bytes that are read at once


@dataclass
class Pipe:
    """A pipe, whose content can be read as lines."""

    written: int
    read: int

    def close(self) -> None:
        """Close both ends, unless they are."""
        for end in (self.written, self.read):
            with suppress(OSError):
                os.close(end)

    def fill(self) -> int:
        """Fill it until it takes no more, and return with how many lines."""
        blocks, count = os.get_blocking(self.written), 0
        os.set_blocking(self.written, False)
        with suppress(BlockingIOError):
            while os.write(self.written, LONG):
                count += 1
        os.set_blocking(self.written, blocks)
        return count

    def lines(self, count: int) -> list[dict[str, Any]]:
        """Return so many lines, as soon as they are there."""
        text = b""
        while text.count(b"\n") < count:
            text += os.read(self.read, MOST)
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """A pipe that nothing is read of yet."""
    read, written = os.pipe()
    with closing(Pipe(written, read)) as made:
        yield made


def block(pipe: Pipe) -> tuple[LogWriter, int]:
    """Return a writer whose thread waits for a full pipe, and how many lines it and the pipe have."""
    count = pipe.fill()
    writer = LogWriter(pipe.written)
    writer.put(LONG, is_outcome=False)
    until(lambda: writer._is_writing)
    return writer, count + 1


def test_lines_in_their_order(pipe: Pipe) -> None:
    """Lines come out as they came in, a longer one than a pipe takes at once too."""
    writer = LogWriter(pipe.written)
    sizes = [1, 5000, 1, 100_000, 4096, 1]
    for size in sizes:
        writer.put(LINE % (b"z" * size), is_outcome=True)
    assert [len(line["text"]) for line in pipe.lines(len(sizes))] == sizes


def test_end_waits_until_all_is_written(pipe: Pipe) -> None:
    """All that was put is there when ``end`` has returned."""
    writer = LogWriter(pipe.written)
    for _ in range(40):
        writer.put(LONG, is_outcome=False)
    writer.end()
    assert os.read(pipe.read, MOST) == 40 * LONG


def test_end_is_bounded(pipe: Pipe) -> None:
    """A pipe that is full does not keep the end waiting."""
    writer, _ = block(pipe)
    writer.end(0.05)
    assert writer._is_writing


@pytest.mark.parametrize("blocks", [True, False], ids=["blocking", "not blocking"])
def test_lines_for_which_there_is_no_room(*, blocks: bool, pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing is read lines wait; then others are dropped, and outcomes last. A line says how many."""
    monkeypatch.setattr(log_writer, "MOST_LINES", 10)
    monkeypatch.setattr(log_writer, "MOST_OUTCOMES", 15)
    os.set_blocking(pipe.written, blocks)
    writer, count = block(pipe)
    for is_outcome, number in ((False, 12), (True, 8)):
        for _ in range(number):
            writer.put(LONG, is_outcome=is_outcome)
    dropped = [line for line in pipe.lines(count + 15 + 1) if line["event"] == "log.dropped"]
    assert [(line["outcomes"], line["others"], line["severity"]) for line in dropped] == [(3, 2, "ERROR")]
    assert dropped[0]["message"].startswith("5 lines were not written")
    writer.put(LONG, is_outcome=False)
    assert [line["event"] for line in pipe.lines(1)] == ["x"]


def test_closed_pipe(pipe: Pipe) -> None:
    """Where nothing is read any more lines are counted, and nothing fails."""
    os.close(pipe.read)
    writer = LogWriter(pipe.written)
    for _ in range(3):
        writer.put(LINE % b"", is_outcome=True)
        writer.end()
    assert writer._dropped == {True: 3}


def test_full_disk() -> None:
    """How many lines a full disk did not take is told when there is room again."""
    with open("/dev/full", "wb", buffering=0) as full, tempfile.TemporaryFile() as file:  # noqa: PTH123 - a device
        descriptor = os.dup(full.fileno())
        writer = LogWriter(descriptor)
        writer.put(LONG, is_outcome=False)
        writer.put(LONG, is_outcome=True)
        writer.end()
        os.dup2(file.fileno(), descriptor)
        writer.put(LONG, is_outcome=False)
        writer.end()
        os.close(descriptor)
        file.seek(0)
        last, dropped = [json.loads(line) for line in file]
    assert last["event"] == "x"
    assert (dropped["event"], dropped["outcomes"], dropped["others"]) == ("log.dropped", 1, 1)


def test_processes_do_not_break_lines_of_one_another(pipe: Pipe) -> None:
    """Several that write to one pipe at once each write whole lines."""
    writers = [LogWriter(os.dup(pipe.written)) for _ in range(2)]  # as two processes have it
    for number in range(200):
        for writer in writers:
            writer.put(LINE % (b"%d" % number * 200), is_outcome=False)
    assert len(pipe.lines(400)) == 400
