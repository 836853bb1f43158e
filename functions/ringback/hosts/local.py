"""The function on one machine: its queue, if it has one, is a SQLite file that another process of it empties."""

import os
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from socket import socket

from ringback.app import App
from ringback.clock import read_clock
from ringback.errors import ConfigError
from ringback.group import make_persons
from ringback.hosts.committer import Committer
from ringback.hosts.life import Life
from ringback.hosts.server import Answering, serve
from ringback.hosts.supervisor import Work
from ringback.mapping import Mapper
from ringback.queues.sqlite.bell import Bell
from ringback.queues.sqlite.database import FileReplaced
from ringback.queues.sqlite.queue import Put, SqliteQueue, open_sqlite
from ringback.queues.sqlite.worker import Way, Worker
from ringback.settings import Settings

LESS_URGENT = 10  # of 19: where the processors are short, answers come first, and what they have stored can wait
DELIVERING = 1  # the place of the delivering process among the service's


def open_app(settings: Settings, now: datetime | None = None) -> App:
    """Return the app of this machine.

    Raises ConfigError for a queue that only its cloud can empty, and QueueFailed for a file that can't be used.
    """
    queue = open_sqlite(settings)
    if queue is None and settings.queue:
        kind = settings.queue.partition(":")[0]
        raise ConfigError([f"queue: {kind} needs its cloud; to run without a queue here set RINGBACK_QUEUE=none"])
    if queue:
        queue.count_due(1, now or read_clock())
        queue.close()
    return App(settings, queue)


def list_works(app: App, listener: socket) -> Sequence[Work]:
    """Return the works of the service's processes: one answers, and with a queue one delivers.

    They are two because threads of one process take turns: each answer would wait for a part of a delivery.
    """
    queue, bell = app.queue, Bell()
    if not isinstance(queue, SqliteQueue):
        return [Work("answering", lambda life: answer(app, None, listener, life))]
    return [
        Work("answering", lambda life: answer(app, bell, listener, life)),
        Work("delivering", lambda life: deliver(app, queue, bell, listener, life)),
    ]


def answer(app: App, bell: Bell | None, listener: socket, life: Life) -> None:
    """Answer requests until the process is told to stop."""
    queue = app.queue
    if not isinstance(queue, SqliteQueue) or bell is None:
        serve(Answering(app, None).handle, listener, life)
        return
    committer = Committer(partial(store, queue, life), bell.ring)
    try:
        serve(Answering(app, committer, lambda: life.is_alive(DELIVERING)).handle, listener, life)
    finally:
        queue.close()


def store(queue: SqliteQueue, life: Life, puts: Sequence[Put]) -> None:
    """Store events; if the file was replaced the process ends, for the next one to begin with the file that is there.

    Raises QueueFailed.
    """
    try:
        queue.store(puts)
    except FileReplaced:
        life.stop.set()
        raise


def deliver(app: App, queue: SqliteQueue, bell: Bell, listener: socket, life: Life) -> None:
    """Deliver the queue's events until the process is told to stop."""
    listener.close()
    os.nice(LESS_URGENT)
    settings, mapper = app.settings, Mapper(app.settings)
    way = Way(app.pipeline.deliver, make_persons(settings), mapper.list_known)
    worker = Worker(
        queue,
        way,
        bell,
        batch_size=settings.thulium.batch_size,
        paused=settings.paused,
        retention=settings.retention,
    )
    try:
        worker.run(life.stop, life.beat)
    finally:
        queue.close()
