"""Google Cloud's log is asked through a gcloud, here one that answers from a file."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ringback.reports.cloud_logging import tell_log
from tests.configs import run, write_config

QUEUE = "cloud-tasks:projects/acme-leads/locations/europe-central2/queues/ringback"
ZONE = ZoneInfo("Europe/Warsaw")
OUTCOME = {
    "event": "customer.outcome",
    "source": "website",
    "event_id": "e1",
    "status": "ADDED",
    "attempt": 2,
    "campaign_id": "00001",
    "customer_id": 441,
    "record_id": 111,
    "reason": None,
}
DEFERRED = {**OUTCOME, "event": "customer.deferred", "status": "DEFERRED", "attempt": 1, "customer_id": None,
            "record_id": None, "reason": "Thulium answered 503"}  # fmt: skip


@pytest.fixture
def gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with nothing but a gcloud that writes down its arguments and prints a file; it is all of the PATH."""
    program = f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{tmp_path}/asked'\n/bin/cat '{tmp_path}/answer'\n"
    (tmp_path / "gcloud").write_text(program)
    (tmp_path / "gcloud").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def answer(folder: Path, *lines: dict[str, Any]) -> None:
    """Let gcloud find these log lines."""
    entries = [{"timestamp": f"2026-03-02T08:00:0{n}.123456Z", "jsonPayload": line} for n, line in enumerate(lines)]
    (folder / "answer").write_text(json.dumps(entries))


def test_told_from_the_log(gcloud: Path) -> None:
    """What the log knows is told line by line, with the times of here."""
    answer(gcloud, DEFERRED, OUTCOME)
    assert tell_log(QUEUE, "event_id", "e1", ZONE) == [
        "2026-03-02 09:00:00+01:00  e1 of website  DEFERRED  Thulium answered 503; campaign 00001, try 1",
        "2026-03-02 09:00:01+01:00  e1 of website  ADDED     campaign 00001, customer 441, record 111, try 2",
    ]


@pytest.mark.parametrize("value", ["e1", 'it\'s "odd"', "--project=x", "$(id)"])
def test_asked_for_no_more_than_that(value: str, gcloud: Path) -> None:
    """The queue's own project is searched, for just this value, whatever it looks like."""
    answer(gcloud)
    assert tell_log(QUEUE, "event_id", value, ZONE) == []
    words = (gcloud / "asked").read_text().splitlines()
    assert words[:4] == ["logging", "read", f"jsonPayload.event_id={json.dumps(value)}", "--project=acme-leads"]


def test_other_lines(gcloud: Path) -> None:
    """A line of another kind is told by its kind."""
    answer(gcloud, {"event": "webhook.refused", "source": "website"}, {})
    told = tell_log(QUEUE, "event_id", "e1", ZONE)
    assert told
    assert told[0].endswith("of website  webhook.refused")


@pytest.mark.parametrize("said", ["", "ERROR: log in first", None])
def test_nobody_can_be_asked(said: str | None, gcloud: Path) -> None:
    """A gcloud that fails, or says what is no JSON, tells nothing: the query is for the person then."""
    if said is not None:
        (gcloud / "answer").write_text(said)
    assert tell_log(QUEUE, "event_id", "e1", ZONE) is None


def test_without_gcloud(gcloud: Path) -> None:
    """Where gcloud is not installed nobody is asked."""
    (gcloud / "gcloud").unlink()
    assert tell_log(QUEUE, "event_id", "e1", ZONE) is None


@pytest.mark.parametrize("queue", [None, "sqs:https://sqs.eu-central-1.amazonaws.com/1/leads.fifo"])
def test_other_clouds(queue: str | None, gcloud: Path) -> None:
    """Google's log knows nothing of another cloud's queue."""
    assert tell_log(queue, "event_id", "e1", ZONE) is None
    assert not (gcloud / "asked").exists()


def test_trace_asks_the_log(gcloud: Path) -> None:
    """`ringback trace` tells what the log knows, and says so where it knows nothing."""
    environ = write_config(gcloud, queue=QUEUE)
    answer(gcloud, OUTCOME)
    assert "e1 of website  ADDED  campaign 00001" in run("trace", "e1", environ=environ).stdout
    answer(gcloud)
    result = run("trace", "e1", environ=environ)
    assert (result.exit_code, result.stderr) == (1, "nothing is in the log of e1\n")


def test_trace_prints_the_query_else(gcloud: Path) -> None:
    """Where the log can't be asked the command that does it is printed."""
    (gcloud / "gcloud").unlink()
    assert "gcloud logging read" in run("trace", "e1", environ=write_config(gcloud, queue=QUEUE)).stdout
