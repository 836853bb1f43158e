"""The processes of a service: each work is done by exactly one, whatever ends, hangs or stops, and all end together."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import permutations
from pathlib import Path
from signal import Signals
from typing import Any, Self

import pytest

from tests.supervised import FLOOD, LEAST_LIFE, SILENCE
from tests.working import until

ROOT = Path(__file__).parent.parent
LONGEST_ORPHAN = 5.0  # seconds
ENDING = [
    Signals.SIGHUP, Signals.SIGINT, Signals.SIGQUIT, Signals.SIGTERM, Signals.SIGUSR1, Signals.SIGUSR2,
    Signals.SIGALRM, Signals.SIGPROF,
]  # fmt: skip
STOPPING = (Signals.SIGTTOU, Signals.SIGTTIN, Signals.SIGTSTP)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals and pipes are Linux's")


class Supervised:
    """``python -m tests.supervised`` with some works, while the ``with`` lasts; all have begun when the block does."""

    def __init__(self, folder: Path, *names: str) -> None:
        """Prepare to start it; nothing is read from its standard output before ``lines``."""
        self._folder = folder
        self._names = names

    def __enter__(self) -> Self:
        """Start it."""
        command = [sys.executable, "-m", "tests.supervised", *self._names]
        environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}", "TEST_FOLDER": str(self._folder)}
        self.process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        assert self.process.stderr
        assert self.process.stderr.readline() == b"ready\n", self.process.stderr.read()
        until(lambda: all(self.pids(name) for name in self._names))
        return self

    def __exit__(self, *_: object) -> None:
        """End all of it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def words(self, name: str) -> list[str]:
        """Return all that the processes of a work have written."""
        path = self._folder / name
        return path.read_text().split() if path.exists() else []

    def pids(self, name: str) -> list[int]:
        """Return the ids of the processes that have done a work, each after the other."""
        words = self.words(name)
        assert "twice" not in words
        return [int(word) for word in words if word.isdecimal()]

    def wait_for(self, name: str, count: int) -> None:
        """Return when so many processes have done a work, each after the other."""
        until(lambda: len(self.pids(name)) == count)

    def wait_for_beat(self, name: str) -> None:
        """Return when a work's process has done something more."""
        path = self._folder / f"{name}.beat"
        before = path.stat().st_mtime_ns
        until(lambda: path.stat().st_mtime_ns > before)

    def lines(self) -> list[dict[str, Any]]:
        """Return the log, after the end."""
        assert self.process.stdout
        return [json.loads(line) for line in self.process.stdout.read().splitlines()]

    def end(self) -> int:
        """Tell it to end, and return the exit code."""
        self.process.terminate()
        return self.process.wait(10)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Supervised]:
    """Two works that are done for as long as they may be."""
    with Supervised(tmp_path, "steady", "other") as supervised:
        yield supervised


def is_there(pid: int) -> bool:
    """Return whether a process runs."""
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return False


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_any_other_signal_ends_all_in_order(number: Signals, two: Supervised) -> None:
    """A signal that would end a process ends each work in order, and the exit code is 0."""
    two.process.send_signal(number)
    assert two.process.wait(10) == 0
    assert [two.words(name)[1:] for name in ("steady", "other")] == [["ended"], ["ended"]]


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_the_same_for_the_whole_group(number: Signals, two: Supervised) -> None:
    """A closing terminal sends the signal to every process: they end in order too."""
    os.killpg(two.process.pid, number)
    assert two.process.wait(10) == 0
    assert [two.words(name)[1:] for name in ("steady", "other")] == [["ended"], ["ended"]]


def test_end_at_once(tmp_path: Path) -> None:
    """A process that was told to end before it had begun ends."""
    with Supervised(tmp_path, "hurried") as supervised:
        assert supervised.process.wait(10) == 0
        assert supervised.words("hurried")[1:] == ["ended"]


def test_job_control_changes_nothing(two: Supervised) -> None:
    """A terminal's signals to stop, in any order, to one process or all, stop none."""
    for order in permutations(STOPPING):
        for number in order:
            two.process.send_signal(number)
            os.killpg(two.process.pid, number)
    for name in ("steady", "other"):
        two.wait_for_beat(name)
    os.kill(two.pids("other")[0], signal.SIGKILL)
    two.wait_for("other", 2)
    assert len(two.pids("steady")) == 1
    assert two.end() == 0


@pytest.mark.parametrize("name", ["steady", "other"])
def test_killed_process_comes_back(name: str, two: Supervised) -> None:
    """Another process does the work of one that was killed; the other work goes on."""
    os.kill(two.pids(name)[0], signal.SIGKILL)
    two.wait_for(name, 2)
    assert two.end() == 0
    assert sorted(len(two.pids(each)) for each in ("steady", "other")) == [1, 2]
    [line] = two.lines()
    assert (line["event"], line["severity"]) == ("process.ended", "WARNING")
    assert line["message"] == f"the {name} process was started anew: the one before it had ended"


def test_stopped_process_is_replaced(two: Supervised) -> None:
    """A process that does not beat is killed, and another one does its work."""
    os.kill(two.pids("steady")[0], signal.SIGSTOP)
    two.wait_for("steady", 2)
    assert two.end() == 0
    assert len(two.pids("other")) == 1
    [line] = two.lines()
    assert (line["event"], line["severity"]) == ("process.hangs", "ERROR")


def test_pause_of_all_is_no_silence(two: Supervised) -> None:
    """Where all were stopped and go on, as in a container that is paused, none is replaced."""
    os.killpg(two.process.pid, signal.SIGSTOP)
    time.sleep(2 * SILENCE)
    os.killpg(two.process.pid, signal.SIGCONT)
    time.sleep(SILENCE / 2)
    assert two.end() == 0
    assert len(two.pids("steady")) == len(two.pids("other")) == 1


def test_failing_work(tmp_path: Path) -> None:
    """A work that fails is begun anew, not at once; the log has the place, and nothing personal."""
    start = time.monotonic()
    with Supervised(tmp_path, "failing", "steady") as supervised:
        until(lambda: len(supervised.pids("failing")) >= 8)
        assert time.monotonic() - start >= 7 * LEAST_LIFE
        assert supervised.end() == 0
        lines = supervised.lines()
    assert [line["event"] for line in lines][:3] == ["internal.error", "process.ended", "internal.error"]
    assert lines[0]["message"] == "the failing process has failed: LookupError"
    assert "jan@" not in json.dumps(lines)


def test_process_that_can_not_be_started(tmp_path: Path) -> None:
    """Where there are too many processes, or no memory, the start is tried again, and signals end all in order."""
    with Supervised(tmp_path, "scarce") as supervised:
        assert len(supervised.pids("scarce")) == 1
        assert supervised.end() == 0


def test_work_that_fails_again_and_again(tmp_path: Path) -> None:
    """That a work is begun anew is no sign of life: the others learn that it is not done."""
    with Supervised(tmp_path, "failing", "watching") as supervised:
        until(lambda: "alone" in supervised.words("watching"))
        assert len(supervised.pids("failing")) > 1
        assert supervised.end() == 0


def test_end_is_bounded(tmp_path: Path) -> None:
    """A process that does not end is killed."""
    with Supervised(tmp_path, "stubborn") as supervised:
        assert supervised.end() == 0
        assert not is_there(supervised.pids("stubborn")[0])


def test_orphans_end(tmp_path: Path) -> None:
    """Without the first process the others end in order, or at least within seconds."""
    with Supervised(tmp_path, "steady", "stubborn") as supervised:
        pids = [supervised.pids(name)[0] for name in ("steady", "stubborn")]
        supervised.process.kill()
        start = time.monotonic()
        until(lambda: not any(map(is_there, pids)))
        assert time.monotonic() - start < LONGEST_ORPHAN
        assert supervised.words("steady")[1:] == ["ended"]


def test_output_that_takes_nothing(tmp_path: Path) -> None:
    """While standard output takes no line a killed process comes back, and all end in order."""
    with Supervised(tmp_path, "flooding", "steady") as supervised:
        for name in ("steady", "flooding"):
            os.kill(supervised.pids(name)[0], signal.SIGKILL)
            supervised.wait_for(name, 2)
        assert supervised.end() == 0
        assert supervised.words("flooding")[-1] == "ended"
        assert 0 < len(supervised.lines()) < FLOOD
