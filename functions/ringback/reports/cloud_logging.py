"""Google Cloud's log lines about an event or a person, read with the user's own ``gcloud``."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ringback.reports.columns import align

SECONDS = 60.0  # for the whole search
TOLD = {"campaign_id": "campaign", "customer_id": "customer", "record_id": "record", "attempt": "try"}


def tell_log(queue: str | None, field: str, value: str, zone: ZoneInfo) -> list[str] | None:
    """Return a line for each log line of the last 30 days whose ``field`` is ``value``, the oldest first.

    The project is that of ``queue``, a setting. Returns None if there is no log to ask: it is another cloud's queue, or
    ``gcloud`` is not installed, not logged in, or takes longer than a minute.
    """
    program = shutil.which("gcloud")
    if program is None or not (queue or "").startswith("cloud-tasks:projects/"):
        return None
    project = str(queue).split("/")[1]
    entries = _read([program, *_list_words(project, field, value)])
    return None if entries is None else align(_list_rows(entries, zone))


def _list_words(project: str, field: str, value: str) -> list[str]:
    condition = f"jsonPayload.{field}={json.dumps(value)}"
    when = ("--freshness=30d", "--order=asc", "--format=json")
    return ["logging", "read", condition, f"--project={project}", *when, "--quiet"]


def _read(command: list[str]) -> list[dict[str, Any]] | None:
    """Return what a command prints, which is JSON; None if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=True)  # noqa: S603 - no shell takes it apart
        entries: list[dict[str, Any]] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return entries


def _list_rows(entries: list[dict[str, Any]], zone: ZoneInfo) -> Iterator[tuple[str, str, str, str]]:
    for entry in entries:
        line = entry.get("jsonPayload", {})
        at = datetime.fromisoformat(entry["timestamp"]).astimezone(zone)
        who = f"{line.get('event_id') or ''} of {line.get('source') or ''}"
        yield at.isoformat(" ", "seconds"), who, str(line.get("status") or line.get("event")), _explain(line)


def _explain(line: Mapping[str, Any]) -> str:
    known = ", ".join(f"{word} {line[name]}" for name, word in TOLD.items() if line.get(name) is not None)
    return "; ".join(filter(None, (line.get("reason"), known)))
