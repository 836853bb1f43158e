"""Wires it together: configuration in, answers out. Nothing in a request makes ``App.handle`` raise."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from ringback import log
from ringback.aws_secret import read_secret
from ringback.config import load
from ringback.direct import deliver_now
from ringback.errors import ConfigError, RefusedRequest, WrongMethod
from ringback.lookup import make_excerpt
from ringback.pipeline import Pipeline
from ringback.queues import Queue, QueueFailed
from ringback.queues.counter import Counter
from ringback.refusals import Refusals
from ringback.settings import Settings
from ringback.thulium.api import FindAccess, nowhere
from ringback.verification.reply import reply
from ringback.web import Request, Response, answer_json

RETRY_AFTER = {"Retry-After": "60"}
UP = Response(200, b"Ringback is up.\n", {"Content-Type": "text/plain; charset=utf-8"})


def read_clock() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)


class App:
    """The function that both clouds and a laptop run: a request in, an answer out."""

    def __init__(
        self,
        settings: Settings,
        queue: Queue | None = None,
        clock: Callable[[], datetime] = read_clock,
        find_access: FindAccess = nowhere,
    ) -> None:
        """Take the checked settings; nothing is connected before it is needed.

        ``find_access`` is asked for another password when Thulium has refused the one in the settings.
        """
        self.settings = settings
        self.pipeline = Pipeline(settings, find_access=find_access)
        self.queue = queue
        self._counter = Counter()  # without a queue; a queue has its own
        self._refusals = Refusals()
        self._clock = clock

    def handle(self, request: Request) -> Response:
        """Return the answer to a request, whatever it is."""
        try:
            return self._answer(request, time.monotonic())
        except RefusedRequest as error:
            return self._refuse(request, error)
        except QueueFailed as error:
            log.write("ERROR", str(error), "queue.failed")
            return answer_json(503, {"error": "it can't be stored now"}, RETRY_AFTER)
        except Exception as error:  # noqa: BLE001 - logged; the sender learns nothing, and may send it again
            log.write_bug(error, "a request could not be answered")
            return answer_json(503, {"error": "internal error"}, RETRY_AFTER)

    def _answer(self, request: Request, started: float) -> Response:
        if request.path in ("", "/") and request.method in ("GET", "HEAD"):
            return UP
        accepted = self.pipeline.accept(request, self._clock())
        if isinstance(accepted, Response):
            return accepted if accepted.body else self._store_nothing()
        source, events, why_none = accepted
        if not events:
            log.write("INFO", f"no event: {why_none}", "webhook.empty", source=source.name, reason=why_none)
            return reply(source.reply, self._store_nothing())
        if self.queue is None:
            marked = self._counter.mark(events, source.limits, self._clock())
            return reply(source.reply, deliver_now(self.pipeline, source, marked, started, self._clock))
        kept = events if self.settings.store == "event" else [make_excerpt(event, source) for event in events]
        for event in self.queue.put(kept, self._clock(), source.limits):
            log.write_outcome(event, self.pipeline.park(event), time.monotonic() - started)
        ids = [event.id for event in events]
        return reply(source.reply, answer_json(200, {"accepted": len(ids), "events": ids}))

    def _store_nothing(self) -> Response:
        return answer_json(200, {"outcomes": []} if self.queue is None else {"accepted": 0, "events": []})

    def _refuse(self, request: Request, error: RefusedRequest) -> Response:
        name = request.path.strip("/")
        self._refusals.write(name if name in self.settings.sources else None, error.status, str(error))
        headers = {"Allow": ", ".join(error.allowed)} if isinstance(error, WrongMethod) else {}
        return answer_json(error.status, {"error": str(error)}, headers)


def build(
    environ: Mapping[str, str], read_secret: Callable[[str], str] = read_secret, find_access: FindAccess = nowhere
) -> App:
    """Return the app that the configuration describes. Raises ConfigError with all its mistakes, having logged them."""
    log.configure()
    try:
        settings = load(environ, read_secret=read_secret)
        return App(settings, open_queue(settings), find_access=find_access)
    except ConfigError as error:
        log.write("ERROR", "the configuration is bad", "config.invalid", mistakes=error.mistakes)
        raise


def open_queue(settings: Settings) -> Queue | None:
    """Return the queue that the settings name, None for direct mode. Nothing is connected yet.

    Raises ConfigError for a SQLite queue: only ``ringback serve`` has the worker that empties it.
    """
    kind, _, where = (settings.queue or "").partition(":")
    if kind == "sqlite":
        raise ConfigError(["queue: nobody would deliver what is stored; start it with `ringback serve`"])
    if kind == "sqs":
        from ringback.group import make_grouping  # noqa: PLC0415 - what only this queue needs
        from ringback.queues.dynamodb import DynamoCounts  # noqa: PLC0415 - as above
        from ringback.queues.sqs import SqsQueue  # noqa: PLC0415 - as above

        counter = Counter(DynamoCounts(settings.counts) if settings.counts else None)
        return SqsQueue(where, settings.dead_letter_queue or "", make_grouping(settings), counter)
    if kind == "cloud-tasks":
        from ringback.queues.cloud_tasks import open_cloud_tasks  # noqa: PLC0415 - what only this queue needs

        return open_cloud_tasks(settings)
    return None
