"""The app: configuration in, answers out."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringback import log
from ringback.app import App, build, open_queue
from ringback.clock import read_clock
from ringback.errors import ConfigError
from ringback.event import Event
from ringback.limits import UNLIMITED, Limits
from ringback.queues.cloud_tasks import CloudTasksQueue
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqs import SqsQueue
from ringback.web import Request
from tests.given import SECRET, load, make_config, make_source

HEADERS = {"x-api-key": SECRET, "content-type": "application/json"}


@pytest.fixture(autouse=True)
def logged() -> None:
    """The log as the doors set it up."""
    log.configure()


def make_request(body: object) -> Request:
    """Return a request with the token."""
    return Request("POST", "/website", "", HEADERS, json.dumps(body).encode())


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the lines of the log."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


SETTINGS = load(make_config(make_source(items="leads", event_id="id")))


def test_events_are_stored(tmp_path: Path) -> None:
    """With a queue the events are stored, each once, and the sender hears their ids."""
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    app = App(SETTINGS, queue)
    request = make_request({"leads": [{"id": "e1"}, {"id": "e2"}]})
    for _ in range(2):
        response = app.handle(request)
        assert (response.status, response.body) == (200, b'{"accepted":2,"events":["e1","e2"]}\n')
    assert [event.id for event in queue.take(10, datetime.now(UTC))] == ["e1", "e2"]
    queue.close()


@pytest.mark.parametrize(("store", "is_whole"), [("event", True), ("values", False)])
def test_only_what_rules_read_is_stored(store: str, is_whole: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    """With `store: values` the queue has what the configuration reads of an event, and nothing else of it."""
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    app = App(load(make_config(make_source(event_id="id"), store=store)), queue)
    assert app.handle(make_request({"id": "e1", "phone": "601000001", "diary": "private"})).status == 200
    (event,) = queue.take(1, datetime.now(UTC))
    queue.close()
    assert "601000001" in json.dumps(event.data)
    assert ("private" in json.dumps(event.data)) is is_whole


def test_nothing_to_store(tmp_path: Path) -> None:
    """What brings no event is accepted, and nothing is opened for it."""
    app = App(SETTINGS, SqliteQueue(str(tmp_path / "nowhere/queue.db")))
    assert app.handle(make_request({"leads": []})).body == b'{"accepted":0,"events":[]}\n'
    assert app.handle(Request("HEAD", "/website")).body == b'{"accepted":0,"events":[]}\n'
    assert App(SETTINGS).handle(Request("HEAD", "/website")).body == b'{"outcomes":[]}\n'


def test_queue_that_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """When the queue does not store, the sender is asked to come back, and the log says why."""
    app = App(SETTINGS, SqliteQueue(str(tmp_path / "nowhere/queue.db")))
    response = app.handle(make_request({"leads": [{"id": "a"}]}))
    assert (response.status, response.body) == (503, b'{"error":"it can\'t be stored now"}\n')
    assert 30 <= int(response.headers["Retry-After"]) <= 3600
    [line] = lines(capsys)
    assert (line["event"], line["severity"]) == ("queue.failed", "ERROR")


class BrokenQueue:
    """A queue with a mistake in it."""

    def put(self, events: Sequence[Event], _now: datetime, _limits: Limits = UNLIMITED) -> list[Event]:
        """Fail as nobody has foreseen."""
        raise ZeroDivisionError(events[0].data)


def test_mistake_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake of ours is 503, so that the sender may come back; it hears and the log holds nothing of the event."""
    response = App(SETTINGS, BrokenQueue()).handle(make_request({"leads": [{"id": "jan@example.com"}]}))
    assert (response.status, response.body) == (503, b'{"error":"internal error"}\n')
    assert 30 <= int(response.headers["Retry-After"]) <= 3600
    [line] = lines(capsys)
    assert (line["event"], line["message"]) == ("internal.error", "a request could not be answered: ZeroDivisionError")
    assert "jan" not in json.dumps(line)


def test_clock() -> None:
    """The time is aware, in UTC."""
    assert read_clock().utcoffset() == datetime.now(UTC).utcoffset()


# --- from the configuration ---


def write(folder: Path, text: str) -> dict[str, str]:
    """Return the environment that names a configuration."""
    (folder / "config.yaml").write_text(text)
    return {"RINGBACK_CONFIG": str(folder / "config.yaml")}


def test_build(tmp_path: Path) -> None:
    """An app is made of the configuration; nothing is connected by that."""
    app = build(write(tmp_path, json.dumps(make_config())))
    assert app.queue is None
    assert app.handle(Request("GET", "/")).body == b"Ringback is up.\n"


def test_bad_configuration_is_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every mistake of a bad configuration is in the log, in one line."""
    with pytest.raises(ConfigError) as error:
        build(write(tmp_path, "thulium: {}\nsources: {}\n"))
    [line] = lines(capsys)
    assert (line["event"], line["severity"], line["mistakes"]) == ("config.invalid", "ERROR", error.value.mistakes)
    assert len(line["mistakes"]) == 4


def test_sqlite_needs_the_worker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A start that would store in SQLite what nobody delivers is refused."""
    with pytest.raises(ConfigError, match="ringback serve"):
        build(write(tmp_path, json.dumps(make_config(queue="sqlite:///queue.db"))))
    assert lines(capsys)[0]["event"] == "config.invalid"


def test_queues() -> None:
    """Each queue is opened by its own module."""
    tasks = "cloud-tasks:projects/p/locations/l/queues/q"
    deployed = {"RINGBACK_DELIVER_URL": "https://x.example.com", "RINGBACK_SERVICE_ACCOUNT": "a@example.com"}
    letters = "https://sqs.eu-central-1.amazonaws.com/1/dead.fifo"
    queue = "sqs:https://sqs.eu-central-1.amazonaws.com/1/leads.fifo"
    assert isinstance(open_queue(load(make_config(queue=queue, dead_letter_queue=letters))), SqsQueue)
    assert isinstance(open_queue(load(make_config(queue=tasks), deployed)), CloudTasksQueue)
    assert open_queue(load(make_config())) is None


# --- what is refused ---


def test_refusal_is_answered_and_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Who is refused is told why in one line, and so is the log; a name that is none of ours is not repeated."""
    app = App(SETTINGS)
    response = app.handle(Request("POST", "/jan@example.com", "", HEADERS, b"{}"))
    assert (response.status, response.body) == (401, b'{"error":"unknown source"}\n')
    [line] = lines(capsys)
    assert (line["event"], line["source"], line["http_status"], line["reason"]) == (
        "webhook.refused", None, 401, "unknown source",
    )  # fmt: skip
    assert "jan" not in json.dumps(line)


@pytest.mark.parametrize(
    ("source", "body", "why"),
    [
        ({"items": "leads"}, {"leads": []}, "`items` finds an empty list"),
        (
            {"items": "leads", "only": "kind == 'lead'"},
            {"leads": [{"kind": "jan@example.com"}]},
            "`only` holds for none of 1",
        ),
    ],
)
def test_request_that_brings_nothing_is_logged(
    source: dict[str, Any], body: object, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A verified request without an event leaves one line that says why: its sender's format may have changed."""
    app = App(load(make_config(make_source(**source))))
    assert app.handle(make_request(body)).body == b'{"outcomes":[]}\n'
    [line] = lines(capsys)
    told = {key: line[key] for key in ("event", "severity", "source", "reason")}
    assert told == {"event": "webhook.empty", "severity": "INFO", "source": "website", "reason": why}
    assert "jan" not in json.dumps(line)


def test_what_is_no_event_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """A HEAD, or what a sender asks before it sends, is no request that has brought nothing."""
    assert App(SETTINGS).handle(Request("HEAD", "/website")).status == 200
    assert lines(capsys) == []


def test_methods_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A 405 names the methods that there are."""
    response = App(SETTINGS).handle(Request("PUT", "/website", "", HEADERS, b"{}"))
    assert (response.status, response.headers["Allow"]) == (405, "POST")
    assert lines(capsys)[0]["source"] == "website"


def test_direct_mode() -> None:
    """Without a queue the whole way is walked inside the request."""
    response = App(SETTINGS).handle(make_request({"leads": ["no lead"]}))
    assert (response.status, [each["status"] for each in json.loads(response.body)["outcomes"]]) == (422, ["INVALID"])
