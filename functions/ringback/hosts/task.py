"""Tasks from Cloud Tasks, with one event each: deliver it and settle the task.

The answer is 200 wherever the event is in good hands: any other makes Cloud Tasks try the same task again, at a time
of its own, and slow its whole queue down, https://cloud.google.com/tasks/docs/common-pitfalls.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ringback import log
from ringback.app import UP, App
from ringback.bounded import Bounded
from ringback.clock import read_clock
from ringback.errors import RefusedRequest
from ringback.event import Event
from ringback.hosts.caller import CERTIFICATES, Caller, NoCertificates
from ringback.queues import QueueFailed
from ringback.queues.cloud_tasks import REPLAY, CloudTasksQueue
from ringback.queues.message import load_event
from ringback.queues.verdicts import Deliver, judge
from ringback.web import Request, Response, answer_json

SETTLED = answer_json(200, {})
LATER = answer_json(503, {"error": "this task is to be tried again; the log says why"})
REFUSAL_PERIOD = 60.0  # seconds in which there is one line about tasks that are refused


class Tasks:
    """Answers tasks, with an app whose queue is Cloud Tasks."""

    def __init__(self, app: App, certificates: str = CERTIFICATES) -> None:
        """Take the app, and the address of the certificates by which callers are known."""
        self._app = app
        self._caller = Caller(app.settings.cloud_tasks, certificates)
        self._refusals = Bounded(1, REFUSAL_PERIOD)

    def handle(self, request: Request) -> Response:
        """Return the answer to a task: 200 when its event is settled, else 503; 503 too while everything is paused.

        A request that is not from Cloud Tasks is answered 401 or 403.
        """
        if request.method != "POST":
            return UP
        try:
            self._caller.check(request)
            return self._settle(request)
        except RefusedRequest as error:
            return self._refuse(str(error), answer_json(error.status, {"error": str(error)}))
        except NoCertificates as error:
            return self._refuse(str(error), LATER)
        except QueueFailed as error:
            self._app.failures.write(str(error))
            return LATER

    def _settle(self, request: Request) -> Response:
        queue = self._app.queue
        if not isinstance(queue, CloudTasksQueue):
            raise QueueFailed("only a cloud-tasks queue is delivered here; name it in RINGBACK_QUEUE")
        if self._app.settings.paused or not request.is_whole:
            return LATER
        return settle(request, queue, self._app.pipeline.deliver)

    def _refuse(self, reason: str, answer: Response) -> Response:
        unlogged = self._refusals.count(reason)
        if unlogged is not None:
            text = f"a task was refused: {reason}"
            log.write("ERROR", text, "task.refused", http_status=answer.status, reason=reason, unlogged=unlogged)
        return answer


def settle(
    request: Request, queue: CloudTasksQueue, deliver: Deliver, clock: Callable[[], datetime] = read_clock
) -> Response:
    """Deliver the event in a task, and make of it the next task where there is to be one. Raises QueueFailed.

    A parked event that is replayed counts as received now, else it might be too old to be called. The outcome is
    logged when it is settled.
    """
    started = time.monotonic()
    replayed = request.query == REPLAY
    event = read_task(request)
    if event is None:
        queue.keep(request.body, clock(), replayed=replayed)
        return SETTLED
    if replayed:
        event = replace(event, started_at=clock(), problem={}, over=None)
    (verdict,) = judge([event], deliver, clock)
    queue.settle(event, verdict, clock(), replayed=replayed)
    log.write_outcome(event, verdict.outcome, time.monotonic() - started)
    return SETTLED


def read_task(request: Request) -> Event | None:
    """Return the event in a task; None, and a line in the log, if there is none that can be read."""
    try:
        return load_event(request.body.decode("utf-8", "replace"))
    except ValueError as error:
        name = request.headers.get("x-cloudtasks-taskname")
        log.write("ERROR", f"a task was parked unread: {error}", "queue.unreadable", task=name)
        return None
