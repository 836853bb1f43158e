"""A stand-in for Cloud Tasks that keeps tasks and calls nobody: a gRPC server on loopback.

Unlike the emulator it refuses a name that was used before, as Cloud Tasks does for about an hour, and fails when told.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

import grpc
from google.cloud.tasks_v2 import CreateTaskRequest, Task

SECRETIVE = "refused for hooks@example.com of project 601000001"


class CloudTasks:
    """``tasks`` are what was made, ``failures`` the codes with which the next calls fail."""

    def __init__(self) -> None:
        """Prepare, without listening yet."""
        self.tasks: list[Task] = []
        self.failures: list[grpc.StatusCode] = []
        self.calls = 0
        self._lock = threading.Lock()
        self._server = grpc.server(ThreadPoolExecutor(4))
        create = grpc.unary_unary_rpc_method_handler(self._create, CreateTaskRequest.deserialize, Task.serialize)
        handlers = {"CreateTask": create}
        service = "google.cloud.tasks.v2.CloudTasks"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def __enter__(self) -> Self:
        """Listen."""
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.stop(None).wait()

    def names(self, queue: str) -> list[str]:
        """Return the names of a queue's tasks, without the queue's own."""
        return [task.name.removeprefix(f"{queue}/tasks/") for task in self.tasks if task.name.startswith(f"{queue}/")]

    def _create(self, request: CreateTaskRequest, context: Any) -> Task:
        with self._lock:
            self.calls += 1
            if self.failures:
                context.abort(self.failures.pop(0), SECRETIVE)
            task = request.task
            task.name = task.name or f"{request.parent}/tasks/unnamed-{len(self.tasks)}"
            if task.name in [each.name for each in self.tasks]:
                context.abort(grpc.StatusCode.ALREADY_EXISTS, SECRETIVE)
            self.tasks.append(task)
            return task
