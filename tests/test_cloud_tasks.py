"""Events in Cloud Tasks: stored, delivered, tried again, parked, replayed."""

import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.tasks_v2 import CloudTasksClient, Task

from ringback import app, log
from ringback.errors import ConfigError, TooLarge
from ringback.event import Event, Verdict
from ringback.hosts import task
from ringback.hosts.task import Tasks
from ringback.outcome import Status
from ringback.queues import QueueFailed
from ringback.queues.cloud_tasks import LARGEST, REST, CloudTasksQueue
from ringback.queues.message import dump_event, load_event
from ringback.web import Request
from tests.cloud_tasks import SECRETIVE, CloudTasks
from tests.events import NOW, again, done, make_event
from tests.google_tokens import ACCOUNT, URL, Certificates, Key
from tests.sandbox import Sandbox, faults
from tests.sandbox.function import Function, free_port

QUEUE = "projects/acme/locations/europe-central2/queues/ringback"
PARKED = f"{QUEUE}-parked"
TOKEN = "an-invented-token-long-enough"
CONFIG = """
thulium: {{url: "{url}", user: {user}, password: {password}}}
log_key: an-invented-key-long-enough
sources:
  website:
    verify: {{scheme: token, header: X-Api-Key}}
    secret: {token}
    event_id: event
    map: {{customer_id: id, order: order}}
    campaign: "00001"
{more}
"""


@pytest.fixture
def cloud() -> Iterator[CloudTasks]:
    """A stand-in for Cloud Tasks."""
    with CloudTasks() as running:
        yield running


@pytest.fixture
def queue(cloud: CloudTasks) -> CloudTasksQueue:
    """The queue in it."""
    return CloudTasksQueue(QUEUE, URL, ACCOUNT, cloud.address, patience=1.0)


def event_in(made: Task) -> Event:
    """Return the event in a task."""
    return load_event(made.http_request.body.decode())


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the log lines."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# --- accepting ---


def test_a_task_for_each_event(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """An event is a task that is named by its key and calls the private function, with a token for it alone."""
    queue.put([make_event(1)], NOW)
    (made,) = cloud.tasks
    assert made.name == f"{QUEUE}/tasks/key-1"
    assert made.http_request.url == URL
    assert made.http_request.oidc_token.service_account_email == ACCOUNT
    assert made.http_request.oidc_token.audience == URL
    assert not made.schedule_time
    assert event_in(made) == make_event(1)


def test_many_events(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """All events of a request are stored; in what order they are delivered nobody promises."""
    queue.put([make_event(n) for n in range(100)], NOW)
    assert sorted(cloud.names(QUEUE)) == sorted(f"key-{n}" for n in range(100))


def test_redeliveries_are_recognised(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """A name that Cloud Tasks knows is a success: the event is stored."""
    for _ in range(3):
        queue.put([make_event(1), make_event(2)], NOW)
    assert sorted(cloud.names(QUEUE)) == ["key-1", "key-2"]


def test_some_can_not_be_stored(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """When some events can't be stored the put fails; once all are sent again each of them is there once."""
    cloud.failures = [grpc.StatusCode.PERMISSION_DENIED] * 3
    events = [make_event(n) for n in range(10)]
    queue.put(events[:0], NOW)
    with pytest.raises(QueueFailed, match="PermissionDenied"):
        queue.put(events, NOW)
    cloud.failures.clear()
    queue.put(events, NOW)
    assert sorted(cloud.names(QUEUE)) == [f"key-{n}" for n in range(10)]


def test_failure_behind_the_first(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """A failure counts whichever event it meets."""
    queue.put([make_event(1)], NOW)
    cloud.failures = [grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.NOT_FOUND]
    with pytest.raises(QueueFailed, match="NotFound"):
        queue.put([make_event(1), make_event(2), make_event(3)], NOW)


def test_failures_tell_no_more_than_their_kind(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """What Cloud Tasks says may name an account: the failure says its kind, and where to look."""
    cloud.failures = [grpc.StatusCode.PERMISSION_DENIED]
    with pytest.raises(QueueFailed) as caught:
        queue.put([make_event(1)], NOW)
    assert SECRETIVE not in str(caught.value)
    assert QUEUE in str(caught.value)


def test_short_outage_is_waited_out(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """Where Cloud Tasks is away for a moment the event is stored all the same: many senders never send again."""
    cloud.failures = [grpc.StatusCode.UNAVAILABLE] * 2
    queue.put([make_event(1)], NOW)
    assert cloud.names(QUEUE) == ["key-1"]


def test_long_outage_is_not() -> None:
    """A sender does not wait for ever: when nobody is there the put fails in time, however many events it has."""
    queue = CloudTasksQueue(QUEUE, URL, ACCOUNT, f"127.0.0.1:{free_port(0)}", patience=0.3)
    started = time.monotonic()
    with pytest.raises(QueueFailed, match="Cloud Tasks"):
        queue.put([make_event(n) for n in range(50)], NOW)
    assert time.monotonic() - started < 3


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials the put fails, like everything that keeps it from storing."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent")
    with pytest.raises(QueueFailed, match="DefaultCredentialsError"):
        CloudTasksQueue(QUEUE, URL, ACCOUNT).put([make_event(1)], NOW)


def test_large_events_are_refused(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """An event that no task can hold is refused as too large: sending it again would not help."""
    with pytest.raises(TooLarge):
        queue.put([make_event(1), make_event(2, data={"note": "x" * LARGEST})], NOW)
    assert not cloud.tasks


# --- settling ---


@pytest.mark.parametrize(
    "status", [Status.ADDED, Status.ALREADY_EXISTS, Status.REQUEUED, Status.STOPPED, Status.SKIPPED]
)
def test_done_makes_no_task(status: Status, queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """Of an event that has come to its end nothing is kept."""
    queue.settle(make_event(1), done(status), NOW, replayed=False)
    assert cloud.calls == 0


@pytest.mark.parametrize("attempt", [1, 2, 17])
def test_again_makes_a_later_task(attempt: int, queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """What is to be tried again is a new task at its time, named by the try, which is counted in it."""
    event = make_event(1, attempt=attempt)
    queue.settle(event, again(90), NOW, replayed=False)
    (made,) = cloud.tasks
    assert made.name == f"{QUEUE}/tasks/key-1-{attempt + 1}"
    assert made.schedule_time == NOW + timedelta(seconds=90)
    assert made.http_request.url == URL
    assert event_in(made) == replace(event, attempt=attempt + 1)


@pytest.mark.parametrize("status", [Status.PARKED, Status.FAILED, Status.INVALID])
def test_what_a_person_must_see_is_parked(status: Status, queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """What can be replayed goes whole into the paused queue, which says why; to deliver it from there is a replay."""
    queue.settle(make_event(1), done(status, "no such\ncampaign …"), NOW, replayed=False)
    (made,) = cloud.tasks
    assert made.name == f"{PARKED}/tasks/key-1-2"
    assert made.http_request.url == f"{URL}?replay=1"
    assert made.http_request.oidc_token.audience == URL
    assert made.http_request.headers["X-Ringback-Status"] == status
    assert made.http_request.headers["X-Ringback-Reason"] == "no such campaign ?"
    assert not made.schedule_time
    assert event_in(made) == make_event(1, attempt=2)


def test_parked_again_rests(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """What a replay has not helped is left alone for an hour, so that it does not go round in circles meanwhile."""
    queue.settle(make_event(1, attempt=2), done(Status.INVALID), NOW, replayed=True)
    (made,) = cloud.tasks
    assert made.name == f"{PARKED}/tasks/key-1-3"
    assert made.schedule_time == NOW + REST


@pytest.mark.parametrize("verdict", [again(), done(Status.PARKED)])
def test_settling_twice(verdict: Verdict, queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """A function that died before it answered settles again, to the same end."""
    for _ in range(2):
        queue.settle(make_event(1), verdict, NOW, replayed=False)
    assert len(cloud.tasks) == 1


# --- a task is delivered ---


class Delivery:
    """Gives the verdicts it was told, and remembers the events."""

    def __init__(self, *verdicts: Verdict) -> None:
        self.verdicts = verdicts
        self.events: list[Event] = []

    def __call__(self, events: Sequence[Event], _: datetime) -> Sequence[Verdict]:
        """Deliver."""
        self.events += events
        return self.verdicts


def hand_over(event: Event, query: str = "") -> Request:
    """Return the request that Cloud Tasks makes."""
    return Request("POST", "/", query, {"x-cloudtasks-taskname": "key-1"}, dump_event(event).encode())


def later() -> datetime:
    """Return the time two days after the events were received."""
    return NOW + timedelta(days=2)


def test_delivered(queue: CloudTasksQueue, cloud: CloudTasks, capsys: pytest.CaptureFixture[str]) -> None:
    """The event in the task is delivered as it was stored, and its outcome logged."""
    log.configure()
    deliver = Delivery(done())
    assert task.settle(hand_over(make_event(1)), queue, deliver, later).status == 200
    assert deliver.events == [make_event(1)]
    assert [(line["event"], line["status"], line["attempt"]) for line in lines(capsys)] == [
        ("customer.outcome", "ADDED", 1)
    ]


def test_replayed_as_received_now(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """A replayed event is as young as if it had just come, and read anew: else it would be parked for its age again."""
    deliver = Delivery(done())
    old = make_event(1, problem={"id": "no text"}, over="more than 3 an hour", attempt=3)
    task.settle(hand_over(old, "replay=1"), queue, deliver, later)
    assert deliver.events == [replace(old, started_at=later(), problem={}, over=None)]


def test_replay_that_is_tried_again_keeps_its_new_age(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """The tries after a replay count its age from the replay."""
    task.settle(hand_over(make_event(1), "replay=1"), queue, Delivery(again(now=later())), later)
    assert event_in(cloud.tasks[0]).age_from == later()


@pytest.mark.parametrize("body", [b"", b"{}", b"\xff\xfe", b'{"v":2,"source":"website"}', b"[" * 10_000])
def test_what_can_not_be_read_is_kept(
    body: bytes, queue: CloudTasksQueue, cloud: CloudTasks, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no event, or one of a newer version, is parked as it is: it would fail at every try, yet is not lost."""
    log.configure()
    deliver = Delivery()
    request = Request("POST", "/", "", {"x-cloudtasks-taskname": "key-1"}, body)
    assert task.settle(request, queue, deliver, later).status == 200
    assert not deliver.events
    (made,) = cloud.tasks
    assert (made.http_request.body, made.http_request.url) == (body, f"{URL}?replay=1")
    assert made.name.startswith(PARKED)
    (line,) = lines(capsys)
    assert (line["severity"], line["event"], line["task"]) == ("ERROR", "queue.unreadable", "key-1")


def test_unreadable_rests_too(queue: CloudTasksQueue, cloud: CloudTasks) -> None:
    """Replayed while it still can't be read, it is parked again, for an hour at least."""
    task.settle(Request("POST", "/", "replay=1"), queue, Delivery(), later)
    assert cloud.tasks[0].schedule_time == later() + REST


@pytest.mark.parametrize("verdicts", [(), (done(), done())])
def test_mistake_of_ours(
    verdicts: tuple[Verdict, ...], queue: CloudTasksQueue, cloud: CloudTasks, capsys: pytest.CaptureFixture[str]
) -> None:
    """When delivering itself fails the event is tried again later, and the log says where."""
    log.configure()
    assert task.settle(hand_over(make_event(1)), queue, Delivery(*verdicts), later).status == 200
    assert cloud.names(QUEUE) == ["key-1-2"]
    assert [line["event"] for line in lines(capsys)] == ["internal.error", "customer.deferred"]


# --- what the configuration says of it ---


def environ(folder: Path, queue: str = QUEUE, more: str = "", **changes: str) -> dict[str, str]:
    """Write a configuration and return an environment for it."""
    text = CONFIG.format(url="http://127.0.0.1:9", user="u", password="p", token=TOKEN, more=more)
    (folder / "config.yaml").write_text(text)
    known = {"RINGBACK_DELIVER_URL": URL, "RINGBACK_SERVICE_ACCOUNT": ACCOUNT, **changes}
    return {"RINGBACK_CONFIG": str(folder / "config.yaml"), "RINGBACK_QUEUE": f"cloud-tasks:{queue}", **known}


@pytest.mark.parametrize(
    "name", ["ringback", "queues/ringback", "projects/a/locations/b/queues/c/d", "projects//queues/c"]
)
def test_names_are_full(name: str, tmp_path: Path) -> None:
    """A queue is named in full: nothing else says in which project and region it is."""
    with pytest.raises(ConfigError, match="cloud-tasks:projects/<project>/locations/<region>/queues/<queue>"):
        app.build(environ(tmp_path, name))


def test_deployment_has_to_say_who_delivers(tmp_path: Path) -> None:
    """Whom the tasks call, and as whom, is no part of the file: all that the deployment has left out is named."""
    with pytest.raises(ConfigError) as caught:
        app.build(environ(tmp_path, RINGBACK_DELIVER_URL="", RINGBACK_SERVICE_ACCOUNT=""))
    assert [mistake.partition(":")[0] for mistake in caught.value.mistakes] == [
        "RINGBACK_DELIVER_URL",
        "RINGBACK_SERVICE_ACCOUNT",
    ]


BODY = b'{"event": "e1", "id": 441}'
HEADERS = {"content-type": "application/json", "x-api-key": TOKEN}


def test_webhook_answers_when_it_is_stored(cloud: CloudTasks, tmp_path: Path) -> None:
    """The sender hears 200 when all is in the queue, and 503 with a time when it is not."""
    running = app.build(environ(tmp_path, CLOUD_TASKS_EMULATOR_HOST=cloud.address))
    request = Request("POST", "/website", "", HEADERS, BODY)
    assert json.loads(running.handle(request).body) == {"accepted": 1, "events": ["e1"]}
    assert event_in(cloud.tasks[0]).data == {"event": "e1", "id": 441}
    cloud.failures = [grpc.StatusCode.RESOURCE_EXHAUSTED]
    answer = running.handle(request)
    assert answer.status == 503
    assert 30 <= int(answer.headers["Retry-After"]) <= 3600


def test_webhook_refuses_what_is_too_large(cloud: CloudTasks, tmp_path: Path) -> None:
    """A body that is within the limit, while its event is too large for a task, is 413 like any other too large one."""
    running = app.build(environ(tmp_path, CLOUD_TASKS_EMULATOR_HOST=cloud.address))
    body = json.dumps({"event": "e1", "note": "x" * LARGEST}).encode()
    assert running.handle(Request("POST", "/website", "", HEADERS, body)).status == 413


def test_deliver_answers_503_when_it_could_not_settle(cloud: CloudTasks, tmp_path: Path) -> None:
    """Where the next task can't be made Cloud Tasks is told to keep this one."""
    running = app.build(environ(tmp_path, CLOUD_TASKS_EMULATOR_HOST=cloud.address))
    cloud.failures = [grpc.StatusCode.PERMISSION_DENIED]
    unknown = make_event(1, source="gone")
    assert Tasks(running).handle(hand_over(unknown)).status == 503
    assert Tasks(running).handle(hand_over(unknown)).status == 200
    assert len(cloud.tasks) == 1


def test_paused(cloud: CloudTasks, tmp_path: Path) -> None:
    """While the configuration says paused events are accepted, and delivering waits: Cloud Tasks keeps them."""
    running = app.build(environ(tmp_path, more="paused: true", CLOUD_TASKS_EMULATOR_HOST=cloud.address))
    assert running.handle(Request("POST", "/website", "", HEADERS, BODY)).status == 200
    assert Tasks(running).handle(hand_over(event_in(cloud.tasks[0]))).status == 503


def test_without_its_queue_nothing_is_delivered(tmp_path: Path) -> None:
    """With another queue, or none, nothing could be settled: every task is kept."""
    running = app.build(environ(tmp_path, RINGBACK_QUEUE="none", CLOUD_TASKS_EMULATOR_HOST="127.0.0.1:9"))
    assert Tasks(running).handle(hand_over(make_event(1))).status == 503


def test_only_cloud_tasks_has_events_delivered(
    cloud: CloudTasks, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A task without a token for this function and its account delivers nothing, and is told of once a minute."""
    key = Key("one")
    with Certificates(key) as certificates:
        tasks = Tasks(app.build(environ(tmp_path)), certificates.url)
        tokens = ["", "Bearer forged", f"Bearer {key.sign(email='other@example.com')}", f"Bearer {key.sign()}"]
        cut = replace(hand_over(make_event(1)), is_whole=False)
        requests = [replace(cut, headers={"authorization": token}) for token in tokens]
        assert [tasks.handle(request).status for request in [*requests, *requests]] == [401, 401, 403, 503] * 2
    told = [(line["event"], line["severity"], line["http_status"], line["reason"]) for line in lines(capsys)]
    assert told == [
        ("task.refused", "ERROR", 401, "no token"),
        ("task.refused", "ERROR", 401, "the token is not valid here and now"),
        ("task.refused", "ERROR", 403, "the token is another account's"),
    ]


def test_tasks_wait_for_certificates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """While Google's certificates can't be fetched tasks are kept: they are tried again."""
    tasks = Tasks(app.build(environ(tmp_path)), "http://127.0.0.1:9")
    request = replace(hand_over(make_event(1)), headers={"authorization": f"Bearer {Key('one').sign()}"})
    assert tasks.handle(request).status == 503
    (line,) = lines(capsys)
    assert (line["event"], line["http_status"]) == ("task.refused", 503)


def test_somebody_looks_whether_it_is_up(tmp_path: Path) -> None:
    """What is no POST is no task."""
    assert Tasks(app.build(environ(tmp_path))).handle(Request("GET", "/")).status == 200


# --- the whole way: two functions in processes of their own, the emulator between them ---


class Log:
    """The log lines of a function, as they come."""

    def __init__(self) -> None:
        self._lines: list[Mapping[str, Any]] = []
        self._came = threading.Condition()

    def __call__(self, line: Mapping[str, Any]) -> None:
        """Take a line."""
        with self._came:
            self._lines.append(line)
            self._came.notify_all()

    def wait_for(self, event_id: str, *statuses: str, seconds: float = 15) -> list[int]:
        """Return the numbers of the tries of an event, as soon as its outcomes were these."""

        def found() -> list[tuple[str, int]]:
            return [(line["status"], line["attempt"]) for line in self._lines if line.get("event_id") == event_id]

        with self._came:
            self._came.wait_for(lambda: [status for status, _ in found()] == list(statuses), seconds)
            assert [status for status, _ in found()] == list(statuses), self._lines
            return [attempt for _, attempt in found()]


class Whole:
    """Webhook, queue, deliver, campaign."""

    def __init__(self, folder: Path, root: Path, stack: ExitStack) -> None:
        """Start all of it."""
        self.log = Log()
        self.thulium = stack.enter_context(Sandbox())
        emulator, webhook, deliver = free_port(0), free_port(0), free_port(0)
        self._start_emulator(root, emulator, stack)
        account = self.thulium.user, self.thulium.password
        text = CONFIG.format(url=self.thulium.url, user=account[0], password=account[1], token=TOKEN, more="")
        (folder / "config.yaml").write_text(text)
        environment = {
            "RINGBACK_CONFIG": str(folder / "config.yaml"),
            "RINGBACK_QUEUE": f"cloud-tasks:{QUEUE}",
            "RINGBACK_DELIVER_URL": f"http://127.0.0.1:{deliver}",
            "RINGBACK_SERVICE_ACCOUNT": ACCOUNT,
            "CLOUD_TASKS_EMULATOR_HOST": f"127.0.0.1:{emulator}",
        }
        self.queue = CloudTasksQueue(QUEUE, environment["RINGBACK_DELIVER_URL"], ACCOUNT, f"127.0.0.1:{emulator}")
        self.webhook = stack.enter_context(Function(webhook, environment, self.log))
        stack.enter_context(Function(deliver, environment, self.log, "deliver"))
        transport = CloudTasksClient.get_transport_class("grpc")
        channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{emulator}"))
        self.client = CloudTasksClient(transport=transport(channel=channel))
        grpc.channel_ready_future(channel).result(20)
        self.client.pause_queue(name=PARKED)

    @staticmethod
    def _start_emulator(root: Path, port: int, stack: ExitStack) -> None:
        program = str(root / ".venv-tools/bin/gcloud-tasks-emulator")
        queues = [f"--default-queue={name}" for name in (QUEUE, PARKED)]
        command = [program, "start", f"--port={port}", "--quiet", *queues]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)

    def post(self, event_id: str, customer: int) -> None:
        """Post a webhook as a sender does; it is accepted."""
        body = json.dumps({"event": event_id, "id": customer}).encode()
        status, answer = self.webhook.post("/website", body, HEADERS)
        assert (status, answer) == (200, {"accepted": 1, "events": [event_id]})

    def parked(self) -> list[Event]:
        """Return the events in the paused queue."""
        return [event_in(each) for each in self.client.list_tasks(parent=PARKED)]

    def replay(self, until: Callable[[], object]) -> None:
        """Resume the paused queue until something has happened."""
        self.client.resume_queue(name=PARKED)
        try:
            until()
        finally:
            self.client.pause_queue(name=PARKED)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Iterator[Whole]:
    """All of it, running."""
    with ExitStack() as stack:
        yield Whole(tmp_path_factory.mktemp("whole"), root, stack)


@pytest.fixture
def thulium(whole: Whole) -> Sandbox:
    """The stand-in Thulium with one campaign and two customers."""
    whole.thulium.reset()
    whole.thulium.add_campaign("00001")
    whole.thulium.add_customer(441, surname="Lis", phone_number="601000041")
    whole.thulium.add_customer(442, surname="Sowa", phone_number="601000042")
    return whole.thulium


class TestWhole:
    def test_into_the_campaign(self, whole: Whole, thulium: Sandbox) -> None:
        """A webhook is answered as soon as it is stored; the customer is in the campaign soon after, once."""
        whole.post("w1", 441)
        assert whole.log.wait_for("w1", "ADDED") == [1]
        assert thulium.record("00001", 441)
        assert not whole.parked()

    def test_deferred_comes_back(self, whole: Whole, thulium: Sandbox) -> None:
        """What Thulium's outage has deferred comes back as a new task, at its time."""
        thulium.fail("batch", faults.error(503))
        whole.post("w2", 442)
        assert whole.log.wait_for("w2", "DEFERRED", "ADDED") == [1, 2]
        assert thulium.record("00001", 442)

    def test_parked_waits_for_a_person(self, whole: Whole, thulium: Sandbox) -> None:
        """What Thulium refuses waits in the paused queue; when the queue is resumed it is delivered."""
        thulium.refuse(441)
        whole.post("w3", 441)
        whole.log.wait_for("w3", "FAILED")
        assert [event.id for event in whole.parked()] == ["w3"]
        thulium.reset()
        thulium.add_campaign("00001")
        thulium.add_customer(441, surname="Lis", phone_number="601000041")
        whole.replay(lambda: whole.log.wait_for("w3", "FAILED", "ADDED"))
        assert thulium.record("00001", 441)
        assert not whole.parked()

    def test_too_old_until_it_is_replayed(self, whole: Whole, thulium: Sandbox) -> None:
        """An event older than max_age is parked, not called; replayed it counts as new and is not parked again."""
        received = datetime.now(UTC) - timedelta(days=3)
        old = make_event(4, id="w4", key="old-1", data={"id": 442}, received_at=received)
        whole.queue.put([old], received)
        whole.log.wait_for("w4", "PARKED")
        assert not thulium.record("00001", 442)
        whole.replay(lambda: whole.log.wait_for("w4", "PARKED", "ADDED"))
        assert thulium.record("00001", 442)

    def test_garbage_is_kept(self, whole: Whole) -> None:
        """A task that is no event is taken out of the queue, where it would be tried for ever, and parked."""
        address = whole.queue._url.removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=10)
        connection.request("POST", "/", b"garbage")
        assert connection.getresponse().status == 200
        connection.close()
        assert [bytes(each.http_request.body) for each in whole.client.list_tasks(parent=PARKED)] == [b"garbage"]
        whole.client.purge_queue(name=PARKED)
