"""The stand-in Thulium: what it answers by the documentation, what it leaves open, and how it misbehaves."""

import http.client
import json
import socket
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.sandbox import STATUSES, Fault, Remote, Sandbox, World, faults, seeds
from tests.sandbox.control import Control

BATCH = "batch/crm_outbounds/00001/records"
DOCUMENTED = {
    "records": [
        {"customer_id": 441, "status_id": 3},
        {"customer_id": 445, "status_id": 1},
        {"customer_id": 448, "status_id": 1},
    ]
}
REPLIED = (
    b'{"441":{"http_status":201,"record_id":111,"status":"ADDED"},'
    b'"445":{"http_status":400,"record_id":100,"status":"ALREADY_EXISTS"},'
    b'"448":{"http_status":400,"status":"FAILED","message":"Customer not found."}}'
)


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Calls the stand-in over one kept connection, as its API user."""

    def __init__(self, thulium: Sandbox, seconds: float = 5) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(thulium.url).netloc, timeout=seconds)
        self.user = f"{thulium.user}:{thulium.password}"

    def __call__(self, method: str, path: str, content: object = None, *, body: bytes | None = None) -> Answer:
        data = json.dumps(content).encode() if body is None and content is not None else body
        headers = {"Authorization": "Basic " + b64encode(self.user.encode()).decode()}
        self.connection.request(method, f"/api/{path}", data, headers)
        reply = self.connection.getresponse()
        return Answer(reply.status, dict(reply.headers), reply.read())

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    with Sandbox(world=World(now=lambda: datetime(2025, 3, 4, 12, 5, tzinfo=UTC))) as sandbox:
        seeds.documented(sandbox)
        yield sandbox


@pytest.fixture
def call(thulium: Sandbox) -> Iterator[Client]:
    with closing(Client(thulium)) as client:
        yield client


def refused(answer: Answer) -> tuple[int, list[str]]:
    """Return an error's status and messages, having looked at its form."""
    assert set(answer.json) == {"request_id", "errors"}
    assert all(isinstance(error["code"], int) for error in answer.json["errors"])
    return answer.status, [error["message"] for error in answer.json["errors"]]


def ids(answer: Answer) -> list[Any]:
    rows = answer.json["result"] if isinstance(answer.json, dict) else answer.json
    return [row["customer_id"] for row in rows]


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)


# What is documented


def test_documented_batch(call: Client) -> None:
    """The documentation's own example is answered byte for byte."""
    answer = call("POST", BATCH, DOCUMENTED)
    assert (answer.status, answer.body) == (200, REPLIED)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_repeated_batch_touches_nothing(call: Client, thulium: Sandbox) -> None:
    """Who is in the campaign already stays there as they were."""
    call("POST", BATCH, DOCUMENTED)
    before = thulium.records("00001")
    again = call("POST", BATCH, {"records": [{"customer_id": 441, "status_id": 4}]})
    assert again.json == {"441": {"http_status": 400, "record_id": 111, "status": "ALREADY_EXISTS"}}
    assert thulium.records("00001") == before


def test_record_as_documented(call: Client, thulium: Sandbox) -> None:
    """A record is shown as in the documentation, alone and in a list."""
    thulium.add_customer(12, surname="Lis", phone_number="158433367")
    dates = {"call_date": "2016-10-19 14:02", "create_date": "2016-10-18 12:02"}
    thulium.put_record("00001", 12, record_id=47, status_id=6, last_note="Last note for record", **dates)
    expected = {
        "record_id": 47,
        "phone_number": "158433367",
        "system_status": "NO_CALL",
        "status": "Do not call",
        "status_id": 6,
        "call_date": "2016-10-19 14:02",
        "create_date": "2016-10-18 12:02",
        "next_call_date": "",
        "agent_name": "",
        "agent_login": "",
        "customer_id": 12,
        "last_note": "Last note for record",
        "order": "",
    }
    shown = call("GET", "crm_outbounds/00001/records/12").json
    assert list(shown.items()) == list(expected.items())
    assert call("GET", "crm_outbounds/00001/records?status_id[]=6").json == {"count": 1, "result": [expected]}


def test_customer_as_documented(call: Client, thulium: Sandbox) -> None:
    """A customer is shown as in the documentation; custom fields when they are asked for."""
    custom = {"ID": None, "Dodatkowe informacje": "Numer"}
    numbers = ["222333444", "213443523"]
    thulium.add_customer(
        273, name="Jan", surname="Lis", phone_number=numbers, email="j@example.org", custom_fields=custom
    )
    empty = dict.fromkeys(
        ("company_id", "identifier", "type", "group", "company_flag", "account_manager", "updated_at"), ""
    )
    expected = {
        "customer_id": 273,
        "name": "Jan",
        "surname": "Lis",
        "phone_number": "222333444",
        "phone_numbers": numbers,
        "email": "j@example.org",
        **empty,
        "custom_fields": custom,
    }
    shown = call("GET", "customers/273?include_custom_fields=true").json
    assert list(shown.items()) == list(expected.items())
    assert "custom_fields" not in call("GET", "customers/273").json


def test_single_record(call: Client, thulium: Sandbox) -> None:
    """A record that is added alone is answered with its id as text, and refused when it is there."""
    answer = call("POST", "crm_outbounds/00001/records", {"customer_id": 441, "status_id": 3})
    assert answer.json == {"record_id": "111"}
    assert refused(call("POST", "crm_outbounds/00001/records", {"customer_id": 441})) == (
        400,
        ["Record already exists."],
    )
    assert refused(call("POST", "crm_outbounds/00001/records", {"customer_id": 1})) == (400, ["Customer not found."])
    thulium.behave(existing_record="returned")
    assert call("POST", "crm_outbounds/00001/records", {"customer_id": 441}).json == {"record_id": "111"}


def test_changed_record(call: Client, thulium: Sandbox) -> None:
    """A record is changed in what is given, and the answer is empty."""
    change = {"status_id": "7", "next_call_date": "2025-03-05 09:00", "order": 50}
    answer = call("PUT", "crm_outbounds/00001/records/445", change)
    assert (answer.status, answer.body) == (200, b"")
    record = thulium.record("00001", 445) or {}
    assert (record["record_id"], record["status_id"], record["order"]) == (100, 7, 50)
    assert refused(call("PUT", "crm_outbounds/00001/records/445", {"status_id": 99})) == (400, ["Status not found."])
    assert refused(call("PUT", "crm_outbounds/00001/records/441", {})) == (404, ["Record not found."])
    assert refused(call("GET", "crm_outbounds/00001/records/x")) == (404, ["Record not found."])


def test_removed_records(call: Client, thulium: Sandbox) -> None:
    """Records are removed in a batch, but for one that is being called."""
    thulium.put_record("00001", 441)
    thulium.put_record("00001", 441, status_id=2)
    answer = call("DELETE", f"{BATCH}?customer_id[]=445&customer_id%5B%5D=448&customer_id[]=441")
    assert answer.json == {
        "445": {"http_status": 200, "record_id": 100, "status": "REMOVED"},
        "448": {"http_status": 404, "status": "NOT_EXIST"},
        "441": {"http_status": 400, "record_id": 111, "status": "CALL_IN_PROGRESS"},
    }
    assert [record["customer_id"] for record in thulium.records("00001")] == [441]
    assert refused(call("DELETE", BATCH)) == (400, ["customer_id is required."])


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"status_id": 99}, "Status not found."),
        ({"dictionary_status_id": 99}, "Status not found."),
        ({"status_id": "a"}, "Wrong value of status_id."),
        ({"order": "first"}, "Wrong value of order."),
        ({"agent_login": "nobody"}, "Agent not found."),
        ({"next_call_date": "05.03.2025"}, "Wrong format of next_call_date."),
        ({"status_id": 5}, "Field agent_login is required."),
        ({"status_id": 5, "agent_login": "jkowalski"}, "Field next_call_date is required."),
        ({"status_id": 7}, "Field next_call_date is required."),
    ],
)
def test_failed_record(call: Client, record: dict[str, Any], message: str) -> None:
    """A record that may not be so FAILs alone, and says why."""
    answer = call("POST", BATCH, {"records": [{"customer_id": 441, **record}]})
    assert answer.json == {"441": {"http_status": 400, "status": "FAILED", "message": message}}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({}, ("TO_CALL", "", "")),
        ({"dictionary_status_id": 8}, ("CALL", "", "")),
        (
            {"status_id": 5, "agent_login": "jkowalski", "next_call_date": "2025-03-05 09:00"},
            ("MY_RECORD", "jkowalski", "2025-03-05 09:00"),
        ),
        ({"status_id": "7", "next_call_date": "2025-03-05 09:00"}, ("CALL_NO_SOONER_THAN", "", "2025-03-05 09:00")),
        ({"status_id": None, "agent_login": "jkowalski", "order": "50"}, ("TO_CALL", "jkowalski", "")),
    ],
)
def test_added_record(call: Client, thulium: Sandbox, record: dict[str, Any], expected: tuple[str, ...]) -> None:
    """A record has what it was given, and is fresh otherwise."""
    call("POST", BATCH, {"records": [{"customer_id": 441, **record}]})
    added = thulium.record("00001", 441) or {}
    assert (added["system_status"], added["agent_login"], added["next_call_date"]) == expected
    assert (added["create_date"], added["call_date"]) == ("2025-03-04 12:05", "")
    assert added["agent_name"] == ("Jan Kowalski" if added["agent_login"] else "")


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("batch/crm_outbounds/1/records", b'{"records":[]}', (404, ["Campaign not found."])),
        ("batch/crm_outbounds/00002/records", b'{"records":[]}', (400, ["Campaign is not a CRM campaign."])),
        ("batch/crm_outbounds/00003/records", b'{"records":[]}', (400, ["Campaign is not active."])),
        (BATCH, b'{"records":', (400, ["Malformed JSON."])),
        (BATCH, b"", (400, ["Malformed JSON."])),
        (BATCH, b"[]", (400, ["A JSON object is required."])),
        (BATCH, b"{}", (400, ["Field records is required."])),
        (BATCH, b'{"records":[1]}', (400, ["Field records is required."])),
        ("nothing", b"{}", (404, ["Resource not found."])),
        ("outbounds", b"{}", (405, ["Method not allowed."])),
    ],
)
def test_refused_call(call: Client, thulium: Sandbox, path: str, body: bytes, expected: tuple[int, list[str]]) -> None:
    """A call that can't be carried out as a whole is answered with the documented error body."""
    thulium.add_campaign("00002", is_crm=False)
    thulium.add_campaign("00003", is_active=False)
    assert refused(call("POST", path, body=body)) == expected


def test_errors_are_told_apart(call: Client) -> None:
    """Each error has a request id of its own, the first one that of the documentation."""
    first, second = (call("GET", "nothing").json["request_id"] for _ in range(2))
    assert first == "53678450401cf"
    assert first != second


@pytest.mark.parametrize("user", ["ringback:wrong", "somebody:only-for-the-sandbox", ""])
def test_strangers_are_refused(call: Client, user: str) -> None:
    """Only the API user with the password gets in."""
    call.user = user
    assert refused(call("GET", "outbounds")) == (401, ["Wrong user or password."])


def test_rotated_password(call: Client, thulium: Sandbox) -> None:
    """A changed password is the one that counts."""
    thulium.set_password("another")
    assert call("GET", "outbounds").status == 401
    with closing(Client(thulium)) as client:
        assert client("GET", "outbounds").status == 200


def test_campaigns(call: Client, thulium: Sandbox) -> None:
    """Campaigns, their statuses and their agents can be listed; ids are text where the documentation has text."""
    thulium.add_campaign("00002", statuses=[STATUSES[2], STATUSES[3]], is_crm=False)
    assert [(row["id"], row["type"]) for row in call("GET", "outbounds").json] == [("00001", "crm"), ("00002", "csv")]
    assert call("GET", "outbounds/00002/statuses").json == [
        {"system_status": "CALL", "status_id": "3", "dictionary_status_id": 2, "name": "Contact needed"},
        {"system_status": "NO_CALL", "status_id": "4", "dictionary_status_id": None, "name": "Not interested"},
    ]
    agent = {"login": "jkowalski", "number": "3001", "active": True, "active_in_outbound": True, "agent_id": 1}
    assert call("GET", "outbounds/00001/agents").json == [agent]
    assert call("GET", "agents/jkowalski").json["number"] == 3001
    assert refused(call("GET", "agents/nobody")) == (404, ["Agent not found."])


def test_list_of_records(call: Client, thulium: Sandbox) -> None:
    """Records come in pages of at most a hundred, filtered and sorted as asked."""
    for number in range(1, 151):
        thulium.add_customer(number, surname="Lis")
        thulium.put_record("00001", number, status_id=3, next_call_date=f"2025-03-{1 + number % 20:02}")
    first = call("GET", "crm_outbounds/00001/records?limit=500").json
    assert (first["count"], len(first["result"])) == (151, 100)
    rest = call("GET", "crm_outbounds/00001/records?offset=100").json["result"]
    assert len(rest) == 51
    late = call("GET", "crm_outbounds/00001/records?order=-next_call_date&limit=1").json["result"]
    assert late[0]["next_call_date"] == "2025-03-20"
    assert call("GET", "crm_outbounds/00001/records?system_status[]=TO_CALL").json["count"] == 1
    assert call("GET", "crm_outbounds/00001/records?create_date_from=2025-03-05").json["count"] == 0
    assert call("GET", "crm_outbounds/00001/records?create_date_to=2025-03-04").json["count"] == 151


def test_status_by_number(call: Client, thulium: Sandbox) -> None:
    """A dictionary status reaches every campaign that has the number, and has that status."""
    thulium.add_campaign("00002")
    thulium.add_campaign("00003", statuses=STATUSES[:3])
    for campaign in ("00001", "00002", "00003"):
        thulium.put_record(campaign, 441)
    answer = call("POST", "outbound_status_by_phone_number", {"phone_number": "+48 601 000 041", "status_id": "3"})
    assert answer.json == {"outbound_id": ["00001", "00002"]}
    assert [(thulium.record(each, 441) or {})["system_status"] for each in ("00001", "00003")] == ["NO_CALL", "TO_CALL"]
    assert (
        call("POST", "outbound_status_by_phone_number", {"phone_number": "1", "status_id": 3}).json["outbound_id"] == []
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"phone_number": "601000041"}, "phone_number and status_id are required."),
        ({"phone_number": "601000041", "status_id": 99}, "Status not found."),
    ],
)
def test_refused_status_by_number(call: Client, content: dict[str, Any], message: str) -> None:
    """A status that no campaign has is refused."""
    assert refused(call("POST", "outbound_status_by_phone_number", content)) == (400, [message])


# Customers


def test_created_customer_is_found(call: Client, thulium: Sandbox) -> None:
    """A created customer has all that was sent, and is found by identifier, number and address."""
    sent = {
        "name": "Ewa",
        "surname": "Mak",
        "email": ["ewa@example.pl"],
        "phone_number": ["601000001"],
        "identifier": "A-7",
        "note": "form",
    }
    created = call("POST", "customers", sent)
    assert (created.status, created.json) == (201, {"customer_id": 449})
    for query in (
        "identifier=A-7",
        "phone_number=601000001",
        "email=ewa%40example.pl",
        "identifier=A-7&email=ewa@example.pl",
    ):
        assert ids(call("GET", f"customers?{query}")) == [449]
    assert ids(call("GET", "customers?identifier=A-7&email=another@example.pl")) == []
    assert thulium.customers[-1] == {
        "customer_id": 449,
        "phone_numbers": ["601000001"],
        "emails": ["ewa@example.pl"],
        "name": "Ewa",
        "surname": "Mak",
        "identifier": "A-7",
        "note": "form",
    }


@pytest.mark.parametrize("content", [{}, {"surname": ""}, {"name": "Ewa", "surname": None}])
def test_customer_without_surname(call: Client, thulium: Sandbox, content: dict[str, Any]) -> None:
    """A customer must have a surname."""
    before = thulium.customers
    assert refused(call("POST", "customers", content)) == (400, ["Surname is required."])
    assert thulium.customers == before


def test_changed_customer(call: Client, thulium: Sandbox) -> None:
    """A customer is changed in what is given; numbers and addresses are replaced, custom fields are not."""
    thulium.add_customer(1, surname="Mak", phone_number="601000001", email="a@example.pl", custom_fields={"A": "1"})
    change = {"phone_number": ["601000001", "601000002"], "custom_fields": {"B": "2"}, "email": "b@example.pl"}
    assert call("PUT", "customers/1", change).body == b""
    assert thulium.customers[0] == {
        "customer_id": 1,
        "phone_numbers": ["601000001", "601000002"],
        "emails": ["b@example.pl"],
        "surname": "Mak",
        "custom_fields": {"A": "1", "B": "2"},
    }
    assert ids(call("GET", "customers?email=a@example.pl")) == []
    assert refused(call("PUT", "customers/1", {"surname": ""})) == (400, ["Surname is required."])
    assert refused(call("PUT", "customers/2", {})) == (404, ["Customer not found."])
    assert refused(call("GET", "customers/x")) == (404, ["Customer not found."])


def test_deleted_customer(call: Client, thulium: Sandbox) -> None:
    """A deleted customer is gone, from the campaigns too."""
    call("DELETE", "customers/445")
    assert [customer["customer_id"] for customer in thulium.customers] == [441]
    assert thulium.records("00001") == []
    assert ids(call("GET", "customers?phone_number=601000045")) == []


def test_empty_filter(call: Client, thulium: Sandbox) -> None:
    """An empty value asks for those who have nothing there."""
    thulium.add_customer(1, surname="Mak", identifier="A")
    assert ids(call("GET", "customers?phone_number=")) == [1]
    assert ids(call("GET", "customers?email=")) == [1, 441, 445]
    assert ids(call("GET", "customers?identifier=")) == [441, 445]


def test_custom_field_filter(call: Client, thulium: Sandbox) -> None:
    """Custom fields are searched by name, with alternatives."""
    for number, country in enumerate(("Polska", "Czechy", "Francja"), 1):
        thulium.add_customer(number, surname="Mak", custom_fields={"Kraj": country})
    assert ids(call("GET", "customers?custom_fields[Kraj]=Polska")) == [1]
    assert ids(call("GET", "customers?custom_fields[Kraj][0]=Polska&custom_fields[Kraj][1]=Francja")) == [1, 3]


def test_pages_of_customers(call: Client, thulium: Sandbox) -> None:
    """A hundred customers come at once, or as many as are asked for, and the count is of all."""
    for number in range(1, 151):
        thulium.add_customer(number, surname="Mak")
    assert len(ids(call("GET", "customers"))) == 100
    page = call("GET", "customers?limit=5&offset=3")
    assert (page.json["count"], ids(page)) == (152, [4, 5, 6, 7, 8])
    assert len(ids(call("GET", "customers?limit=a"))) == 100


# What is left open


@pytest.mark.parametrize(
    ("way", "expected"),
    [("result", {"count": 1, "result": ["row"]}), ("bare", ["row"]), ("data", {"data": ["row"]})],
)
def test_envelopes(call: Client, thulium: Sandbox, way: str, expected: object) -> None:
    """Lists come in each of the forms in which they may."""
    thulium.behave(customers_list=way, campaigns_list=way)
    customer, campaign = call("GET", "customers/441").json, call("GET", "outbounds").json
    row = json.dumps(customer)
    assert call("GET", "customers?phone_number=601000041").json == json.loads(
        json.dumps(expected).replace('"row"', row)
    )
    assert type(campaign) is type(expected)


def test_unknown_filters(call: Client, thulium: Sandbox) -> None:
    """An unknown parameter is ignored, so that everybody is found, or refused."""
    assert ids(call("GET", "customers?phone=601000041")) == [441, 445]
    thulium.behave(unknown_filters="refused")
    assert refused(call("GET", "customers?phone=1&limit=3")) == (400, ["Unknown parameter phone."])


def test_order_of_customers(call: Client, thulium: Sandbox) -> None:
    """The oldest need not come first."""
    thulium.behave(customers_order="newest")
    assert ids(call("GET", "customers")) == [445, 441]


FORMS = ("601000001", "48601000001", "+48601000001", "0048601000001", "+48 601-000-001")


@pytest.mark.parametrize(
    ("way", "found"),
    [
        ("exact", [{each} for each in FORMS]),
        ("number", [set(FORMS)] * 5),
        ("suffix", [set(FORMS), *[set(FORMS) - {"601000001"}] * 4]),
        ("contains", [set(FORMS), *[set(FORMS) - {"601000001"}] * 4]),
    ],
)
def test_phone_match(call: Client, thulium: Sandbox, way: str, found: list[set[str]]) -> None:
    """A number is found by its very text, in whatever form, or by a part of it."""
    for number, form in enumerate(FORMS, 1):
        thulium.add_customer(number, surname="Mak", phone_number=form)
    thulium.behave(phone_match=way)
    for asked, expected in zip(FORMS, found, strict=True):
        query = asked.replace("+", "%2B").replace(" ", "%20")
        assert {FORMS[number - 1] for number in ids(call("GET", f"customers?phone_number={query}"))} == expected


@pytest.mark.parametrize(("way", "found"), [("suffix", [1]), ("contains", [1, 2]), ("number", [])])
def test_part_of_a_number(call: Client, thulium: Sandbox, way: str, found: list[int]) -> None:
    """A part of a number finds strangers, where parts are searched."""
    thulium.add_customer(1, surname="Mak", phone_number="4930601000001")
    thulium.add_customer(2, surname="Mak", phone_number="6010000019")
    thulium.behave(phone_match=way)
    assert ids(call("GET", "customers?phone_number=1000001")) == found


def test_additional_numbers(call: Client, thulium: Sandbox) -> None:
    """Further numbers of a customer are searched, or are not; and shown, or are not."""
    thulium.add_customer(1, surname="Mak", phone_number=["601000001", "601000002"])
    assert ids(call("GET", "customers?phone_number=601000002")) == [1]
    thulium.behave(additional_numbers=False, with_phone_numbers=False)
    assert ids(call("GET", "customers?phone_number=601000002")) == []
    assert "phone_numbers" not in call("GET", "customers").json["result"][0]
    assert call("GET", "customers/1").json["phone_numbers"] == ["601000001", "601000002"]


def test_email_case(call: Client, thulium: Sandbox) -> None:
    """The case of an address matters, or does not."""
    thulium.add_customer(1, surname="Mak", email="Ewa@Example.pl")
    assert ids(call("GET", "customers?email=ewa@example.pl")) == [1]
    thulium.behave(email_case=True, email_as="list")
    assert ids(call("GET", "customers?email=ewa@example.pl")) == []
    assert call("GET", "customers?email=Ewa@Example.pl").json["result"][0]["email"] == ["Ewa@Example.pl"]


@pytest.mark.parametrize(
    ("way", "stored"),
    [
        ("given", "+48 601 000 001"),
        ("national", "601000001"),
        ("digits", "48601000001"),
        ("e164", "+48601000001"),
    ],
)
def test_stored_numbers(call: Client, thulium: Sandbox, way: str, stored: str) -> None:
    """Numbers are kept as they are given, or in one form."""
    thulium.behave(phones_stored=way)
    call("POST", "customers", {"surname": "Mak", "phone_number": "+48 601 000 001"})
    assert thulium.customers[-1]["phone_numbers"] == [stored]


def test_stored_foreign_number(call: Client, thulium: Sandbox) -> None:
    """A number of another country stays what it is."""
    thulium.behave(phones_stored="national")
    call("POST", "customers", {"surname": "Mak", "phone_number": "+4930901820"})
    assert thulium.customers[-1]["phone_numbers"] == ["+4930901820"]


@pytest.mark.parametrize(("way", "status"), [("all", 201), ("national", 422), ("digits", 422)])
def test_accepted_numbers(call: Client, thulium: Sandbox, way: str, status: int) -> None:
    """Numbers of whatever form are taken, or of one form alone."""
    thulium.behave(phones_accepted=way, refusal_status=422)
    answer = call("POST", "customers", {"surname": "Mak", "phone_number": "+48601000001"})
    assert answer.status == status
    assert call("POST", "customers", {"surname": "Mak", "phone_number": "601000001"}).status == 201


@pytest.mark.parametrize(
    ("way", "reply"), [("number", {"customer_id": 449}), ("text", {"customer_id": "449"}), ("id", {"id": 449})]
)
def test_reply_to_create(call: Client, thulium: Sandbox, way: str, reply: object) -> None:
    """The new id comes as a number, as text, or under another name; the status is 200 or 201."""
    thulium.behave(create_reply=way, create_status=200)
    answer = call("POST", "customers", {"surname": "Mak"})
    assert (answer.status, answer.json) == (200, reply)


@pytest.mark.parametrize("status", [400, 409, 422])
def test_duplicates(call: Client, thulium: Sandbox, status: int) -> None:
    """Two customers may agree in identifier, number and address, unless told otherwise."""
    sent = {"surname": "Mak", "identifier": "A", "phone_number": "601000001", "email": "ewa@example.pl"}
    assert [call("POST", "customers", sent).status for _ in range(2)] == [201, 201]
    thulium.behave(unique=("identifier", "phone_number", "email"), refusal_status=status)
    messages = [f"Duplicated customer {name}." for name in ("identifier", "phone_number", "email")]
    assert refused(call("POST", "customers", sent)) == (status, messages)
    assert call("POST", "customers", {"surname": "Mak"}).status == 201
    assert call("PUT", "customers/441", {"surname": "Lis"}).status == 200


def test_unknown_custom_fields(call: Client, thulium: Sandbox) -> None:
    """Custom fields are taken as they come, or have to exist."""
    sent = {"surname": "Mak", "custom_fields": {"A": "1", "B": "2"}}
    assert call("POST", "customers", sent).status == 201
    thulium.behave(custom_fields=("A",))
    assert refused(call("POST", "customers", sent)) == (400, ["Unknown field B."])


def test_put_appends(call: Client, thulium: Sandbox) -> None:
    """A change replaces numbers and addresses, or adds to them."""
    thulium.behave(put_lists="append", put_status=204)
    answer = call("PUT", "customers/441", {"phone_number": "601000002", "email": "a@example.pl"})
    assert answer.status == 204
    assert "Content-Length" not in answer.headers
    assert thulium.customers[0]["phone_numbers"] == ["601000041", "601000002"]


def test_ids_as_text(call: Client, thulium: Sandbox) -> None:
    """Ids and statuses come as numbers, or as text."""
    thulium.behave(ids_as_text=True, statuses_as_text=True)
    assert ids(call("GET", "customers")) == ["441", "445"]
    reply = call("POST", BATCH, DOCUMENTED).json
    assert reply["441"] == {"http_status": "201", "record_id": "111", "status": "ADDED"}


@pytest.mark.parametrize("status", [201, 207, 400])
def test_status_of_a_batch(call: Client, thulium: Sandbox, status: int) -> None:
    """What became of each customer comes with whatever status of the whole."""
    thulium.behave(batch_status=status)
    answer = call("POST", BATCH, DOCUMENTED)
    assert (answer.status, answer.body) == (status, REPLIED)


def test_empty_batch(call: Client, thulium: Sandbox) -> None:
    """A batch of nothing is answered with an empty list, an empty object, or refused."""
    assert call("POST", BATCH, {"records": []}).body == b"[]"
    thulium.behave(empty_batch="object")
    assert call("POST", BATCH, {"records": []}).body == b"{}"
    thulium.behave(empty_batch="refused")
    assert refused(call("POST", BATCH, {"records": []})) == (400, ["Field records is required."])


def test_same_customer_twice(call: Client, thulium: Sandbox) -> None:
    """Of two records of one customer the first or the last is told about."""
    twice = {"records": [{"customer_id": 441}] * 2}
    assert call("POST", BATCH, twice).json["441"]["status"] == "ALREADY_EXISTS"
    thulium.behave(same_customer="first")
    call("DELETE", f"{BATCH}?customer_id[]=441")
    assert call("POST", BATCH, twice).json["441"]["status"] == "ADDED"


def test_customer_without_number(call: Client, thulium: Sandbox) -> None:
    """Somebody without a number is taken, or FAILs."""
    number = thulium.add_customer(surname="Mak")
    thulium.behave(needs_phone=True)
    item = call("POST", BATCH, {"records": [{"customer_id": number}, {"customer_id": 441}]}).json
    assert item[str(number)]["message"] == "Customer has no phone number."
    assert item["441"]["status"] == "ADDED"


def test_no_such_way(thulium: Sandbox) -> None:
    """A way that there is not is refused, so that no test tests nothing."""
    with pytest.raises(ValueError, match="customers_list: choose one of result, bare, data"):
        thulium.behave(customers_list="naked")
    with pytest.raises(ValueError, match="wire: choose one of whole"):
        Fault(wire="smoke")  # type: ignore[arg-type]


# What goes wrong


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (faults.error(500, "Oops"), 500, b'{"request_id":"53678450401cf","errors":[{"message":"Oops","code":100500}]}'),
        (faults.html(502), 502, faults.HTML.encode()),
        (faults.html(200), 200, faults.HTML.encode()),
        (faults.says(""), 200, b""),
        (faults.says("null"), 200, b"null"),
        (faults.says("[]"), 200, b"[]"),
        (faults.says("42", 299), 299, b"42"),
        (faults.redirect("http://127.0.0.1:1/"), 302, b""),
        (faults.half(), 200, REPLIED[: len(REPLIED) // 2]),
        (Fault(body="caf\udce9"), 200, b"caf\xe9"),
    ],
)
def test_replies_that_go_wrong(call: Client, thulium: Sandbox, fault: Fault, status: int, body: bytes) -> None:
    """A reply is what the fault says, once, and the real one after that."""
    thulium.fail("batch", fault)
    answer = call("POST", BATCH, DOCUMENTED)
    assert (answer.status, answer.body) == (status, body)
    assert (thulium.record("00001", 441) is not None) is fault.work
    assert call("POST", BATCH, DOCUMENTED).json.keys() == {"441", "445", "448"}


@pytest.mark.parametrize("value", ["120", "3600", "Wed, 21 Oct 2065 07:28:00 GMT", "soon"])
def test_retry_after(call: Client, thulium: Sandbox, value: str) -> None:
    """An error says when to come back, in whatever words."""
    thulium.fail("batch", faults.error(503, retry_after=value))
    assert call("POST", BATCH, DOCUMENTED).headers["Retry-After"] == value


def test_edited_batch(call: Client, thulium: Sandbox) -> None:
    """A batch's reply leaves customers out, has strangers in it, and words that nobody knows."""
    thulium.fail("batch", Fault(work=True, leave_out=(445, 448), strangers=(7,), word="QUEUED", status=207))
    answer = call("POST", BATCH, DOCUMENTED)
    assert (answer.status, list(answer.json)) == (207, ["441", "7"])
    assert [item["status"] for item in answer.json.values()] == ["QUEUED", "QUEUED"]
    thulium.fail("batch", Fault(work=True, leave_out=(445,)))
    assert refused(call("POST", BATCH, {}))[0] == 400
    thulium.fail("batch", Fault(strangers=(7,)))
    assert list(call("POST", BATCH, DOCUMENTED).json) == ["7"]


def test_echo(call: Client, thulium: Sandbox) -> None:
    """Thulium's messages may carry what it was sent."""
    thulium.fail("create", faults.error(422, "Bad: {request}"))
    message = refused(call("POST", "customers", {"surname": 'M"ak', "phone_number": "601000001"}))[1][0]
    assert '"M\\"ak"' in message
    assert "601000001" in message
    thulium.refuse(441, "{name} {surname}, {phone_number}: {nothing}no")
    failed = call("POST", BATCH, {"records": [{"customer_id": 441}]}).json["441"]
    assert failed == {"http_status": 400, "status": "FAILED", "message": "Ada Lis, 601000041: no"}


def test_refused_records(call: Client, thulium: Sandbox) -> None:
    """Everybody who is not in the campaign FAILs, until that is healed."""
    thulium.refuse()
    assert [item["status"] for item in call("POST", BATCH, DOCUMENTED).json.values()] == [
        "FAILED",
        "ALREADY_EXISTS",
        "FAILED",
    ]
    thulium.heal()
    assert call("POST", BATCH, DOCUMENTED).body == REPLIED


def test_poison(call: Client, thulium: Sandbox) -> None:
    """One record spoils its batch, and nobody of it is added."""
    thulium.poison(448, status=422, message="Wrong value of field order.")
    assert refused(call("POST", BATCH, DOCUMENTED)) == (422, ["Wrong value of field order."])
    assert thulium.record("00001", 441) is None
    alone = call("POST", BATCH, {"records": [{"customer_id": 441}]})
    assert alone.json["441"]["status"] == "ADDED"


def test_plan(call: Client, thulium: Sandbox) -> None:
    """Faults come for a kind of call, after some, for some, one rule after the other, or until healed."""
    thulium.fail("search", faults.error(500), times=2, after=1)
    thulium.fail("search", faults.error(503))
    thulium.fail("customer", faults.error(429), times=None)
    assert [call("GET", "customers").status for _ in range(5)] == [503, 500, 500, 200, 200]
    assert [call("GET", "customers/441").status for _ in range(3)] == [429] * 3
    thulium.heal("customer")
    assert call("GET", "customers/441").status == 200
    thulium.fail("*", faults.error(403), times=2)
    assert [call("GET", path).status for path in ("outbounds", "agents/jkowalski", "outbounds")] == [403, 403, 200]


@pytest.mark.parametrize("after_work", [False, True])
def test_reset(call: Client, thulium: Sandbox, after_work: bool) -> None:  # noqa: FBT001 - a parametrized case
    """The connection is reset before the work, or after it."""
    thulium.fail("batch", faults.reset(after_work=after_work))
    with pytest.raises(ConnectionResetError):
        call("POST", BATCH, DOCUMENTED)
    assert (thulium.record("00001", 441) is not None) is after_work


def test_close_without_reply(call: Client, thulium: Sandbox) -> None:
    """The connection is closed where a reply should be."""
    thulium.fail("batch", Fault(wire="close"))
    with pytest.raises(http.client.RemoteDisconnected):
        call("POST", BATCH, DOCUMENTED)


def test_short_reply(call: Client, thulium: Sandbox) -> None:
    """A reply ends before the length that it has named."""
    thulium.fail("batch", Fault(work=True, wire="short"))
    with pytest.raises(http.client.IncompleteRead):
        call("POST", BATCH, DOCUMENTED)


@pytest.mark.parametrize("fault", [faults.hang(), faults.drip("head", 0.05), faults.late(0)])
def test_silence(thulium: Sandbox, fault: Fault) -> None:
    """Nothing comes within the client's time."""
    thulium.fail("batch", fault)
    with closing(Client(thulium, seconds=0.04)) as client, pytest.raises(TimeoutError):
        client("POST", BATCH, DOCUMENTED)


def test_commit_after_hang_up(thulium: Sandbox) -> None:
    """The work is done when the client has gone already, and not a moment before."""
    thulium.fail("batch", faults.late(0.1))
    started = time.monotonic()
    with closing(Client(thulium, seconds=0.2)) as client, pytest.raises(TimeoutError):
        client("POST", BATCH, DOCUMENTED)
    wait_until(lambda: thulium.record("00001", 441) is not None)
    assert time.monotonic() - started >= 0.3


def test_commit_by_thuliums_clock(call: Client, thulium: Sandbox) -> None:
    """The work is done when Thulium's clock shows it, before whatever comes then, and once."""
    start = now = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    thulium.world.now = lambda: now
    thulium.fail("batch", faults.later(20, faults.error(504)))
    assert call("POST", BATCH, DOCUMENTED).status == 504
    now = start + timedelta(seconds=19)
    assert (thulium.catch_up(), thulium.record("00001", 441)) == (0, None)
    now = start + timedelta(seconds=20)
    assert call("POST", BATCH, DOCUMENTED).json["441"]["status"] == "ALREADY_EXISTS"
    assert thulium.catch_up() == 0


def test_reset_by_the_client(call: Client, thulium: Sandbox) -> None:
    """A client that goes with a reset has gone, too."""
    thulium.fail("batch", faults.late(0))
    address = ("127.0.0.1", urlsplit(thulium.url).port or 0)
    authorisation = b64encode(f"{thulium.user}:{thulium.password}".encode()).decode()
    content = json.dumps(DOCUMENTED).encode()
    head = (
        f"POST /api/{BATCH} HTTP/1.1\r\nAuthorization: Basic {authorisation}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(head.encode() + content)
        wait_until(lambda: "batch" in thulium.counts)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: thulium.record("00001", 441) is not None)
    assert call("POST", BATCH, DOCUMENTED).json["441"]["status"] == "ALREADY_EXISTS"


@pytest.mark.parametrize("part", ["head", "body"])
def test_drip(call: Client, thulium: Sandbox, part: Any) -> None:
    """A reply comes byte by byte, and is whole in the end."""
    thulium.fail("campaigns", faults.drip(part, 0.001))
    started = time.monotonic()
    assert call("GET", "outbounds").json[0]["id"] == "00001"
    assert time.monotonic() - started > 0.05


def test_endless_body(call: Client, thulium: Sandbox) -> None:
    """A body has no end; the stand-in outlives the client's hanging up."""
    thulium.fail("batch", faults.endless())
    call.connection.request("POST", f"/api/{BATCH}", b"{}")
    reply = call.connection.getresponse()
    assert len(reply.read(3_000_000)) == 3_000_000
    reply.close()
    call.close()
    assert call("POST", BATCH, DOCUMENTED).status == 200


def test_hang_up_after_reply(call: Client, thulium: Sandbox) -> None:
    """A kept connection is closed without a word."""
    thulium.fail("campaigns", Fault(work=True, wire="hang-up"))
    assert call("GET", "outbounds").headers.get("Connection") is None
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)):
        call("GET", "outbounds")


def test_idle_connection(thulium: Sandbox) -> None:
    """A connection that is idle for too long is closed."""
    thulium.behave(idle_seconds=0.02)
    with socket.create_connection(("127.0.0.1", urlsplit(thulium.url).port or 0), timeout=5) as connection:
        assert connection.recv(1) == b""


def test_kept_connection(call: Client, thulium: Sandbox) -> None:
    """One connection serves many requests, until the client wants no more."""
    call("GET", "outbounds")
    kept = call.connection.sock
    call("GET", "outbounds")
    assert call.connection.sock is kept
    with socket.create_connection(("127.0.0.1", urlsplit(thulium.url).port or 0), timeout=5) as connection:
        connection.sendall(b"GET /api/outbounds HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert b"401" in connection.makefile("rb").read()


def test_garbage_on_the_line(call: Client, thulium: Sandbox) -> None:
    """What is no HTTP ends its own connection and nothing else."""
    with socket.create_connection(("127.0.0.1", urlsplit(thulium.url).port or 0), timeout=5) as connection:
        connection.sendall(b"hello\r\n\r\n")
        assert connection.recv(100) == b""
    assert call("GET", "outbounds").status == 200


def test_latency(call: Client, thulium: Sandbox) -> None:
    """Each call takes as long as is told, a kind of call as long as is told of it."""
    thulium.slow(0.8)
    thulium.slow(0, "campaigns")
    started = time.monotonic()
    call("GET", "outbounds")
    assert time.monotonic() - started < 0.75
    call("GET", "customers")
    assert time.monotonic() - started >= 0.8


def test_wait(call: Client, thulium: Sandbox) -> None:
    """One call takes longer than the others."""
    thulium.fail("campaigns", Fault(work=True, wait=0.05))
    started = time.monotonic()
    assert call("GET", "outbounds").json[0]["id"] == "00001"
    assert time.monotonic() - started >= 0.05


def test_outage(thulium: Sandbox) -> None:
    """Between stop and start connections are refused; then everything is as it was, at the same address."""
    with closing(Client(thulium)) as client:
        assert client("GET", "outbounds").status == 200
        thulium.stop()
        thulium.stop()
        client.close()
        with pytest.raises(ConnectionRefusedError):
            client("GET", "outbounds")
        client.close()
        thulium.start()
        assert client("GET", "outbounds").json[0]["id"] == "00001"


def test_stop_waits_for_nobody() -> None:
    """Stopping ends what hangs, drips and comes late, without their work."""
    thulium = Sandbox().start()
    seeds.documented(thulium)
    for fault in (faults.hang(), faults.drip("body", 60), faults.endless(), faults.late(60)):
        thulium.fail("batch", fault)
    address = ("127.0.0.1", urlsplit(thulium.url).port or 0)
    request = f"POST /api/{BATCH} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    with closing(socket.create_connection(address)) as connection:
        others = [socket.create_connection(address) for _ in range(4)]
        for each in others:
            each.sendall(request)
        wait_until(lambda: thulium.counts.get("batch") == 4)
        started = time.monotonic()
        thulium.stop()
        assert time.monotonic() - started < 10
        for each in (connection, *others):
            each.close()


# Looking at it


def test_requests_are_kept(call: Client, thulium: Sandbox) -> None:
    """Every request is kept with method, path, query, headers and body, in its order."""
    call("GET", "customers?email=a%40example.pl&phone_number=")
    call("POST", BATCH, DOCUMENTED)
    call("GET", "nothing")
    first, second, third = thulium.requests
    assert (first.call, first.method, first.path) == ("search", "GET", "/api/customers")
    assert first.parameters == [("email", "a@example.pl"), ("phone_number", "")]
    assert second.json == DOCUMENTED
    assert second.headers["authorization"].startswith("Basic ")
    assert abs(second.at - time.time()) < 5
    assert third.call == "?"
    assert thulium.counts == {"search": 1, "batch": 1, "?": 1}
    assert thulium.calls("batch") == [second]
    thulium.forget()
    assert (thulium.requests, thulium.counts) == ([], {})


def test_requests_are_kept_within_bounds() -> None:
    """A long run keeps the last requests and counts them all."""
    with Sandbox(world=World(keep=2)) as thulium, closing(Client(thulium)) as client:
        for _ in range(5):
            client("GET", "outbounds")
        assert (len(thulium.requests), thulium.counts) == (2, {"campaigns": 5})


def test_remote(call: Client, thulium: Sandbox) -> None:
    """Another process tells the same and sees the same."""
    remote: Control = Remote(thulium.url)
    remote.reset()
    seeds.documented(remote)
    remote.behave(unique=["email"], create_status=200)
    remote.fail("batch", Fault(work=True, leave_out=(445,), headers={"X-A": "b"}), times=None)
    remote.poison(999)
    remote.refuse(448, "no")
    remote.slow(0.001)
    answer = call("POST", BATCH, DOCUMENTED)
    assert (list(answer.json), answer.headers["X-A"]) == (["441", "448"], "b")
    assert call("POST", "customers", body=b'{"surname":"caf\xe9"}').status == 400
    for name in ("customers", "requests", "counts"):
        assert getattr(remote, name) == getattr(thulium, name)
    assert remote.records("00001") == thulium.records("00001")
    assert remote.calls("create")[0].body == b'{"surname":"caf\xe9"}'
    remote.heal()
    assert call("POST", BATCH, DOCUMENTED).json.keys() == {"441", "445", "448"}
    remote.forget()
    assert thulium.counts == {}
    remote.set_password("another")
    assert thulium.password == "another"


@pytest.mark.parametrize(
    ("operation", "arguments", "message"),
    [
        ("unheard", {}, "KeyError"),
        ("add_customer", {"customer_id": 1, "customers": []}, None),
        ("records", {"campaign_id": "1"}, "KeyError: '1'"),
        ("fail", {"call": "batch", "fault": {"wire": "smoke"}}, "wire: choose one of"),
        ("slow", {}, "missing 1 required positional argument"),
    ],
)
def test_remote_mistake(thulium: Sandbox, operation: str, arguments: dict[str, Any], message: str | None) -> None:
    """What can't be carried out is said, and changes nothing."""
    remote = Remote(thulium.url)
    if message is None:
        assert remote.tell(operation, **arguments) == 1
        return
    with pytest.raises(ValueError, match=message):
        remote.tell(operation, **arguments)


def test_by_hand(thulium: Sandbox) -> None:
    """A person looks at it with a browser, and needs no password for that."""
    connection = http.client.HTTPConnection(urlsplit(thulium.url).netloc, timeout=5)
    with closing(connection):
        connection.request("GET", "/_sandbox/records?campaign_id=00001")
        shown = json.loads(connection.getresponse().read())["result"]
    assert [record["record_id"] for record in shown] == [100]
    assert thulium.requests == []


def test_many_at_once(thulium: Sandbox) -> None:
    """Sixteen clients at once put each customer into the campaign exactly once."""
    numbers = [thulium.add_customer(surname="Mak") for _ in range(20)]
    records = {"records": [{"customer_id": number} for number in numbers]}
    start = threading.Barrier(16)

    def work(_: int) -> list[str]:
        with closing(Client(thulium)) as client:
            start.wait()
            return [item["status"] for item in client("POST", BATCH, records).json.values()]

    with ThreadPoolExecutor(16) as pool:
        said = [status for statuses in pool.map(work, range(16)) for status in statuses]
    assert (said.count("ADDED"), said.count("ALREADY_EXISTS")) == (20, 300)
    assert len({record["record_id"] for record in thulium.records("00001")}) == 21
