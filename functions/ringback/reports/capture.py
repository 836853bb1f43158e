"""Keeps requests whole and shows their content at once, of known and unknown sources. Delivers nothing."""

import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ringback.body import TYPES
from ringback.clock import read_clock
from ringback.config import Reader
from ringback.errors import RefusedRequest
from ringback.grammar.mistakes import Mistakes
from ringback.grammar.preset import list_presets
from ringback.intake import greet, read_body
from ringback.reports.kept_request import dump_request
from ringback.reports.places import list_places
from ringback.reports.preview import walk
from ringback.settings import Settings
from ringback.web import Request, Response, answer_json

KEPT = answer_json(200, {"captured": True})
BROKEN = answer_json(400, {"error": "the body breaks off"})
NOT_KEPT = answer_json(503, {"error": "it can't be kept now"}, {"Retry-After": "60"})


class Capture:
    """Keeps each request in a file of its own in ``folder``, which is there; ``say`` shows lines.

    A source that the settings do not have is read by the preset of its name, if there is one, else its body is shown.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings | None,
        say: Callable[[Iterable[str]], object],
        clock: Callable[[], datetime] = read_clock,
    ) -> None:
        """Keep the folder, the settings and the output."""
        self._folder = folder
        self._settings = settings
        self._say = say
        self._clock = clock
        self._numbers = itertools.count(1)

    def handle(self, request: Request) -> Response:
        """Keep a request, show it, and answer 200, or a handshake as its sender asks."""
        if not request.is_whole:
            return BROKEN
        now, name = self._clock(), request.path.strip("/")
        try:
            path = self._keep(request, now, name)
        except OSError as error:
            self._say([f"{self._folder}: {error.strerror}; the request is not kept"])
            return NOT_KEPT
        settings = find_settings(name, self._settings)
        about = f"{request.method} {request.path}, {len(request.body)} bytes, kept in {path}"
        self._say([about, "", *(f"  {line}" for line in describe(request, name, settings, now)), ""])
        return greet_back(request, name, settings, now) or KEPT

    def _keep(self, request: Request, now: datetime, name: str) -> Path:
        plain = re.sub("[^A-Za-z0-9-]+", "-", name)[:64]
        path = self._folder / f"{now:%Y%m%d-%H%M%S-%f}-{next(self._numbers)}-{plain}.http"
        with open(path, "xb", opener=open_private) as file:
            file.write(dump_request(request))
        return path


def open_private(path: str, flags: int) -> int:
    """Open a file that only its owner may read."""
    return os.open(path, flags, 0o600)


def find_settings(name: str, settings: Settings | None) -> Settings | None:
    """Return settings that have a source of this name; None where there are none, and no preset of that name."""
    if settings and name in settings.sources:
        return settings
    if name not in list_presets():
        return None
    access = {"url": "https://thulium.invalid", "user": "nobody", "password": "none"}
    entry = {"preset": name, "campaign": "00001"}
    raw = {"thulium": access, "log_key": "for a preview alone", "sources": {name: entry}}
    guessed = Reader(Mistakes({}), {}).read(raw)
    if guessed and settings:
        return replace(guessed, phone_region=settings.phone_region, log_key=settings.log_key)
    return guessed


def greet_back(request: Request, name: str, settings: Settings | None, now: datetime) -> Response | None:
    """Return the answer that a sender wants before it sends, None for all other requests."""
    try:
        return greet(request, settings.sources[name], now) if settings else None
    except RefusedRequest:
        return None


def describe(request: Request, name: str, settings: Settings | None, now: datetime) -> Iterator[str]:
    """Yield the lines about a request: its preview, or its body's values."""
    try:
        if settings:
            yield from walk(request, settings.sources[name], settings, now).lines
        else:
            yield f"/{name} is no source, nor a preset; in its body"
            yield from list_places(read_body(request, TYPES), None, lambda _: False)
    except RefusedRequest as error:
        yield f"it can't be read: {error} (it would be answered {error.status})"
