"""A record has what its status demands, or nothing of it is sent."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from ringback.outcome import Outcome
from ringback.pipeline import Pipeline
from ringback.settings import Settings
from tests.leads import NOW, deliver, make_event, read_statuses
from tests.leads import configure as configure_leads
from tests.sandbox import Sandbox, Status, faults

FIELDS = {
    **{name: name for name in ("customer_id", "phone_number", "note")},
    **{name: name for name in ("status_id", "dictionary_status_id", "agent_login")},
    "next_call_date": "at",
}
TOMORROW = "2026-03-03 12:00"
NEEDS = "needs it; give it in `map` or `set`, or use another status"


def configure(thulium: Sandbox, source: Mapping[str, Any] | None = None, **callbacks: Any) -> Settings:
    """Return the settings of a source that maps the whole record."""
    thulium.add_agent("h.meier")
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    campaign = {"set": {}, "later": {"status_id": 7}, **callbacks}
    return configure_leads(thulium, callbacks=campaign, sources={"website": {"map": FIELDS, **(source or {})}})


def lack(outcome: Outcome) -> tuple[str, list[str], str]:
    """Return what an outcome says of fields that are missing."""
    return str(outcome.status), list(outcome.fields), outcome.reason or ""


@pytest.mark.parametrize(
    ("record", "missing"),
    [
        ({"status_id": 5}, ["agent_login", "next_call_date"]),
        ({"status_id": "5", "agent_login": "h.meier"}, ["next_call_date"]),
        ({"status_id": 5, "at": TOMORROW}, ["agent_login"]),
        ({"status_id": 5, "at": "2026-02-01 12:00"}, ["agent_login"]),
        ({"status_id": 5, "at": TOMORROW, "agent_login": " "}, ["agent_login"]),
        ({"status_id": 7}, ["next_call_date"]),
        ({"status_id": 7, "agent_login": "h.meier"}, ["next_call_date"]),
        ({"status_id": 7, "at": TOMORROW}, []),
        ({"status_id": 5, "at": TOMORROW, "agent_login": "h.meier"}, []),
        ({"status_id": 3}, []),
        ({"status_id": 1}, []),
        ({"dictionary_status_id": 2}, []),
        ({}, []),
    ],
)
def test_what_a_status_demands(record: dict[str, Any], missing: list[str], thulium: Sandbox) -> None:
    """An agent's own record needs the agent and a date, one that is not called sooner needs a date."""
    (outcome,) = deliver(configure(thulium), make_event(customer_id=441, **record))
    status, fields, reason = lack(outcome)
    assert (status, fields) == ("INVALID" if missing else "ADDED", missing)
    kind = "MY_RECORD" if str(record.get("status_id")) == "5" else "CALL_NO_SOONER_THAN"
    why = f"a record with status_id {record.get('status_id')} ({kind}) {NEEDS}"
    assert reason.startswith("; ".join(f"{name}: {why}" for name in missing))
    assert all(text == why for text in outcome.fields.values())


@pytest.mark.parametrize(
    ("dictionary", "missing"), [(2, []), (20, ["next_call_date"]), (21, ["agent_login", "next_call_date"]), (99, [])]
)
def test_status_of_the_dictionary(dictionary: int, missing: list[str], thulium: Sandbox) -> None:
    """A status is known by its id in the dictionary too; one that is not there is for Thulium to refuse."""
    statuses = [Status(1, "CALL", "a", 2), Status(2, "CALL_NO_SOONER_THAN", "b", 20), Status(20, "MY_RECORD", "c", 21)]
    thulium.add_campaign("00001", statuses=statuses)
    (outcome,) = deliver(configure(thulium), make_event(customer_id=441, dictionary_status_id=dictionary))
    assert lack(outcome)[:2] == ("INVALID" if missing else "FAILED" if dictionary == 99 else "ADDED", missing)


def test_both_statuses(thulium: Sandbox) -> None:
    """Of two statuses each has what it demands: Thulium does not say which of them counts."""
    settings = configure(thulium, set={"dictionary_status_id": 2})
    outcomes = deliver(settings, make_event(customer_id=441, status_id=7), make_event(customer_id=441, status_id=3))
    assert [lack(outcome)[:2] for outcome in outcomes] == [("INVALID", ["next_call_date"]), ("ADDED", [])]
    (call,) = thulium.calls("batch")
    assert call.json["records"] == [{"customer_id": 441, "status_id": 3, "dictionary_status_id": 2}]


@pytest.mark.parametrize("agent", [{}, {"agent_login": "h.meier"}])
def test_later_that_lacks_its_agent(agent: dict[str, str], thulium: Sandbox) -> None:
    """The status of a later call is looked at like any other."""
    settings = configure(thulium, later={"status_id": 5, **agent})
    (outcome,) = deliver(settings, make_event(customer_id=441, at=TOMORROW))
    assert lack(outcome)[:2] == (("ADDED", []) if agent else ("INVALID", ["agent_login"]))


def test_nothing_is_sent_of_it(thulium: Sandbox) -> None:
    """Of a lead whose record lacks something nobody is searched or created; its neighbours go on."""
    events = [make_event(phone_number=f"60100001{n}", status_id=n) for n in (7, 3)]
    outcomes = deliver(configure(thulium), *events)
    assert read_statuses(outcomes) == ["INVALID", "ADDED"]
    assert (outcomes[0].campaign_id, outcomes[0].customer_id) == ("00001", None)
    assert outcomes[0].person
    assert [customer["phone_numbers"] for customer in thulium.customers] == [["601000001"], ["601000013"]]


def test_earlier_event_of_the_same_person(thulium: Sandbox) -> None:
    """A record that lacks something takes no earlier one of its customer with it."""
    events = make_event(customer_id=441, status_id=3), make_event(customer_id=441, status_id=5)
    assert read_statuses(deliver(configure(thulium), *events)) == ["ADDED", "INVALID"]


def test_record_that_is_put_back(thulium: Sandbox) -> None:
    """A record is not put back with a status that lacks something."""
    settings = configure(thulium, on_existing="requeue", set={"status_id": 3})
    thulium.put_record("00001", 441, status_id=9)
    (outcome,) = deliver(settings, make_event(customer_id=441, status_id=7))
    assert lack(outcome)[:2] == ("INVALID", ["next_call_date"])
    assert thulium.counts == {"statuses": 1}


def test_notes_are_kept(thulium: Sandbox) -> None:
    """What else the lead had to do without is in the reason too."""
    source = {"map": {**FIELDS, "email": "email"}}
    (outcome,) = deliver(configure(thulium, source), make_event(customer_id=441, status_id=7, email="none"))
    assert (outcome.reason or "").endswith(f"{NEEDS}; email dropped: not an e-mail address")


# What it costs


def test_asked_once(thulium: Sandbox) -> None:
    """The statuses of a campaign are asked for once, however many leads and deliveries there are."""
    pipeline = Pipeline(configure(thulium))
    for _ in range(3):
        deliver(pipeline, *(make_event(customer_id=441, status_id=n) for n in (1, 3, 7)))
    assert thulium.counts == {"statuses": 1, "batch": 3}


@pytest.mark.parametrize(
    "record", [{}, {"status_id": 5, "agent_login": "h.meier", "at": TOMORROW}, {"agent_login": "x"}]
)
def test_asked_only_where_it_matters(record: dict[str, Any], thulium: Sandbox) -> None:
    """A record without a status, and one that has all that any status demands, ask for nothing."""
    deliver(configure(thulium), make_event(customer_id=441, **record))
    assert thulium.counts == {"batch": 1}


@pytest.mark.parametrize("fault", [faults.error(503), faults.error(403), faults.html(200), faults.says("[]")])
def test_statuses_that_are_not_told(fault: faults.Fault, thulium: Sandbox) -> None:
    """Where Thulium does not tell the statuses nothing is demanded, and its own word about the record counts."""
    thulium.fail("statuses", fault, times=None)
    events = make_event(customer_id=441, status_id=3), make_event(customer_id=441, status_id=7)
    outcomes = deliver(configure(thulium), *events)
    assert read_statuses(outcomes) == ["ADDED", "FAILED"]
    assert outcomes[1].reason == "Field next_call_date is required."
    assert thulium.counts["statuses"] == 1


def test_statuses_that_hang_leave_time_for_the_batch(thulium: Sandbox) -> None:
    """A campaign whose statuses do not come in time takes a quarter of it, and the leads are added all the same."""
    thulium.fail("statuses", faults.hang(), times=None)
    routes = [{"when": "note == 'b'", "to": "other"}, "callbacks"]
    campaigns = {"other": {"id": "00002", "later": {"status_id": 7}, "stop": {"status_id": 6}}}
    settings = configure_leads(
        thulium,
        callbacks={"later": {"status_id": 7}},
        campaigns=campaigns,
        sources={"website": {"map": FIELDS, "campaign": routes}},
    )
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    events = [make_event(customer_id=441, status_id=3, note=note) for note in "ab"]
    verdicts = Pipeline(settings).deliver(events, NOW, time.monotonic() + 4)
    assert read_statuses([verdict.outcome for verdict in verdicts]) == ["ADDED", "ADDED"]
    assert thulium.counts == {"statuses": 2, "batch": 2}


def test_stop_is_known_by_statuses_that_are_kept(thulium: Sandbox) -> None:
    """The statuses that a record's own was looked up in tell a stop of the dictionary too."""
    thulium.add_customer(442, surname="Mak", phone_number="601000001")
    settings = configure(thulium, stop={"dictionary_status_id": 3}, set={"status_id": 3})
    pipeline = Pipeline(settings)
    thulium.put_record("00001", 442, status_id=6)
    assert [each.reason for each in deliver(pipeline, make_event(phone_number="601000001"))] == ["said stop"]
    assert thulium.counts["statuses"] == 1


def test_stop_of_a_new_status_is_known_at_once(thulium: Sandbox) -> None:
    """A status that was made since the statuses were asked for is asked about before its record is called."""
    requeue: dict[str, Any] = {"on_existing": "requeue", "requeue_from": "NO_CALL"}
    pipeline = Pipeline(configure(thulium, stop={"dictionary_status_id": 30}, set={"status_id": 3}, **requeue))
    deliver(pipeline, make_event(customer_id=441))
    with_stop = [Status(3, "CALL", "Call"), Status(70, "NO_CALL", "Never", 30)]
    thulium.add_campaign("00001", statuses=with_stop)
    thulium.put_record("00001", 441, status_id=70)
    assert [each.reason for each in deliver(pipeline, make_event(customer_id=441))] == ["said stop"]


def test_stop_that_can_not_be_looked_up(thulium: Sandbox) -> None:
    """Where nothing is known of a record's status nobody is called on it yet, and it is asked again at once."""
    thulium.add_customer(442, surname="Mak", phone_number="601000001")
    pipeline = Pipeline(configure(thulium, stop={"dictionary_status_id": 3}, set={"status_id": 3}))
    thulium.put_record("00001", 442, status_id=4)
    thulium.fail("statuses", faults.error(503), times=2)
    event = make_event(phone_number="601000001")
    assert read_statuses(deliver(pipeline, event) + deliver(pipeline, event)) == ["DEFERRED", "ADDED"]
