"""Lambda on loopback: the Runtime API, and awslambdaric, which runs a function under it as Lambda does.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import pytest

PATIENCE = 30.0  # seconds for one answer


class Function:
    """A function of a built package in a process of its own, while the ``with`` lasts.

    What it prints is kept in ``folder``. Each call may take 60 seconds.
    """

    def __init__(self, handler: str, package: Path, environ: Mapping[str, str], folder: Path) -> None:
        self._handler = handler
        self._package = package
        self._environ = environ
        self.events: queue.Queue[object] = queue.Queue()
        self.answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._printed = folder / f"{handler}.txt"

    def __enter__(self) -> Self:
        """Start it."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), make_api(self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        own = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self._package),  # before all that is installed here
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "ringback",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "LAMBDA_TASK_ROOT": str(self._package),
            "_HANDLER": self._handler,
            **self._environ,
        }
        command = [sys.executable, "-m", "awslambdaric", self._handler]
        with self._printed.open("wb") as printed:
            self._process = subprocess.Popen(
                command, cwd=self._package, env=own, stdout=printed, stderr=subprocess.STDOUT
            )
        return self

    def __exit__(self, *_: object) -> None:
        """End it, as Lambda does: without a word."""
        self.events.put(None)
        self._process.kill()
        self._process.wait()
        self._server.shutdown()
        self._server.server_close()

    def invoke(self, event: object) -> dict[str, Any]:
        """Return what the function returns for an event."""
        self.events.put(event)
        deadline = time.monotonic() + PATIENCE
        while self.answers.empty() and self._process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        if self.answers.empty():
            pytest.fail(f"no answer has come; the function said:\n{self.output}")
        return self.answers.get()

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._printed.read_text("utf-8")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]


def make_api(function: Function) -> type[BaseHTTPRequestHandler]:
    """Return the Runtime API that hands a function its events and takes its answers."""

    class Api(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            event = function.events.get()
            body = json.dumps(event).encode()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "1")
            self.send_header("Lambda-Runtime-Deadline-Ms", str(round((time.time() + 60) * 1000)))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:ringback")
            for name in ("Trace-Id", "Client-Context", "Cognito-Identity"):  # awslambdaric crashes without them
                self.send_header(f"Lambda-Runtime-{name}", "")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if event is not None:
                self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            function.answers.put(json.loads(body))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Api
