"""The app of a process on AWS: built with the first request, and anew when its secret has changed."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ringback import log
from ringback.app import App, build
from ringback.clock import read_clock
from ringback.config import load
from ringback.errors import ConfigError
from ringback.hosts.handed_over import deliver_messages
from ringback.hosts.kept_secret import KeptSecret
from ringback.queues.sqs import SqsQueue
from ringback.settings import ThuliumSettings
from ringback.web import Request, Response, answer_json

KEPT = 300.0  # seconds for which a secret is taken for good
KEPT_AT_LEAST = 60.0  # seconds, even when Thulium has refused the password in it
SETTLING = 10.0  # seconds of a delivery that are kept for telling SQS what became of it
BAD_CONFIG = answer_json(503, {"error": "the configuration is bad; its mistakes are in the log"}, {"Retry-After": "60"})
NO_QUEUE = "queue: only an sqs queue is delivered here; name it, here or in RINGBACK_QUEUE"


class Keeper:
    """Keeps the app that ``environ`` describes, for any number of threads."""

    def __init__(self, environ: Mapping[str, str], clock: Callable[[], float] = time.monotonic) -> None:
        """Remember where the configuration is; nothing is read yet. ``clock`` is monotonic."""
        self._environ = environ
        self._secret = KeptSecret(clock=clock)
        self._built_from: str | None = None
        self._app: App | None = None
        self._lock = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Return the answer to a request, with a bad configuration 503, so that the sender tries again."""
        try:
            app = self.get_app()
        except ConfigError:
            return BAD_CONFIG
        return app.handle(request)

    def deliver(self, records: Sequence[Mapping[str, Any]], seconds: float) -> list[str]:
        """Deliver messages from SQS, within ``seconds``; return those that it is to hand over again.

        Raises ConfigError, which makes all of them come back when the queue's visibility timeout is over.
        """
        deadline = time.monotonic() + seconds - SETTLING
        app = self.get_app()
        if not isinstance(app.queue, SqsQueue):
            log.write("ERROR", "the configuration is bad", "config.invalid", mistakes=[NO_QUEUE])
            raise ConfigError([NO_QUEUE])
        deliver = partial(app.pipeline.deliver, deadline=deadline)
        return deliver_messages(records, app.queue, deliver, read_clock, app.pipeline.is_too_old)

    def get_app(self) -> App:
        """Return the app. Raises ConfigError if none can be built; one that runs is kept when the new one is bad."""
        with self._lock:
            self._secret.refresh(KEPT)
            if self._app is None or self._secret.text != self._built_from:
                self._app = self._rebuild(self._app)
                self._built_from = self._secret.text
            return self._app

    def _rebuild(self, current: App | None) -> App:
        try:
            return build(self._environ, self._secret.read, self._find_access)
        except ConfigError:
            if current is None:
                self._secret.forget()
                raise
            return current

    def _find_access(self) -> ThuliumSettings | None:
        """Return how Thulium is reached by now, if the secret has changed since the app was built."""
        with self._lock:
            self._secret.refresh(KEPT_AT_LEAST)
            if self._secret.text == self._built_from:
                return None
            try:
                return load(self._environ, read_secret=self._secret.read).thulium
            except ConfigError:
                return None  # said in the log as soon as the app is built anew
