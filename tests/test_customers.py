"""Who a lead is: found, created, completed, and never made twice."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.outcome import Outcome
from ringback.pipeline import Pipeline
from tests.leads import configure, deliver, make_event, read_statuses
from tests.sandbox import Sandbox, faults

ADA = {"phone_number": "601 000 001", "email": "Ada.Lis@Example.com", "full_name": "Ada Lis"}
WAYS: dict[str, dict[str, Any]] = {
    "the likeliest": {},
    "a bare list": {"customers_list": "bare"},
    "a list in data": {"customers_list": "data"},
    "the newest first": {"customers_order": "newest"},
    "rows without further numbers": {"with_phone_numbers": False},
    "addresses as a list": {"email_as": "list"},
    "ids as text": {"ids_as_text": True, "create_reply": "text", "statuses_as_text": True},
    "an id under another name": {"create_reply": "id"},
    "200 for what was created": {"create_status": 200},
    "204 for what was changed": {"put_status": 204},
    "numbers in digits": {"phones_stored": "digits"},
    "numbers in E.164": {"phones_stored": "e164"},
    "numbers in nine digits": {"phones_stored": "national", "phones_accepted": "national"},
    "numbers found by their end": {"phone_match": "suffix"},
    "numbers found by any part": {"phone_match": "contains"},
    "numbers found as they are written": {"phone_match": "exact"},
    "a PUT that adds": {"put_lists": "append"},
    "duplicates refused": {"unique": ("phone_number", "email")},
    "case of an address matters": {"email_case": True},
    "a batch answered with 201": {"batch_status": 201},
}
each_way = pytest.mark.parametrize("ways", WAYS.values(), ids=WAYS.keys())


def find(thulium: Sandbox, customer_id: int) -> dict[str, Any]:
    """Return a customer as the stand-in has it."""
    return next(each for each in thulium.customers if each["customer_id"] == customer_id)


def one(outcomes: list[Outcome]) -> Outcome:
    """Return the only outcome."""
    (outcome,) = outcomes
    return outcome


# Found


@each_way
def test_known_person_is_found_again(thulium: Sandbox, ways: dict[str, Any]) -> None:
    """Whoever came before is nobody new, however Thulium answers what its documentation leaves open."""
    thulium.behave(**ways)
    pipeline = Pipeline(configure(thulium))
    first, second = deliver(pipeline, make_event(**ADA)), deliver(pipeline, make_event(**ADA))
    assert read_statuses(first + second) == ["ADDED", "ALREADY_EXISTS"]
    assert len(thulium.customers) == 1
    assert first[0].customer_id == second[0].customer_id == thulium.customers[0]["customer_id"]


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (["identifier", "phone_number", "email"], 43),
        (["phone_number", "email"], 42),
        (["email", "phone_number"], 41),
        ("email", 41),
    ],
)
def test_matches_in_its_order(thulium: Sandbox, match: object, expected: int) -> None:
    """What stands first in `match` decides, the rest is asked only where that finds nobody."""
    thulium.add_customer(41, surname="Lis", email="ada@example.com")
    thulium.add_customer(42, surname="Lis", phone_number="601000001")
    thulium.add_customer(43, surname="Lis", identifier="crm:7")
    rules = {"website": {"customer": {"match": match, "update": []}}}
    event = make_event(phone_number="601000001", email="ada@example.com", identifier="crm:7")
    assert one(deliver(configure(thulium, sources=rules), event)).customer_id == expected


def test_lead_without_what_is_matched_by(thulium: Sandbox) -> None:
    """A lead that has nothing of `match` is searched by what it has, and two such people stay two."""
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    settings = configure(thulium, sources={"website": {"customer": {"match": ["identifier"]}}})
    events = [make_event(phone_number=f"60100000{n}") for n in (1, 2, 3, 2)]
    outcomes = deliver(settings, *events)
    assert read_statuses(outcomes) == ["ADDED"] * 4
    assert sorted(customer["phone_numbers"][0] for customer in thulium.customers) == [f"60100000{n}" for n in (1, 2, 3)]
    assert outcomes[1].customer_id == outcomes[3].customer_id


@each_way
def test_oldest_of_several(thulium: Sandbox, ways: dict[str, Any]) -> None:
    """Of several who match it is the oldest, and the reason says so."""
    thulium.behave(**ways)
    for customer_id in (43, 41, 42):
        thulium.add_customer(customer_id, surname="Lis", phone_number="601000001", email="ada.lis@example.com")
    outcome = one(deliver(configure(thulium), make_event(**ADA)))
    assert (outcome.customer_id, outcome.reason) == (41, "3 customers match, the oldest was taken")


def test_what_an_earlier_event_said_is_kept(thulium: Sandbox) -> None:
    """Of two events about one new person in a request the later one's silence takes nothing away."""
    number = {"phone_number": "601000001"}
    outcomes = deliver(configure(thulium), make_event(**number, surname="Kowalska", name="Ewa"), make_event(**number))
    assert read_statuses(outcomes) == ["ADDED", "ADDED"]
    assert [(each["surname"], each["name"]) for each in thulium.customers] == [("Kowalska", "Ewa")]


def test_oldest_of_more_than_a_page_has_by_default(thulium: Sandbox) -> None:
    """Thulium lists a hundred customers if it is not asked for more, and the oldest may be none of these."""
    thulium.behave(customers_order="newest")
    for customer_id in range(1, 103):
        thulium.add_customer(customer_id, surname="Lis", phone_number="601000001")
    outcome = one(deliver(configure(thulium), make_event(phone_number="601000001")))
    assert outcome.customer_id == 1


@pytest.mark.parametrize("rows", [3, 150])
@pytest.mark.parametrize("with_phone_numbers", [True, False])
def test_row_without_the_value_is_no_hit(thulium: Sandbox, rows: int, with_phone_numbers: bool) -> None:  # noqa: FBT001
    """Should Thulium ignore what is searched for and show everybody, nobody is mistaken for the lead."""
    body = [
        {"customer_id": n, "phone_number": f"60200{n:04}", "email": f"p{n}@example.com", "identifier": f"{n}"}
        | ({"phone_numbers": [f"60200{n:04}"]} if with_phone_numbers else {})
        for n in range(1, rows + 1)
    ]
    for n in range(1, rows + 1):
        thulium.add_customer(n, surname="Sowa", phone_number=f"60200{n:04}")
    thulium.fail("search", faults.says(json.dumps({"count": rows, "result": body})), times=None)
    outcome = one(deliver(configure(thulium), make_event(**ADA, identifier="crm:7")))
    assert (outcome.status, outcome.customer_id) == ("ADDED", rows + 1)
    assert thulium.counts.get("customer", 0) <= 10  # looked at one by one: a few in each search, not everybody


def test_identifiers_differ_by_case(thulium: Sandbox) -> None:
    """Identifiers that differ in case are two people's."""
    thulium.add_customer(41, surname="Lis", identifier="0Qa", phone_number="601000009")
    body = '[{"customer_id": 41, "identifier": "0Qa", "phone_number": "601000009"}]'
    thulium.fail("search", faults.says(body))
    outcome = one(deliver(configure(thulium), make_event(identifier="0QA", phone_number="601000001")))
    assert outcome.customer_id == 42


@pytest.mark.parametrize("with_phone_numbers", [True, False])
def test_further_number_is_the_persons_too(thulium: Sandbox, with_phone_numbers: bool) -> None:  # noqa: FBT001
    """Who has the number as a further one is found by it, even where a list's rows show only the main one."""
    thulium.behave(with_phone_numbers=with_phone_numbers)
    thulium.add_customer(41, surname="Lis", phone_number=["221000001", "601000001"])
    assert one(deliver(configure(thulium), make_event(phone_number="601000001"))).customer_id == 41


@pytest.mark.parametrize("form", ["+48601000001", "48601000001", "601 000 001"])
def test_forms_of_a_number(thulium: Sandbox, form: str) -> None:
    """Where Thulium finds numbers only as they are written, `phone_forms` says how else they may be."""
    thulium.behave(phone_match="exact")
    thulium.add_customer(41, surname="Lis", phone_number=form)
    settings = configure(thulium, access={"phone_forms": ["e164", "digits"]})
    outcome = one(deliver(settings, make_event(phone_number="601000001")))
    searched = [received.parameters[0][1] for received in thulium.calls("search")]
    assert outcome.customer_id == (41 if " " not in form else 42)
    assert searched[:3] == ["601000001", "+48601000001", "48601000001"][: len(searched)]


def test_oldest_of_several_pages(thulium: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """More customers than Thulium gives at once are all looked at."""
    monkeypatch.setattr("tests.sandbox.customers.MOST", 2)
    thulium.behave(customers_order="newest")
    for number in range(41, 46):
        thulium.add_customer(number, surname="Lis", phone_number="601000001")
    assert one(deliver(configure(thulium), make_event(phone_number="601000001"))).customer_id == 41
    assert thulium.counts["search"] == 3


def test_page_that_brings_nothing(thulium: Sandbox) -> None:
    """A list that says there are more, and has none on its next page, is at its end."""
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    row = {"customer_id": 41, "phone_number": "601000001", "phone_numbers": ["601000001"]}
    thulium.fail("search", faults.says(json.dumps({"count": 2, "result": [row]})))
    thulium.fail("search", faults.says(json.dumps({"count": 2, "result": []})))
    assert one(deliver(configure(thulium), make_event(phone_number="601000001"))).customer_id == 41


def test_search_that_has_no_end(thulium: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are more pages than anybody has customers of one number, some are enough."""
    monkeypatch.setattr("tests.sandbox.customers.MOST", 1)
    for number in range(41, 49):
        thulium.add_customer(number, surname="Lis", phone_number="601000001")
    assert one(deliver(configure(thulium), make_event(phone_number="601000001"))).customer_id == 41
    assert thulium.counts["search"] == 5


def test_number_is_added_though_something_else_is_refused(thulium: Sandbox) -> None:
    """What Thulium refuses of an update does not keep it from the number that is to be called."""
    thulium.add_customer(41, surname="Lis", identifier="i1", phone_number="221000001")
    thulium.fail("update", faults.error(400, "Unknown field."))
    rules = {"customer": {"update": ["phone_number", "note"]}}
    settings = configure(thulium, sources={"website": rules})
    outcome = one(deliver(settings, make_event(identifier="i1", phone_number="601000001", note="call me")))
    assert (outcome.status, outcome.reason) == ("ADDED", "the customer was not updated: Unknown field.")
    assert find(thulium, 41)["phone_numbers"] == ["221000001", "601000001"]
    assert [sorted(call.json) for call in thulium.calls("update")] == [["note", "phone_number"], ["phone_number"]]


def test_number_that_a_list_does_not_show(thulium: Sandbox) -> None:
    """Who has the number, though a list shows only another one, is not given it again."""
    thulium.behave(with_phone_numbers=False)
    thulium.add_customer(41, surname="Lis", email="e@example.com", phone_number=["221000001", "601000001"])
    settings = configure(thulium, sources={"website": {"customer": {"match": ["email"]}}})
    assert one(deliver(settings, make_event(email="e@example.com", phone_number="601000001"))).customer_id == 41
    assert "update" not in thulium.counts


def test_two_numbers_for_one_customer_at_once(thulium: Sandbox) -> None:
    """Two leads who are one customer, found by different things at the same moment, both leave their number."""
    thulium.add_customer(41, surname="Lis", identifier="i1", email="e@example.com", phone_number="601000001")
    thulium.slow(0.05, "customer")
    pipeline = Pipeline(configure(thulium, sources={"shop": {"customer": {"match": ["email"]}}}))
    events = [
        make_event(identifier="i1", phone_number="601000002"),
        make_event("shop", email="e@example.com", phone_number="601000003"),
    ]
    run_at_once([lambda event=event: deliver(pipeline, event) for event in events])
    assert sorted(find(thulium, 41)["phone_numbers"]) == ["601000001", "601000002", "601000003"]


def test_oldest_of_all_forms_of_a_number(thulium: Sandbox) -> None:
    """Of several customers whose number is written in several ways the oldest is taken."""
    thulium.behave(phone_match="exact")
    thulium.add_customer(41, surname="Lis", phone_number="+48601000001")
    thulium.add_customer(42, surname="Lis", phone_number="601000001")
    settings = configure(thulium, access={"phone_forms": "e164"})
    outcome = one(deliver(settings, make_event(phone_number="601000001")))
    assert (outcome.customer_id, outcome.reason) == (41, "2 customers match, the oldest was taken")


def test_customer_id_asks_nobody(thulium: Sandbox) -> None:
    """A lead that brings its customer id costs no call but the batch's, and one for the campaign's statuses."""
    thulium.add_customer(441, surname="Lis")
    assert one(deliver(configure(thulium), make_event(customer_id="441", phone_number="601000001"))).customer_id == 441
    assert thulium.counts == {"statuses": 1, "batch": 1}


# Created


@each_way
def test_new_person_is_created_whole(thulium: Sandbox, ways: dict[str, Any]) -> None:
    """Everything that the form has gets into the customer, custom fields by their name."""
    thulium.behave(**ways)
    outcome = one(deliver(configure(thulium), make_event(**ADA, note="Nordsee", identifier="crm:7", country="Polska")))
    customer = find(thulium, outcome.customer_id or 0)
    assert outcome.status == "ADDED"
    assert [number[-9:] for number in customer.pop("phone_numbers")] == ["601000001"]
    assert customer == {
        "customer_id": outcome.customer_id,
        "emails": ["ada.lis@example.com"],
        "name": "Ada",
        "surname": "Lis",
        "note": "Nordsee",
        "identifier": "crm:7",
        "custom_fields": {"Kraj": "Polska"},
    }


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"full_name": "Ada Maria Lis"}, {"name": "Ada Maria", "surname": "Lis"}),
        ({"full_name": "  Lis "}, {"surname": "Lis"}),
        ({"full_name": "Ada Lis", "surname": "Sowa"}, {"name": "Ada", "surname": "Sowa"}),
        ({"name": "Ada"}, {"surname": "Ada"}),
        ({"email": "ada@example.com"}, {"surname": "ada@example.com"}),
        ({}, {"surname": "601000001"}),
    ],
)
def test_surname_is_made_up(thulium: Sandbox, data: dict[str, str], expected: dict[str, str]) -> None:
    """Thulium demands a surname: a full name is split, and without one it is made of what is there."""
    deliver(configure(thulium), make_event(phone_number="601000001", **data))
    (created,) = thulium.calls("create")
    assert {name: value for name, value in created.json.items() if name in ("name", "surname")} == expected


def test_nobody_is_created_where_that_is_not_wanted(thulium: Sandbox) -> None:
    """With `on_missing: fail` a stranger is SKIPPED."""
    settings = configure(thulium, sources={"website": {"customer": {"on_missing": "fail"}}})
    outcome = one(deliver(settings, make_event(**ADA)))
    assert (outcome.status, outcome.reason, thulium.customers) == ("SKIPPED", "no such customer", [])


def test_nobody_is_created_without_a_number(thulium: Sandbox) -> None:
    """A stranger whom nobody could call is INVALID, and the number is named."""
    outcome = one(deliver(configure(thulium), make_event(email="ada@example.com")))
    assert (outcome.status, list(outcome.fields), thulium.customers) == ("INVALID", ["phone_number"], [])


# Whose address, whose number

MORE = {"website": {"customer": {"new_number": "separate"}}}


@pytest.mark.parametrize("with_phone_numbers", [True, False])
@pytest.mark.parametrize("known", [["221000001"], []])
def test_address_of_a_customer_with_another_number(
    thulium: Sandbox,
    known: list[str],
    with_phone_numbers: bool,  # noqa: FBT001
) -> None:
    """With `new_number: separate` an address alone proves no customer: the number gets one of its own, once."""
    thulium.behave(with_phone_numbers=with_phone_numbers)
    thulium.add_customer(41, surname="Lis", phone_number=known, email="ada.lis@example.com")
    first, second = (one(deliver(configure(thulium, sources=MORE), make_event(**ADA))) for _ in range(2))
    assert (first.status, second.status) == ("ADDED", "ALREADY_EXISTS")
    assert first.customer_id == second.customer_id == 42
    assert first.reason == "the customer with the e-mail address has another number: kept apart"
    assert find(thulium, 41)["phone_numbers"] == known
    assert find(thulium, 42)["phone_numbers"] == ["601000001"]


def test_address_and_number_of_one_customer(thulium: Sandbox) -> None:
    """With `new_number: separate` a customer is known by an address where the number is theirs, or none is given."""
    thulium.add_customer(41, surname="Lis", phone_number=["221000001", "601000001"], email="ada.lis@example.com")
    settings = configure(thulium, sources={"website": {"customer": {"match": "email", "new_number": "separate"}}})
    events = make_event(**ADA), make_event(email="ada.lis@example.com")
    assert [outcome.customer_id for outcome in deliver(settings, *events)] == [41, 41]
    assert "create" not in thulium.counts


@pytest.mark.parametrize("with_phone_numbers", [True, False])
def test_address_of_many(thulium: Sandbox, with_phone_numbers: bool) -> None:  # noqa: FBT001
    """An address typed for many people is no match: none of them gets the others' numbers, and none waits for them."""
    thulium.behave(with_phone_numbers=with_phone_numbers)
    thulium.add_customer(41, surname="Sklep", phone_number=[f"22100000{n}" for n in range(5)], email=ADA["email"])
    outcome = one(deliver(configure(thulium), make_event(**ADA)))
    assert (outcome.status, outcome.customer_id) == ("ADDED", 42)
    assert outcome.reason == "the e-mail address is no match: a customer with it has 5 numbers or more"
    assert len(find(thulium, 41)["phone_numbers"]) == 5
    alone = one(deliver(configure(thulium), make_event(email=ADA["email"])))
    assert (alone.status, alone.fields) == (
        "INVALID",
        {"phone_number": f"a person who has to be created needs one; {outcome.reason}"},
    )


def test_hundred_leads_with_one_address(thulium: Sandbox) -> None:
    """However many numbers come with one address, no customer gets more than five of them."""
    pipeline, numbers = Pipeline(configure(thulium)), [f"6010001{n:02}" for n in range(100)]
    for start in range(0, 100, 10):
        events = [make_event(phone_number=number, email="sklep@example.com") for number in numbers[start : start + 10]]
        assert set(read_statuses(deliver(pipeline, *events))) <= {"ADDED", "ALREADY_EXISTS"}
    assert max(len(customer["phone_numbers"]) for customer in thulium.customers) <= 5
    assert sorted(number for customer in thulium.customers for number in customer["phone_numbers"]) == numbers


@pytest.mark.parametrize("address", ["brak@brak.pl", "none@none.com"])
def test_placeholder_for_an_address(thulium: Sandbox, address: str) -> None:
    """A made-up address is neither searched for nor put on a card."""
    thulium.add_customer(41, surname="Lis", email=address)
    outcome = one(deliver(configure(thulium), make_event(phone_number="601000001", email=address)))
    assert (outcome.status, outcome.customer_id) == ("ADDED", 42)
    assert outcome.reason == "email dropped: a placeholder, no person's address"
    assert find(thulium, 42)["emails"] == []


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("crm:7", "crm:8", True),
        ("7", "8", True),
        ("crm:7", "shop:8", False),
        ("crm:7", "crm:7", False),
        ("", "crm:8", False),
    ],
)
def test_number_of_a_company(thulium: Sandbox, first: str, second: str, told: bool) -> None:  # noqa: FBT001
    """Two people of one sender with one number are one customer: the second one's outcome says so, and the way out."""
    thulium.add_customer(41, surname="Lis", phone_number="601000001", identifier=first)
    outcome = one(deliver(configure(thulium), make_event(phone_number="601000001", identifier=second)))
    assert (outcome.status, outcome.customer_id) == ("ADDED", 41)
    assert ("`match: [identifier]` keeps them apart" in (outcome.reason or "")) is told


@pytest.mark.parametrize("stored", ["Ada.Lis@Example.com", " ada.lis@example.com ", "Ada Lis <ada.lis@example.com>"])
def test_address_in_any_writing(thulium: Sandbox, stored: str) -> None:
    """An address that Thulium has in another writing is the same, and is not added once more."""
    thulium.behave(unknown_filters="ignored")
    thulium.add_customer(41, surname="Lis", phone_number="601000001", email=stored)
    assert one(deliver(configure(thulium), make_event(**ADA))).customer_id == 41
    assert "update" not in thulium.counts


@pytest.mark.parametrize("status", [400, 409, 413, 414, 422, 431])
def test_refused_person_has_failed(thulium: Sandbox, status: int) -> None:
    """Thulium's word about a new customer is final, and holds nothing of the person in the log."""
    thulium.fail("create", faults.error(status, "Lis, ada.lis@example.com: wrong format of phone number 601000001."))
    outcome = one(deliver(configure(thulium), make_event(**ADA)))
    assert (outcome.status, outcome.http_status, outcome.campaign_id) == ("FAILED", status, "00001")
    assert outcome.reason == "…: wrong format of phone number …."


@pytest.mark.parametrize("status", [413, 414, 431])
def test_search_that_is_too_large(thulium: Sandbox, status: int) -> None:
    """A lead that can't even be searched for its size has failed; an opt-out is tried again, and alarms."""
    thulium.fail("search", faults.error(status), times=2)
    outcomes = deliver(configure(thulium), make_event(**ADA), make_event("optout", phone_number="601000002"))
    assert read_statuses(outcomes) == ["FAILED", "DEFERRED"]
    assert outcomes[0].http_status == status


@pytest.mark.parametrize("status", [401, 403, 404, 405, 429, 500, 503])
@pytest.mark.parametrize("call", ["search", "create"])
def test_failed_call_is_tried_again(thulium: Sandbox, call: str, status: int) -> None:
    """What a person or time can mend is no word about the lead."""
    thulium.fail(call, faults.error(status))
    assert one(deliver(configure(thulium), make_event(**ADA))).status == "DEFERRED"
    assert one(deliver(configure(thulium), make_event(**ADA))).status == "ADDED"
    assert len(thulium.customers) == 1


# Completed


@each_way
def test_new_number_is_added(thulium: Sandbox, ways: dict[str, Any]) -> None:
    """A customer who is found gets the number and the address that they lack, and loses none."""
    thulium.behave(**ways)
    thulium.add_customer(41, surname="Lis", phone_number=["221000001", "221000002"], email="ada.lis@example.com")
    outcome = one(deliver(configure(thulium), make_event(**ADA)))
    assert (outcome.status, outcome.customer_id) == ("ADDED", 41)
    assert [number[-9:] for number in find(thulium, 41)["phone_numbers"]] == ["221000001", "221000002", "601000001"]
    assert find(thulium, 41)["emails"] == ["ada.lis@example.com"]


@each_way
def test_new_address_is_added(thulium: Sandbox, ways: dict[str, Any]) -> None:
    """An address is added to those that are there."""
    thulium.behave(**ways)
    thulium.add_customer(41, surname="Lis", phone_number="601000001", email="old@example.com")
    deliver(configure(thulium), make_event(**ADA))
    assert find(thulium, 41)["emails"] == ["old@example.com", "ada.lis@example.com"]


def test_nothing_else_is_touched(thulium: Sandbox) -> None:
    """What `update` does not name stays as it is, whatever the form says."""
    thulium.add_customer(
        41, surname="Sowa", name="Ewa", phone_number="601000001", email="ada.lis@example.com", note="VIP"
    )
    deliver(configure(thulium), make_event(**ADA, note="new", country="Polska"))
    assert "update" not in thulium.counts


@each_way
def test_named_fields_are_updated(thulium: Sandbox, ways: dict[str, Any]) -> None:
    """What `update` names is how the agent sees what the person asked for; what the form lacks is not emptied."""
    thulium.behave(**ways)
    fields = {"custom_fields": {"Kraj": "Niemcy", "Miasto": "Bonn"}, "note": "old", "name": "Ewa"}
    thulium.add_customer(41, surname="Sowa", phone_number="601000001", **fields)
    rules = {"website": {"customer": {"update": ["note", "custom_fields.Kraj", "name", "phone_number"]}}}
    deliver(configure(thulium, sources=rules), make_event(phone_number="601000001", note="Nordsee", country="Polska"))
    customer = find(thulium, 41)
    assert (customer["note"], customer["name"], customer["surname"]) == ("Nordsee", "Ewa", "Sowa")
    assert customer["custom_fields"] == {"Kraj": "Polska", "Miasto": "Bonn"}
    assert [each.json for each in thulium.calls("update")] == [{"note": "Nordsee", "custom_fields": {"Kraj": "Polska"}}]


def test_each_source_updates_by_its_own_rules(thulium: Sandbox) -> None:
    """What one source's people are given is not lost because another source has an event about them, too."""
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    settings = configure(thulium, sources={"website": {"customer": {"update": "note"}}})
    deliver(
        settings,
        make_event("website", phone_number="601000001", note="Nordsee"),
        make_event("shop", phone_number="601000001"),
    )
    assert find(thulium, 41)["note"] == "Nordsee"


def test_update_that_is_refused(thulium: Sandbox) -> None:
    """Where Thulium won't have the new values the lead is called all the same, and the reason says so."""
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.fail("update", faults.error(400, "Wrong format of ada.lis@example.com."))
    outcome = one(deliver(configure(thulium), make_event(**ADA)))
    assert (outcome.status, outcome.reason) == ("ADDED", "the customer was not updated: Wrong format of ….")


def test_update_that_fails_is_tried_again(thulium: Sandbox) -> None:
    """An update that an outage prevents is made up for."""
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.fail("update", faults.error(503, retry_after="7"))
    first, second = (one(deliver(configure(thulium), make_event(**ADA))) for _ in range(2))
    assert (first.status, first.retry_after, second.status) == ("DEFERRED", 7.0, "ADDED")
    assert find(thulium, 41)["emails"] == ["ada.lis@example.com"]


# Once


LOST = [
    pytest.param(faults.reset(after_work=True), id="the answer is lost"),
    pytest.param(faults.hang(after_work=True), id="no answer comes"),
    pytest.param(faults.html(504), id="a proxy answers"),
    pytest.param(faults.half(), id="half an answer"),
    pytest.param(faults.says("[]"), id="an answer without an id"),
]


@pytest.mark.parametrize("fault", LOST)
def test_lost_answer_makes_nobody_twice(thulium: Sandbox, fault: faults.Fault) -> None:
    """When nobody knows whether a customer was created, the next try searches before it posts."""
    thulium.fail("create", fault)
    settings = configure(thulium, access={"timeout": 0.3})
    event = make_event(**ADA)
    assert read_statuses(deliver(settings, event) + deliver(settings, event)) == ["DEFERRED", "ADDED"]
    assert len(thulium.customers) == 1


def test_answer_after_we_hung_up(thulium: Sandbox) -> None:
    """A customer who appears after we hung up is found by whoever comes next, and nobody is called twice."""
    thulium.fail("create", faults.late(0.1))
    settings = configure(thulium, access={"timeout": 0.3})
    assert one(deliver(settings, make_event(**ADA))).status == "DEFERRED"
    outcomes: list[Outcome] = []
    while not outcomes or outcomes[-1].status != "ALREADY_EXISTS":
        outcomes += deliver(settings, make_event(**ADA))
    assert {outcome.customer_id for outcome in outcomes} == {outcomes[0].customer_id}
    assert len(thulium.records("00001")) == 1


def test_oldest_wins_after_creating(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """Whoever was created at the same time by another instance is found afterwards: the lowest id is taken."""
    thulium.number(customer=50)
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.fail("search", faults.says("[]"), times=2)  # the other one is not there yet
    event = make_event(**ADA)
    outcome = one(deliver(configure(thulium), event))
    assert outcome.customer_id == 41
    (line,) = (line for line in lines if line["event"] == "customer.duplicate")
    assert (line["customer_id"], line["duplicate_id"], line["event_id"]) == (41, 50, event.id)
    assert [record["customer_id"] for record in thulium.records("00001")] == [41]


def test_oldest_is_found_by_everything_afterwards(thulium: Sandbox) -> None:
    """Whoever was created beside somebody gives them what people are searched by: later leads find the older one."""
    thulium.number(customer=50)
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.fail("search", faults.says("[]"), times=3)
    settings = configure(thulium)
    deliver(settings, make_event(**ADA, identifier="crm:7"))
    later = [{"identifier": "crm:7"}, {"email": "ada.lis@example.com"}, {"phone_number": "601000001"}]
    assert [one(deliver(settings, make_event(**each))).customer_id for each in later] == [41, 41, 41]
    assert (find(thulium, 41)["surname"], len(thulium.records("00001"))) == ("Lis", 1)


def test_identifier_is_not_replaced(thulium: Sandbox) -> None:
    """Somebody who has an identifier keeps it."""
    thulium.number(customer=50)
    thulium.add_customer(41, surname="Lis", phone_number="601000001", identifier="shop:1", email="ada.lis@example.com")
    thulium.fail("search", faults.says("[]"), times=3)
    assert one(deliver(configure(thulium), make_event(**ADA, identifier="crm:7"))).customer_id == 41
    assert "update" not in thulium.counts


def test_own_id_is_kept_when_it_is_the_lowest(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """Whoever was first keeps their customer, and leaves the word about it to the other."""
    thulium.number(customer=41)
    thulium.add_customer(50, surname="Lis", phone_number="601000001")
    thulium.number(customer=41)
    thulium.fail("search", faults.says("[]"), times=2)
    assert one(deliver(configure(thulium), make_event(**ADA))).customer_id == 41
    assert not [line for line in lines if line["event"] == "customer.duplicate"]


def test_people_are_searched_again_by_their_number(thulium: Sandbox) -> None:
    """An instance whose event had no identifier created the person first: by the number they are found."""
    thulium.number(customer=50)
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.fail("search", faults.says("[]"), times=3)
    assert one(deliver(configure(thulium), make_event(**ADA, identifier="crm:7"))).customer_id == 41


def test_people_are_searched_again_by_what_comes_first(thulium: Sandbox) -> None:
    """An instance whose event had another number created the person first: by the identifier they are found."""
    thulium.number(customer=50)
    thulium.add_customer(41, surname="Lis", phone_number="221000001", identifier="crm:7")
    thulium.fail("search", faults.says("[]"), times=3)
    assert one(deliver(configure(thulium), make_event(**ADA, identifier="crm:7"))).customer_id == 41
    assert find(thulium, 41)["phone_numbers"] == ["221000001", "601000001"]


def test_families_share_a_number(thulium: Sandbox) -> None:
    """Where people are told apart by their identifier alone, one number may have several."""
    settings = configure(thulium, sources={"website": {"customer": {"match": "identifier"}}})
    events = [make_event(phone_number="601000001", identifier=name) for name in ("ada", "jan")]
    assert len({outcome.customer_id for outcome in deliver(settings, *events)}) == 2


def test_refused_because_somebody_was_faster(thulium: Sandbox) -> None:
    """Where Thulium refuses duplicates, whoever comes second takes the first one's customer."""
    thulium.behave(unique=("phone_number",))
    thulium.add_customer(41, surname="Lis", phone_number="601000001")
    thulium.fail("search", faults.says("[]"), times=2)
    outcome = one(deliver(configure(thulium), make_event(**ADA)))
    assert (outcome.status, outcome.customer_id) == ("ADDED", 41)


def test_unforeseen_lead_fails_alone(thulium: Sandbox, lines: list[dict[str, Any]]) -> None:
    """A mistake of ours with one lead is logged without the person, and its neighbours are called."""

    class Unreadable(str):
        __slots__ = ()

        def strip(self, *_: object) -> str:
            raise RuntimeError(self)

    settings = configure(thulium, sources={"website": {"customer": {"match": "email"}}})
    pipeline = Pipeline(settings)
    events = [make_event(phone_number=f"60100000{n}", email=f"p{n}@example.com") for n in (1, 2)]
    (broken, whole) = (pipeline._mapper.map(event, event.received_at) for event in events)
    assert not isinstance(broken, Outcome)
    assert not isinstance(whole, Outcome)
    broken = replace(broken, lead=replace(broken.lead, emails=(Unreadable("p1@example.com"),)))
    outcomes = pipeline._customers.identify([broken, whole], 1e9)
    assert getattr(outcomes[0], "status", None) == "DEFERRED"
    assert not isinstance(outcomes[1], Outcome)
    assert "example.com" not in repr(lines)


# Everybody at once


def run_at_once(work: list[Any]) -> None:
    """Run all of it in threads of their own, begun together."""
    start = threading.Barrier(len(work))

    def run(do: Any) -> None:
        start.wait()
        do()

    threads = [threading.Thread(target=run, args=(do,)) for do in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("is_first", [True, False])
def test_address_alone_beside_a_number(thulium: Sandbox, is_first: bool) -> None:  # noqa: FBT001
    """Who can't be created by an event is found by what another event of the same request has brought."""
    events = [make_event(email="ada.lis@example.com"), make_event(**ADA)]
    outcomes = deliver(configure(thulium), *(events if is_first else reversed(events)))
    assert read_statuses(outcomes) == ["ADDED", "ADDED"]
    assert (len(thulium.customers), len(thulium.records("00001"))) == (1, 1)


def test_forty_events_of_five_people(thulium: Sandbox) -> None:
    """Forty events of five people in one request make five customers, one batch call of five records, 40 outcomes."""
    events = [make_event(phone_number=f"60100000{n % 5}", email=f"p{n % 5}@example.com") for n in range(40)]
    outcomes = deliver(configure(thulium), *events)
    assert read_statuses(outcomes) == ["ADDED"] * 40
    assert [outcome.customer_id for outcome in outcomes] == [outcomes[n % 5].customer_id for n in range(40)]
    assert len({outcome.record_id for outcome in outcomes}) == 5
    assert [len(call.json["records"]) for call in thulium.calls("batch")] == [5]
    # Searched by number and address, and once more afterwards.
    assert thulium.counts == {"statuses": 1, "search": 15, "create": 5, "batch": 1}


def test_two_hundred_at_once(thulium: Sandbox) -> None:
    """Two hundred events about one person, at the same moment and through several sources, make one of everything."""
    pipeline = Pipeline(configure(thulium))
    outcomes: list[Outcome] = []
    people = [{"phone_number": "601000001"}, ADA, {"phone_number": "+48 601-000-001", "identifier": "crm:7"}]
    events = [make_event(("website", "shop")[n % 2], **people[n % 3]) for n in range(200)]
    run_at_once([lambda event=event: outcomes.extend(deliver(pipeline, event)) for event in events])
    assert sorted(read_statuses(outcomes)) == ["ADDED"] + ["ALREADY_EXISTS"] * 199
    assert len(thulium.customers) == len(thulium.records("00001")) == 1


@given(
    st.lists(
        st.sampled_from(
            [
                {"phone_number": "601000001"},
                {"phone_number": "601000001", "email": "ada@example.com"},
                {"phone_number": "0048 601 000 001", "email": "ADA@example.com"},
            ]
        ),
        min_size=2,
        max_size=6,
    ),
    st.sampled_from([{}, {"identifier": "crm:7"}]),
    st.lists(st.integers(0, 1), min_size=6, max_size=6),
    st.sampled_from([(), ("phone_number",)]),
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_person_one_record(
    thulium: Sandbox, people: list[dict[str, str]], also: dict[str, str], where: list[int], unique: tuple[str, ...]
) -> None:
    """One person, in any order and at the same time, in two processes that share nothing but Thulium: one record."""
    thulium.reset()
    thulium.add_campaign("00001")
    thulium.behave(unique=unique)
    pipelines = [Pipeline(configure(thulium)) for _ in range(2)]
    outcomes: list[Outcome] = []
    work = [(pipelines[n], make_event(**person, **also)) for n, person in zip(where, people, strict=False)]
    run_at_once([lambda each=each: outcomes.extend(deliver(each[0], each[1])) for each in work])
    assert {str(outcome.status) for outcome in outcomes} <= {"ADDED", "ALREADY_EXISTS"}
    assert [record["customer_id"] for record in thulium.records("00001")] == [
        min(customer["customer_id"] for customer in thulium.customers)
    ]


PROCESS = """
import json, sys
from tests.leads import NOW, configure, deliver, make_event
from tests.sandbox import Remote
thulium = type("Place", (), {"url": sys.argv[1], "user": sys.argv[2], "password": sys.argv[3]})
settings = configure(thulium)
print("ready", flush=True)
sys.stdin.readline()
events = [make_event(phone_number=f"60100{n:04}", email=f"p{n}@example.com") for n in range(20)]
print(json.dumps([[outcome.status, outcome.customer_id] for outcome in deliver(settings, *events)]))
"""


@contextmanager
def start(thulium: Sandbox) -> Iterator[subprocess.Popen[str]]:
    """Start a process that delivers twenty people to a Thulium as soon as it is told to."""
    command = [sys.executable, "-c", PROCESS, thulium.url, thulium.user, thulium.password]
    paths = {"PYTHONPATH": "functions:."}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=paths) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_two_processes(thulium: Sandbox) -> None:
    """Two processes are sent the same twenty people at once: each person gets one record, of the older customer."""
    thulium.slow(0.01, "create")
    with start(thulium) as first, start(thulium) as second:
        for process in (first, second):
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        told = [json.loads(process.communicate()[0]) for process in (first, second)]
    oldest: dict[str, int] = {}
    for customer in thulium.customers:
        oldest.setdefault(customer["phone_numbers"][0], customer["customer_id"])
    assert sorted(record["customer_id"] for record in thulium.records("00001")) == sorted(oldest.values())
    assert [customer_id for _, customer_id in told[0]] == [customer_id for _, customer_id in told[1]]
    assert [sorted({one[0], two[0]}) for one, two in zip(*told, strict=True)] == [["ADDED", "ALREADY_EXISTS"]] * 20


def test_later_event_without_the_number(thulium: Sandbox) -> None:
    """Two events of one person that come together are one, also where only the first has the number."""
    settings = configure(thulium, sources={"website": {"customer": {"match": ["identifier"]}}})
    outcomes = deliver(
        settings,
        make_event(identifier="crm:1", phone_number="601000001"),
        make_event(identifier="crm:1", email="ada@example.com"),
    )
    assert read_statuses(outcomes) == ["ADDED", "ADDED"]
    (customer,) = thulium.customers
    assert (customer["phone_numbers"], customer["emails"]) == (["601000001"], ["ada@example.com"])


def test_earlier_event_is_spared_what_a_later_one_is_refused_for(thulium: Sandbox) -> None:
    """A creation that is refused is the later event's; the earlier one is done without it."""
    pipeline = Pipeline(configure(thulium))
    events = make_event(phone_number="601000001"), make_event(phone_number="601000001", name="Ada", surname="Lis")
    thulium.fail("create", faults.error(400, "Unknown field."), times=2)
    assert read_statuses(deliver(pipeline, events[0], events[0])) == ["FAILED", "FAILED"]
    assert read_statuses(deliver(pipeline, *events)) == ["ADDED", "FAILED"]
    (customer,) = thulium.customers
    assert customer["surname"] == "601000001"


def test_search_after_a_creation_that_fails(thulium: Sandbox) -> None:
    """As long as nobody knows whether another instance has made the same person, nobody is called as two."""
    thulium.fail("search", faults.error(500), after=2)
    pipeline, event = Pipeline(configure(thulium)), make_event(**ADA)
    assert read_statuses(deliver(pipeline, event) + deliver(pipeline, event)) == ["DEFERRED", "ADDED"]
    assert len(thulium.customers) == 1


def test_number_comes_first_where_each_is_tried_by_itself(thulium: Sandbox) -> None:
    """Who can't be created is found by what a neighbour has brought, also when they were refused together."""
    settings = configure(thulium, sources={"website": {"customer": {"match": ["email"]}}})
    events = [make_event(email="a@example.com", note="x"), make_event(email="a@example.com", phone_number="601000001")]
    thulium.fail("create", faults.error(400, "Too much."))
    assert read_statuses(deliver(settings, *events)) == ["ADDED", "ADDED"]


def test_fields_of_two_events_that_are_refused_together(thulium: Sandbox) -> None:
    """What two events say of somebody may be refused together, and be taken from each."""
    events = make_event(phone_number="601000001", note="a"), make_event(phone_number="601000001", surname="Lis")
    thulium.fail("create", faults.error(400, "Too much."))
    assert read_statuses(deliver(configure(thulium), *events)) == ["ADDED", "ADDED"]
    assert len(thulium.customers) == 1
