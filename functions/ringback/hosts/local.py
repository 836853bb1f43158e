"""The function on one machine: its queue, if it has one, is a SQLite file that is emptied by the same process."""

from datetime import datetime

from ringback.app import App, read_clock
from ringback.errors import ConfigError
from ringback.hosts.worker import Worker
from ringback.queues.sqlite import SqliteQueue
from ringback.settings import Settings

SQLITE = "sqlite:///"


def open_sqlite(settings: Settings) -> SqliteQueue | None:
    """Return the SQLite queue that the settings name, None when they name another or none. Nothing is opened yet."""
    queue = settings.queue or ""
    return SqliteQueue(queue.removeprefix(SQLITE)) if queue.startswith(SQLITE) else None


def wire(settings: Settings, now: datetime | None = None) -> tuple[App, Worker | None]:
    """Return the app, and the worker that empties its queue if it has one.

    Raises ConfigError for a queue that only its cloud can empty, and QueueFailed for a file that can't be used.
    """
    queue = open_sqlite(settings)
    if queue is None:
        if settings.queue:
            kind = settings.queue.partition(":")[0]
            raise ConfigError([f"queue: {kind} needs its cloud; to run without a queue here set RINGBACK_QUEUE=none"])
        return App(settings), None
    queue.count_due(1, now or read_clock())
    queue.close()
    app = App(settings, queue)
    size, retention = settings.thulium.batch_size, settings.retention
    return app, Worker(queue, app.pipeline.deliver, batch_size=size, paused=settings.paused, retention=retention)
