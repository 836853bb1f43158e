"""What the documentation leaves open is tried out, told, and removed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ringback.errors import CallFailed
from ringback.leads.phone import read_number
from ringback.reports.probe import Probe, ProbeRefused, Recorder, tell_reply
from ringback.secret import Secret
from ringback.thulium.api import Thulium
from ringback.thulium.wire import Reply
from tests.sandbox import Sandbox, Status, World, faults
from tests.sandbox.world import warsaw_now

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
    return Probe(Thulium(access, recorder), recorder, "00001", PHONE, "abc", zone=ZoneInfo("Europe/Warsaw"))


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
        "a date with a status of the kind NO_CALL": "is shown as it was sent",
        "a date with a status of the kind CALL_NO_SOONER_THAN": "is shown as it was sent",
        "the time zone of its dates": (
            "by a new record's create_date that of Europe/Warsaw; "
            "whether it calls by the same clock can't be told without a call"
        ),
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
    """Each record that is made is not called, or not for ten years, and in the end all is as it was."""
    probe(thulium)
    batches = [record for call in thulium.calls("batch") for record in call.json["records"]]
    assert {record["status_id"] for record in batches} == {4, 7}
    in_nine_years = f"{datetime.now(UTC) + timedelta(days=9 * 365):%Y-%m-%d}"
    assert all(record["next_call_date"] > in_nine_years for record in batches if record["status_id"] == 7)
    assert [each["customer_id"] for each in thulium.customers] == [441]
    assert thulium.records("00001") == []


def test_campaign_where_somebody_could_be_called(thulium: Sandbox) -> None:
    """Where no status keeps the dialler away, nothing is tried."""
    thulium.add_campaign("00001", statuses=[Status(1, "TO_CALL", "To call")])
    with pytest.raises(ProbeRefused, match="no status of the kind NO_CALL"):
        list(prepare(thulium).run())
    assert thulium.counts == {"statuses": 1}


WITHOUT, WITH = (f"a date with a status of the kind {kind}" for kind in ("NO_CALL", "CALL_NO_SOONER_THAN"))
ZONE = "the time zone of its dates"


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ("", "is not kept"),
        ("15.07.2036", "is shown in another form"),
        ("{year}-07-15 12:34:00", "is shown as it was sent"),
        ("{year}-07-15 14:34", "is shown 2 h later"),
        ("{year}-07-15 11:04", "is shown 1.5 h earlier"),
    ],
)
@pytest.mark.parametrize(("question", "after"), [(WITHOUT, 2), (WITH, 3)])
def test_date_that_is_kept_otherwise(question: str, after: int, shown: str, told: str, thulium: Sandbox) -> None:
    """What Thulium makes of a date is told, with the status that waits for it and without."""
    date = shown.format(year=warsaw_now().year + 10)
    thulium.fail("record", faults.says(json.dumps({"next_call_date": date})), after=after)
    assert probe(thulium)[question] == told


@pytest.mark.parametrize(
    ("hours", "told"),
    [(-1, "1 h earlier than in Europe/Warsaw: change"), (5.5, "5.5 h later than in Europe/Warsaw: change")],
)
def test_another_time_zone(hours: float, told: str) -> None:
    """A Thulium whose clock is not that of the configured time zone is found by the date of a record just made."""
    with Sandbox(world=World(now=lambda: warsaw_now() + timedelta(hours=hours))) as thulium:
        thulium.add_campaign("00001")
        assert probe(thulium)[ZONE].startswith(f"by a new record's create_date {told} `thulium.timezone`; ")


def test_time_zone_that_can_not_be_told(thulium: Sandbox) -> None:
    """Where a record has no date of its own, the time zone is said to be unknown."""
    thulium.fail("record", faults.says("{}"), after=1)
    assert probe(thulium)[ZONE] == "can't be told: a new record shows no create_date"


def test_record_that_is_not_shown_or_not_added(thulium: Sandbox) -> None:
    """Of a record that is refused nothing is told; one that is not shown has no date."""
    thulium.fail("record", faults.error(404), after=2)
    assert probe(thulium)[WITHOUT] == "is not kept"
    thulium.fail("batch", faults.Fault(work=True, word="FAILED"), after=6)
    assert probe(thulium)[WITH] == "refused: the record is not added"


def test_campaign_without_a_status_that_waits(thulium: Sandbox) -> None:
    """Where no status waits for a date, that is said, and no date is tried."""
    thulium.add_campaign("00001", statuses=[Status(4, "NO_CALL", "Not interested")])
    assert probe(thulium)[WITH] == "not tried: the campaign has no such status"


def test_records_that_may_not_be_removed(thulium: Sandbox) -> None:
    """Where records can't be removed no date is tried: the record that is there keeps the status that is not called."""
    thulium.fail("remove", faults.error(403), times=None)
    assert probe(thulium)[WITH] == "refused: Thulium answered 403"
    assert {record["status_id"] for call in thulium.calls("batch") for record in call.json["records"]} == {4}


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
