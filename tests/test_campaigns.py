"""Leads with customer ids, and what becomes of them in their campaigns."""

import time
from typing import Any

import pytest

from ringback.pipeline import Pipeline
from tests.leads import NOW, configure, deliver, make_event, read_statuses
from tests.sandbox import Sandbox, faults, seeds


def test_documented_example(thulium: Sandbox) -> None:
    """The documentation's own batch: one is added, one was there, one does not exist."""
    seeds.documented(thulium)
    outcomes = deliver(configure(thulium), *(make_event(customer_id=n) for n in (441, 445, 448)))
    assert [(o.status, o.record_id, o.http_status, o.reason) for o in outcomes] == [
        ("ADDED", 111, 201, None),
        ("ALREADY_EXISTS", 100, 400, None),
        ("FAILED", None, 400, "Customer not found."),
    ]
    assert {(o.campaign_id, o.customer_id) for o in outcomes} == {("00001", 441), ("00001", 445), ("00001", 448)}
    assert thulium.counts == {"statuses": 1, "batch": 1}


def test_one_record_of_a_customer(thulium: Sandbox) -> None:
    """Two events about one person make one record, of the later one, and an outcome each."""
    thulium.add_customer(441, surname="Lis")
    outcomes = deliver(
        configure(thulium), make_event(customer_id=441, status_id=3), make_event(customer_id=441, status_id=8)
    )
    assert read_statuses(outcomes) == ["ADDED", "ADDED"]
    assert [call.json for call in thulium.calls("batch")] == [{"records": [{"customer_id": 441, "status_id": 8}]}]


def test_later_event_that_is_refused(thulium: Sandbox) -> None:
    """A record that is refused is the later event's; the earlier one of that person is sent without it."""
    thulium.add_customer(441, surname="Lis")
    events = make_event(customer_id=441, status_id=3), make_event(customer_id=441, status_id=3, agent_login="nobody")
    assert read_statuses(deliver(configure(thulium), *events)) == ["ADDED", "FAILED"]
    assert thulium.counts == {"statuses": 1, "batch": 2}


def test_same_event_twice_that_is_refused(thulium: Sandbox) -> None:
    """Of two events that say the same both are refused."""
    outcomes = deliver(configure(thulium), make_event(customer_id=448), make_event(customer_id=448))
    assert read_statuses(outcomes) == ["FAILED", "FAILED"]


def test_many_events_of_one_person_that_are_refused(thulium: Sandbox) -> None:
    """However many records of one customer are refused, it takes some calls, and the rest comes again by itself."""
    thulium.add_customer(441, surname="Lis")
    events = [make_event(customer_id=441, agent_login=f"nobody.{number}") for number in range(20)]
    outcomes = read_statuses(deliver(configure(thulium), *events))
    assert outcomes == ["DEFERRED"] * 14 + ["FAILED"] * 6
    assert thulium.counts["batch"] == 6


def test_customer_who_is_gone_is_searched_again(thulium: Sandbox) -> None:
    """An event that comes once more, whose customer was deleted meanwhile, is done anew."""
    pipeline, event = Pipeline(configure(thulium)), make_event(phone_number="601000001")
    assert read_statuses(deliver(pipeline, event)) == ["ADDED"]
    thulium.reset()
    thulium.add_campaign("00001")
    assert read_statuses(deliver(pipeline, event)) == ["DEFERRED"]
    assert read_statuses(deliver(pipeline, event)) == ["ADDED"]


def test_refused_without_a_number(thulium: Sandbox) -> None:
    """A refusal is final also where Thulium gives it no HTTP status."""
    thulium.add_customer(441, surname="Lis")
    thulium.fail("batch", faults.says('{"441": {"status": "FAILED", "message": "Not found."}}'))
    assert read_statuses(deliver(configure(thulium), make_event(customer_id=441))) == ["FAILED"]


def test_campaign_that_hangs_keeps_no_other_up(thulium: Sandbox) -> None:
    """The calls for several campaigns go side by side: one that hangs takes no time from another."""
    thulium.add_customer(441, surname="Lis")
    thulium.add_customer(442, surname="Mak")
    routes = [{"when": "note == 'b'", "to": "00002"}, "callbacks"]
    sources = {"website": {"campaign": routes}}
    settings = configure(thulium, access={"timeout": 1}, sources=sources, stop={"dictionary_status_id": 3})
    thulium.fail("batch", faults.hang())
    events = make_event(customer_id=441), make_event(customer_id=442, note="b")
    verdicts = Pipeline(settings).deliver(events, NOW, time.monotonic() + 1.2)
    assert sorted(str(verdict.outcome.status) for verdict in verdicts) == ["ADDED", "DEFERRED"]


def test_campaigns_of_their_own(thulium: Sandbox) -> None:
    """Each campaign has its call; one that does not exist is no concern of the others'."""
    thulium.add_customer(441, surname="Lis")
    routes = [{"when": "note == 'b'", "to": "00002"}, {"when": "note == 'c'", "to": "00009"}, "callbacks"]
    settings = configure(thulium, sources={"website": {"campaign": routes}}, stop={"dictionary_status_id": 3})
    outcomes = deliver(settings, *(make_event(customer_id=441, note=note) for note in "abc"))
    assert [(o.status, o.campaign_id) for o in outcomes] == [
        ("ADDED", "00001"),
        ("ADDED", "00002"),
        ("DEFERRED", "00009"),
    ]
    assert outcomes[2].reason == "Thulium answered 404; Campaign not found."
    assert outcomes[2].evidence == f"{outcomes[2].reason}; Thulium's request 53678450401cf"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (faults.Fault(work=True, word="POSTPONED"), "Thulium's reply has an unknown status: POSTPONED"),
        (faults.Fault(work=True, leave_out=(441,)), "Thulium's reply leaves the customer out"),
        (faults.Fault(work=True, leave_out=(441,), strangers=(442,)), "Thulium's reply leaves the customer out"),
        (
            faults.says('{"441": {"http_status": 503, "status": "FAILED", "message": "Service unavailable."}}'),
            "Thulium's reply says FAILED with 503",
        ),
        (faults.says('{"441": {"http_status": 429, "status": "FAILED"}}'), "Thulium's reply says FAILED with 429"),
        (
            faults.says('{"441": {"http_status": 400, "status": "ADDED"}}'),
            "Thulium's reply says ADDED, and that it was refused",
        ),
        (
            faults.says('{"441": {"http_status": 201, "status": "FAILED"}}'),
            "Thulium's reply says FAILED, and that it was done",
        ),
        (
            faults.says('{"441": {"http_status": 503, "status": "ALREADY_EXISTS"}}'),
            "Thulium's reply says ALREADY_EXISTS with 503",
        ),
        (faults.says("{}"), "Thulium's reply leaves the customer out"),
        (faults.says("[]"), "Thulium's reply leaves the customer out"),
        (faults.says('{"441": {"http_status": 201}}'), "Thulium's reply makes no sense"),
        (faults.html(200), "Thulium's reply makes no sense"),
        (faults.error(503, retry_after="120"), "Thulium answered 503; Something went wrong."),
    ],
)
def test_no_word_is_no_success(thulium: Sandbox, fault: faults.Fault, reason: str) -> None:
    """What Thulium does not say in its own final words is tried again, never taken for a success."""
    thulium.add_customer(441, surname="Lis")
    thulium.fail("batch", fault)
    (outcome,) = deliver(configure(thulium), make_event(customer_id=441))
    assert (outcome.status, outcome.customer_id) == ("DEFERRED", 441)
    assert (outcome.reason or "").startswith(reason)


def test_lost_reply_is_asked_for_again(thulium: Sandbox) -> None:
    """A record whose reply was lost is there already when it is sent again: that is a success."""
    thulium.add_customer(441, surname="Lis")
    thulium.fail("batch", faults.reset(after_work=True))
    settings, event = configure(thulium), make_event(customer_id=441)
    assert read_statuses(deliver(settings, event) + deliver(settings, event)) == ["DEFERRED", "ALREADY_EXISTS"]
    assert len(thulium.records("00001")) == 1


def test_message_without_the_person(thulium: Sandbox) -> None:
    """Thulium's message is told without what is personal in it, though it echoes what it was sent."""
    thulium.add_customer(441, surname="Kowalewska", phone_number="601000001", email="kowalewska@example.com")
    thulium.refuse(441, "No: {surname}, {phone_number}, {email}.")
    event = make_event(phone_number="601000001", full_name="Ada Kowalewska")
    (outcome,) = deliver(configure(thulium), event)
    assert (outcome.status, outcome.reason) == ("FAILED", "No: ….")


def test_message_without_a_secret(thulium: Sandbox) -> None:
    """No secret of the configuration is told, though Thulium echoes it."""
    thulium.add_customer(441, surname="Lis")
    settings = configure(thulium)
    source = settings.sources["website"].secrets[0].text
    thulium.refuse(441, f"No: {settings.thulium.password.text} and {source}.")
    (outcome,) = deliver(settings, make_event(customer_id=441))
    assert (outcome.status, outcome.reason) == ("FAILED", "No: … and ….")


def test_spoiled_record_fails_alone(thulium: Sandbox) -> None:
    """A record that spoils its batch takes nobody with it."""
    for n in range(1, 11):
        thulium.add_customer(n, surname="Lis")
    thulium.poison(7, message="Wrong value of field.")
    outcomes = deliver(configure(thulium), *(make_event(customer_id=n) for n in range(1, 11)))
    assert read_statuses(outcomes) == ["FAILED" if n == 7 else "ADDED" for n in range(1, 11)]
    assert outcomes[6].reason == "Wrong value of field."


def test_refused_password(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """A refused password is said once, and loud; no storm of calls follows, and nobody is given up."""
    settings = configure(thulium, access={"password": "an-old-one", "parallel": 2})
    pipeline = Pipeline(settings)
    events = [make_event(phone_number=f"60100{n:04}", email=f"p{n}@example.com") for n in range(50)]
    outcomes = deliver(pipeline, *events) + deliver(pipeline, *events)
    assert read_statuses(outcomes) == ["DEFERRED"] * 100
    assert sum(thulium.counts.values()) <= 2  # those that were under way
    assert [(line["severity"], line["event"]) for line in lines] == [("ERROR", "thulium.refused")]


def test_notes_are_kept(thulium: Sandbox) -> None:
    """What a lead had to do without is in its outcome's reason, beside Thulium's own message."""
    thulium.add_customer(441, surname="Lis")
    (outcome,) = deliver(configure(thulium), make_event(customer_id=441, email="none"))
    assert (outcome.status, outcome.reason) == ("ADDED", "email dropped: not an e-mail address")


def test_person_is_known_by_a_hash(thulium: Sandbox) -> None:
    """Outcomes of one number have one hash, whatever form it came in."""
    events = [make_event(phone_number="601000001"), make_event(phone_number="+48 601 000 001")]
    first, second = deliver(configure(thulium), *events)
    assert first.person
    assert first.person == second.person


def test_customer_who_is_not_known_yet(thulium: Sandbox) -> None:
    """Nobody is added before Thulium was asked who it is."""
    pipeline = Pipeline(configure(thulium))
    assignment = pipeline._mapper.map(make_event(phone_number="601000001"), make_event().received_at)
    with pytest.raises(ValueError, match="not known yet"):
        pipeline._campaigns.add([assignment], 1e9)  # type: ignore[list-item]  # it is an assignment


def test_nothing_to_add(thulium: Sandbox) -> None:
    """Nobody is asked about nobody."""
    assert deliver(configure(thulium)) == []
    assert thulium.counts == {}
