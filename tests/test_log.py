"""The log: one JSON line for each thing."""

import io
import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback import log
from ringback.outcome import Outcome, Status
from tests.events import make_event

KEYS = (
    "time", "severity", "message", "event", "source", "event_id", "campaign_id", "customer_id", "person", "status",
    "record_id", "http_status", "reason", "attempt", "duration_ms", "trace",
)  # fmt: skip


@pytest.fixture(autouse=True)
def configured() -> None:
    """The log as the doors set it up, more than once too."""
    log.configure()
    log.configure()


def read(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines that were written."""
    return [json.loads(line) for line in capsys.readouterr().out.split("\n")[:-1]]


def test_outcome_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A final outcome is one line with every key of the contract."""
    outcome = Outcome(Status.FAILED, "Customer not found.", "00001", 448, 7, 400, "ab12", {"x": "y"}, 5.0)
    log.write_outcome(make_event(attempt=3, trace="t/1"), outcome, 0.0456)
    [line] = read(capsys)
    time = datetime.fromisoformat(line.pop("time"))
    assert abs(datetime.now(UTC) - time) < timedelta(seconds=5)
    assert line == {
        "severity": "WARNING", "message": "FAILED website e1", "event": "customer.outcome", "source": "website",
        "event_id": "e1", "campaign_id": "00001", "customer_id": 448, "person": "ab12", "status": "FAILED",
        "record_id": 7, "http_status": 400, "reason": "Customer not found.", "attempt": 3, "duration_ms": 46,
        "trace": "t/1",
    }  # fmt: skip


@pytest.mark.parametrize("status", Status)
def test_every_line_has_every_key(status: Status, capsys: pytest.CaptureFixture[str]) -> None:
    """There is null where there is nothing; what a person has to look at is a warning; not final is another kind."""
    log.write_outcome(make_event(), Outcome(status), 0)
    [line] = read(capsys)
    assert sorted(line) == sorted(KEYS)
    assert [key for key, value in line.items() if value is None] == [
        "campaign_id", "customer_id", "person", "record_id", "http_status", "reason", "trace",
    ]  # fmt: skip
    assert line["event"] == ("customer.deferred" if status == "DEFERRED" else "customer.outcome")
    loud = ("FAILED", "INVALID", "PARKED", "DEFERRED")
    assert line["severity"] == ("WARNING" if status in loud else "INFO")


def test_other_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Any other line has its time, severity and kind too."""
    log.write("ERROR", "it is bad", "config.invalid", mistakes=["a: b"])
    [line] = read(capsys)
    assert line.pop("time")
    assert line == {"severity": "ERROR", "message": "it is bad", "event": "config.invalid", "mistakes": ["a: b"]}


def test_nothing_of_an_exception_but_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of ours is told by its kind and its place: its text may hold what was sent."""

    def fail() -> None:
        raise KeyError("jan@example.com")

    with pytest.raises(KeyError) as error:
        fail()
    log.write_bug(error.value, "a request could not be answered")
    [line] = read(capsys)
    assert line["message"] == "a request could not be answered: KeyError"
    assert (line["event"], line["severity"]) == ("internal.error", "ERROR")
    assert line["where"][-1].startswith("test_log.py:")
    assert "jan" not in json.dumps(line)


def test_text_is_utf8(capsys: pytest.CaptureFixture[str]) -> None:
    """Letters are not escaped, so that who searches the log finds them."""
    log.write("INFO", "Łódź", "x")
    assert '"message": "Łódź"' in capsys.readouterr().out


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "iso-8859-2", "utf-8"])
@pytest.mark.parametrize("text", ["Łódź ó", "\ud800", "日本", "\x85"])
def test_any_output(encoding: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever characters standard output takes, the line is whole."""
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding, newline=""))
    log.write("INFO", "x", "x", reason=text)
    [line] = output.getvalue().decode(encoding).removesuffix("\n").split("\n")
    assert json.loads(line)["reason"] == text


@given(st.text(), st.text())
def test_lines_can_not_be_forged(message: str, reason: str) -> None:
    """Whatever a line holds, it stays one line."""
    output = io.TextIOWrapper(io.BytesIO(), "utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", output)
        log.write("INFO", message, "x", reason=reason)
    [line] = output.buffer.getvalue().decode().removesuffix("\n").split("\n")
    assert json.loads(line)["reason"] == reason
    assert "\r" not in line
