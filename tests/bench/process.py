"""A program under test in a process of its own: its log lines, its processor time, its memory (from Linux's /proc)."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Self

from tests.sandbox.function import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds until it must be up
TICKS = os.sysconf("SC_CLK_TCK")


class Program:
    """``python -m ...`` with ``{port}`` filled in, listening at ``port`` while the ``with`` lasts.

    ``lines`` has what it says on standard output, each line with the time (monotonic) at which it came.
    """

    def __init__(self, arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        """Choose a port; nothing is started yet. ``environ`` is added to this process's own."""
        self.port = free_port(0)
        self.lines: list[tuple[float, str]] = []
        self._command = [sys.executable, "-m", *(each.format(port=self.port) for each in arguments)]
        self._environ = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}", **(environ or {})}

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._environ, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise RuntimeError(f"not started: {' '.join(self._command)}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        """End it in order, with all its workers."""
        self.end(signal.SIGTERM)

    def end(self, how: signal.Signals) -> None:
        """End it with a signal, once; what does not end by it is killed."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, how)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._reader.join(timeout=5)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def cpu(self) -> float:
        """Return the processor time (seconds) that it has taken so far, workers included."""
        times = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self._pids()]
        return sum(int(each[11]) + int(each[12]) for each in times) / TICKS

    def memory(self) -> float:
        """Return the memory (MB) that it holds, workers included; what they share is counted once."""
        rows = [line for pid in self._pids() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()]
        return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024

    def _pids(self) -> list[int]:
        pids = [self._process.pid]
        for pid in pids:  # it grows while it is walked
            pids += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        return pids

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
            return True
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as output:
            for line in output:
                self.lines.append((time.monotonic(), line))


def serve_handler(file: Path, **environ: str) -> Program:
    """Return functions-framework with the handler in a file."""
    arguments = ["functions_framework", "--source", str(file), "--target", "webhook", "--port", "{port}"]
    return Program(arguments, environ)


def serve_ringback(config: Path, *arguments: str) -> Program:
    """Return `ringback serve` with a configuration."""
    return Program(["ringback", "serve", "--port", "{port}", *arguments], {"RINGBACK_CONFIG": str(config)})


def serve_thulium(customers: int) -> Program:
    """Return the stand-in Thulium, with so many customers in it."""
    return Program(["tests.bench.thulium", "{port}", str(customers)])
