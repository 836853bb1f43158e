"""What is above a source's limits, from the webhook to the replay, on each platform."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import aws
from ringback.app import App, build
from ringback.config import load
from ringback.hosts.keeper import Keeper
from ringback.hosts.local import open_app
from ringback.hosts.task import Tasks
from ringback.outcome import Status
from ringback.queues.sqlite import SqliteQueue, history
from ringback.queues.sqlite.worker import Way
from ringback.web import Request, Response
from tests.amazon import Amazon, feed, find_arn
from tests.cloud_tasks import CloudTasks
from tests.events import NOW, done, make_event
from tests.firestore import Firestore
from tests.sandbox import Sandbox
from tests.working import work_off

SECRET = "0123456789abcdef0123456789abcdef"
PROOF = {"verify": {"scheme": "token", "query": "token"}, "secret": SECRET}
LIMITS = {"per_day": 3}
QUEUE = "projects/acme/locations/europe-central2/queues/ringback"
OVER = "more than 3 a day"


@pytest.fixture
def config(tmp_path: Path, thulium: Sandbox) -> dict[str, str]:
    """The environment of a configuration with a limited source, and one of opt-outs, which is proven by its URL too."""
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
    whole = {
        "thulium": access,
        "log_key": SECRET,
        "campaigns": {"callbacks": {"id": "00001", "stop": {"status_id": 6}}},
        "sources": {
            "website": {
                **PROOF,
                "items": "leads",
                "map": {"customer_id": "id"},
                "campaign": "callbacks",
                "limits": LIMITS,
            },
            "optout": {**PROOF, "items": "leads", "map": {"customer_id": "id"}, "campaign": "*", "action": "stop"},
        },
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(whole))
    for number in range(1, 11):
        thulium.add_customer(number, surname="Lis", phone_number=f"6010000{number:02}")
    return {"RINGBACK_CONFIG": str(tmp_path / "config.yaml")}


def ask(app: App, *ids: int, source: str = "website") -> Response:
    """Return the answer to a webhook of so many leads."""
    body = json.dumps({"leads": [{"id": each} for each in ids]}).encode()
    return app.handle(Request("POST", f"/{source}", f"token={SECRET}", {"content-type": "application/json"}, body))


def called(thulium: Sandbox) -> list[int]:
    """Return who is in the campaign."""
    return sorted(record["customer_id"] for record in thulium.records("00001"))


def parked(lines: list[dict[str, Any]]) -> list[str]:
    """Return the reasons of what is parked."""
    return [line["reason"] for line in lines if line.get("status") == "PARKED"]


# --- AWS ---


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch) -> Iterator[Amazon]:
    with Amazon() as running:
        for name, value in running.environ.items():
            monkeypatch.setenv(name, value)
        running.make_table("counts")
        yield running


class Stack:
    """The queues, and both functions, of which the one that accepts events runs in two processes."""

    def __init__(self, amazon: Amazon, config: dict[str, str], patch: pytest.MonkeyPatch) -> None:
        self.amazon = amazon
        self.queue, self.letters = amazon.make_queue("leads"), amazon.make_queue("letters")
        urls = {"RINGBACK_QUEUE": f"sqs:{self.queue}", "RINGBACK_DEAD_LETTER_QUEUE": self.letters}
        environ = {**config, **urls, "RINGBACK_COUNTS": "counts"}
        self.webhooks = [build(environ), build(environ)]
        patch.setattr(aws, "KEEPER", Keeper(environ))

    def deliver(self) -> None:
        """Deliver what there is."""
        while feed(self.amazon, self.queue, lambda event: aws.deliver(event, self)) or self.amazon.messages(self.queue):
            self.amazon.pass_time(self.queue, 60)

    def get_remaining_time_in_millis(self) -> int:
        """Be the context of a call, as Lambda makes it."""
        return 60_000

    def replay(self) -> None:
        """Move what is parked back."""
        source, target = (find_arn(self.amazon, url) for url in (self.letters, self.queue))
        self.amazon.sqs.start_message_move_task(SourceArn=source, DestinationArn=target)


@pytest.fixture
def stack(amazon: Amazon, config: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(amazon, config, monkeypatch)


def test_sqs(stack: Stack, thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """What is above the limit of all processes is answered 200, parked whole, and called when it is moved back."""
    answers = [ask(stack.webhooks[n % 2], n, n + 5) for n in (1, 2, 3)]
    assert [json.loads(answer.body)["accepted"] for answer in answers] == [2, 2, 2]
    assert [line["reason"] for line in lines if line["event"] == "source.limited"] == [OVER, OVER]
    assert parked(lines) == [OVER] * 3
    assert len(stack.amazon.messages(stack.queue)) == 3
    stack.deliver()
    assert called(thulium) == [1, 2, 6]
    letters = stack.amazon.messages(stack.letters)
    assert sorted(json.loads(message.body)["data"]["id"] for message in letters) == [3, 7, 8]
    why = {name: letters[0].message_attributes[name]["StringValue"] for name in ("status", "reason")}
    assert why == {"status": "PARKED", "reason": OVER}
    counted = stack.amazon.calls.count("UpdateItem")
    stack.replay()
    stack.deliver()
    assert called(thulium) == [1, 2, 3, 6, 7, 8]
    assert stack.amazon.calls.count("UpdateItem") == counted


def test_sqs_counts_no_opt_outs(stack: Stack, thulium: Sandbox) -> None:
    """Opt-outs are carried out however many they are, and cost no count."""
    for n in range(1, 6):
        ask(stack.webhooks[0], n, n + 5, source="optout")
    stack.deliver()
    assert called(thulium) == list(range(1, 11))
    assert "UpdateItem" not in stack.amazon.calls


def test_sqs_that_parks_nothing(stack: Stack, thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """If what is above can't be parked its sender is asked to send all of it again, and nothing is told as parked."""
    ask(stack.webhooks[0], 1, 2, 3)
    stack.amazon.fail("SendMessageBatch", ["0", "1"], times=2)
    assert ask(stack.webhooks[0], 4, 5).status == 503
    assert parked(lines) == []
    assert ask(stack.webhooks[0], 4, 5).status == 200
    assert parked(lines) == [OVER] * 2


def test_sqs_without_its_table(stack: Stack, thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """While the table fails no lead is lost: each process counts alone."""
    stack.amazon.fail("UpdateItem", times=9)
    for app in stack.webhooks:
        assert ask(app, *range(1, 6)).status == 200
    stack.deliver()
    assert called(thulium) == [1, 2, 3]
    assert [line["severity"] for line in lines if line["event"] == "counter.failed"] == ["ERROR", "ERROR"]


# --- Google Cloud ---


@pytest.fixture
def cloud() -> Iterator[CloudTasks]:
    with CloudTasks() as running:
        yield running


@pytest.fixture
def firestore() -> Iterator[Firestore]:
    with Firestore() as running:
        yield running


def open_google(config: dict[str, str], cloud: CloudTasks, firestore: Firestore) -> App:
    """Return the app of a process on Google Cloud."""
    names = {"RINGBACK_DELIVER_URL": "https://deliver.example.com", "RINGBACK_SERVICE_ACCOUNT": "ringback@example.com"}
    stand_ins = {"CLOUD_TASKS_EMULATOR_HOST": cloud.address, "FIRESTORE_EMULATOR_HOST": firestore.address}
    places = {"RINGBACK_QUEUE": f"cloud-tasks:{QUEUE}", "RINGBACK_COUNTS": "projects/acme/databases/ringback"}
    return build({**config, **names, **stand_ins, **places})


def hand_over(app: App, cloud: CloudTasks, queue: str, query: str = "") -> None:
    """Deliver the tasks in a queue."""
    for made in [each for each in cloud.tasks if each.name.startswith(f"{queue}/")]:
        assert Tasks(app).handle(Request("POST", "/", query, {}, made.http_request.body)).status == 200


def test_cloud_tasks(
    config: dict[str, str], cloud: CloudTasks, firestore: Firestore, thulium: Sandbox, lines: list[dict[str, Any]]
) -> None:
    """What is above the limit of all processes is answered 200, parked whole, and called when it is replayed."""
    webhooks = [open_google(config, cloud, firestore) for _ in range(2)]
    answers = [ask(webhooks[n % 2], n, n + 5) for n in (1, 2, 3)]
    assert [json.loads(answer.body)["accepted"] for answer in answers] == [2, 2, 2]
    assert parked(lines) == [OVER] * 3
    assert (len(cloud.names(QUEUE)), len(cloud.names(f"{QUEUE}-parked"))) == (3, 3)
    (why,) = {made.http_request.headers["X-Ringback-Reason"] for made in cloud.tasks if "-parked/" in made.name}
    assert why == OVER
    hand_over(webhooks[0], cloud, QUEUE)
    assert called(thulium) == [1, 2, 6]
    counted = len(firestore.calls)
    hand_over(webhooks[0], cloud, f"{QUEUE}-parked", "replay=1")
    assert called(thulium) == [1, 2, 3, 6, 7, 8]
    assert len(firestore.calls) == counted == 3


def test_cloud_tasks_without_its_database(
    config: dict[str, str], cloud: CloudTasks, firestore: Firestore, thulium: Sandbox
) -> None:
    """While the database fails no lead is lost: each process counts alone."""
    firestore.failures = [(503, b"")] * 9
    app = open_google(config, cloud, firestore)
    assert ask(app, *range(1, 6)).status == 200
    hand_over(app, cloud, QUEUE)
    assert called(thulium) == [1, 2, 3]


# --- without a queue ---


def test_direct(config: dict[str, str], thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """Where nothing can be parked, what is above is answered 503: its sender may send it again an hour later."""
    app = build(config)
    assert ask(app, 1, 2).status == 200
    answer = ask(app, 3, 4)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "3600")
    told = [(outcome["status"], outcome["message"]) for outcome in json.loads(answer.body)["outcomes"]]
    assert told == [("ADDED", None), ("DEFERRED", OVER)]
    assert called(thulium) == [1, 2, 3]
    assert [line["reason"] for line in lines if line["event"] == "source.limited"] == [OVER]


# --- SQLite ---


def test_sqlite(config: dict[str, str], thulium: Sandbox, lines: list[dict[str, Any]], tmp_path: Path) -> None:
    """In SQLite what is above is stored, counted for all processes together, and parked when it is delivered."""
    settings = load({**config, "RINGBACK_QUEUE": f"sqlite:///{tmp_path}/queue.db"})
    apps = [open_app(settings) for _ in range(2)]
    for number in range(5):
        assert ask(apps[number % 2], number + 1).status == 200
    assert ask(apps[0], 1).status == 200  # a redelivery takes nothing of the limit
    queue = apps[0].queue
    assert isinstance(queue, SqliteQueue)
    work_off(queue, Way(apps[0].pipeline.deliver))
    assert called(thulium) == [1, 2, 3]
    assert [line["reason"] for line in lines if line["event"] == "source.limited"] == [OVER, OVER]
    kept = queue.database.read("SELECT reason FROM event WHERE status = 'PARKED' AND message IS NOT NULL", {})
    assert [row["reason"] for row in kept] == [OVER, OVER]


def test_replay_in_sqlite(tmp_path: Path) -> None:
    """What was parked for its number is delivered when it is replayed: it is not above the limits any more."""
    queue = SqliteQueue(str(tmp_path / "queue.db"))
    queue.put([make_event(1, over=OVER)], NOW)
    (event,) = queue.take(9, NOW)
    assert event.over == OVER
    queue.settle([(event, done(Status.PARKED, OVER))], NOW)
    assert history.replay(queue.database, NOW) == 1
    (event,) = queue.take(9, NOW)
    assert event.over is None
