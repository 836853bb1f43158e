"""Messages from SQS: deliver them, settle them, and report the undone ones back to SQS."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from ringback import log
from ringback.delivery.backoff import next_try
from ringback.event import Again, Done, Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.queues.message import load_event
from ringback.queues.sqs import Message, SqsQueue, describe
from ringback.queues.verdicts import Deliver, judge

NOT_BURIED = "the dead-letter queue does not take it"


@dataclass(frozen=True)
class Handed:
    """A message that SQS has handed over, and the event in it.

    The event's age counts from when it came into this queue: from its webhook, or from the day on which somebody has
    moved it back out of the dead-letter queue, so that it is delivered then however old it is.
    """

    id: str
    receipt: str
    body: str = field(repr=False)
    group: str
    event: Event


def deliver_messages(
    records: Sequence[Mapping[str, Any]],
    queue: SqsQueue,
    deliver: Deliver,
    clock: Callable[[], datetime],
    is_too_old: Callable[[Event, datetime], bool],
) -> list[str]:
    """Deliver the messages of one hand-over and return the ids of those that SQS is to hand over again.

    ``records`` are Lambda's, at most ten. ``deliver`` gives a verdict for each event, in their order. Of one group a
    message is delivered after the one before it is done; from the first that is not, the whole rest of the group goes
    back, or else a stop would overtake its lead; but for leads that are too old by now, which are parked. What a person
    has to look at (INVALID, FAILED, PARKED) is done when the dead-letter queue has it. An outcome is logged when it is
    settled.
    """
    messages = [read_record(record) for record in records]
    waiting: dict[str, datetime] = {}
    done: set[str] = set()
    for turn in take_turns(messages):
        now = clock()
        going = [each for each in turn if each.group not in waiting or is_too_old(each.event, now)]
        for message, verdict in deliver_turn(going, queue, deliver, clock):
            if isinstance(verdict, Again):
                waiting.setdefault(message.group, verdict.at)
            else:
                done.add(message.id)
    undone = [message for message in messages if message.id not in done]
    queue.hide({message.receipt: (waiting[message.group] - clock()).total_seconds() for message in undone})
    return [message.id for message in undone]


def read_record(record: Mapping[str, Any]) -> Handed:
    """Return one of Lambda's records; an event that can't be read is there with its ``problem``."""
    about, body = record["attributes"], record["body"]
    sent_at = datetime.fromtimestamp(int(about["SentTimestamp"]) / 1000, UTC)
    try:
        event = load_event(body)
    except ValueError as error:
        event = Event("unknown", record["messageId"], "", None, sent_at, problem={"event": str(error)})
    else:
        event = replace(event, started_at=sent_at)
        if has_come_back(record):
            event = replace(event, problem={}, over=None)
    event = replace(event, attempt=int(about["ApproximateReceiveCount"]))
    return Handed(record["messageId"], record["receiptHandle"], body, about["MessageGroupId"], event)


def has_come_back(record: Mapping[str, Any]) -> bool:
    """Return whether a message was moved here out of the dead-letter queue: it keeps its attributes from there."""
    return "status" in record.get("messageAttributes", {})


def take_turns(messages: Sequence[Handed]) -> Iterator[list[Handed]]:
    """Yield the first message of each group, then the second of each that has one, and so on."""
    groups: dict[str, list[Handed]] = {}
    for message in messages:
        groups.setdefault(message.group, []).append(message)
    for turn in zip_longest(*groups.values()):
        yield [message for message in turn if message is not None]


def deliver_turn(
    messages: Sequence[Handed], queue: SqsQueue, deliver: Deliver, clock: Callable[[], datetime]
) -> list[tuple[Handed, Verdict]]:
    """Deliver messages of different groups, settle those that are done, and return the result of each."""
    started = time.monotonic()
    results = list(zip(messages, judge([message.event for message in messages], deliver, clock), strict=True))
    results = bury(results, queue, clock())
    for message, verdict in results:
        log.write_outcome(message.event, verdict.outcome, time.monotonic() - started)
    return results


def bury(results: Sequence[tuple[Handed, Verdict]], queue: SqsQueue, now: datetime) -> list[tuple[Handed, Verdict]]:
    """Put messages that need a person into the dead-letter queue; one that can't be put there is tried again."""
    letters = {
        message.id: write_letter(message, verdict.outcome)
        for message, verdict in results
        if isinstance(verdict, Done) and verdict.outcome.status.is_replayable
    }
    refused = queue.bury(letters.values()) if letters else set()
    return [
        (message, put_off(message.event, verdict, now) if message.id in refused else verdict)
        for message, verdict in results
    ]


def write_letter(message: Handed, outcome: Outcome) -> Message:
    """Return a message for the dead-letter queue: as it is, with the reason, and its own id for a key.

    SQS takes that key too when it moves a message itself: two messages may have come under one key, at two times.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    return Message(message.body, message.group, message.id, describe(outcome))


def put_off(event: Event, verdict: Verdict, now: datetime) -> Again:
    """Return the verdict that an event is tried again, since it could not be settled."""
    return Again(Outcome(Status.DEFERRED, NOT_BURIED, person=verdict.outcome.person), next_try(event.attempt, now))
