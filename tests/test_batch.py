"""Records in chunks, and the one that spoils its chunk."""

import math
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.delivery.batch import LEFT_OUT, Batch, Replies
from ringback.errors import CallFailed
from ringback.settings import Settings
from ringback.thulium.api import RecordReply, Thulium
from ringback.thulium.wire import Wire
from tests.leads import configure
from tests.sandbox import Sandbox, faults

SPOILED = [400, 422]
TOO_LARGE = [413, 414, 431]


@pytest.fixture
def access(thulium: Sandbox) -> Settings:
    """Settings that call the stand-in."""
    return configure(thulium)


def send(settings: Settings, count: int, size: int = 100, campaign_id: str = "00001", seconds: float = 10) -> Replies:
    """Send a record each of the customers 1 to ``count``."""
    batch = Batch(Thulium(settings.thulium, Wire()), size)
    return batch.send(campaign_id, {n: {"status_id": 3} for n in range(1, count + 1)}, time.monotonic() + seconds)


def say(replies: Replies) -> dict[int, str]:
    """Return the word about each customer; ``?`` where there is none."""
    return {n: reply.status if isinstance(reply, RecordReply) else "?" for n, reply in replies.items()}


def add_customers(thulium: Sandbox, count: int) -> None:
    """Add the customers 1 to ``count``."""
    for n in range(1, count + 1):
        thulium.add_customer(n, surname=f"Lis {n}", phone_number=f"60100{n:04}")


def sizes(thulium: Sandbox) -> list[int]:
    """Return how many records each call had."""
    return [len(call.json["records"]) for call in thulium.calls("batch")]


@pytest.mark.parametrize(
    "ways",
    [
        {},
        {"batch_status": 201},
        {"batch_status": 207},
        {"batch_status": 400},
        {"ids_as_text": True, "statuses_as_text": True},
    ],
)
def test_word_about_each(thulium: Sandbox, access: Settings, ways: dict[str, Any]) -> None:
    """What Thulium says of each record counts, not the status of the whole."""
    thulium.behave(**ways)
    add_customers(thulium, 3)
    thulium.put_record("00001", 2, record_id=100)
    thulium.refuse(3, "No such thing.")
    replies = send(access, 4)
    assert say(replies) == {1: "ADDED", 2: "ALREADY_EXISTS", 3: "FAILED", 4: "FAILED"}
    assert replies[2] == RecordReply("ALREADY_EXISTS", 100, 400, "")
    assert replies[3] == RecordReply("FAILED", None, 400, "No such thing.")


def test_body_of_the_call(thulium: Sandbox, access: Settings) -> None:
    """Records are sent as they are documented, to the campaign's id with its zeros."""
    add_customers(thulium, 2)
    send(access, 2)
    (call,) = thulium.calls("batch")
    assert call.path == "/api/batch/crm_outbounds/00001/records"
    assert call.json == {"records": [{"customer_id": 1, "status_id": 3}, {"customer_id": 2, "status_id": 3}]}


def test_chunks(thulium: Sandbox, access: Settings) -> None:
    """No call has more records than `batch_size`, and no record is left out."""
    add_customers(thulium, 7)
    assert say(send(access, 7, size=3)) == dict.fromkeys(range(1, 8), "ADDED")
    assert sizes(thulium) == [3, 3, 1]


def test_chunk_that_fails_alone(thulium: Sandbox, access: Settings) -> None:
    """A call that fails is the failure of its own records."""
    add_customers(thulium, 6)
    thulium.fail("batch", faults.error(503), after=1)
    assert say(send(access, 6, size=2)) == {1: "ADDED", 2: "ADDED", 3: "?", 4: "?", 5: "ADDED", 6: "ADDED"}
    assert sizes(thulium) == [2, 2, 2]


@pytest.mark.parametrize("status", [*SPOILED, *TOO_LARGE])
@pytest.mark.parametrize("poison", [1, 37, 64, 100])
def test_record_that_spoils_its_batch_fails_alone(thulium: Sandbox, access: Settings, poison: int, status: int) -> None:
    """Its neighbours are added, in about 2·log2(n) further calls."""
    add_customers(thulium, 100)
    thulium.poison(poison, status=status, message="Wrong value of field.")
    replies = send(access, 100)
    assert say(replies) == {n: "FAILED" if n == poison else "ADDED" for n in range(1, 101)}
    assert replies[poison] == RecordReply("FAILED", None, status, "Wrong value of field.")
    assert len(sizes(thulium)) <= 1 + 2 * math.ceil(math.log2(100))


def test_record_that_spoils_a_chunk_of_its_own(thulium: Sandbox, access: Settings) -> None:
    """What another chunk proves holds for this one, whichever is sent first."""
    add_customers(thulium, 3)
    thulium.poison(1)
    assert say(send(access, 3, size=1)) == {1: "FAILED", 2: "ADDED", 3: "ADDED"}
    assert sizes(thulium) == [1, 1, 1]


@given(st.sets(st.integers(1, 9), max_size=4), st.integers(1, 10))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_is_added_is_told_so(thulium: Sandbox, access: Settings, poisons: set[int], size: int) -> None:
    """Whatever spoils whatever: ADDED are exactly those who are in, FAILED only who spoils, everybody has an answer."""
    thulium.reset()
    thulium.add_campaign("00001")
    add_customers(thulium, 9)
    for n in poisons:
        thulium.poison(n)
    words = say(send(access, 9, size=size))
    assert set(words) == set(range(1, 10))
    assert {n for n, word in words.items() if word == "ADDED"} == {r["customer_id"] for r in thulium.records("00001")}
    assert {n for n, word in words.items() if word == "FAILED"} <= poisons
    if len(poisons) == 1:
        assert {n for n, word in words.items() if word == "FAILED"} == poisons


@pytest.mark.parametrize("count", [1, 2, 100])
@pytest.mark.parametrize("status", SPOILED)
def test_call_that_is_wrong_for_everybody(thulium: Sandbox, access: Settings, count: int, status: int) -> None:
    """When nothing proves that the campaign takes other records it is the call that is wrong: nobody has FAILED."""
    add_customers(thulium, count)
    thulium.fail("batch", faults.error(status, "Campaign is not active.", retry_after="30"), times=None)
    replies = send(access, count)
    assert set(replies) == set(range(1, count + 1))
    for reply in replies.values():
        assert isinstance(reply, CallFailed)
        assert (reply.http_status, reply.message) == (status, "Campaign is not active.")
    assert len(sizes(thulium)) <= 1 + 2 * math.ceil(math.log2(count))


@pytest.mark.parametrize("status", TOO_LARGE)
def test_record_that_is_too_large(thulium: Sandbox, access: Settings, status: int) -> None:
    """What is too large alone has failed: it can't be made smaller by trying again."""
    add_customers(thulium, 1)
    thulium.fail("batch", faults.error(status))
    assert say(send(access, 1)) == {1: "FAILED"}


def test_many_chunks_of_a_wrong_call(thulium: Sandbox, access: Settings) -> None:
    """A campaign that takes nothing is asked about each chunk once, and about one of them in parts."""
    thulium.fail("batch", faults.error(400), times=None)
    assert set(say(send(access, 40, size=10)).values()) == {"?"}
    assert sizes(thulium) == [10, 10, 10, 10, 5, 5, 3, 2, 2, 1, 1, 1]


@pytest.mark.parametrize(
    "fault",
    [
        faults.error(401),
        faults.error(403),
        faults.error(404, "Campaign not found."),
        faults.error(429, retry_after="30"),
        faults.error(500),
        faults.error(503),
        faults.html(502),
        faults.html(200),
        faults.reset(after_work=True),
        faults.half(),
        faults.says("null"),
        faults.says("42"),
        faults.says(""),
        faults.says('{"count": 2}'),
        faults.says('[{"customer_id": 1, "status": "ADDED"}]'),
    ],
    ids=str,
)
def test_failed_call_is_not_asked_about_in_parts(thulium: Sandbox, access: Settings, fault: faults.Fault) -> None:
    """An outage, or what makes no sense, is nobody's fault and no success: one call, and its failure is everybody's."""
    add_customers(thulium, 2)
    thulium.fail("batch", fault, times=None)
    assert say(send(access, 2)) == {1: "?", 2: "?"}
    assert sizes(thulium) == [2]


def test_who_is_left_out(thulium: Sandbox, access: Settings, lines: list[dict[str, Any]]) -> None:
    """A customer whom the reply leaves out is left out, and one who was never sent is not believed."""
    add_customers(thulium, 2)
    thulium.fail("batch", faults.Fault(work=True, leave_out=(2,), strangers=(99,)))
    assert say(send(access, 2)) == {1: "ADDED"}
    (line,) = (line for line in lines if line["event"] == "thulium.batch")
    assert (line["severity"], line["other"], line["reason"]) == ("WARNING", 1, LEFT_OUT)


@pytest.mark.parametrize("body", ["[]", "{}"])
def test_reply_about_nobody(thulium: Sandbox, access: Settings, body: str) -> None:
    """An empty list, which is PHP's empty object, says nothing about anybody, and proves nothing."""
    add_customers(thulium, 2)
    thulium.fail("batch", faults.says(body, work=False))
    thulium.fail("batch", faults.error(400), times=None)
    assert say(send(access, 2, size=1)) == {2: "?"}


def test_no_time_left(thulium: Sandbox, access: Settings) -> None:
    """After the deadline no call is made."""
    assert say(send(access, 2, seconds=-1)) == {1: "?", 2: "?"}
    assert thulium.counts == {}


def test_line_of_a_call(thulium: Sandbox, access: Settings, lines: list[dict[str, Any]]) -> None:
    """Each call is logged with its counts."""
    add_customers(thulium, 3)
    thulium.put_record("00001", 2)
    thulium.refuse(3)
    send(access, 4)
    thulium.fail("batch", faults.error(500, "601000001"))
    send(access, 4)
    good, bad = (line for line in lines if line["event"] == "thulium.batch")
    counts = ("campaign_id", "records", "added", "already_exists", "failed", "other", "http_status")
    assert [good[name] for name in counts] == ["00001", 4, 1, 1, 2, 0, None]
    assert [bad[name] for name in counts] == ["00001", 4, 0, 0, 0, 4, 500]
    assert (bad["severity"], bad["reason"], bad["request_id"]) == ("WARNING", "Thulium answered 500", "53678450401cf")
    assert bad["message"] == "batch call failed: Thulium answered 500"
