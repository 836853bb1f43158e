"""``ringback serve`` in a process of its own, as it is typed."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parent.parent
PATIENCE = 20.0  # seconds


class Service:
    """The process, while the ``with`` lasts: it listens at ``port`` when the block begins."""

    def __init__(
        self, environ: Mapping[str, str], *arguments: str, port: int = 0, output: int = subprocess.PIPE
    ) -> None:
        """Prepare to start it with ``environ`` beside the variables that Python needs.

        Its log is read here, unless ``output`` is a descriptor that it is to write to.
        """
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME") or "COV" in name}
        self._environ = {**kept, **environ, "PYTHONUNBUFFERED": "1"}
        self._command = [sys.executable, "-m", "ringback", "serve", "--port", str(port), *arguments]
        self._output = output
        self.out: list[str] = []
        self.err: list[str] = []

    def __enter__(self) -> Self:
        """Start it and wait until it listens."""
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT / "functions",
            env=self._environ,
            stdout=self._output,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=lambda: self.out.extend(self.process.stdout or ()), daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self.wait_until(lambda: self.port is not None or self.process.poll() is not None)
        return self

    def __exit__(self, *_: object) -> None:
        """End it and everything that it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for reader in self._readers:
            reader.join(5)
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    @property
    def port(self) -> int | None:
        """Where it listens, None as long as it does not say."""
        found = re.search(r"listens at http://[^ ]+:(\d+);", "".join(self.err))
        return int(found[1]) if found else None

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send a request, and return status and body of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body or None, dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log lines of one kind."""
        told = [json.loads(line) for line in list(self.out) if line.startswith("{")]
        return [line for line in told if line["event"] == event]

    def list_processes(self) -> list[int]:
        """Return the ids of the processes that it has started (Linux)."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self) -> int:
        """Tell it to stop, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Return as soon as the condition holds; fail if it does not in time."""
        until = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < until, "".join([*self.out, *self.err])
            time.sleep(0.02)

    def _read_errors(self) -> None:
        for line in self.process.stderr or ():
            self.err.append(line)
