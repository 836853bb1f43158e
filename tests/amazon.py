"""AWS on loopback: moto's server, which can be told to fail, and what stands between a queue and its function."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from boto3.session import Session
from moto.dynamodb.models import dynamodb_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sqs.models import sqs_backends
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

REGION = "eu-central-1"
ACCOUNT = "123456789012"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
Handler = Callable[[Mapping[str, Any]], Mapping[str, Any]]


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        """Say nothing."""


class Amazon:
    """SQS and the rest of AWS at ``url``, while the ``with`` lasts.

    ``fail("SendMessageBatch")`` refuses the next call of this kind whole, ``fail("SendMessageBatch", ["0"])`` the
    entries with these ids; ``say`` gives an answer in moto's place. ``calls`` has the kind of each call. moto knows no
    redrive: ``StartMessageMoveTask`` is done here as AWS describes it.
    """

    def __enter__(self) -> Self:
        """Start it."""
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._answer, threaded=True, request_handler=Quiet)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.reset()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def environ(self) -> dict[str, str]:
        """What boto3 needs in the environment to come here."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url}

    @cached_property
    def sqs(self) -> "SQSClient":
        return Session(CREDENTIALS["AWS_ACCESS_KEY_ID"], "test", region_name=REGION).client(
            "sqs", endpoint_url=self.url
        )

    def reset(self) -> None:
        """Forget all faults, calls, queues and messages."""
        self._faults: list[tuple[str, list[str] | None, int]] = []
        self._answers: list[tuple[str, object]] = []
        self.calls: list[str] = []
        sqs_backends[ACCOUNT][REGION].reset()
        dynamodb_backends[ACCOUNT][REGION].reset()

    def fail(self, action: str, entries: Iterable[str] | None = None, times: int = 1, status: int = 403) -> None:
        self._faults += [(action, None if entries is None else list(entries), status)] * times

    def say(self, action: str, answer: object) -> None:
        """Let the next call of this kind be answered so."""
        self._answers.append((action, answer))

    def make_queue(self, name: str) -> str:
        attributes = {"FifoQueue": "true", "VisibilityTimeout": "360"}
        return self.sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]

    def make_table(self, name: str) -> None:
        """Make the table of counts as the template does."""
        client = Session("test", "test", region_name=REGION).client("dynamodb", endpoint_url=self.url)
        client.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def read_items(self, table: str) -> list[dict[str, Any]]:
        """Return the items of a table, as DynamoDB writes them."""
        client = Session("test", "test", region_name=REGION).client("dynamodb", endpoint_url=self.url)
        return [dict(item) for item in client.scan(TableName=table)["Items"]]

    def keep_secret(self, name: str, text: str) -> None:
        """Put a secret into Secrets Manager."""
        client = Session("test", "test", region_name=REGION).client("secretsmanager", endpoint_url=self.url)
        client.create_secret(Name=name, SecretString=text)

    def messages(self, url: str) -> list[Any]:
        """Return moto's own messages of a queue."""
        return list(sqs_backends[ACCOUNT][REGION].get_queue(url.rpartition("/")[2])._messages)

    def pass_time(self, url: str, seconds: float) -> None:
        """Make a queue's messages older, and visible when their time has come."""
        for message in self.messages(url):
            message.sent_timestamp -= int(seconds * 1000)
            message.visible_at -= int(seconds * 1000)

    def _answer(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        request = Request(environ)
        action = request.headers.get("X-Amz-Target", "").rpartition(".")[2]
        body = request.get_data()
        self.calls.append(action)
        if action == "ReceiveMessage":
            free_groups()
        if action == "StartMessageMoveTask":
            return self._move(json.loads(body))(environ, start)
        answer = next((each for each in self._answers if each[0] == action), None)
        if answer is not None:
            self._answers.remove(answer)
            return Response(json.dumps(answer[1]))(environ, start)
        fault = next((each for each in self._faults if each[0] == action), None)
        if fault is None:
            return self._forward(environ, body)(environ, start)
        self._faults.remove(fault)
        return self._fail(environ, body, fault[1], fault[2])(environ, start)

    def _forward(self, environ: dict[str, Any], body: bytes) -> Response:
        own = {**environ, "CONTENT_LENGTH": str(len(body))}
        return Response.from_app(self._moto, {**own, "wsgi.input": Request.from_values(data=body).stream})

    def _fail(self, environ: dict[str, Any], body: bytes, entries: list[str] | None, status: int) -> Response:
        if entries is None:
            return Response('{"__type": "AccessDeniedException", "message": "secret text"}', status)
        content = json.loads(body)
        kept = [each for each in content["Entries"] if each["Id"] not in entries]
        answer: dict[str, Any] = {"Successful": []}
        if kept:
            forwarded = self._forward(environ, json.dumps({**content, "Entries": kept}).encode())
            answer = json.loads(forwarded.get_data())
        ids = {each["Id"] for each in content["Entries"]} & set(entries)
        failed = [{"Id": each, "SenderFault": False, "Code": "InternalError"} for each in sorted(ids)]
        return Response(json.dumps({**answer, "Failed": failed}))

    def _move(self, content: dict[str, str]) -> Response:
        """Move all messages: each gets a new id and time, and keeps its body, group and attributes."""
        backend = sqs_backends[ACCOUNT][REGION]
        source = backend.get_queue(content["SourceArn"].rpartition(":")[2])
        target = content["DestinationArn"].rpartition(":")[2]  # needed: we sent them to the dead-letter queue ourselves
        for message in list(source._messages):
            source._messages.remove(message)
            key, group = message.deduplication_id, message.group_id
            backend.send_message(target, message.body, message.message_attributes, deduplication_id=key, group_id=group)
        return Response(json.dumps({"TaskHandle": "1"}))


def free_groups() -> None:
    """Let a group go when all its messages are visible again: moto does so one by one, the later ones first."""
    for queue in sqs_backends[ACCOUNT][REGION].queues.values():
        queue.pending_messages.difference_update([message for message in queue._messages if message.visible])


def find_arn(amazon: Amazon, url: str) -> str:
    return amazon.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def hand_over(amazon: Amazon, url: str) -> list[dict[str, Any]]:
    """Receive what the queue has, as Lambda's event source does, and return its records."""
    received = amazon.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"], MessageAttributeNames=["All"]
    )
    return [
        {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message["Attributes"]),
            "messageAttributes": {
                name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
                for name, value in message.get("MessageAttributes", {}).items()
            },
            "eventSource": "aws:sqs",
            "awsRegion": REGION,
        }
        for message in received.get("Messages", [])
    ]


def feed(amazon: Amazon, url: str, handler: Handler) -> list[str]:
    """Do as Lambda's event source does: hand over at most ten messages, and delete those not reported.

    Returns the ids of the messages that were reported.
    """
    records = hand_over(amazon, url)
    if not records:
        return []
    undone = [each["itemIdentifier"] for each in handler({"Records": records})["batchItemFailures"]]
    for record in records:
        if record["messageId"] not in undone:
            amazon.sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
    return undone
