"""Wires it together: configuration in, answers out. Nothing in a request makes ``App.handle`` raise."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ringback import log
from ringback.aws_secret import read_secret
from ringback.clock import read_clock
from ringback.config import load
from ringback.direct import deliver_now
from ringback.errors import ConfigError, RefusedRequest, WrongMethod
from ringback.event import Event
from ringback.group import make_persons
from ringback.lookup import make_excerpt
from ringback.pipeline import Pipeline
from ringback.queues import Queue, QueueFailed
from ringback.queues.counter import Counter
from ringback.queues.failures import Failures
from ringback.refusals import Refusals
from ringback.settings import Settings, Source
from ringback.shared import Shared
from ringback.thulium.api import FindAccess, nowhere
from ringback.verification.reply import reply
from ringback.web import Request, Response, answer_json

RETRY_AFTER = {"Retry-After": "60"}
UP = Response(200, b"Ringback is up.\n", {"Content-Type": "text/plain; charset=utf-8"})


@dataclass(frozen=True)
class Accepted:
    """The events of a verified request, one at least; ``started`` is when the request came (monotonic)."""

    source: Source
    events: Sequence[Event]
    started: float


class App:
    """The function that both clouds and a laptop run: a request in, an answer out.

    ``handle`` is all of it. A server that has its own way of waiting takes the steps of it by itself.
    """

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
        self.shared = Shared(self.pipeline.deliver, make_persons(settings), settings.thulium.batch_size, clock)
        self._counter = Counter()  # without a queue; a queue has its own
        self._refusals = Refusals()
        self.failures = Failures()
        self.clock = clock

    def handle(self, request: Request) -> Response:
        """Return the answer to a request, whatever it is."""
        try:
            accepted = self.accept(request)
            if isinstance(accepted, Response):
                return accepted
            if self.queue is None:
                return deliver_now(self.shared, accepted.source, accepted.events, accepted.started, self.clock)
            parked = self.queue.put(self.prepare(accepted), self.clock(), accepted.source.limits)
            return self.confirm(accepted, parked)
        except Exception as error:  # noqa: BLE001 - each has an answer
            return self.explain(request, error)

    def accept(self, request: Request) -> Accepted | Response:
        """Return the events of a request, to be stored or delivered, or its answer. Raises what ``explain`` takes."""
        started = time.monotonic()
        if request.path in ("", "/") and request.method in ("GET", "HEAD"):
            return UP
        taken = self.pipeline.accept(request, self.clock())
        if isinstance(taken, Response):
            return taken if taken.body else self._store_nothing()
        source, events, why_none = taken
        if not events:
            log.write("INFO", f"no event: {why_none}", "webhook.empty", source=source.name, reason=why_none)
            return reply(source.reply, self._store_nothing())
        if self.queue is None:
            events = self._counter.mark(events, source.limits, self.clock())
        return Accepted(source, events, started)

    def prepare(self, accepted: Accepted) -> Sequence[Event]:
        """Return the events as the queue is to keep them."""
        if self.settings.store == "event":
            return accepted.events
        return [make_excerpt(event, accepted.source) for event in accepted.events]

    def confirm(self, accepted: Accepted, parked: Iterable[Event]) -> Response:
        """Return the answer to a request whose events are stored; of those that were parked at once write a line."""
        for event in parked:
            log.write_outcome(event, self.pipeline.park(event), time.monotonic() - accepted.started)
        ids = [event.id for event in accepted.events]
        return reply(accepted.source.reply, answer_json(200, {"accepted": len(ids), "events": ids}))

    def explain(self, request: Request, error: Exception) -> Response:
        """Return the answer to a request that failed, and write why into the log."""
        if isinstance(error, RefusedRequest):
            return self._refuse(request, error)
        if isinstance(error, QueueFailed):
            self.failures.write(str(error))
            return answer_json(503, {"error": "it can't be stored now"}, RETRY_AFTER)
        log.write_bug(error, "a request could not be answered")
        return answer_json(503, {"error": "internal error"}, RETRY_AFTER)

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
