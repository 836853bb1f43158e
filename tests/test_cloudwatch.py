"""CloudWatch's log, asked over real HTTP against moto."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from ringback.reports.cloudwatch import LogUnreachable, run
from ringback.reports.log_query import write_queries
from tests import configs
from tests.amazon import Amazon

GROUP = "/aws/lambda/ringback-deliver"
SQS = {
    "queue": "sqs:https://sqs.eu-central-1.amazonaws.com/1/leads.fifo",
    "dead_letter_queue": "https://sqs.eu-central-1.amazonaws.com/1/dead.fifo",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Amazon]:
    with Amazon() as amazon:
        yield amazon


@pytest.fixture
def amazon(server: Amazon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    """CloudWatch with one line about the event e1."""
    server.reset()
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    logs = boto3.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    line = {"event": "customer.outcome", "event_id": "e1", "status": "ADDED"}
    events = [{"timestamp": int(time.time() * 1000), "message": json.dumps(line)}]
    logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)
    yield server
    logs.delete_log_group(logGroupName=GROUP)


def ask(event_id: str = "e1") -> list[dict[str, str]]:
    (query,) = write_queries("sqs:", "event_id", event_id)
    now = datetime.now(UTC)
    return run(query.text, [GROUP], now - timedelta(days=1), now + timedelta(minutes=1), sleep=lambda _: None)


def test_lines_are_found(amazon: Amazon) -> None:
    """Of each line its fields are told, without what only CloudWatch needs."""
    (line,) = ask()
    assert "@timestamp" in line
    assert "@ptr" not in line


@pytest.mark.parametrize("action", ["StartQuery", "GetQueryResults"])
def test_denied(action: str, amazon: Amazon) -> None:
    """Who may not ask is told so, and nothing else."""
    amazon.fail(action)
    with pytest.raises(LogUnreachable, match=r"^CloudWatch: AccessDeniedException$"):
        ask()


def test_unreachable(amazon: Amazon, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no region or no credentials are set, that is what is said."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(LogUnreachable, match=r"^CloudWatch: NoRegionError$"):
        ask()


@pytest.mark.parametrize(("answers", "fails"), [(["Scheduled", "Running"], False), (["Failed"], True)])
def test_query_is_waited_for(answers: list[str], fails: bool, amazon: Amazon) -> None:  # noqa: FBT001 - a table's column
    """What is still running is asked for again; what has failed is said."""
    for status in answers:
        amazon.say("GetQueryResults", {"status": status, "results": []})
    if fails:
        with pytest.raises(LogUnreachable, match="the query is Failed"):
            ask()
    else:
        assert len(ask()) == 1


# --- ringback trace ---


def trace(amazon: Amazon, folder: Path, group: str = GROUP) -> tuple[int, str, str]:
    environ = {**amazon.environ, **configs.write_config(folder, **SQS), "RINGBACK_LOG_GROUPS": group}
    result = configs.run("trace", "e1", environ=environ)
    return result.exit_code, result.stdout, result.stderr


def test_trace_tells_what_the_log_has(amazon: Amazon, tmp_path: Path) -> None:
    """`trace` runs the query itself where it is told the log group."""
    found = {"event": "customer.outcome", "event_id": "e1", "status": "ADDED", "campaign_id": "00001"}
    row = [{"field": name, "value": value} for name, value in {"@timestamp": "2026-03-02 09:00", **found}.items()]
    amazon.say("GetQueryResults", {"status": "Complete", "results": [row]})
    code, told, _ = trace(amazon, tmp_path)
    header, line = told.splitlines()
    assert code == 0
    assert header.split()[:3] == ["@timestamp", "event", "source"]
    assert line.startswith("2026-03-02 09:00  customer.outcome")
    assert "ADDED" in line


def test_trace_of_what_is_not_there(amazon: Amazon, tmp_path: Path) -> None:
    """An event of which the log has nothing is said to be so."""
    amazon.say("GetQueryResults", {"status": "Complete", "results": []})
    assert trace(amazon, tmp_path) == (1, "", "nothing is in the log of e1\n")


def test_trace_prints_the_query_else(amazon: Amazon, tmp_path: Path) -> None:
    """Where the log can't be asked from here, the query is printed for who can."""
    code, told, said = trace(amazon, tmp_path, "/no/such/group")
    assert code == 0
    assert said == "CloudWatch: ResourceNotFoundException; ask it yourself\n"
    assert '| filter event_id = "e1"' in told
