"""``ringback serve`` in processes of its own: started, asked, measured and killed."""

import http.client
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import yaml

FUNCTIONS = Path(__file__).parent.parent / "functions"


class Served:
    """The function and its worker. What it prints goes into the file ``log`` in its folder."""

    def __init__(
        self,
        folder: Path,
        config: Mapping[str, Any],
        *,
        module: str = "ringback",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Start it with a configuration, at any port, and return when it listens; ``module`` has the commands."""
        path = folder / "served.yaml"
        path.write_text(yaml.safe_dump(dict(config), allow_unicode=True), "utf-8")
        command = [sys.executable, "-u", "-m", module, "serve", "--port", "0"]
        paths = f"{FUNCTIONS}:{FUNCTIONS.parent}"
        environ = {**os.environ, "RINGBACK_CONFIG": str(path), "PYTHONPATH": paths, **(environ or {})}
        with (folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.PIPE, env=environ, start_new_session=True
            )
        assert self.process.stderr is not None
        told = self.process.stderr.readline().decode()
        found = re.search(r"http://127\.0\.0\.1:([0-9]+)", told)
        assert found, told + self.process.stderr.read().decode()
        self.port = int(found[1])

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End all its processes, whatever they do."""
        self.kill()

    def kill(self) -> None:
        """Kill all its processes as nothing else can."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def end(self) -> int:
        """Have it end in order, and return its exit code."""
        self.process.terminate()
        return self.process.wait(60)

    def signal_all(self, number: int) -> None:
        """Send a signal to all its processes."""
        os.killpg(self.process.pid, number)

    def post(
        self, path: str, body: bytes | Iterable[bytes], headers: Mapping[str, str], timeout: float = 20
    ) -> tuple[int, bytes]:
        """Return status and body of the answer to a POST. Raises OSError and HTTPException."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            connection.request("POST", path, body, dict(headers), encode_chunked=not isinstance(body, bytes))
            answer = connection.getresponse()
            return answer.status, answer.read()

    def kill_worker(self) -> bool:
        """Kill the process that answers and delivers; the one above it starts another. Tell whether there was one."""
        workers = [pid for pid in self._list_processes() if pid != self.process.pid]
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        return bool(workers)

    def measure_memory(self) -> int:
        """Return the bytes that its processes have in memory (Linux)."""
        return sum(_read_memory(Path(f"/proc/{pid}/status")) for pid in self._list_processes())

    def _list_processes(self) -> list[int]:
        return [pid for pid in (int(each.name) for each in Path("/proc").glob("[0-9]*")) if self._is_ours(pid)]

    def _is_ours(self, pid: int) -> bool:
        try:
            return os.getpgid(pid) == self.process.pid
        except ProcessLookupError:
            return False


def _read_memory(status: Path) -> int:
    found = re.search(r"VmRSS:\s*([0-9]+) kB", status.read_text())
    return int(found[1]) * 1024 if found else 0
