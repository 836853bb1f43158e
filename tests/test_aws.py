"""The door on AWS: what an event of a Function URL, an HTTP API or SQS comes to."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import aws
from ringback.errors import ConfigError
from ringback.hosts.keeper import SETTLING, Keeper
from ringback.hosts.payload import to_request
from ringback.web import MAX_BODY, Request
from tests.amazon import Amazon, feed, find_arn
from tests.sandbox import Sandbox, faults


def make_event(body: str | None = None, **changes: Any) -> dict[str, Any]:
    """Return an event as the AWS documentation has it (payload format 2.0)."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/website",
        "rawQueryString": "a=1&a=2&b=%20%C5%82",
        "cookies": ["session=1"],
        "headers": {"content-type": "application/json", "X-Signature": "sha256=00"},
        "queryStringParameters": {"a": "1,2", "b": " ł"},
        "requestContext": {
            "domainName": "abc.lambda-url.eu-central-1.on.aws",
            "http": {"method": "POST", "path": "/website", "sourceIp": "192.0.2.1"},
            "stage": "$default",
        },
        "isBase64Encoded": False,
        **({} if body is None else {"body": body}),
        **changes,
    }


def test_everything_crosses_as_it_came() -> None:
    """Method, path, raw query, headers (names in lower case) and body reach the core; cookies do not."""
    assert to_request(make_event('{"a": "ł"}')) == Request(
        method="POST",
        path="/website",
        query="a=1&a=2&b=%20%C5%82",
        headers={"content-type": "application/json", "x-signature": "sha256=00"},
        body='{"a": "ł"}'.encode(),
    )


def test_nothing_but_the_path() -> None:
    """What a request does not have is absent from its event."""
    event = {"rawPath": "//", "requestContext": {"http": {"method": "GET"}}}
    assert to_request(event) == Request("GET", "//")


@pytest.mark.parametrize("raw", [b"", b"{}", b"\x00\xff\xfe", "zażółć".encode("iso-8859-2"), bytes(range(256))])
def test_base64_bodies_are_bytes(raw: bytes) -> None:
    """A body that AWS sends in base64 arrives byte for byte: a signature is over these very bytes."""
    body = base64.b64encode(raw).decode()
    assert to_request(make_event(body, isBase64Encoded=True)).body == raw


def test_body_that_looks_like_base64_is_text() -> None:
    """Whether a body is base64 is what AWS says, not what it looks like."""
    assert to_request(make_event("e30=")).body == b"e30="


def test_half_a_character_does_no_harm() -> None:
    """A lone surrogate can't be UTF-8, and is no reason to fail."""
    assert to_request(make_event("\ud800")).body == b"\xed\xa0\x80"


@pytest.mark.parametrize("encoded", [False, True])
def test_large_bodies_are_cut(encoded: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Of a body that is too large one byte too many is handed over, so that it is seen to be."""
    body = "x" * (MAX_BODY + 100)
    event = make_event(base64.b64encode(body.encode()).decode() if encoded else body, isBase64Encoded=encoded)
    assert len(to_request(event).body) == MAX_BODY + 1


@pytest.mark.parametrize(
    ("stage", "raw", "path"),
    [
        ("$default", "/website", "/website"),
        ("prod", "/prod/website", "/website"),
        ("prod", "/prod/", "/"),
        ("prod", "/website", "/website"),
        ("prod", "/production", "/production"),
        ("prod", "/prod/prod/x", "/prod/x"),
        ("$default", "//website", "//website"),
    ],
)
def test_named_stages_are_not_part_of_the_path(stage: str, raw: str, path: str) -> None:
    """An HTTP API puts its stage's name before the path, unless it is the default one or the domain is one's own."""
    context = {"http": {"method": "POST"}, "stage": stage}
    assert to_request(make_event(rawPath=raw, requestContext=context)).path == path


# --- webhook ---

TOKEN = "0123456789abcdef0123456789abcdef"
CONFIG = """
thulium: {url: "http://127.0.0.1:9", user: u, password: p}
log_key: an-invented-key-long-enough
sources:
  website: {verify: {scheme: token, header: X-Api-Key}, secret: "0123456789abcdef0123456789abcdef",
    when: "`false`", map: {customer_id: id}, campaign: "00001"}
"""


class Context:
    """What Lambda tells a function of its call."""

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds

    def get_remaining_time_in_millis(self) -> int:
        return round(self.seconds * 1000)


def configure(path: Path, text: str, monkeypatch: pytest.MonkeyPatch, **environ: str) -> Path:
    """Write the configuration and start a fresh process with it, so to speak."""
    (path / "config.yaml").write_text(text)
    environ["RINGBACK_CONFIG"] = str(path / "config.yaml")
    monkeypatch.setattr(aws, "KEEPER", Keeper(environ))
    return path / "config.yaml"


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose one source takes no event for a lead."""
    return configure(tmp_path, CONFIG, monkeypatch)


def post(body: object, source: str = "website") -> dict[str, Any]:
    """Post a signed webhook and return the answer with its content."""
    headers = {"x-api-key": TOKEN, "content-type": "application/json"}
    answer = aws.webhook(make_event(json.dumps(body), rawPath=f"/{source}", headers=headers), Context())
    return {**answer, "content": json.loads(str(answer["body"]))}


def test_answers(configured: Path) -> None:
    """A verified request gets its answer in the shape that Lambda turns into HTTP."""
    answer = post({"id": 1})
    assert answer["statusCode"] == 200
    assert answer["headers"] == {"Content-Type": "application/json"}
    assert [outcome["status"] for outcome in answer["content"]["outcomes"]] == ["SKIPPED"]
    assert answer["isBase64Encoded"] is False


def test_refuses(configured: Path) -> None:
    """A request of nobody known gets 401."""
    assert aws.webhook(make_event("{}"), None)["statusCode"] == 401


def test_bad_configuration(configured: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a bad configuration the sender is asked to come back, the log says why, and mending it is enough."""
    configured.write_text("thulium: {}")
    answer = aws.webhook(make_event("{}"), None)
    assert answer["statusCode"] == 503
    assert 30 <= int(answer["headers"]["Retry-After"]) <= 3600  # type: ignore[index]  # it is a dict: the shape is AWS's
    assert '"config.invalid"' in capsys.readouterr().out
    configured.write_text(CONFIG)
    assert aws.webhook(make_event(rawPath="/", requestContext={"http": {"method": "GET"}}), None)["statusCode"] == 200


# --- webhook, queue, deliver, campaign ---

QUEUED = """
thulium: {url: "%s", user: "%s", password: "%s", timeout: 2}
log_key: 0123456789abcdef0123456789abcdef
campaigns: {callbacks: {id: "00001", stop: {status_id: 9}}}
sources:
  website: {verify: {scheme: token, header: X-Api-Key}, secret: "0123456789abcdef0123456789abcdef",
    items: "leads || @", event_id: ref, when: "!test", campaign: callbacks,
    map: {customer_id: id, phone_number: tel, surname: name}}
  optout: {verify: {scheme: token, header: X-Api-Key}, secret: "0123456789abcdef0123456789abcdef",
    action: stop, map: {phone_number: number}, campaign: callbacks}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Amazon]:
    with Amazon() as amazon:
        yield amazon


@pytest.fixture
def amazon(server: Amazon, monkeypatch: pytest.MonkeyPatch) -> Amazon:
    server.reset()
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.add_campaign("00001")
        yield sandbox


class Stack:
    """Both functions, both queues, and a clock that can be put forward."""

    def __init__(self, amazon: Amazon, thulium: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.amazon = amazon
        self.queue, self.letters = amazon.make_queue("leads"), amazon.make_queue("letters")
        environ = {"RINGBACK_QUEUE": f"sqs:{self.queue}", "RINGBACK_DEAD_LETTER_QUEUE": self.letters}
        self.config = QUEUED % (thulium.url, thulium.user, thulium.password)
        configure(tmp_path, self.config, monkeypatch, **environ)

    def deliver(self, seconds: float = 60) -> list[str]:
        return feed(self.amazon, self.queue, lambda event: aws.deliver(event, Context(seconds)))

    def deliver_all(self) -> int:
        """Deliver as long as there is something; return how many times a message was reported."""
        reported = 0
        for _ in range(20):
            reported += len(self.deliver())
            self.amazon.pass_time(self.queue, 3600)
        return reported

    def count(self) -> tuple[int, int]:
        """Return how many messages wait, and how many are in the dead-letter queue."""
        return len(self.amazon.messages(self.queue)), len(self.amazon.messages(self.letters))


@pytest.fixture
def stack(amazon: Amazon, thulium: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(amazon, thulium, tmp_path, monkeypatch)


def outcomes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["status"] for line in lines if str(line["event"]).startswith("customer.")]


def lead(number: int) -> dict[str, Any]:
    return {"ref": f"r{number}", "name": f"Lis {number}", "tel": f"601 000 {number:03}"}


def test_lead_reaches_its_campaign(stack: Stack, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The sender is answered as soon as SQS has the event; then its person is added to the campaign."""
    answer = post(lead(1))
    assert (answer["statusCode"], answer["content"]) == (200, {"accepted": 1, "events": ["r1"]})
    assert thulium.requests == []
    assert stack.deliver() == []
    assert len(thulium.records("00001")) == 1
    assert outcomes(capsys) == ["ADDED"]
    assert stack.count() == (0, 0)


def test_same_event_twice_is_one_lead(stack: Stack, thulium: Sandbox) -> None:
    """What comes twice is one message; what SQS hands over twice is one person in the campaign."""
    assert [post(lead(1))["statusCode"] for _ in range(2)] == [200, 200]
    assert stack.count() == (1, 0)
    assert len(feed(stack.amazon, stack.queue, keep)) == 1
    stack.amazon.pass_time(stack.queue, 400)
    stack.deliver()
    assert len(thulium.records("00001")) == 1


def keep(event: Any) -> dict[str, Any]:
    """Deliver, and die before SQS hears of it: nothing is deleted."""
    aws.deliver(event, Context())
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}


def test_refused_send_is_a_503(stack: Stack) -> None:
    """What SQS does not take is not answered with 200."""
    stack.amazon.fail("SendMessageBatch")
    answer = post(lead(1))
    assert answer["statusCode"] == 503
    assert 30 <= int(answer["headers"]["Retry-After"]) <= 3600


def test_nothing_to_do_is_stored_nowhere(stack: Stack) -> None:
    """A body without events is accepted, and makes no message."""
    assert post([])["content"] == {"accepted": 0, "events": []}
    assert stack.count() == (0, 0)


def test_one_customer_who_always_fails_among_twelve(
    stack: Stack, thulium: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Eleven of twelve are in the campaign at once; the one whose record spoils its call is told apart."""
    for number in range(12):
        thulium.add_customer(100 + number, surname=f"Lis {number}", phone_number=f"601000{number:03}")
    thulium.poison(105)
    assert post({"leads": [lead(number) for number in range(12)]})["content"]["accepted"] == 12
    stack.deliver_all()
    assert len(thulium.records("00001")) == 11
    assert stack.count() == (0, 1)
    assert sorted(outcomes(capsys)) == ["ADDED"] * 11 + ["FAILED"]


def test_stop_waits_for_no_lead(stack: Stack, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A stop that comes behind a deferred lead of the same person is carried out at once, and holds for the lead."""
    thulium.fail("search", faults.error(503), times=1)
    post(lead(1))
    assert len(stack.deliver()) == 1
    post({"number": "+48601000001"}, "optout")
    assert stack.deliver() == []
    assert outcomes(capsys) == ["DEFERRED", "STOPPED"]
    stack.amazon.pass_time(stack.queue, 60)
    assert stack.deliver() == []
    assert outcomes(capsys) == ["ALREADY_EXISTS"]
    assert [record["status_id"] for record in thulium.records("00001")] == [9]


def test_outage_loses_nothing(stack: Stack, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """What comes in while Thulium is down is delivered when it is back."""
    thulium.stop()
    post({"leads": [lead(1), lead(2)]})
    assert len(stack.deliver()) == 2
    thulium.start()
    stack.amazon.pass_time(stack.queue, 60)
    assert stack.deliver() == []
    assert outcomes(capsys) == ["DEFERRED", "DEFERRED", "ADDED", "ADDED"]


def test_too_old_is_parked_and_can_be_redriven(
    stack: Stack, thulium: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lead that is older than max_age is parked, and called once somebody has moved it back by hand."""
    post(lead(1))
    stack.amazon.pass_time(stack.queue, 25 * 3600)
    stack.deliver()
    assert (outcomes(capsys), stack.count()) == (["PARKED"], (0, 1))
    arns = [find_arn(stack.amazon, url) for url in (stack.letters, stack.queue)]
    stack.amazon.sqs.start_message_move_task(SourceArn=arns[0], DestinationArn=arns[1])
    assert stack.deliver() == []
    assert (outcomes(capsys), stack.count()) == (["ADDED"], (0, 0))


def test_garbage_in_the_queue_blocks_nothing(
    stack: Stack, thulium: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message that is no event goes where a person will see it; what came with it is delivered."""
    own = {"MessageGroupId": "g", "MessageDeduplicationId": "d"}
    stack.amazon.sqs.send_message(QueueUrl=stack.queue, MessageBody="garbage", **own)  # type: ignore[arg-type]
    post(lead(1))
    assert stack.deliver() == []
    assert outcomes(capsys) == ["INVALID", "ADDED"]
    assert [message.body for message in stack.amazon.messages(stack.letters)] == ["garbage"]


def test_delivery_ends_in_time(stack: Stack, thulium: Sandbox) -> None:
    """However slow Thulium is, a delivery ends so early that SQS can still be told."""
    thulium.slow(5)
    post(lead(1))
    started = time.monotonic()
    assert len(stack.deliver(SETTLING + 0.3)) == 1
    assert time.monotonic() - started < 4


def test_paused_queue_keeps_all(
    stack: Stack, thulium: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While paused, events are stored and nobody is called."""
    environ = {"RINGBACK_QUEUE": f"sqs:{stack.queue}", "RINGBACK_DEAD_LETTER_QUEUE": stack.letters}
    configure(tmp_path, stack.config + "paused: true\n", monkeypatch, **environ)
    assert post(lead(1))["content"]["accepted"] == 1
    assert len(stack.deliver()) == 1
    assert thulium.requests == []


def test_bad_configuration_loses_no_message(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a bad configuration a delivery fails whole, so that SQS hands everything over again."""
    post(lead(1))
    configure(tmp_path, "thulium: {}", monkeypatch)
    with pytest.raises(ConfigError):
        stack.deliver()
    assert stack.count() == (1, 0)


def test_queue_needs_a_dead_letter_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a place for what a person has to look at, the configuration is bad."""
    configure(tmp_path, CONFIG, monkeypatch, RINGBACK_QUEUE="sqs:https://sqs.example.com/1/leads.fifo")
    with pytest.raises(ConfigError, match="dead_letter_queue: an sqs queue needs one"):
        aws.deliver({"Records": []}, Context())
