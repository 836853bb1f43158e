"""What is said to go to Thulium is what goes there."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringback.app import App
from ringback.event import Event
from ringback.mapping import Assignment, Mapper
from ringback.reports.plan import NEW_ID, OWNER_ID, Call, plan_calls
from ringback.settings import Settings
from tests.configs import make_source, read_config
from tests.sandbox import Sandbox

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
PERSON = {"name": "Ada Lis", "phone": "601 000 001", "email": "ada@example.pl"}
FIELDS = {"full_name": "name", "phone_number": "phone", "email": "email"}
FULL = {"map": FIELDS, "consent": None}


def plan(settings: Settings, data: dict[str, Any]) -> list[Call]:
    """Return the calls that are planned for an event."""
    assignment = Mapper(settings).map(Event("website", "e1", "k1", data, NOW), NOW)
    assert isinstance(assignment, Assignment)
    return list(plan_calls(assignment, settings))


def deliver(settings: Settings, data: dict[str, Any], thulium: Sandbox) -> list[tuple[str, str, Any]]:
    """Deliver an event, and return what Thulium was asked: method, path with query, body."""
    App(settings).pipeline.deliver([Event("website", "e1", "k1", data, NOW)], NOW)
    calls = thulium.calls(None)
    paths = [each.path.removeprefix("/api/") + f"?{each.query}" * bool(each.query) for each in calls]
    return [(each.method, path, each.json if each.body else None) for each, path in zip(calls, paths, strict=True)]


def with_id(call: Call, customer_id: int) -> tuple[str, str, Any]:
    """Return a planned call as it is when the customer is known."""
    body = json.loads(json.dumps(call.body).replace(f'"{NEW_ID}"', str(customer_id)))
    return call.method, call.path.replace(NEW_ID, str(customer_id)), body


@pytest.mark.parametrize("forms", [[], ["e164", "digits"]])
def test_new_person(forms: list[str], tmp_path: Path) -> None:
    """A new person is searched, created and added by just the calls that were said, in their order."""
    with Sandbox() as thulium:
        thulium.add_campaign("00001")
        access = {"url": thulium.url, "user": thulium.user, "password": thulium.password, "phone_forms": forms}
        settings = read_config(tmp_path, thulium=access, sources={"website": make_source(**FULL)})
        calls = plan(settings, PERSON)
        asked = deliver(settings, PERSON, thulium)
        (customer,) = thulium.customers
    *made, look, put, added = (call for call in calls if OWNER_ID not in call.path)
    assert [with_id(call, customer["customer_id"]) for call in (*made, added)] == asked
    assert look.when == "if somebody is found who lacks the number or the address"
    assert put.when == "if somebody is found who lacks any of it"
    assert [call.when for call in calls if call.method == "POST"] == ["if nobody is found", ""]


def test_known_person(tmp_path: Path) -> None:
    """Who is found gets what they lack of the fields in `update`, and nobody is created when that is not wanted."""
    source = make_source(**FULL, customer={"on_missing": "fail", "update": ["email", "note"]})
    calls = plan(read_config(tmp_path, sources={"website": source}), PERSON)
    assert [call.method for call in calls] == ["GET", "GET", "GET", "GET", "GET", "PUT", "POST"]
    assert calls[5] == Call(
        "PUT", f"customers/{NEW_ID}", {"email": ["ada@example.pl"]}, "if somebody is found who lacks any of it"
    )


def test_known_person_is_completed_as_planned(tmp_path: Path) -> None:
    """Who is found and lacks something gets just what was said, own fields included."""
    with Sandbox() as thulium:
        thulium.add_campaign("00001")
        thulium.add_customer(7, surname="Lis", phone_number="601000001")
        access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
        fields = {"phone_number": "phone", "email": "email", "note": "note", "custom_fields.Kraj": "land"}
        source = make_source(map=fields, consent=None, customer={"update": ["email", "note", "custom_fields.Kraj"]})
        settings = read_config(tmp_path, thulium=access, sources={"website": source})
        data = {"phone": "601000001", "email": "ada@example.pl", "note": "call me", "land": "PL"}
        asked = deliver(settings, data, thulium)
        planned = [with_id(call, 7) for call in plan(settings, data)]
    assert len(asked) == 5
    assert [call for call in asked if call in planned] == asked


def test_number_of_somebody_else(tmp_path: Path) -> None:
    """Where a customer would be given a number, it is said how its owner is looked at, and just that is done."""
    with Sandbox() as thulium:
        thulium.add_campaign("00001")
        thulium.add_customer(7, surname="Lis", email="ada@example.pl")
        thulium.add_customer(8, surname="Mak", phone_number="601000001")
        access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
        source = make_source(**FULL, customer={"match": ["email", "phone_number"]})
        settings = read_config(tmp_path, thulium=access, sources={"website": source})
        asked = deliver(settings, PERSON, thulium)
        planned = [with_id(call, 7) for call in plan(settings, PERSON)]
    made = [(method, path.replace("records/8", f"records/{OWNER_ID}"), body) for method, path, body in asked]
    assert [call for call in made if call[0] == "GET" and call not in planned] == []
    assert [call[1].partition("?")[0] for call in made[2:4]] == ["customers", f"crm_outbounds/00001/records/{OWNER_ID}"]


HOURLY = "unless it was asked within the hour: what the status demands"


@pytest.mark.parametrize(
    ("constants", "top", "expected"),
    [
        ({"status_id": 3}, None, [HOURLY]),
        ({"status_id": 3}, {"dictionary_status_id": 3}, [HOURLY]),
        ({"agent_login": "h.meier"}, {"dictionary_status_id": 3}, ["if that record is not to be called"]),
        ({"agent_login": "h.meier"}, None, []),
    ],
)
def test_statuses(constants: dict[str, Any], top: dict[str, int] | None, expected: list[str], tmp_path: Path) -> None:
    """The campaign's statuses are asked for once: for the record's own, or where the stop is the dictionary's."""
    campaigns = {"callbacks": {"id": "00001", "set": constants}}
    settings = read_config(tmp_path, campaigns=campaigns, sources={"website": make_source(**FULL)}, stop=top)
    calls = plan(settings, PERSON)
    assert [call.when for call in calls if call.path == "outbounds/00001/statuses"] == expected


def test_new_person_who_is_not_searched_by_the_number(tmp_path: Path) -> None:
    """Where people are searched by something else it is said, before the creation, that the number is looked at."""
    with Sandbox() as thulium:
        thulium.add_campaign("00001")
        access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
        source = make_source(**FULL, customer={"match": ["email"], "update": ["note"]})
        settings = read_config(tmp_path, thulium=access, sources={"website": source})
        calls = plan(settings, PERSON)
        asked = deliver(settings, PERSON, thulium)
        (customer,) = thulium.customers
    made = [with_id(call, customer["customer_id"]) for call in calls if OWNER_ID not in call.path]
    assert made == asked


def test_known_person_who_gets_nothing(tmp_path: Path) -> None:
    """Where `update` names nothing that the lead has, nothing is changed."""
    source = make_source(**FULL, customer={"update": ["note"]})
    calls = plan(read_config(tmp_path, sources={"website": source}), PERSON)
    assert all(call.method != "PUT" for call in calls)


def test_person_without_a_number(tmp_path: Path) -> None:
    """Whoever has no number is not created."""
    calls = plan(read_config(tmp_path, sources={"website": make_source(**FULL)}), {"email": "ada@example.pl"})
    assert [call.path for call in calls] == [
        "outbounds/00001/statuses",
        "customers?email=ada%40example.pl&limit=1000",
        f"customers/{NEW_ID}",
        f"customers/{NEW_ID}",
        "batch/crm_outbounds/00001/records",
    ]


def test_customer_whose_id_is_known(tmp_path: Path) -> None:
    """A lead with the customer's id makes one call, as it is documented, beside that for the campaign's statuses."""
    source = make_source(map={"customer_id": "id"}, consent=None)
    assert plan(read_config(tmp_path, sources={"website": source}), {"id": 441})[1:] == [
        Call("POST", "batch/crm_outbounds/00001/records", {"records": [{"customer_id": 441, "status_id": 3}]})
    ]


def test_requeue(tmp_path: Path) -> None:
    """Of a campaign that requeues the look at the record is said too, and what would be put."""
    campaigns = {"callbacks": {"id": "00001", "set": {"status_id": 3}, "on_existing": "requeue"}}
    source = make_source(map={"customer_id": "id"}, consent=None)
    *_, look, put = plan(read_config(tmp_path, campaigns=campaigns, sources={"website": source}), {"id": 441})
    assert (look.method, look.path) == ("GET", "crm_outbounds/00001/records/441")
    assert (put.method, put.path, put.body) == ("PUT", "crm_outbounds/00001/records/441", {"status_id": 3})


def test_stop_where_records_are_put_back(tmp_path: Path) -> None:
    """Of a campaign that requeues, under whichever of its names, it is said that a stop looks at the record."""
    again = {"id": "00001", "set": {"status_id": 3}, "on_existing": "requeue"}
    campaigns = {"a": {"id": "00001", "stop": {"status_id": 6}}, "again": again}
    source = make_source(action="stop", campaign="a", consent=None, map={"customer_id": "id"})
    calls = plan(read_config(tmp_path, campaigns=campaigns, sources={"website": source}), {"id": 441})
    assert [(call.method, call.body) for call in calls[1:]] == [("GET", None), ("PUT", {"status_id": 6})]


@pytest.mark.parametrize("top", [{"dictionary_status_id": 1}, None])
def test_stop(top: dict[str, int] | None, tmp_path: Path) -> None:
    """A stop is said for each campaign, and for the number itself where a dictionary's status is given."""
    campaigns = {"a": {"id": "00001", "stop": {"status_id": 6}}, "b": {"id": "00002", "stop": {"status_id": 7}}}
    source = make_source(action="stop", campaign="*", consent=None, map={"customer_id": "id", "phone_number": "phone"})
    settings = read_config(tmp_path, campaigns=campaigns, stop=top, sources={"website": source})
    calls = plan(settings, {"id": 441, "phone": "601000001"})
    number = Call("POST", "outbound_status_by_phone_number", {"phone_number": "601000001", "status_id": "1"})
    assert calls[-1:] == [number] if top else number not in calls
    assert [(call.method, call.path) for call in calls[:9]] == [
        ("GET", "customers?phone_number=601000001&limit=1000"),
        ("GET", "customers/441"),
        ("POST", "customers"),
        ("GET", "customers?phone_number=601000001&limit=1000"),
        ("PUT", "customers/<customer_id>"),
        ("POST", "batch/crm_outbounds/00001/records"),
        ("PUT", "crm_outbounds/00001/records/441"),
        ("POST", "batch/crm_outbounds/00002/records"),
        ("PUT", "crm_outbounds/00002/records/441"),
    ]
