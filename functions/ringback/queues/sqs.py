"""The queue on AWS: an SQS FIFO queue, and another one beside it for what has to wait for a person."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

from ringback import log
from ringback.aws_error import name_error
from ringback.errors import TooLarge
from ringback.event import Event
from ringback.limits import UNLIMITED, Limits
from ringback.outcome import Outcome, Status
from ringback.queues import QueueFailed
from ringback.queues.counter import Counter
from ringback.queues.message import dump_event, give_reason

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MOST = 10  # messages in one call
# Bytes in one call. SQS takes four times as much by now, but a queue that was made earlier need not: what is larger
# goes alone, and the queue itself says whether it takes it.
CALL_SIZE = 256 * 1024
PATIENCE = 4.0  # seconds; most senders wait for eight, and one call may take six
LARGEST = 1020 * 1024  # bytes of one message; 4 KiB less than SQS takes are left for the reason, should it fail
LONGEST_HIDDEN = 43_000  # seconds; SQS hides a message for 12 hours at most, counted from when it was handed over


@dataclass(frozen=True)
class Message:
    """What is sent: ``key`` is the id by which SQS drops, for 5 minutes, what it has already."""

    body: str = field(repr=False)
    group: str
    key: str
    attributes: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def size(self) -> int:
        """Return how many bytes SQS counts."""
        told = "".join(f"{name}String{value}" for name, value in self.attributes.items())
        return len(self.body.encode()) + len(told.encode())


class SqsQueue:
    """An SQS FIFO queue at ``url``. boto3 finds region and credentials where Lambda puts them."""

    def __init__(
        self,
        url: str,
        dead_letters: str,
        group_of: Callable[[Event], str],
        counter: Counter | None = None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        """Remember the addresses of both queues; nothing is connected before it is needed.

        ``patience`` is the seconds after which no further call is begun to send what is left.
        """
        self._url = url
        self._dead_letters = dead_letters
        self._group_of = group_of
        self._counter = counter or Counter()
        self._patience = patience

    def put(self, events: Sequence[Event], now: datetime, limits: Limits = UNLIMITED) -> list[Event]:
        """Send the events in their order. Raises QueueFailed if SQS has not taken all, TooLarge for too large a one.

        What is above the ``limits`` goes to the dead-letter queue, and is returned. A redelivery counts like another
        event: only SQS itself knows that it has it already.

        What it has taken by then stays. When the sender sends all of it again, that part is recognised by its
        deduplication id within 5 minutes; later it is delivered once more, which does no harm.
        """
        marked = self._counter.mark(events, limits, now)
        messages = [self._write(event) for event in marked if not event.over]
        letters = [self._write(event) for event in marked if event.over]
        if any(message.size > LARGEST for message in (*messages, *letters)):
            raise TooLarge(f"one event makes more than the {LARGEST} bytes that the queue takes")
        until = time.monotonic() + self._patience
        refused = [*self._send(self._url, messages, until), *self._send(self._dead_letters, letters, until)]
        if refused:
            raise QueueFailed(f"SQS has not taken {len(refused)} of {len(marked)} messages; they are to be sent again")
        return [event for event in marked if event.over]

    def _write(self, event: Event) -> Message:
        why = describe(Outcome(Status.PARKED, event.over)) if event.over else {}
        return Message(dump_event(event), self._group_of(event), event.key, why)

    def bury(self, letters: Iterable[Message]) -> set[str]:
        """Put messages into the dead-letter queue. Returns the keys of those that it has not taken."""
        letters, until = list(letters), time.monotonic() + self._patience
        try:
            return {letters[number].key for number in self._send(self._dead_letters, letters, until)}
        except QueueFailed as error:
            log.write("ERROR", str(error), "queue.failed")
            return {letter.key for letter in letters}

    def hide(self, receipts: Mapping[str, float]) -> None:
        """Let SQS hand over again each message that is held by a receipt, so many seconds from now.

        What fails here comes back all the same, after the queue's own visibility timeout.
        """
        if not receipts:
            return
        try:
            self._client.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": receipt, "VisibilityTimeout": _bound(seconds)}
                    for n, (receipt, seconds) in enumerate(receipts.items())
                ],
            )
        except self._errors as error:
            log.write("WARNING", f"SQS: {name_error(error)}", "queue.failed")

    @cached_property
    def _client(self) -> "SQSClient":
        import boto3  # noqa: PLC0415 - only AWS has it, and it takes longer to import than all else
        from botocore.config import Config  # noqa: PLC0415 - as above

        # Two tries of three seconds at most: a sender waits for eight. To send again is safe: see ``Message``.
        retries = {"mode": "standard", "total_max_attempts": 2}
        config = Config(connect_timeout=1, read_timeout=2, retries=retries)  # type: ignore[arg-type]  # as documented
        return boto3.client("sqs", config=config)

    @property
    def _errors(self) -> tuple[type[Exception], ...]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

        return BotoCoreError, ClientError

    def _send(self, url: str, messages: Sequence[Message], until: float) -> list[int]:
        """Send messages and return which were refused, after a second try of those. Raises QueueFailed.

        No call begins after ``until`` (monotonic). What follows a refused one in its group is not sent, so that the
        sender's next try brings both in their order.
        """
        refused: list[int] = []
        for batch in _cut(messages):
            closed = {messages[number].group for number in refused}
            going = [number for number in batch if messages[number].group not in closed]
            refused += [number for number in batch if number not in going]
            for _ in range(2):
                if time.monotonic() < until:
                    going = self._call(url, {number: messages[number] for number in going})
            refused += going
        return refused

    def _call(self, url: str, messages: Mapping[int, Message]) -> list[int]:
        """Send messages in one call, and return which were refused."""
        if not messages:
            return []
        entries = [_entry(number, message) for number, message in messages.items()]
        try:
            answer = self._client.send_message_batch(QueueUrl=url, Entries=entries)
        except self._errors as error:
            raise QueueFailed(f"SQS: {name_error(error)}; look at the queue's URL and the function's role") from None
        return [int(each["Id"]) for each in answer.get("Failed", [])]


def describe(outcome: Outcome) -> dict[str, str]:
    """Return the attributes by which a person sees why a message is in the dead-letter queue."""
    return {"status": outcome.status.value, "reason": give_reason(outcome.reason or "")}


def _bound(seconds: float) -> int:
    return min(max(0, ceil(seconds)), LONGEST_HIDDEN)


def _cut(messages: Sequence[Message]) -> Iterator[list[int]]:
    """Yield which messages go into each call: of one group one, for of two the first alone may be refused.

    The first of each group go first, then the second; what keeps its order is a group. Where a group is longer than a
    call nobody could wait for so many calls, and they go as they come.
    """
    turns: dict[str, int] = {}
    order: list[tuple[int, int]] = []
    for number, message in enumerate(messages):
        turns[message.group] = turn = turns.get(message.group, -1) + 1
        order.append((turn, number))
    is_strict = max(turns.values(), default=0) < MOST
    batch: list[int] = []
    for _, number in sorted(order) if is_strict else order:
        inside, message = [messages[other] for other in batch], messages[number]
        is_full = len(batch) == MOST or message.size + sum(each.size for each in inside) > CALL_SIZE
        if batch and (is_full or (is_strict and message.group in {each.group for each in inside})):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


def _entry(number: int, message: Message) -> "SendMessageBatchRequestEntryTypeDef":
    return {
        "Id": str(number),
        "MessageBody": message.body,
        "MessageGroupId": message.group,
        "MessageDeduplicationId": message.key,
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()
        },
    }
