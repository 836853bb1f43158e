"""What Cloud Tasks hands over: one event in each task, delivered and settled.

The answer is 200 wherever the event is in good hands: any other makes Cloud Tasks try the same task again, at a time
of its own, and slow its whole queue down, https://cloud.google.com/tasks/docs/common-pitfalls.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from ringback import log
from ringback.app import UP, App, read_clock
from ringback.event import Event
from ringback.hosts.verdicts import Deliver, judge
from ringback.queues import QueueFailed
from ringback.queues.cloud_tasks import REPLAY, CloudTasksQueue
from ringback.queues.message import load_event
from ringback.web import Request, Response, answer_json

SETTLED = answer_json(200, {})
LATER = answer_json(503, {"error": "this task is to be tried again; the log says why"})


def answer(app: App, request: Request) -> Response:
    """Return the answer to a task: 200 when its event is settled, else 503; 503 too while everything is paused."""
    if request.method != "POST":
        return UP
    if not isinstance(app.queue, CloudTasksQueue):
        log.write("ERROR", "only a cloud-tasks queue is delivered here; name it in RINGBACK_QUEUE", "queue.failed")
        return LATER
    if app.settings.paused or not request.is_whole:
        return LATER
    try:
        return settle(request, app.queue, app.pipeline.deliver)
    except QueueFailed as error:
        log.write("ERROR", str(error), "queue.failed")
        return LATER


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
        event = replace(event, started_at=clock(), problem={})
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
