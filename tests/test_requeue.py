"""Who comes again, and when they are put back to be called."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ringback.event import Event
from ringback.outcome import Outcome
from ringback.pipeline import Pipeline
from ringback.settings import Settings
from tests.leads import NOW, configure, deliver, make_event, read_statuses
from tests.sandbox import STATUSES, Sandbox, faults

NO_CALL = [status.status_id for status in STATUSES if status.system_status == "NO_CALL"]
BEFORE, SINCE = "2026-03-02 09:59", "2026-03-02 10:00"  # NOW is 10:00 in Warsaw


def configure_requeue(thulium: Sandbox, top: dict[str, Any] | None = None, **callbacks: Any) -> Settings:
    """Return the settings of a campaign that puts people back."""
    return configure(thulium, callbacks={"on_existing": "requeue", **callbacks}, **(top or {}))


def come_again(thulium: Sandbox, settings: Settings, event: Event | None = None, **record: Any) -> Outcome:
    """Return what becomes of a lead who has this record."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, record_id=100, **record)
    (outcome,) = deliver(settings, event or make_event(customer_id=441))
    return outcome


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: f"{status.status_id} {status.system_status}")
def test_states(thulium: Sandbox, status: Any) -> None:
    """Put back is whoever is neither being called nor an agent's own, and never who is not to be called."""
    outcome = come_again(thulium, configure_requeue(thulium), status_id=status.status_id, call_date=BEFORE)
    expected = {
        "NO_CALL": ("SKIPPED", "said stop"),
        "IN_PROGRESS": ("ALREADY_EXISTS", "the record is IN_PROGRESS"),
        "MY_RECORD": ("ALREADY_EXISTS", "the record is MY_RECORD"),
    }
    assert (outcome.status, outcome.reason) == expected.get(status.system_status, ("REQUEUED", None))
    assert (outcome.record_id, outcome.customer_id, outcome.campaign_id) == (100, 441, "00001")
    after = (thulium.record("00001", 441) or {})["status_id"]
    assert after == (3 if outcome.status == "REQUEUED" else status.status_id)


@pytest.mark.parametrize("ways", [{}, {"put_status": 204}, {"ids_as_text": True}])
def test_record_is_put_back_whole(thulium: Sandbox, ways: dict[str, Any]) -> None:
    """The record gets the agent and the time of the new lead, and the status that waits for it."""
    thulium.behave(**ways)
    thulium.add_agent("h.meier")
    event = make_event(customer_id=441, agent_login="h.meier", at="2026-03-03T12:00:00+01:00")
    record = {"customer_id": "customer_id", "agent_login": "agent_login", "next_call_date": "at"}
    sources = {"sources": {"website": {"map": record}}}
    settings = configure_requeue(thulium, sources, later={"status_id": 7})
    assert come_again(thulium, settings, event, status_id=9).status == "REQUEUED"
    (change,) = thulium.calls("change")
    assert change.path == "/api/crm_outbounds/00001/records/441"
    assert change.json == {"status_id": 7, "agent_login": "h.meier", "next_call_date": "2026-03-03 12:00"}


def test_calls_are_two_more(thulium: Sandbox) -> None:
    """Coming again costs a look at the record and a change of it."""
    come_again(thulium, configure_requeue(thulium), status_id=9)
    assert thulium.counts == {"statuses": 1, "batch": 1, "record": 1, "change": 1}


@pytest.mark.parametrize(("called", "expected"), [("", "REQUEUED"), (BEFORE, "REQUEUED"), (SINCE, "ALREADY_EXISTS")])
def test_who_was_called_since(thulium: Sandbox, called: str, expected: str) -> None:
    """Who was called since the event came in has been called about it."""
    outcome = come_again(thulium, configure_requeue(thulium), status_id=9, call_date=called)
    assert outcome.status == expected
    assert outcome.reason == (None if expected == "REQUEUED" else "called since the event came in")


def test_who_was_called_before_a_replay(thulium: Sandbox) -> None:
    """A replay makes no new event of an old one: who was called between the two is not put back."""
    event = make_event(customer_id=441)
    replayed = replace(event, started_at=event.received_at + timedelta(days=2))
    outcome = come_again(thulium, configure_requeue(thulium), replayed, status_id=9, call_date=SINCE)
    assert (outcome.status, outcome.reason) == ("ALREADY_EXISTS", "called since the event came in")


def test_called_in_thuliums_own_time(thulium: Sandbox) -> None:
    """The time of a call is read in Thulium's time zone."""
    settings = configure_requeue(thulium)
    evening = replace(make_event(customer_id=441), received_at=datetime(2026, 7, 1, 22, 30, tzinfo=UTC))  # 00:30 there
    assert come_again(thulium, settings, evening, status_id=9, call_date="2026-07-01 23:00").status == "REQUEUED"
    assert come_again(thulium, settings, evening, status_id=9, call_date="2026-07-02 00:30").status == "ALREADY_EXISTS"


@pytest.mark.parametrize(
    ("widened", "status_id", "expected"),
    [
        ("IN_PROGRESS", 2, "REQUEUED"),
        ("MY_RECORD", 5, "REQUEUED"),
        ("NO_CALL", 4, "REQUEUED"),
        ("NO_CALL", 6, "SKIPPED"),  # the campaign's own stop
        ("NO_CALL", 2, "ALREADY_EXISTS"),
        (["NO_CALL", "MY_RECORD"], 5, "REQUEUED"),
    ],
)
def test_requeue_from(thulium: Sandbox, widened: object, status_id: int, expected: str) -> None:
    """`requeue_from` adds states to put back from; whoever said stop stays stopped all the same."""
    settings = configure_requeue(thulium, requeue_from=widened)
    assert come_again(thulium, settings, status_id=status_id).status == expected


@pytest.mark.parametrize(
    ("top", "stop"),
    [
        ({"stop": {"dictionary_status_id": 3}}, {}),
        ({}, {"dictionary_status_id": 3}),
        ({"stop": {"dictionary_status_id": 3}}, {"status_id": 4}),
    ],
)
def test_stop_of_the_dictionary(thulium: Sandbox, top: dict[str, Any], stop: dict[str, int]) -> None:
    """A stop by the dictionary's status is known by the campaign's own id of it, which Thulium tells."""
    settings = configure_requeue(thulium, top, requeue_from="NO_CALL", stop=stop)
    assert come_again(thulium, settings, status_id=6).reason == "said stop"
    expected = "SKIPPED" if "status_id" in stop else "REQUEUED"
    assert come_again(thulium, settings, status_id=4).status == expected


def test_stop_that_is_no_do_not_call(thulium: Sandbox) -> None:
    """A campaign's stop is one whatever kind of status it is."""
    settings = configure_requeue(thulium, stop={"status_id": 9})
    assert come_again(thulium, settings, status_id=9).reason == "said stop"


def test_campaign_without_a_stop(thulium: Sandbox) -> None:
    """Where there is no stop at all, `requeue_from: NO_CALL` is a decision, for which nothing is asked."""
    settings = configure(
        thulium,
        callbacks={"on_existing": "requeue", "requeue_from": "NO_CALL", "stop": {}},
        sources={"optout": {"action": "lead", "campaign": "callbacks"}},
    )
    thulium.fail("statuses", faults.error(503), times=None)
    assert come_again(thulium, settings, status_id=6).status == "REQUEUED"


def test_keep_is_the_default(thulium: Sandbox) -> None:
    """A campaign that does not requeue leaves records alone, and does not look at them."""
    assert come_again(thulium, configure(thulium), status_id=9).status == "ALREADY_EXISTS"
    assert thulium.counts == {"statuses": 1, "batch": 1}


def test_lead_without_a_status(thulium: Sandbox) -> None:
    """A lead whose own status is missing is not said to be put back."""
    settings = configure_requeue(thulium, set={})
    outcome = come_again(thulium, settings, make_event(customer_id=441), status_id=9)
    assert (outcome.status, outcome.reason) == ("ALREADY_EXISTS", "the lead has no status to be put back with")


@pytest.mark.parametrize(
    "fault", [faults.error(404, "Record not found."), faults.says("{}", work=False), faults.error(503)]
)
def test_record_that_is_not_shown(thulium: Sandbox, fault: faults.Fault) -> None:
    """Whom Thulium has in the campaign and shows no record of is tried again: it may have gone meanwhile."""
    thulium.fail("record", fault)
    settings = configure_requeue(thulium)
    assert come_again(thulium, settings, status_id=9).status == "DEFERRED"
    assert come_again(thulium, settings, status_id=9).status == "REQUEUED"


@pytest.mark.parametrize("fault", [faults.error(503), faults.error(400), faults.reset(after_work=True)])
def test_change_that_fails(thulium: Sandbox, fault: faults.Fault) -> None:
    """A change of which nobody knows whether it was made is made again."""
    thulium.fail("change", fault)
    settings = configure_requeue(thulium)
    event = make_event(customer_id=441)
    assert come_again(thulium, settings, event, status_id=9).status == "DEFERRED"
    assert come_again(thulium, settings, event, status_id=9).status == "REQUEUED"


# Once


@pytest.mark.parametrize("known", [True, False])
def test_redelivery_requeues_nobody(thulium: Sandbox, known: bool) -> None:  # noqa: FBT001
    """An event that comes again after its call, because its sender did not hear of it, gets nobody called again."""
    pipeline = Pipeline(configure_requeue(thulium))
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    if known:
        thulium.put_record("00001", 441, status_id=9)
    event = make_event(customer_id=441)
    first = deliver(pipeline, event)
    thulium.put_record("00001", 441, status_id=9, call_date="2026-03-02 10:20")
    again = replace(event, received_at=NOW + timedelta(hours=1))
    second = deliver(pipeline, again, now=again.received_at)
    assert read_statuses(first + second) == ["REQUEUED" if known else "ADDED", "ALREADY_EXISTS"]
    assert (thulium.record("00001", 441) or {})["status_id"] == 9


def test_new_event_requeues(thulium: Sandbox) -> None:
    """Another event of the same person is no redelivery."""
    pipeline = Pipeline(configure_requeue(thulium))
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    for expected in ("ADDED", "REQUEUED", "REQUEUED"):
        assert read_statuses(deliver(pipeline, make_event(customer_id=441))) == [expected]


def test_several_events_requeue_once(thulium: Sandbox) -> None:
    """Of several events about one person in one request the last puts the record back, with its own fields."""
    thulium.add_customer(441, surname="Lis")
    thulium.put_record("00001", 441, status_id=9)
    events = [make_event(customer_id=441, status_id=status_id) for status_id in (1, 8, 3)]
    outcomes = deliver(configure_requeue(thulium), *events)
    assert read_statuses(outcomes) == ["ALREADY_EXISTS", "ALREADY_EXISTS", "REQUEUED"]
    assert [call.json for call in thulium.calls("change")] == [{"status_id": 3}]
