"""What the documentation leaves open is tried out, told, and removed."""

from collections.abc import Iterator
from typing import Any

import pytest

from ringback.errors import CallFailed
from ringback.leads.phone import read_number
from ringback.reports.probe import Probe, ProbeRefused, Recorder, tell_reply
from ringback.secret import Secret
from ringback.thulium.api import Thulium
from ringback.thulium.wire import Reply
from tests.sandbox import Sandbox, Status, faults

PHONE = read_number("601 000 001", "PL", ["PL"])


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    """A stand-in Thulium with a campaign, and a customer of one's own."""
    with Sandbox() as sandbox:
        sandbox.add_campaign("00001")
        sandbox.add_customer(441, surname="Lis", phone_number="601000001")
        yield sandbox


def prepare(thulium: Sandbox, password: str = "") -> Probe:
    """Return a probe of the stand-in."""
    access = Access(thulium.url, Secret(thulium.user), Secret(password or thulium.password))
    recorder = Recorder()
    return Probe(Thulium(access, recorder), recorder, "00001", PHONE, "abc")


class Access:
    """Where the stand-in is."""

    def __init__(self, url: str, user: Secret, password: Secret) -> None:
        self.url, self.user, self.password, self.timeout = url, user, password, 5.0


def probe(thulium: Sandbox) -> dict[str, str]:
    """Return all answers; what was made is removed."""
    probing = prepare(thulium)
    answers = {answer.question: answer.text for answer in probing.run()}
    assert probing.remove() == "all that was made is removed"
    return answers


def test_likeliest_ways(thulium: Sandbox) -> None:
    """Each open question has its answer, without a word about anybody."""
    assert probe(thulium) == {
        "reply to a new customer": "201, an object with customer_id",
        "a list of customers": "200, an object, with its list in `result`",
        "phone numbers are found as": "they are sent, e164, digits",
        "e-mail addresses in capitals": "are found",
        "a second customer with the same data": "is created",
        "a new e-mail address in PUT customers": "replaces the old one",
        "batch, a new record": "200, an object with <id>; ADDED with http_status 201",
        "batch, a record that is there": (
            "200, an object with <id>; ALREADY_EXISTS with http_status 400; the record stays as it was"
        ),
        "batch, one customer twice": "200, an object with <id>; ALREADY_EXISTS with http_status 400",
        "batch, a customer who is not there": "200, an object with <id>; FAILED with http_status 400",
        "batch, no record at all": "200, a bare list, empty",
    }


@pytest.mark.parametrize(
    ("ways", "question", "answer"),
    [
        ({"customers_list": "bare"}, "a list of customers", "200, a bare list"),
        ({"phone_match": "exact"}, "phone numbers are found as", "they are sent; not as e164, digits"),
        ({"email_case": True}, "e-mail addresses in capitals", "are not found"),
        ({"unique": ["identifier"]}, "a second customer with the same data", "refused: Thulium answered 400"),
        ({"put_lists": "append"}, "a new e-mail address in PUT customers", "is added to the old one"),
        ({"batch_status": 207}, "batch, a new record", "207, an object with <id>; ADDED with http_status 201"),
        ({"empty_batch": "object"}, "batch, no record at all", "200, an object, empty"),
        ({"empty_batch": "refused"}, "batch, no record at all", "refused: Thulium answered 400"),
    ],
)
def test_other_ways(ways: dict[str, Any], question: str, answer: str, thulium: Sandbox) -> None:
    """What is done otherwise is told otherwise."""
    thulium.behave(**ways)
    assert probe(thulium)[question] == answer


def test_nothing_stays_and_nobody_is_called(thulium: Sandbox) -> None:
    """Each record that is made has a status that is not called, and in the end all is as it was."""
    probe(thulium)
    batches = [record for call in thulium.calls("batch") for record in call.json["records"]]
    assert {record["status_id"] for record in batches} == {4}
    assert [each["customer_id"] for each in thulium.customers] == [441]
    assert thulium.records("00001") == []


def test_campaign_where_somebody_could_be_called(thulium: Sandbox) -> None:
    """Where no status keeps the dialler away, nothing is tried."""
    thulium.add_campaign("00001", statuses=[Status(1, "TO_CALL", "To call")])
    with pytest.raises(ProbeRefused, match="no status of the kind NO_CALL"):
        list(prepare(thulium).run())
    assert thulium.counts == {"statuses": 1}


def test_customer_whose_reply_was_lost_is_removed(thulium: Sandbox) -> None:
    """What was made without a reply that tells of it is found by its mark and removed, and nobody else."""
    thulium.fail("create", faults.reset(after_work=True))
    probing = prepare(thulium)
    with pytest.raises(CallFailed):
        list(probing.run())
    assert probing.remove() == "all that was made is removed"
    assert [each["customer_id"] for each in thulium.customers] == [441]


def test_customer_of_whom_nothing_is_heard_is_named(thulium: Sandbox) -> None:
    """Where neither a reply nor a search tells whether a customer was made, it is said what to look for."""
    thulium.fail("create", faults.reset(after_work=True))
    thulium.fail("search", faults.error(500), times=None)
    probing = prepare(thulium)
    with pytest.raises(CallFailed):
        list(probing.run())
    assert probing.remove().startswith("not removed: perhaps a customer with the identifier ")
    assert len(thulium.customers) == 2


def test_nobody_else_is_removed(thulium: Sandbox) -> None:
    """A Thulium that gives everybody, whatever it is asked for, loses nobody by it."""
    probing = prepare(thulium)
    next(probing.run())
    everybody = '{"count": 1, "result": [{"customer_id": 441, "identifier": ""}]}'
    thulium.fail("search", faults.says(everybody), times=None)
    assert probing.remove() == "all that was made is removed"
    assert [each["customer_id"] for each in thulium.customers] == [441]


def test_what_can_not_be_removed_is_named(thulium: Sandbox) -> None:
    """What is left behind is named, to be removed by hand."""
    probing = prepare(thulium)
    next(probing.run())
    thulium.fail("search", faults.error(403), times=None)
    thulium.fail("remove", faults.error(403), times=None)
    thulium.fail("delete", faults.error(403), times=None)
    assert probing.remove() == "not removed: customer 442; remove it by hand"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "200, an empty body"),
        (b"<html>", "200, no JSON"),
        (b"[1]", "200, a bare list"),
        (b"1", "200, neither an object nor a list"),
        (b'{"data": [], "count": 0}', "200, an object, with its list in `data`"),
        (b'{"441": {}, "445": {}}', "200, an object with <id>"),
    ],
)
def test_shape_of_a_reply(body: bytes, told: str) -> None:
    """A reply is told by its shape."""
    assert tell_reply(Reply(200, {}, body)) == told
