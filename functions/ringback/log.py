"""The log: one JSON line for each thing that an operator may ask about, in the fields that the clouds pick up.

Nothing personal comes in here: callers pass ids, counts, keyed hashes and scrubbed reasons.
"""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TextIO

from ringback.event import Event
from ringback.log_writer import LogWriter
from ringback.outcome import Outcome, Status

_logger = logging.getLogger("ringback")
OUTCOME_KEYS = ("campaign_id", "customer_id", "person", "status", "record_id", "http_status")
OUTCOME = "customer.outcome"
ALARMING = (Status.FAILED, Status.INVALID, Status.PARKED)


class _StandardOutput(logging.StreamHandler):  # type: ignore[type-arg]  # it writes to whatever sys.stdout is by then
    @property
    def stream(self) -> TextIO:
        return sys.stdout

    @stream.setter
    def stream(self, _: object) -> None:
        pass

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        try:
            line.encode(self.stream.encoding or "utf-8")
        except UnicodeEncodeError:  # a terminal of another time, or half a character
            return json.dumps(json.loads(line))
        return line


class _Beside(_StandardOutput):
    """Leaves the writing to a thread."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        line = f"{self.format(record)}\n".encode(self.stream.encoding or "utf-8")
        self._writer.put(line, is_outcome=getattr(record, "event", "") == OUTCOME)


def configure() -> None:
    """Make the log lines go to standard output as JSON (UTF-8 where it takes that), once for the process."""
    if _logger.handlers:
        return
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415 - whoever only maps events writes no log

    handler = _StandardOutput()
    handler.setFormatter(JsonFormatter("%(message)s", json_ensure_ascii=False))
    _logger.addHandler(handler)
    _logger.setLevel(logging.INFO)
    _logger.propagate = False


@contextmanager
def written_beside() -> Iterator[None]:
    """Have a thread write the log lines while the block lasts; once for a process, after it was forked."""
    writer = LogWriter(sys.stdout.fileno())
    for before in _logger.handlers[:]:
        handler = _Beside(writer)
        handler.setFormatter(before.formatter)
        _logger.removeHandler(before)
        _logger.addHandler(handler)
    try:
        yield
    finally:
        writer.end()


def write(severity: str, message: str, event: str, **fields: object) -> None:
    """Write one line: ``severity`` is Cloud Logging's, ``event`` the kind of line."""
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    line = {"time": time, "severity": severity, "event": event, **fields}
    _logger.log(logging.getLevelName(severity), message, extra=line)


def write_outcome(event: Event, outcome: Outcome, duration: float) -> None:
    """Write the outcome of one event: ``customer.outcome``, or ``customer.deferred`` while it is not final.

    ``duration`` is in seconds, from when the try began.
    """
    kind = OUTCOME if outcome.status.is_final else "customer.deferred"
    severity = "WARNING" if outcome.status in ALARMING or not outcome.status.is_final else "INFO"
    write(
        severity,
        f"{outcome.status} {event.source} {event.id}",
        kind,
        source=event.source,
        event_id=event.id,
        **{key: getattr(outcome, key) for key in OUTCOME_KEYS},
        reason=outcome.evidence,
        attempt=event.attempt,
        duration_ms=round(duration * 1000),
        trace=event.trace,
    )


def write_undone_stop(event: Event, outcome: Outcome) -> None:
    """Write that an opt-out is not carried out (yet): ``stop.undone``, for which an alarm rises."""
    write(
        "ERROR",
        "an opt-out is not carried out: the person may still be called",
        "stop.undone",
        source=event.source,
        event_id=event.id,
        person=outcome.person,
        status=outcome.status,
        http_status=outcome.http_status,
        reason=outcome.evidence,
        attempt=event.attempt,
    )


def write_bug(error: Exception, what: str) -> None:
    """Write where a mistake of ours was made, without the exception's text: that may hold personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-8:]]
    write("ERROR", f"{what}: {type(error).__name__}", "internal.error", where=where)
