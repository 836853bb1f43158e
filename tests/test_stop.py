"""Who said stop is not called."""

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.outcome import Outcome
from ringback.pipeline import Pipeline
from tests.leads import NOW, configure, deliver, follow, make_event, read_statuses
from tests.sandbox import STATUSES, Sandbox, faults
from tests.test_customers import run_at_once

SECOND = {"second": {"id": "00002", "stop": {"status_id": 4}}}
LOCKED = faults.says('{"error": "record is locked"}')
ADA = {"phone_number": "601000001", "email": "ada@example.com"}


def is_called(thulium: Sandbox, campaign_id: str = "00001") -> bool:
    """Return whether anybody in a campaign is to be called."""
    return any(record["system_status"] != "NO_CALL" for record in thulium.records(campaign_id))


def stop(thulium: Sandbox, **data: Any) -> Outcome:
    """Return what becomes of a stop in two campaigns."""
    (outcome,) = deliver(configure(thulium, campaigns=SECOND), make_event("optout", **data))
    return outcome


@pytest.mark.parametrize("in_campaign", [True, False])
def test_known_person(thulium: Sandbox, in_campaign: bool) -> None:  # noqa: FBT001
    """Who is in the campaign gets the status, who is not gets a record with it: in each campaign its own."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001", email="ada@example.com")
    if in_campaign:
        thulium.put_record("00001", 441, status_id=3)
    outcome = stop(thulium, phone_number="601 000 001")
    assert (outcome.status, outcome.customer_id, outcome.reason) == ("STOPPED", 441, None)
    assert [(thulium.record(n, 441) or {})["status_id"] for n in ("00001", "00002")] == [6, 4]
    assert len(thulium.customers) == 1


def test_stranger(thulium: Sandbox) -> None:
    """A stranger is created with the stop, so that no later lead gets them called."""
    assert stop(thulium, **ADA).status == "STOPPED"
    assert [record["status_id"] for record in thulium.records("00001")] == [6]
    assert read_statuses(deliver(configure(thulium), make_event(**ADA))) == ["ALREADY_EXISTS"]
    assert not is_called(thulium)


def test_stranger_without_a_number(thulium: Sandbox) -> None:
    """Whoever says stop with an address alone is kept by it: a later lead with that address is not called."""
    assert stop(thulium, email="ada@example.com").status == "STOPPED"
    assert read_statuses(deliver(configure(thulium), make_event(**ADA))) == ["ALREADY_EXISTS"]
    assert not is_called(thulium)


def test_stranger_where_nobody_is_created(thulium: Sandbox) -> None:
    """With `on_missing: fail` a stranger is nobody's concern."""
    rules = {"optout": {"customer": {"on_missing": "fail"}}}
    (outcome,) = deliver(configure(thulium, sources=rules), make_event("optout", **ADA))
    assert (outcome.status, outcome.reason, thulium.customers) == ("SKIPPED", "no such customer", [])


def test_everybody_who_matches(thulium: Sandbox) -> None:
    """All who match by whatever are stopped, in one call for each campaign."""
    thulium.add_customer(41, surname="Lis", email="ada@example.com")
    thulium.add_customer(42, surname="Lis", phone_number="+48601000001")
    thulium.add_customer(43, surname="Lis", phone_number=["221000001", "601000001"])
    thulium.add_customer(44, surname="Sowa", phone_number="601000009")
    for n in (41, 44):
        thulium.put_record("00001", n, status_id=3)
    assert stop(thulium, **ADA).status == "STOPPED"
    stopped = {record["customer_id"] for record in thulium.records("00001") if record["status_id"] == 6}
    assert stopped == {record["customer_id"] for record in thulium.records("00002")} == {41, 42, 43}
    assert (thulium.record("00001", 44) or {})["status_id"] == 3
    assert thulium.counts["batch"] == 2
    assert "update" not in thulium.counts  # somebody has the number, somebody the address


def test_forms_of_a_number(thulium: Sandbox) -> None:
    """A number is searched in each of its forms: one person may be there in two of them."""
    thulium.behave(phone_match="exact")
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.add_customer(42, surname="Lis", phone_number="+48601000001")
    settings = configure(thulium, access={"phone_forms": ["e164"]})
    deliver(settings, make_event("optout", phone_number="601000001"))
    assert [record["customer_id"] for record in thulium.records("00001")] == [41, 42]


def test_new_number_of_a_known_person(thulium: Sandbox) -> None:
    """A number that nobody carries is added to the one who said stop: a later lead with it is not called."""
    thulium.add_customer(441, surname="Lis", phone_number="221000001", email="ada@example.com")
    assert stop(thulium, **ADA).status == "STOPPED"
    outcomes = deliver(configure(thulium), make_event(phone_number="601000001"))
    assert [(outcome.status, outcome.customer_id) for outcome in outcomes] == [("ALREADY_EXISTS", 441)]
    assert not is_called(thulium)


def test_number_that_people_are_not_matched_by(thulium: Sandbox) -> None:
    """Where people are told apart by their identifier alone, a stop holds for one of those who share a number."""
    thulium.add_customer(41, surname="Lis", identifier="ada")
    thulium.add_customer(42, surname="Lis", identifier="jan", phone_number="601000001")
    rules = {"optout": {"customer": {"match": "identifier"}}}
    event = make_event("optout", identifier="ada", phone_number="601000001")
    assert read_statuses(deliver(configure(thulium, sources=rules), event)) == ["STOPPED"]
    assert [record["customer_id"] for record in thulium.records("00001")] == [41]
    assert thulium.customers[0]["phone_numbers"] == []


@pytest.mark.parametrize("fields", [{}, {"phone_number": "601000009"}, {"email": "nobody@example.com"}])
def test_customer_id(thulium: Sandbox, fields: dict[str, str]) -> None:
    """Who is named by their customer id is stopped, and by a number or an address that comes with it."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=3)
    outcome = stop(thulium, customer_id=441, **fields)
    assert (outcome.status, outcome.customer_id) == ("STOPPED", 441)
    assert [customer["customer_id"] for customer in thulium.customers] == [441]
    deliver(configure(thulium), make_event(**{"phone_number": "601000001", **fields}))
    assert not is_called(thulium)


def test_stop_by_both_ids(thulium: Sandbox) -> None:
    """A stop that is given by both ids of a status is sent as it is written."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    both = {"status_id": 6, "dictionary_status_id": 3}
    settings = configure(thulium, callbacks={"stop": both})
    outcomes = [deliver(settings, make_event("optout", phone_number="601000001"))[0] for _ in range(2)]
    assert [str(outcome.status) for outcome in outcomes] == ["STOPPED", "STOPPED"]
    assert thulium.calls("batch")[0].json["records"] == [{"customer_id": 441, **both}]
    assert [call.json for call in thulium.calls("change")] == [both]


def test_customer_id_and_another_customer(thulium: Sandbox) -> None:
    """Whoever else has the number that comes with an id is stopped too."""
    thulium.add_customer(441, surname="Lis")
    thulium.add_customer(442, surname="Lis", phone_number="601000001")
    stop(thulium, customer_id=441, phone_number="601000001")
    assert [record["customer_id"] for record in thulium.records("00001")] == [441, 442]


def test_unknown_customer_id(thulium: Sandbox) -> None:
    """An id that does not exist is failed by Thulium's word, but for what else is known of the person."""
    assert (stop(thulium, customer_id=441).status, stop(thulium, customer_id=441).reason) == (
        "FAILED",
        "Customer not found.",
    )
    thulium.add_customer(442, surname="Lis", phone_number="601000001")
    assert stop(thulium, customer_id=441, phone_number="601000001").status == "STOPPED"
    assert [record["customer_id"] for record in thulium.records("00001")] == [442]


def test_customer_who_can_not_be_looked_at(thulium: Sandbox) -> None:
    """As long as Thulium can't be asked, a stop is not said to be done."""
    thulium.fail("customer", faults.error(503))
    assert stop(thulium, customer_id=441, phone_number="601000001").status == "DEFERRED"


# In every campaign


@pytest.mark.parametrize(
    ("fault", "status"),
    [(faults.error(404), "DEFERRED"), (faults.error(503), "DEFERRED"), (faults.says("{}", work=False), "DEFERRED")],
)
def test_campaign_that_does_not_confirm(thulium: Sandbox, fault: faults.Fault, status: str) -> None:
    """A campaign that does not confirm keeps no other from it, and the stop is tried again until all have."""
    thulium.fail("batch", fault)
    outcome = stop(thulium, **ADA)
    (other,) = {"00001", "00002"} - {outcome.campaign_id}
    assert outcome.status == status
    assert [record["status_id"] for record in thulium.records(other)] == [{"00001": 6, "00002": 4}[other]]
    assert stop(thulium, **ADA).status == "STOPPED"


@pytest.mark.parametrize("fault", [faults.error(503), faults.error(404), faults.reset(after_work=True), LOCKED])
def test_change_that_is_not_confirmed(thulium: Sandbox, fault: faults.Fault) -> None:
    """A status that may not have been set is set again."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=3)
    thulium.fail("change", fault)
    assert read_statuses([stop(thulium, **ADA), stop(thulium, **ADA)]) == ["DEFERRED", "STOPPED"]
    assert not is_called(thulium)


def test_what_can_be_mended_is_told_first(thulium: Sandbox) -> None:
    """A word that is final in one campaign does not end the tries in another."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.refuse(441, "No.")
    thulium.fail("batch", faults.error(503), after=1)
    assert [stop(thulium, customer_id=441).status for _ in range(2)] == ["DEFERRED", "FAILED"]


@pytest.mark.parametrize("fault", [faults.error(400), faults.error(409, "Duplicated."), faults.error(422)])
def test_stranger_whom_thulium_refuses(thulium: Sandbox, fault: faults.Fault) -> None:
    """A stop is not given up because the person could not be created: a later try, or lead, may bring it about."""
    thulium.fail("create", fault)
    assert [stop(thulium, **ADA).status for _ in range(2)] == ["DEFERRED", "STOPPED"]
    assert not is_called(thulium)


def test_record_that_thulium_refuses(thulium: Sandbox) -> None:
    """A stop whose record is refused is tried again for as long as it takes."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.refuse(441, "Not now.")
    assert stop(thulium, **ADA).status == "DEFERRED"
    thulium.heal()
    assert stop(thulium, **ADA).status == "STOPPED"


def test_details_stand_in_no_stops_way(thulium: Sandbox) -> None:
    """A stranger is created with what they are found by, and nothing that Thulium might refuse."""
    thulium.behave(custom_fields=("Zrodlo",))
    places = {"phone_number": "phone", "custom_fields.Kraj": "land", "note": "note"}
    settings = configure(thulium, sources={"optout": {"map": places}})
    assert read_statuses(deliver(settings, make_event("optout", phone="601000001", land="PL", note="no"))) == [
        "STOPPED"
    ]


@pytest.mark.parametrize("known", [{}, {"phone_number": "601000041"}, {"email": "ada@example.com"}])
def test_number_that_said_stop_is_given_to_nobody(thulium: Sandbox, known: dict[str, str]) -> None:
    """A lead who is known by something else, with a number whose owner said stop, is not called on it."""
    thulium.add_customer(440, surname="Lis", identifier="crm:1", **known)
    assert stop(thulium, phone_number="601000001").status == "STOPPED"
    (outcome,) = deliver(configure(thulium), make_event(identifier="crm:1", phone_number="601000001"))
    assert (outcome.status, outcome.reason) == ("SKIPPED", "said stop")
    assert not is_called(thulium)
    assert not thulium.calls("update")


def test_one_of_two_who_have_the_address_said_stop(thulium: Sandbox) -> None:
    """The number of one of several who match is not given to the oldest of them, if its owner said stop."""
    thulium.add_customer(440, surname="Lis", email="a@example.com")
    thulium.add_customer(441, surname="Lis", email="a@example.com", phone_number="601000001")
    settings = configure(thulium, sources={"website": {"customer": {"match": ["email", "phone_number"]}}})
    assert stop(thulium, phone_number="601000001").status == "STOPPED"
    (outcome,) = deliver(settings, make_event(email="a@example.com", phone_number="601000001"))
    assert outcome.status == "SKIPPED"
    assert not is_called(thulium)


def test_who_said_stop_is_not_called_as_somebody_else(thulium: Sandbox) -> None:
    """A lead is who it is known as, whoever else has its number: their own stop holds."""
    thulium.add_customer(441, surname="Lis", identifier="crm:1", phone_number="601000041")
    thulium.add_customer(442, surname="Mak", phone_number="601000001")
    assert stop(thulium, phone_number="601000041").status == "STOPPED"
    (outcome,) = deliver(configure(thulium), make_event(identifier="crm:1", phone_number="601000001"))
    assert (outcome.status, outcome.customer_id) == ("ALREADY_EXISTS", 441)
    assert not is_called(thulium)


@pytest.mark.parametrize("known_by", [{"phone_number": "601000001"}, {"identifier": "crm:1"}])
@pytest.mark.parametrize("on_existing", ["keep", "requeue"])
def test_number_of_two_of_whom_the_younger_said_stop(
    thulium: Sandbox, known_by: dict[str, str], on_existing: str
) -> None:
    """A number is not called where another customer has it too who said stop, whoever is the older of them."""
    thulium.add_customer(440, surname="Lis", identifier="crm:1", phone_number="601000001")
    thulium.add_customer(441, surname="Mak", identifier="crm:2", phone_number="601000001")
    settings = configure(thulium, callbacks={"on_existing": on_existing})
    outcomes = [
        follow(settings, make_event("optout", identifier="crm:2"))[-1],
        *deliver(settings, make_event(**{**known_by, "phone_number": "601000001"})),
    ]
    assert [(each.status, each.reason) for each in outcomes] == [("STOPPED", None), ("SKIPPED", "said stop")]
    assert not is_called(thulium)


def test_number_that_said_stop_where_nobody_is_searched_by_it(thulium: Sandbox) -> None:
    """Nobody is created with a number whose owner said stop, by whatever people are searched."""
    settings = configure(thulium, sources={"website": {"customer": {"match": ["identifier", "email"]}}})
    assert stop(thulium, phone_number="601000001").status == "STOPPED"
    lead = {"identifier": "crm:1", "email": "b@example.com", "phone_number": "601000001"}
    (outcome,) = deliver(settings, make_event(**lead))
    assert (outcome.status, outcome.reason) == ("SKIPPED", "said stop")
    assert len(thulium.customers) == 1


@pytest.mark.parametrize("is_first", [True, False])
def test_number_that_is_stopped_in_the_same_delivery(thulium: Sandbox, is_first: bool) -> None:  # noqa: FBT001
    """A lead who would be given a number is looked at after the stop of it that comes along with it."""
    thulium.add_customer(440, surname="Lis", identifier="crm:1")
    lead = make_event(identifier="crm:1", phone_number="601000001")
    others = make_event("optout", phone_number="601000001")
    outcomes = deliver(configure(thulium), *([others, lead] if is_first else [lead, others]))
    assert sorted(read_statuses(outcomes)) == ["SKIPPED", "STOPPED"]
    assert not is_called(thulium)


def test_each_campaign_has_stops_of_its_own(thulium: Sandbox) -> None:
    """Of one person's leads for two campaigns that alone is skipped whose campaign they said stop to."""
    thulium.add_customer(440, surname="Lis", identifier="crm:1")
    settings = configure(
        thulium,
        campaigns=SECOND,
        sources={
            "optout": {"campaign": "callbacks"},
            "website": {"campaign": [{"when": "note == 'b'", "to": "second"}, "callbacks"]},
        },
    )
    deliver(settings, make_event("optout", phone_number="601000001"))
    leads = [make_event(identifier="crm:1", phone_number="601000001", note=note) for note in "ab"]
    outcomes = deliver(settings, *leads)
    assert read_statuses(outcomes) == ["SKIPPED", "ADDED"]


@pytest.mark.parametrize(
    ("callbacks", "status"),
    [({}, "ADDED"), ({"stop": {}}, "SKIPPED"), ({"stop": {}, "requeue_from": ["NO_CALL"]}, "ADDED")],
)
def test_owner_who_is_not_called_for_another_reason(thulium: Sandbox, callbacks: dict[str, Any], status: str) -> None:
    """Who is done with has not said stop, as far as the file tells one from the other."""
    done_with = next(each for each in STATUSES if each.system_status == "NO_CALL" and each.status_id != 6)
    thulium.add_customer(440, surname="Lis", phone_number="601000001")
    thulium.add_customer(441, surname="Mak", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=done_with.status_id)
    settings = configure(thulium, callbacks=callbacks, sources={"optout": {"action": "lead", "campaign": "callbacks"}})
    (outcome,) = deliver(settings, make_event(phone_number="601000001"))
    assert outcome.status == status


def test_stop_of_the_dictionary_is_known_by_its_own_id(thulium: Sandbox) -> None:
    """Where the stop is one of the dictionary, a record shows the id that it has in the campaign."""
    thulium.add_customer(440, surname="Lis", phone_number="601000001")
    thulium.add_customer(441, surname="Mak", identifier="crm:2", phone_number="601000001")
    settings = configure(thulium, callbacks={"stop": {}}, stop={"dictionary_status_id": 3})
    outcomes = [
        *deliver(settings, make_event("optout", identifier="crm:2")),
        *deliver(settings, make_event(phone_number="601000001")),
    ]
    assert read_statuses(outcomes) == ["STOPPED", "SKIPPED"]


def test_number_of_very_many(thulium: Sandbox) -> None:
    """Of the many who share a switchboard's number some are looked at, and the lead is called."""
    for number in range(440, 480):
        thulium.add_customer(number, surname="Lis", phone_number="601000001")
    (outcome,) = deliver(configure(thulium), make_event(phone_number="601000001"))
    assert (outcome.status, outcome.customer_id) == ("ADDED", 440)
    assert thulium.counts == {"statuses": 1, "search": 1, "record": 10, "batch": 1}


@pytest.mark.parametrize("body", ["{}", '{"data": {"system_status": "NO_CALL"}}'])
def test_record_that_makes_no_sense_is_no_leave_to_call(thulium: Sandbox, body: str) -> None:
    """Where Thulium does not say whether a number's owner may be called, nobody is called on it yet."""
    thulium.add_customer(440, surname="Lis", identifier="crm:1")
    stop(thulium, phone_number="601000001")
    thulium.fail("record", faults.says(body))
    (outcome,) = deliver(configure(thulium), make_event(identifier="crm:1", phone_number="601000001"))
    assert outcome.status == "DEFERRED"
    assert not is_called(thulium)


@pytest.mark.parametrize("broken", ["update", "customer", "a search"])
@pytest.mark.parametrize("status", [403, 500])
def test_what_fails_keeps_nobody_from_being_stopped(thulium: Sandbox, broken: str, status: int) -> None:
    """Who was found is stopped at once, whatever cannot be found or told besides; that is tried again."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=3)
    settings = configure(thulium, stop={"dictionary_status_id": 3})
    is_search = broken == "a search"
    thulium.fail("search" if is_search else broken, faults.error(status), times=None, after=int(is_search))
    (outcome,) = deliver(settings, make_event("optout", **ADA))
    assert outcome.status == "DEFERRED"
    assert not is_called(thulium)
    assert thulium.counts["stop"] == 1
    thulium.heal()
    assert read_statuses(deliver(settings, make_event("optout", **ADA))) == ["STOPPED"]


def test_who_was_found_by_another_form_of_the_number(thulium: Sandbox) -> None:
    """One form of a number finds somebody, another can't be searched: who was found is stopped."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=3)
    settings = configure(thulium, access={"phone_forms": ["e164"]})
    thulium.fail("search", faults.error(500), times=None, after=1)
    (outcome,) = deliver(settings, make_event("optout", phone_number="601000001"))
    assert outcome.status == "DEFERRED"
    assert not is_called(thulium)


def test_who_hides_the_number_and_can_not_be_looked_at(thulium: Sandbox) -> None:
    """A customer who may have the number and can't be looked at keeps nobody else from being stopped."""
    thulium.behave(with_phone_numbers=False)
    thulium.add_customer(440, surname="Mak", phone_number=["221000001", "601000001"])
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=3)
    thulium.fail("customer", faults.error(500), times=1)
    (outcome,) = deliver(configure(thulium), make_event("optout", phone_number="601000001"))
    assert outcome.status == "DEFERRED"
    assert not is_called(thulium)


def test_whom_the_stop_names_is_stopped_unseen(thulium: Sandbox) -> None:
    """Whose id is in the stop is stopped, also while Thulium does not show them."""
    thulium.add_customer(441, surname="Lis")
    thulium.put_record("00001", 441, status_id=3)
    thulium.add_customer(442, surname="Mak", email="ada@example.com")
    thulium.fail("customer", faults.error(500), times=1)
    (outcome,) = deliver(configure(thulium), make_event("optout", customer_id=441, email="ada@example.com"))
    assert outcome.status == "DEFERRED"
    assert not is_called(thulium)
    assert {record["customer_id"] for record in thulium.records("00001")} == {441, 442}


def test_stranger_who_is_created_is_stopped_whatever_comes_next(thulium: Sandbox) -> None:
    """Who was created for a stop has its record, also where they can't be searched again."""
    thulium.fail("search", faults.error(500), times=None, after=1)
    (outcome,) = deliver(configure(thulium), make_event("optout", phone_number="601000001"))
    assert outcome.status == "DEFERRED"
    assert [record["status_id"] for record in thulium.records("00001")] == [6]


def test_time_is_kept_for_who_was_found(thulium: Sandbox) -> None:
    """Once Thulium is silent nobody else is searched: the time is for those who were found."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=3)
    thulium.fail("search", faults.hang(), times=None, after=1)
    settings = configure(thulium, access={"timeout": 1, "phone_forms": ["e164", "digits"]})
    (outcome,) = deliver(settings, make_event("optout", **ADA))
    assert (outcome.status, outcome.reason) == ("DEFERRED", "no answer in time")
    assert thulium.counts["search"] == 2
    assert not is_called(thulium)


@pytest.mark.parametrize("hangs", ["search", "customer"])
def test_stop_has_time_for_who_was_found(thulium: Sandbox, hangs: str) -> None:
    """However long Thulium thinks about others, who was found is stopped within the sender's time."""
    thulium.behave(with_phone_numbers=False)
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=3)
    for number in range(442, 460):
        thulium.add_customer(number, surname="Mak", phone_number=["221000001", "601000001"])
    thulium.fail(hangs, faults.hang(), times=None, after=int(hangs == "search"))
    pipeline = Pipeline(configure(thulium))
    (verdict,) = pipeline.deliver([make_event("optout", **ADA)], NOW, time.monotonic() + 3)
    assert verdict.outcome.status == "DEFERRED"
    assert (thulium.record("00001", 441) or {})["status_id"] == 6


def test_campaign_that_hangs_keeps_no_other_from_being_stopped(thulium: Sandbox) -> None:
    """Campaigns are stopped side by side, whatever another one does."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    for campaign in ("00001", "00002"):
        thulium.put_record(campaign, 441, status_id=3)
    thulium.fail("batch", faults.hang())
    pipeline = Pipeline(configure(thulium, campaigns=SECOND))
    (verdict,) = pipeline.deliver([make_event("optout", phone_number="601000001")], NOW, time.monotonic() + 2)
    assert verdict.outcome.status == "DEFERRED"
    assert sum((thulium.record(campaign, 441) or {})["status_id"] != 3 for campaign in ("00001", "00002")) == 1


def test_number_is_stopped_whose_owner_can_not_be_made(thulium: Sandbox) -> None:
    """The number is stopped where campaigns have it, also when Thulium refuses to make its customer."""
    thulium.fail("create", faults.error(400), times=None)
    settings = configure(thulium, stop={"dictionary_status_id": 3})
    (outcome,) = deliver(settings, make_event("optout", phone_number="601000001"))
    assert outcome.status == "DEFERRED"
    assert thulium.counts["stop"] == 1


def test_campaign_of_two_names_is_stopped_once(thulium: Sandbox) -> None:
    """A campaign that has two names gets one record for a stop, and the care of the one that requeues."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=3)
    again = {"again": {"id": "00001", "on_existing": "requeue", "set": {"status_id": 3}}}
    outcomes = follow(configure(thulium, campaigns=again), make_event("optout", phone_number="601000001"))
    assert read_statuses(outcomes) == ["DEFERRED", "STOPPED"]
    assert (thulium.counts["batch"], thulium.counts["change"]) == (2, 1)


def test_number_is_stopped_while_nobody_can_be_searched(thulium: Sandbox) -> None:
    """The number is stopped in the campaigns that have it, also as long as no customer can be searched or made."""
    thulium.fail("search", faults.error(500), times=None)
    settings = configure(thulium, stop={"dictionary_status_id": 3})
    (outcome,) = deliver(settings, make_event("optout", phone_number="601000001"))
    assert (outcome.status, outcome.customer_id, thulium.customers) == ("DEFERRED", None, [])
    assert thulium.counts["stop"] == 1


@pytest.mark.parametrize("status_id", [3, None])
def test_number_of_somebody_who_may_be_called(thulium: Sandbox, status_id: int | None) -> None:
    """A number that another customer has too is added, as long as its owner has not said stop."""
    thulium.add_customer(440, surname="Lis", identifier="crm:1")
    thulium.add_customer(441, surname="Mak", phone_number="601000001")
    if status_id:
        thulium.put_record("00001", 441, status_id=status_id)
    (outcome,) = deliver(configure(thulium), make_event(identifier="crm:1", phone_number="601000001"))
    assert (outcome.status, outcome.customer_id) == ("ADDED", 440)


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_many_who_hide_their_numbers(thulium: Sandbox, order: str) -> None:
    """Everybody is stopped also where a list's rows show no further numbers; a lead is the oldest's."""
    thulium.behave(with_phone_numbers=False, customers_order=order)
    for number in range(441, 449):
        thulium.add_customer(number, surname="Lis", phone_number=["221000001", "601000001"])
        thulium.put_record("00001", number, status_id=3)
    (outcome,) = deliver(configure(thulium), make_event(phone_number="601000001"))
    assert outcome.customer_id == 441
    assert stop(thulium, phone_number="601000001").status == "STOPPED"
    assert not is_called(thulium)


def test_campaigns_that_are_named(thulium: Sandbox) -> None:
    """A source of stops may name its campaigns; the others are not touched."""
    rules = {"optout": {"campaign": ["callbacks"]}}
    (outcome,) = deliver(configure(thulium, campaigns=SECOND, sources=rules), make_event("optout", **ADA))
    assert (outcome.status, thulium.records("00002")) == ("STOPPED", [])


# In campaigns that the configuration does not name


def test_stop_of_the_dictionary(thulium: Sandbox) -> None:
    """With a status of the dictionary, campaigns that the file does not name are reached by the number."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.add_campaign("00003")
    thulium.put_record("00003", 441, status_id=3)
    settings = configure(thulium, callbacks={"stop": {}}, stop={"dictionary_status_id": 3})
    (outcome,) = deliver(settings, make_event("optout", phone_number="601000001"))
    assert outcome.status == "STOPPED"
    assert thulium.calls("batch")[0].json == {"records": [{"customer_id": 441, "dictionary_status_id": 3}]}
    assert [call.json for call in thulium.calls("stop")] == [{"phone_number": "601000001", "status_id": "3"}]
    assert not is_called(thulium, "00001")
    assert not is_called(thulium, "00003")


def test_forms_of_a_number_in_other_campaigns(thulium: Sandbox) -> None:
    """The number is stopped in each form that Thulium may have it in."""
    thulium.behave(phone_match="exact")
    thulium.add_customer(441, surname="Lis", phone_number="+48601000001")
    thulium.put_record("00002", 441, status_id=3)
    settings = configure(thulium, stop={"dictionary_status_id": 3}, access={"phone_forms": ["e164"]})
    deliver(settings, make_event("optout", phone_number="601000001"))
    assert not is_called(thulium, "00002")


def test_stop_without_a_number(thulium: Sandbox) -> None:
    """Without a number there is nothing to stop by it."""
    thulium.add_customer(441, surname="Lis", email="ada@example.com")
    settings = configure(thulium, stop={"dictionary_status_id": 3})
    assert read_statuses(deliver(settings, make_event("optout", email="ada@example.com"))) == ["STOPPED"]
    assert "stop" not in thulium.counts


@pytest.mark.parametrize(
    ("code", "status"), [(404, "STOPPED"), (400, "DEFERRED"), (403, "DEFERRED"), (503, "DEFERRED")]
)
def test_number_that_no_campaign_has(thulium: Sandbox, code: int, status: str) -> None:
    """That no campaign has the number is as good as stopped; any other refusal is not."""
    thulium.fail("stop", faults.error(code))
    settings = configure(thulium, stop={"dictionary_status_id": 3})
    assert read_statuses(deliver(settings, make_event("optout", **ADA))) == [status]


# Never given up


@pytest.mark.parametrize("number", ["+49 30 901820", "+1 202 555 0143"])
def test_number_that_would_not_be_called(thulium: Sandbox, number: str) -> None:
    """A number from a country that is not called can still be stopped."""
    thulium.add_customer(441, surname="Lis", phone_number=number.replace(" ", ""))
    outcome = stop(thulium, phone_number=number)
    assert (outcome.status, outcome.customer_id) == ("STOPPED", 441)


def test_details_do_not_matter(thulium: Sandbox) -> None:
    """What can't be read is dropped as long as somebody can be found: a stop is not refused for a detail."""
    thulium.add_customer(441, surname="Lis", email="ada@example.com")
    outcome = stop(thulium, email="ada@example.com", phone_number="none", customer_id="x", country={"a": 1})
    assert (outcome.status, outcome.customer_id) == ("STOPPED", 441)
    assert {note.partition(":")[0] for note in (outcome.reason or "").split("; ")} == {
        "phone_number dropped",
        "customer_id dropped",
        "custom_fields.Kraj dropped",
    }
    outcome = stop(thulium, phone_number="none")
    assert (outcome.status, list(outcome.fields)) == ("INVALID", ["phone_number"])


def test_consent_is_not_asked_of_a_stop(thulium: Sandbox) -> None:
    """No consent is needed to say stop."""
    settings = configure(thulium, sources={"optout": {"consent": "consent"}})
    assert read_statuses(deliver(settings, make_event("optout", **ADA, consent="no"))) == ["STOPPED"]


# In any order


PEOPLE = [{"phone_number": "601000001"}, {"email": "ada@example.com"}, ADA, {**ADA, "phone_number": "+48601000001"}]


@given(st.permutations(["lead", "stop", "lead", "stop", "lead"]), st.sampled_from(PEOPLE), st.booleans())
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("on_existing", ["keep", "requeue"])
def test_any_order(
    thulium: Sandbox,
    on_existing: str,
    order: list[str],
    person: dict[str, str],
    in_one_request: bool,  # noqa: FBT001
) -> None:
    """A stop before, between or after leads, delivered twice, one by one or all at once: nobody is to be called."""
    thulium.reset()
    thulium.add_campaign("00001")
    processes = [Pipeline(configure(thulium, callbacks={"on_existing": on_existing})) for _ in range(2)]
    stopped = make_event("optout", **person)
    events = [stopped if each == "stop" else make_event(**ADA) for each in order]
    if in_one_request:
        outcomes = deliver(processes[0], *events)
    else:
        outcomes = [outcome for n, event in enumerate(events) for outcome in deliver(processes[n % 2], event)]
    assert thulium.records("00001")
    assert not is_called(thulium)
    told = {str(o.status) for o, each in zip(outcomes, order, strict=True) if each == "stop"}
    assert told == {"DEFERRED" if on_existing == "requeue" else "STOPPED"}
    assert read_statuses(follow(processes[0], replace(stopped, attempt=2))) == ["STOPPED"]
    assert not is_called(thulium)


@pytest.mark.parametrize("on_existing", ["keep", "requeue"])
def test_at_the_same_moment(thulium: Sandbox, on_existing: str) -> None:
    """Stops and leads of one person that meet in different threads end in nobody being called."""
    pipeline = Pipeline(configure(thulium, callbacks={"on_existing": on_existing}))
    events = [make_event(*(["optout"] if n % 4 == 0 else []), **ADA) for n in range(24)]
    outcomes: list[Outcome] = []
    run_at_once([lambda event=event: outcomes.extend(deliver(pipeline, event)) for event in events])
    assert len(thulium.records("00001")) == 1
    assert not is_called(thulium)
    assert read_statuses(outcomes).count("DEFERRED" if on_existing == "requeue" else "STOPPED") == 6


def test_between_the_look_and_the_change(thulium: Sandbox) -> None:
    """A stop that comes while somebody's record is looked at, to be put back, waits until that is done."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=9)
    thulium.fail("record", faults.drip("body", pace=0.001))
    pipeline = Pipeline(configure(thulium, callbacks={"on_existing": "requeue"}))
    outcomes: list[Outcome] = []
    requeue = threading.Thread(target=lambda: outcomes.extend(deliver(pipeline, make_event(customer_id=441))))
    requeue.start()
    while "record" not in thulium.counts:
        time.sleep(0.001)
    outcomes += follow(pipeline, make_event("optout", customer_id=441))
    requeue.join()
    assert sorted(read_statuses(outcomes)) == ["DEFERRED", "REQUEUED", "STOPPED"]
    assert not is_called(thulium)


def test_look_and_change_of_another_process(thulium: Sandbox) -> None:
    """A stop that comes between another process's look at the record and its change of it is made once more."""
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=9)
    settings = configure(thulium, callbacks={"on_existing": "requeue"})
    thulium.fail("record", faults.drip("body", pace=0.002))  # of what was read before; the stop comes meanwhile,
    thulium.fail("change", faults.drip("head", pace=0.02))  # and the record is put back before it goes on
    outcomes: list[Outcome] = []
    requeue = threading.Thread(target=lambda: outcomes.extend(deliver(settings, make_event(customer_id=441))))
    requeue.start()
    while "record" not in thulium.counts:
        time.sleep(0.001)
    time.sleep(0.3)  # it has been read by now
    stopped = make_event("optout", customer_id=441)
    outcomes += deliver(settings, stopped)
    requeue.join()
    outcomes += follow(settings, replace(stopped, attempt=2))
    assert sorted(read_statuses(outcomes)) == ["DEFERRED", "REQUEUED", "STOPPED"]
    assert not is_called(thulium)


def test_stops_first(thulium: Sandbox) -> None:
    """In one request nobody is to be called for even a moment: the stop is made before the lead is added."""
    lead, stopped = deliver(configure(thulium), make_event(**ADA), make_event("optout", **ADA))
    assert (lead.status, stopped.status) == ("ALREADY_EXISTS", "STOPPED")
    assert [call.json["records"][0]["status_id"] for call in thulium.calls("batch")] == [6, 3]


# Several people, and several details, in one opt-out


def test_every_number_and_address_of_a_stop(thulium: Sandbox) -> None:
    """All customers that have any of the numbers and addresses in an opt-out are stopped, in one call a campaign."""
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.add_customer(42, surname="Sowa", phone_number="602000002")
    thulium.add_customer(43, surname="Kos", email="kos@example.com")
    thulium.add_customer(44, surname="Bocian", phone_number="603000003")
    outcome = stop(thulium, phone_number="601 000 001; 602-000-002 - proszę nie dzwonić", email="Kos <KOS@example.com>")
    assert (outcome.status, outcome.customer_id) == ("STOPPED", 41)
    assert {record["customer_id"] for record in thulium.records("00001")} == {41, 42, 43}
    assert thulium.counts["batch"] == 2
    assert "update" not in thulium.counts  # each of the details has its customer


def test_stranger_with_several_numbers(thulium: Sandbox) -> None:
    """A stranger is kept by each number and address, of which Thulium shows one: no later lead with one is called."""
    assert stop(thulium, phone_number="601000001, 602000002", email="a@example.com; b@example.com").status == "STOPPED"
    assert [(each["phone_numbers"], each["emails"]) for each in thulium.customers] == [
        (["601000001", "602000002"], ["a@example.com"]),
        ([], ["b@example.com"]),
    ]
    leads = [{"phone_number": "602000002"}, {"phone_number": "604000004", "email": "b@example.com"}]
    assert read_statuses(deliver(configure(thulium), *(make_event(**lead) for lead in leads))) == ["ALREADY_EXISTS"] * 2
    assert not is_called(thulium)


def test_number_that_no_customer_has_yet(thulium: Sandbox) -> None:
    """Of an opt-out's details the oldest customer is given those that none has; another one's stay theirs."""
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.add_customer(42, surname="Sowa", phone_number="602000002")
    assert stop(thulium, phone_number="601000001 602000002 603000003").status == "STOPPED"
    assert [each["phone_numbers"] for each in thulium.customers] == [["601000001", "603000003"], ["602000002"]]


def test_every_number_in_every_campaign(thulium: Sandbox) -> None:
    """With a status of the dictionary each number is stopped in the campaigns that the file does not name."""
    settings = configure(thulium, stop={"dictionary_status_id": 3}, access={"phone_forms": ["e164"]})
    assert read_statuses(deliver(settings, make_event("optout", phone_number="601000001, 602000002"))) == ["STOPPED"]
    asked = [call.json["phone_number"] for call in thulium.calls("stop")]
    assert asked == ["601000001", "+48601000001", "602000002", "+48602000002"]


NUMBERS = st.lists(st.integers(601_000_000, 601_999_999).map(str), min_size=1, max_size=4, unique=True)


@given(known=NUMBERS, named=NUMBERS)
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_is_named_is_not_called(thulium: Sandbox, known: list[str], named: list[str]) -> None:
    """Whatever customers there are, none of a stop's numbers is called afterwards, by whichever lead it comes."""
    thulium.reset()
    thulium.add_campaign("00001")
    for number in known:
        thulium.add_customer(surname="Lis", phone_number=number)
    pipeline = Pipeline(configure(thulium))
    assert read_statuses(deliver(pipeline, make_event("optout", phone_number=" / ".join(named)))) == ["STOPPED"]
    deliver(pipeline, *(make_event(phone_number=number) for number in named))
    assert not is_called(thulium)
