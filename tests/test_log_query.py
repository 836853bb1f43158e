"""The queries that find an event in a cloud's log."""

import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from ringback.reports.log_query import write_queries

ODD = 'it\'s "odd"'


@pytest.mark.parametrize(("queue", "count"), [("sqs:https://x", 1), ("cloud-tasks:projects/p", 1), (None, 3)])
def test_query_for_each_cloud(queue: str | None, count: int) -> None:
    """A queue's cloud has one query; where there is none, every way is told."""
    assert len(write_queries(queue, "event_id", "e1")) == count


def test_insights() -> None:
    """CloudWatch is asked for what stands in the log lines, by the field and its value."""
    (query,) = write_queries("sqs:https://x", "person", ODD)
    assert "CloudWatch" in query.where
    assert query.text.splitlines()[1:] == ['| filter person = "it\'s \\"odd\\""', "| sort @timestamp asc"]
    assert {"status", "reason", "attempt"} <= set(query.text.splitlines()[0].replace(",", "").split())


def test_gcloud() -> None:
    """The command for Google Cloud is one that a shell takes apart rightly, whatever the id."""
    (query,) = write_queries("cloud-tasks:projects/p", "event_id", ODD)
    words = shlex.split(query.text)
    assert words[:4] == ["gcloud", "logging", "read", f"jsonPayload.event_id={json.dumps(ODD)}"]


def test_several_values() -> None:
    """Lines with any of several values are found: an event's own id, or what stands for it."""
    told = [query.text for query in write_queries(None, "event_id", "e1", "e2")]
    assert """'fromjson? | select(.event_id == "e1" or .event_id == "e2")'""" in told[0]
    assert '| filter event_id = "e1" or event_id = "e2"' in told[1]
    assert """'jsonPayload.event_id="e1" OR jsonPayload.event_id="e2"'""" in told[2]


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here")
def test_jq(tmp_path: Path) -> None:
    """The command for a file finds the lines of the event, and minds no other text between them."""
    lines = ['{"event_id": "e1", "status": "ADDED"}', "some other text", '{"event_id": "e2"}']
    (tmp_path / "log").write_text("\n".join(lines), "utf-8")
    command = shlex.split(write_queries(None, "event_id", "e1")[0].text.replace("FILE", str(tmp_path / "log")))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert [json.loads(line) for line in done.stdout.splitlines()] == [{"event_id": "e1", "status": "ADDED"}]
