"""A process that starts others, one for each work, and sees to it that each is done by exactly one of them."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn

from ringback import log
from ringback.hosts.life import LONGEST_SILENCE, Life, Pulse

GLANCE = 0.1  # seconds between two looks at the processes
LONGEST_STOP = 30.0  # seconds that they have to end in
LEAST_LIFE = 1.0  # seconds after its start before which a process is not started again

# What would stop a process: a terminal's job control is not ours, and a stopped process delivers nothing.
_IGNORED = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGPIPE}
# What can't be handled, what tells of a child, of a terminal's size or of a fault of the process itself.
_LEFT = {
    signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, signal.SIGCONT, signal.SIGURG, signal.SIGWINCH, signal.SIGSEGV,
    signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP,
}  # fmt: skip
ENDING = {number for number in signal.valid_signals() if number not in _IGNORED | _LEFT}

_FAILURES = {"process.hangs": ("ERROR", "hung, or was stopped"), "process.ended": ("WARNING", "had ended")}


@dataclass(frozen=True)
class Work:
    """One thing to be done for as long as the service runs, by a process that beats. ``name`` is told in the log."""

    name: str
    do: Callable[[Life], object]


@dataclass
class _Process:
    """One of the processes, and when it began (monotonic).

    ``watched`` is the time from which its silence counts, ``failure`` the event to be logged by the one after it.
    """

    work: Work
    pid: int = 0
    started: float = float("-inf")
    watched: float = 0.0
    failure: str = ""


class Supervisor:
    """Starts a process for each work and, should it end, hang or be stopped, another one in its place.

    Any signal that would end a process ends all of them in order. None outlives this one for more than some seconds.
    This one writes no log, which might block: each process tells why the one before it is gone.
    """

    def __init__(self, works: Sequence[Work], longest_silence: float = LONGEST_SILENCE) -> None:
        """Remember the works; nothing is started yet. A process without a beat for ``longest_silence`` s is killed."""
        self._processes = [_Process(work) for work in works]
        self._longest_silence = longest_silence
        self._pulse = Pulse(len(works), longest_silence)
        self._looked = time.monotonic()
        self._is_ending = False

    def run(self, on_ready: Callable[[], object]) -> None:
        """Return when the service was told to end, and has. ``on_ready`` is called when all have been started."""
        for number in _IGNORED:
            signal.signal(number, signal.SIG_IGN)
        for number in ENDING:
            signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, an ended child can't be waited for
        self._start_missing()
        on_ready()
        while not self._is_ending:
            time.sleep(GLANCE)
            self._look()
            self._start_missing()
        self._stop_all()

    def _end(self, *_: object) -> None:
        self._is_ending = True

    def _start_missing(self) -> None:
        for index, process in enumerate(self._processes):
            if not process.pid and time.monotonic() - process.started >= LEAST_LIFE:
                self._start(index, process)

    def _start(self, index: int, process: _Process) -> None:
        process.started = process.watched = time.monotonic()
        life = Life(self._pulse, index, os.getpid())
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # until each process has its own way with them
        with suppress(OSError):  # too many processes, or no memory: it is tried again
            process.pid = os.fork() or _become(process, life)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)

    def _look(self) -> None:
        """Note which processes have ended, and kill those that hang or were stopped."""
        self._forgive_pause()
        for index, process in enumerate(self._processes):
            if process.pid and self._hangs(index, process):
                os.kill(process.pid, signal.SIGKILL)
                self._reap(process, 0)
                process.failure = "process.hangs"
            elif process.pid and self._reap(process, os.WNOHANG):
                process.failure = "process.ended"

    def _forgive_pause(self) -> None:
        """If this process was stopped itself, as all are in a container that is paused, give the others time."""
        now = time.monotonic()
        if now - self._looked > self._longest_silence / 2:
            for process in self._processes:
                process.watched = now
        self._looked = now

    def _hangs(self, index: int, process: _Process) -> bool:
        is_watched = time.monotonic() - process.watched >= self._longest_silence
        return is_watched and not self._pulse.is_alive(index)

    def _reap(self, process: _Process, how: int) -> bool:
        """Return whether a process has ended."""
        pid, _ = os.waitpid(process.pid, how)
        if pid:
            process.pid = 0
        return bool(pid)

    def _stop_all(self) -> None:
        for process in self._running():
            os.kill(process.pid, signal.SIGTERM)
        until = time.monotonic() + LONGEST_STOP
        while self._running() and time.monotonic() < until:
            time.sleep(GLANCE / 5)
            for process in self._running():
                self._reap(process, os.WNOHANG)
        for process in self._running():
            os.kill(process.pid, signal.SIGKILL)
            self._reap(process, 0)

    def _running(self) -> list[_Process]:
        return [process for process in self._processes if process.pid]


def _become(process: _Process, life: Life) -> NoReturn:
    """Do a work in this process, which has just been forked, until it is told to stop; does not return."""
    for number in ENDING - {signal.SIGTERM}:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, life.tell)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    life.watch()
    code = 1
    try:
        with log.written_beside():
            code = _do(process, life)
    finally:
        os._exit(code)  # threads that hang must not keep it


def _do(process: _Process, life: Life) -> int:
    """Return the exit code."""
    name = process.work.name
    if process.failure:
        severity, reason = _FAILURES[process.failure]
        log.write(severity, f"the {name} process was started anew: the one before it {reason}", process.failure)
    try:
        process.work.do(life)
    except Exception as error:  # noqa: BLE001 - nothing is above that could take it
        log.write_bug(error, f"the {name} process has failed")
        return 1
    return 0
