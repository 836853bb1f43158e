"""Events in SQS, over real HTTP against moto: sent, handed over, settled, buried and brought back."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ringback import log
from ringback.errors import TooLarge
from ringback.event import Event, Verdict
from ringback.hosts.handed_over import deliver_messages
from ringback.outcome import Status
from ringback.queues import QueueFailed
from ringback.queues.message import give_reason, load_event
from ringback.queues.sqs import LARGEST, Message, SqsQueue
from tests.amazon import Amazon, Handler, feed, find_arn, hand_over
from tests.events import NOW, PERSON, again, done, make_event


@pytest.fixture(scope="module")
def server() -> Iterator[Amazon]:
    with Amazon() as amazon:
        yield amazon


@pytest.fixture
def amazon(server: Amazon, monkeypatch: pytest.MonkeyPatch) -> Amazon:
    server.reset()
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    log.configure()
    return server


@pytest.fixture
def url(amazon: Amazon) -> str:
    return amazon.make_queue("leads")


@pytest.fixture
def letters(amazon: Amazon) -> str:
    return amazon.make_queue("letters")


@pytest.fixture
def queue(url: str, letters: str) -> SqsQueue:
    """A queue in which a person's events are those of one source."""
    return SqsQueue(url, letters, lambda event: event.source)


@pytest.fixture
def people(url: str, letters: str) -> SqsQueue:
    """A queue in which each event is another person's."""
    return SqsQueue(url, letters, lambda event: event.id)


class Deliveries:
    """What the pipeline would do: the verdict that is set for an event's id, else ADDED. ``seen`` is what came."""

    def __init__(self, **verdicts: Verdict) -> None:
        self.verdicts = verdicts
        self.seen: list[Event] = []
        self.turns: list[list[str]] = []

    def __call__(self, events: Sequence[Event], _now: datetime) -> list[Verdict]:
        self.seen += events
        self.turns.append([event.id for event in events])
        return [self.verdicts.get(event.id, done()) for event in events]


def read_clock() -> datetime:
    return datetime.now(UTC)


def is_too_old(event: Event, now: datetime) -> bool:
    """Return whether an event is older than a day."""
    return now - event.age_from > timedelta(days=1)


def make_handler(queue: SqsQueue, deliver: Deliveries) -> Handler:
    """Return the function that an event source would call."""

    def handle(event: dict[str, list[dict[str, object]]]) -> dict[str, list[dict[str, str]]]:
        undone = deliver_messages(event["Records"], queue, deliver, read_clock, is_too_old)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in undone]}

    return handle  # type: ignore[return-value]  # narrower than what Lambda promises


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def seconds_hidden(amazon: Amazon, url: str) -> list[int]:
    """Return for how many seconds each message is still hidden."""
    now = read_clock().timestamp()
    return [round(max(0, message.visible_at / 1000 - now)) for message in amazon.messages(url)]


# --- put ---


def test_event_comes_out_as_it_went_in(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """A message is one event, under its key, in its person's group."""
    event = make_event(data={"text": "Łoś \ud800 \uffff", "n": 10**30}, trace="t")
    queue.put([event], NOW)
    (record,) = hand_over(amazon, url)
    assert load_event(record["body"]) == event
    assert record["attributes"]["MessageDeduplicationId"] == event.key
    assert record["attributes"]["MessageGroupId"] == "website"


def test_events_go_in_batches_of_ten(amazon: Amazon, url: str, people: SqsQueue) -> None:
    """SQS takes ten messages in one call; their order is kept."""
    people.put([make_event(number) for number in range(25)], NOW)
    assert amazon.calls.count("SendMessageBatch") == 3
    assert [load_event(message.body).id for message in amazon.messages(url)] == [f"e{n}" for n in range(25)]


def test_large_events_go_in_smaller_batches(amazon: Amazon, url: str, people: SqsQueue) -> None:
    """One call carries 256 KiB at most; an event that is larger than that goes alone."""
    sizes = [100_000, 100_000, 100_000, 900_000, 10]
    people.put([make_event(n, data={"x": "ł" * (size // 2)}) for n, size in enumerate(sizes)], NOW)
    assert amazon.calls.count("SendMessageBatch") == 4
    assert len(amazon.messages(url)) == 5


def test_event_that_is_too_large_is_refused(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """What SQS could not keep, its reason for being parked included, is refused before anything is stored."""
    with pytest.raises(TooLarge):
        queue.put([make_event(1), make_event(2, data={"x": "x" * LARGEST})], NOW)
    assert amazon.messages(url) == []


def test_redelivery_is_one_message(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """What comes again within five minutes is dropped by SQS, which knows it by its key."""
    queue.put([make_event(1)], NOW)
    queue.put([make_event(1), make_event(2)], NOW)
    assert [load_event(message.body).id for message in amazon.messages(url)] == ["e1", "e2"]


def test_what_is_refused_is_sent_once_more(amazon: Amazon, url: str, people: SqsQueue) -> None:
    """A partial failure of a send is made good by a second call for the rest."""
    amazon.fail("SendMessageBatch", ["1", "2"])
    people.put([make_event(number) for number in range(4)], NOW)
    assert sorted(load_event(message.body).id for message in amazon.messages(url)) == ["e0", "e1", "e2", "e3"]
    assert amazon.calls.count("SendMessageBatch") == 2


def test_what_is_refused_twice_is_said(amazon: Amazon, url: str, people: SqsQueue) -> None:
    """When SQS does not take all, the sender hears of it, and sending all again stores what is missing, once."""
    amazon.fail("SendMessageBatch", ["1"], times=2)
    events = [make_event(number) for number in range(3)]
    with pytest.raises(QueueFailed, match="1 of 3"):
        people.put(events, NOW)
    people.put(events, NOW)
    assert sorted(load_event(message.body).id for message in amazon.messages(url)) == ["e0", "e1", "e2"]


def test_order_of_one_person_outlasts_a_refusal(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """What SQS refuses at first does not come after a later event of the same person."""
    amazon.fail("SendMessageBatch", ["1"], times=2)  # the first call brings the first event alone
    queue.put([make_event(number) for number in range(3)], NOW)
    assert [load_event(message.body).id for message in amazon.messages(url)] == ["e0", "e1", "e2"]


def test_two_events_each_take_no_more_calls(amazon: Amazon, url: str, people: SqsQueue) -> None:
    """Of many people with two events each the first go first, ten in a call, then the second."""
    events = [make_event(number, id=f"p{number // 2}", key=f"k{number}") for number in range(40)]
    people.put(events, NOW)
    assert amazon.calls.count("SendMessageBatch") == 4
    keys = [load_event(message.body).key for message in amazon.messages(url)]
    assert keys == [f"k{number}" for number in (*range(0, 40, 2), *range(1, 40, 2))]


def test_long_group_goes_as_it_comes(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """So many events of one person that one call each would take too long go ten in a call."""
    queue.put([make_event(number) for number in range(30)], NOW)
    assert amazon.calls.count("SendMessageBatch") == 3
    assert [load_event(message.body).id for message in amazon.messages(url)] == [f"e{n}" for n in range(30)]


def test_what_follows_a_refused_event_of_one_person_is_not_stored(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """A later event of a person waits with the one that is refused; other people's are stored."""
    amazon.fail("SendMessageBatch", ["1"], times=3)  # as above
    events = [make_event(0), make_event(1), make_event(2), make_event(3, source="form")]
    with pytest.raises(QueueFailed, match="2 of 4"):
        queue.put(events, NOW)
    assert [load_event(message.body).id for message in amazon.messages(url)] == ["e0", "e3"]
    queue.put(events, NOW)
    assert [load_event(message.body).id for message in amazon.messages(url)] == ["e0", "e3", "e1", "e2"]


def test_slow_queue_is_given_up(amazon: Amazon, url: str, letters: str) -> None:
    """When sending takes too long the sender is told, before it stops waiting."""
    with pytest.raises(QueueFailed, match="2 of 2"):
        SqsQueue(url, letters, lambda event: event.id, patience=0).put([make_event(1), make_event(2)], NOW)
    assert amazon.messages(url) == []


def test_refused_call_is_said_without_its_text(amazon: Amazon, queue: SqsQueue) -> None:
    """A call that SQS refuses whole is told by its code alone."""
    amazon.fail("SendMessageBatch", times=2)
    with pytest.raises(QueueFailed, match="AccessDenied") as failed:
        queue.put([make_event()], NOW)
    assert "secret text" not in str(failed.value)


def test_unreachable_queue_fails(amazon: Amazon, queue: SqsQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    """No SQS is no 200: it is told soon."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(QueueFailed, match="EndpointConnectionError"):
        queue.put([make_event()], NOW)


@pytest.mark.parametrize(
    ("text", "taken"), [("a\nb\x00c", "a b c"), ("", "-"), ("\ud800", "?"), ("\uffff", "-"), ("x" * 2000, "x" * 1000)]
)
def test_reasons_are_text_that_sqs_takes(text: str, taken: str) -> None:
    """An attribute is never empty, and has no characters that SQS refuses."""
    assert give_reason(text) == taken


# --- deliver ---


def test_done_messages_are_gone(amazon: Amazon, url: str, queue: SqsQueue, capsys: pytest.CaptureFixture[str]) -> None:
    """What has its outcome is not reported, so that SQS deletes it, and is in the log."""
    queue.put([make_event(1), make_event(2, source="form")], NOW)
    assert feed(amazon, url, make_handler(queue, Deliveries())) == []
    assert amazon.messages(url) == []
    logged = lines(capsys)
    assert [(line["event"], line["event_id"], line["status"]) for line in logged] == [
        ("customer.outcome", "e1", "ADDED"),
        ("customer.outcome", "e2", "ADDED"),
    ]


def test_attempt_and_time_are_sqs_own(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """The attempt is the number of times that SQS has handed it over; its age counts from when it was sent."""
    queue.put([make_event(1)], NOW)
    deliver = Deliveries(e1=again(60, now=read_clock()))
    feed(amazon, url, make_handler(queue, deliver))
    amazon.pass_time(url, 70)
    feed(amazon, url, make_handler(queue, deliver))
    assert [event.attempt for event in deliver.seen] == [1, 2]
    ages = [(read_clock() - event.age_from).total_seconds() for event in deliver.seen]
    assert ages == pytest.approx([0, 70], abs=2)


def test_deferred_message_comes_back_in_its_time(
    amazon: Amazon, url: str, queue: SqsQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message that is to be tried again is reported, and hidden until its time."""
    queue.put([make_event(1), make_event(2, source="form")], NOW)
    deliver = Deliveries(e1=again(900, now=read_clock()))
    assert len(feed(amazon, url, make_handler(queue, deliver))) == 1
    assert seconds_hidden(amazon, url) == pytest.approx([900], abs=2)
    assert [line["event"] for line in lines(capsys)] == ["customer.deferred", "customer.outcome"]
    assert feed(amazon, url, make_handler(queue, deliver)) == []
    assert deliver.turns == [["e1", "e2"]]


@pytest.mark.parametrize(("seconds", "hidden"), [(-5, 0), (10**6, 43_000)])
def test_hiding_stays_within_what_sqs_takes(
    seconds: float, hidden: int, amazon: Amazon, url: str, queue: SqsQueue
) -> None:
    """SQS hides a message for twelve hours at most, and for no time in the past."""
    queue.put([make_event(1)], NOW)
    feed(amazon, url, make_handler(queue, Deliveries(e1=again(seconds, now=read_clock()))))
    assert seconds_hidden(amazon, url) == pytest.approx([hidden], abs=2)


def test_refused_hiding_is_only_said(
    amazon: Amazon, url: str, queue: SqsQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    """When the time can't be set, the message comes back after the queue's own timeout all the same."""
    queue.put([make_event(1)], NOW)
    amazon.fail("ChangeMessageVisibilityBatch", times=2)
    assert len(feed(amazon, url, make_handler(queue, Deliveries(e1=again(900, now=read_clock()))))) == 1
    assert seconds_hidden(amazon, url) == pytest.approx([360], abs=2)
    assert [line["event"] for line in lines(capsys)] == ["customer.deferred", "queue.failed"]


def test_later_messages_of_a_group_wait_for_the_first(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """A stop never overtakes its lead: behind a deferred message its whole group goes back, untried, for as long."""
    queue.put([make_event(n) for n in (1, 2)] + [make_event(3, source="form")] + [make_event(4)], NOW)
    deliver = Deliveries(e2=again(300, now=read_clock()))
    assert len(feed(amazon, url, make_handler(queue, deliver))) == 2
    assert deliver.turns == [["e1", "e3"], ["e2"]]
    assert seconds_hidden(amazon, url) == pytest.approx([300, 300], abs=2)
    amazon.pass_time(url, 301)
    deliver.verdicts = {}
    assert feed(amazon, url, make_handler(queue, deliver)) == []
    assert deliver.turns[2:] == [["e2"], ["e4"]]


def test_lead_that_waits_too_long_behind_another_is_looked_at(amazon: Amazon, url: str, queue: SqsQueue) -> None:
    """What has become too old behind a message that never gets done goes its own way, and is parked."""
    queue.put([make_event(1), make_event(2)], NOW)
    deliver = Deliveries(e1=again(300, now=read_clock()), e2=done(Status.PARKED, "older than max_age"))
    handler = make_handler(queue, deliver)
    assert len(feed(amazon, url, handler)) == 2
    amazon.pass_time(url, 90_000)
    assert len(feed(amazon, url, handler)) == 1
    assert deliver.turns == [["e1"], ["e1"], ["e2"]]


def test_one_that_always_fails_among_twelve(amazon: Amazon, url: str, letters: str) -> None:
    """One customer whose call always fails keeps nobody else waiting, and is parked in the end."""
    queue = SqsQueue(url, letters, lambda event: event.id)
    queue.put([make_event(number) for number in range(12)], NOW)
    deliver = Deliveries(e5=again(30, now=read_clock()))
    handler = make_handler(queue, deliver)
    assert [len(feed(amazon, url, handler)) for _ in range(3)] == [1, 0, 0]
    assert [load_event(message.body).id for message in amazon.messages(url)] == ["e5"]
    amazon.pass_time(url, 31)
    deliver.verdicts["e5"] = done(Status.PARKED, "Thulium does not answer")
    assert feed(amazon, url, handler) == []
    assert len(amazon.messages(letters)) == 1


def test_broken_delivery_is_tried_again(
    amazon: Amazon, url: str, queue: SqsQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mistake of ours costs no event."""

    def deliver(events: Sequence[Event], now: datetime) -> list[Verdict]:
        raise KeyError("Łoś")

    queue.put([make_event(1)], NOW)
    assert len(deliver_messages(hand_over(amazon, url), queue, deliver, read_clock, is_too_old)) == 1
    logged = lines(capsys)
    assert [line["event"] for line in logged] == ["internal.error", "customer.deferred"]
    assert "Łoś" not in json.dumps(logged, ensure_ascii=False)


# --- the dead-letter queue ---


@pytest.mark.parametrize("status", [Status.INVALID, Status.FAILED, Status.PARKED])
def test_what_waits_for_a_person_is_kept_whole(
    status: Status, amazon: Amazon, url: str, letters: str, queue: SqsQueue
) -> None:
    """What a person has to look at is in the dead-letter queue, with its status and reason, and is done here."""
    event = make_event(1)
    queue.put([event], NOW)
    assert feed(amazon, url, make_handler(queue, Deliveries(e1=done(status, "no\nnumber")))) == []
    assert amazon.messages(url) == []
    (record,) = hand_over(amazon, letters)
    assert load_event(record["body"]) == event
    assert {name: each["stringValue"] for name, each in record["messageAttributes"].items()} == {
        "status": status,
        "reason": "no number",
    }
    assert record["attributes"]["MessageGroupId"] == "website"


@pytest.mark.parametrize("fault", [(["0"], 2), (None, 1)])
def test_refused_letter_is_tried_again(
    fault: tuple[list[str] | None, int], amazon: Amazon, queue: SqsQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the dead-letter queue does not take stays where it is, and so does what comes behind it."""
    url, letters = amazon.make_queue("leads"), amazon.make_queue("letters")
    queue.put([make_event(1), make_event(2)], NOW)
    amazon.fail("SendMessageBatch", *fault)
    handler = make_handler(queue, Deliveries(e1=done(Status.FAILED, "No such agent")))
    assert len(feed(amazon, url, handler)) == 2
    assert amazon.messages(letters) == []
    told = [line for line in lines(capsys) if line["event"] != "queue.failed"]
    assert [(line["event"], line["person"]) for line in told] == [("customer.deferred", PERSON)]
    amazon.pass_time(url, 2)
    assert feed(amazon, url, handler) == []
    assert len(amazon.messages(letters)) == 1


def test_garbage_is_buried(
    amazon: Amazon, url: str, letters: str, queue: SqsQueue, capsys: pytest.CaptureFixture[str]
) -> None:
    """A message that is no event of ours blocks nothing: it is buried as it is, once it was found to be INVALID."""
    amazon.sqs.send_message(QueueUrl=url, MessageBody="<xml/>", MessageGroupId="website", MessageDeduplicationId="x")
    queue.put([make_event(1)], NOW)
    deliver = Deliveries()
    handler = make_handler(queue, deliver)
    records = hand_over(amazon, url)
    deliver.verdicts[records[0]["messageId"]] = done(Status.INVALID, "event: this is no event")
    assert handler({"Records": records}) == {"batchItemFailures": []}
    assert [event.problem for event in deliver.seen] == [
        {"event": "this is no event that was stored here: it is not JSON"},
        {},
    ]
    assert [message.body for message in amazon.messages(letters)] == ["<xml/>"]
    assert [line["status"] for line in lines(capsys)] == ["INVALID", "ADDED"]


def move_back(amazon: Amazon, letters: str, url: str) -> None:
    """Do what an operator does: have SQS move the letters back."""
    amazon.sqs.start_message_move_task(SourceArn=find_arn(amazon, letters), DestinationArn=find_arn(amazon, url))


def test_redrive_delivers(amazon: Amazon, url: str, letters: str, queue: SqsQueue) -> None:
    """SQS's own redrive brings a letter back, to be delivered as if it had just come, whatever was wrong with it."""
    old = make_event(1, received_at=read_clock() - timedelta(days=9), problem={"event_id": "contains() takes text"})
    queue.put([old], NOW)
    deliver = Deliveries(e1=done(Status.PARKED, "older than max_age"))
    feed(amazon, url, make_handler(queue, deliver))
    amazon.pass_time(letters, 3600)
    move_back(amazon, letters, url)
    deliver.verdicts = {}
    assert feed(amazon, url, make_handler(queue, deliver)) == []
    first, second = deliver.seen
    assert first.problem
    assert not second.problem
    assert second.attempt == 1
    assert read_clock() - second.age_from < timedelta(minutes=1)
    assert (second.id, second.key, second.data) == (old.id, old.key, old.data)


def test_what_comes_back_and_fails_again_is_kept_again(amazon: Amazon, url: str, letters: str, queue: SqsQueue) -> None:
    """A letter that was moved back and fails again at once is buried again: no deduplication swallows it."""
    queue.put([make_event(1)], NOW)
    handler = make_handler(queue, Deliveries(e1=done(Status.FAILED, "No such agent")))
    for _ in range(3):
        assert feed(amazon, url, handler) == []
        assert len(amazon.messages(letters)) == 1
        move_back(amazon, letters, url)
    assert len(amazon.messages(url)) == 1


def test_letter_that_is_written_twice_is_kept_once(amazon: Amazon, url: str, letters: str, queue: SqsQueue) -> None:
    """A function that dies before SQS has heard of it buries the same message again, which makes no second letter."""
    queue.put([make_event(1)], NOW)
    handler = make_handler(queue, Deliveries(e1=done(Status.FAILED)))
    for _ in range(2):
        handler({"Records": hand_over(amazon, url)})
        amazon.pass_time(url, 400)
    assert len(amazon.messages(letters)) == 1


def test_nothing_is_buried_or_hidden_for_nothing(amazon: Amazon, queue: SqsQueue) -> None:
    """No letters and no receipts make no call."""
    amazon.calls.clear()
    assert queue.bury([]) == set()
    queue.hide({})
    assert amazon.calls == []


def test_size_counts_what_sqs_counts() -> None:
    """The attributes' names, types and values count like the body's bytes."""
    assert Message("ł", "g", "k", {"a": "b"}).size == 2 + len("aStringb")
