"""The function under test of a demonstration: Google's door under the Functions Framework, in a process of its own."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds until it must be up
Log = Callable[[dict[str, Any]], None]


class NotStarted(Exception):
    """The function has not come up; the text is what it said last."""


class Function:
    """The function at ``url``, while the ``with`` lasts. Its log lines go to ``log``, as they are written."""

    def __init__(self, port: int, environ: Mapping[str, str], log: Log, target: str = "webhook") -> None:
        """Prepare to listen on ``port``; ``environ`` is added to this process's own, ``target`` is called."""
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._environ = {**os.environ, **environ}
        self._log = log
        self._target = target
        self._said: deque[str] = deque(maxlen=40)

    def __enter__(self) -> Self:
        """Start it and wait until it answers."""
        source = [sys.executable, "-m", "functions_framework", "--source", "functions/main.py"]
        address = ["--target", self._target, "--host", "127.0.0.1", "--port", str(self._port)]
        self._process = subprocess.Popen(
            [*source, *address],
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # so that Ctrl-C reaches us alone, and we end it in order
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait_until_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """End it, with all its workers."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
                self._process.wait(timeout=5)
            except ProcessLookupError:
                break
            except subprocess.TimeoutExpired:
                continue
        self._process.wait()
        self._reader.join(timeout=5)
        if self._process.stdout:
            self._process.stdout.close()

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        """Post something and return the answer's status and content."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._reader.join(timeout=5)  # what it said last is what tells why
                raise NotStarted("\n".join(self._said))
            time.sleep(0.05)

    def _is_up(self) -> bool:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=2)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    def _read(self) -> None:
        for line in self._process.stdout or ():
            self._said.append(line.rstrip())
            try:
                content = json.loads(line)
            except ValueError:
                continue  # the framework's own lines; the last of them are kept for when it does not start
            if isinstance(content, dict):
                self._log(content)


def free_port(wanted: int) -> int:
    """Return the port that is wanted (0: none) if nobody listens there, else any free one.

    It is one that is not given to clients, of which another may be at work beside.
    """
    for port in (*([wanted] if wanted else []), *random.sample(range(20_000, 32_000), 20)):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
