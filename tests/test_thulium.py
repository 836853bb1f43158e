"""Thulium's calls over real HTTP, against the stand-in: what goes out, what comes back, and when no call is made."""

import base64
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from ringback.errors import CallFailed
from ringback.secret import Secret
from ringback.thulium.api import Thulium
from ringback.thulium.login import REFUSED, encode_basic
from ringback.thulium.replies import RecordReply
from ringback.thulium.wire import Wire
from tests.sandbox import Sandbox, faults, seeds

RECORDS = [
    {"customer_id": 441, "status_id": 3},
    {"customer_id": 445, "status_id": 1},
    {"customer_id": 448, "status_id": 1},
]


@dataclass(frozen=True)
class Access:
    url: str
    user: Secret
    password: Secret
    timeout: float = 5


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        seeds.documented(sandbox)
        yield sandbox


def connect(sandbox: Sandbox, timeout: float = 5, **more: Any) -> Thulium:
    return Thulium(Access(f"{sandbox.url}/", Secret(sandbox.user), Secret(sandbox.password), timeout), Wire(), **more)


@pytest.fixture
def thulium(sandbox: Sandbox) -> Thulium:
    return connect(sandbox)


@pytest.fixture
def soon() -> float:
    """A deadline that leaves enough time."""
    return time.monotonic() + 5


# What goes out


def test_a_call_says_who_calls_and_in_which_language(sandbox: Sandbox, thulium: Thulium, soon: float) -> None:
    """Every call has HTTP Basic's header and asks for messages in English."""
    thulium.campaigns(soon)
    headers = sandbox.requests[0].headers
    kind, _, encoded = headers["authorization"].partition(" ")
    assert (kind, base64.b64decode(encoded).decode()) == ("Basic", f"{sandbox.user}:{sandbox.password}")
    assert (headers["accept-language"], headers["accept"]) == ("en", "application/json")


@pytest.mark.parametrize(
    ("user", "password", "pair"),
    [("api", "geheim:ß", "api:geheim:ß"), ("api", "secret\n", "api:secret"), ("api\r\n", " blank ", "api: blank ")],
)
def test_credentials_are_utf_8_without_a_line_end(user: str, password: str, pair: str) -> None:
    """User and password are encoded as UTF-8; a line end that was stored with a secret is left out."""
    assert encode_basic(Secret(user), Secret(password)) == f"Basic {base64.b64encode(pair.encode()).decode()}"


Call = Callable[[Thulium, float], object]


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (
            lambda api, d: api.find_customers("phone_number", "+48601000041", d),
            "GET customers?phone_number=%2B48601000041&limit=1000",
        ),
        (
            lambda api, d: api.find_customers("email", "ą&b@example.pl", d),
            "GET customers?email=%C4%85%26b%40example.pl&limit=1000",
        ),
        (lambda api, d: api.get_customer(441, d), "GET customers/441"),
        (lambda api, d: api.create_customer({"surname": "Kot"}, d), 'POST customers {"surname":"Kot"}'),
        (lambda api, d: api.update_customer(441, {"note": "x"}, d), 'PUT customers/441 {"note":"x"}'),
        (lambda api, d: api.delete_customer(441, d), "DELETE customers/441"),
        (
            lambda api, d: api.add_records("00001", RECORDS[:1], d),
            'POST batch/crm_outbounds/00001/records {"records":[{"customer_id":441,"status_id":3}]}',
        ),
        (
            lambda api, d: api.remove_records("00001", [441, 442], d),
            "DELETE batch/crm_outbounds/00001/records?customer_id%5B%5D=441&customer_id%5B%5D=442",
        ),
        (lambda api, d: api.get_record("00001", 445, d), "GET crm_outbounds/00001/records/445"),
        (
            lambda api, d: api.update_record("00001", 445, {"status_id": 3}, d),
            'PUT crm_outbounds/00001/records/445 {"status_id":3}',
        ),
        (
            lambda api, d: api.stop_number("601000045", 3, d),
            'POST outbound_status_by_phone_number {"phone_number":"601000045","status_id":"3"}',
        ),
        (lambda api, d: api.campaigns(d), "GET outbounds"),
        (lambda api, d: api.statuses("00001", d), "GET outbounds/00001/statuses"),
        (lambda api, d: api.agents("00001", d), "GET outbounds/00001/agents"),
        (lambda api, d: api.agent("jkowalski", d), "GET agents/jkowalski"),
    ],
)
def test_each_call_is_the_documented_one(
    sandbox: Sandbox, thulium: Thulium, soon: float, call: Call, line: str
) -> None:
    """Each method makes one call, with the path, the parameters and the body that the documentation has."""
    call(thulium, soon)
    (received,) = sandbox.requests
    query = f"?{received.query}" if received.query else ""
    body = f" {received.body.decode()}" if received.body else ""
    assert f"{received.method} {received.path.removeprefix('/api/')}{query}{body}" == line


@pytest.mark.parametrize(("field", "value"), [("phone_number", ""), ("email", " "), ("phone", "601000041")])
def test_nobody_is_searched_by_nothing(sandbox: Sandbox, thulium: Thulium, soon: float, field: str, value: str) -> None:
    """An empty value finds those who have none, an unknown field perhaps everybody: neither is ever sent."""
    with pytest.raises(ValueError, match="search by one of email, identifier, phone_number"):
        thulium.find_customers(field, value, soon)
    assert not sandbox.requests


def test_an_id_stays_one_part_of_the_path(soon: float) -> None:
    """What separates parts of a URL is encoded in an id."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        access = Access(f"http://127.0.0.1:{listener.getsockname()[1]}", Secret("a"), Secret("b"))
        call = threads.submit(Thulium(access, Wire()).agent, "h/m?x=1#ó", soon)
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(65536).startswith(b"GET /api/agents/h%2Fm%3Fx%3D1%23%C3%B3 HTTP/1.1\r\n")
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            assert call.result() is None


@pytest.mark.parametrize("part", ["", ".", ".."])
def test_no_part_of_a_path_leads_elsewhere(sandbox: Sandbox, thulium: Thulium, soon: float, part: str) -> None:
    """An id that is empty or climbs the path is refused: the call would be another one."""
    with pytest.raises(ValueError, match="a part of the path"):
        thulium.agent(part, soon)
    assert not sandbox.requests


# What comes back


def test_the_documented_batch(sandbox: Sandbox, thulium: Thulium, soon: float) -> None:
    """The documentation's own batch ends in its three outcomes."""
    assert thulium.add_records("00001", RECORDS, soon) == {
        441: RecordReply("ADDED", 111, 201, ""),
        445: RecordReply("ALREADY_EXISTS", 100, 400, ""),
        448: RecordReply("FAILED", None, 400, "Customer not found."),
    }
    assert sandbox.calls("batch")[0].json == {"records": RECORDS}


@pytest.mark.parametrize(
    "ways",
    [
        {"batch_status": 207, "ids_as_text": True, "statuses_as_text": True, "customers_list": "bare"},
        {"create_reply": "id", "create_status": 200, "put_status": 204, "customers_list": "data"},
        {"create_reply": "text", "campaigns_list": "result", "customers_list": "result"},
    ],
)
def test_replies_may_come_in_any_form(sandbox: Sandbox, thulium: Thulium, soon: float, ways: dict[str, Any]) -> None:
    """Wherever the documentation is silent, each plausible form of a reply gives the same data."""
    sandbox.behave(**ways)
    assert thulium.create_customer({"surname": "Kot", "phone_number": ["601000009"]}, soon) == 449
    assert [row["customer_id"] for row in thulium.find_customers("phone_number", "601000009", soon)] == [449]
    thulium.update_customer(449, {"note": "called"}, soon)
    assert thulium.get_customer(449, soon)["customer_id"] == 449
    assert thulium.add_records("00001", RECORDS[:1], soon) == {441: RecordReply("ADDED", 111, 201, "")}
    assert [row["id"] for row in thulium.campaigns(soon)] == ["00001"]


def test_a_record_is_read_and_changed(thulium: Thulium, soon: float) -> None:
    """A record is a row, and none where there is none; a change shows."""
    thulium.update_record("00001", 445, {"status_id": 6}, soon)
    record = thulium.get_record("00001", 445, soon)
    assert record is not None
    assert (record["record_id"], record["system_status"]) == (100, "NO_CALL")
    assert thulium.get_record("00001", 441, soon) is None


def test_what_was_made_can_be_removed(thulium: Thulium, soon: float) -> None:
    """Records and customers are removed, each with Thulium's word."""
    removed = thulium.remove_records("00001", (number for number in (445, 441)), soon)
    assert {number: word.status for number, word in removed.items()} == {445: "REMOVED", 441: "NOT_EXIST"}
    thulium.delete_customer(441, soon)
    with pytest.raises(CallFailed, match="Thulium answered 404"):
        thulium.get_customer(441, soon)


def test_a_number_is_stopped_everywhere(sandbox: Sandbox, thulium: Thulium, soon: float) -> None:
    """A dictionary status reaches every campaign that has the number; their ids stay strings."""
    sandbox.put_record("00001", 441)
    assert thulium.stop_number("601000041", 3, soon) == ["00001"]
    assert thulium.stop_number("601000099", 3, soon) == []


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", '{"outbound_id":"00001"}', "<html>"])
def test_a_stop_that_is_not_confirmed_has_failed(sandbox: Sandbox, thulium: Thulium, soon: float, body: str) -> None:
    """Without the list of campaigns nobody knows whether a number was stopped."""
    sandbox.fail("stop", faults.says(body))
    with pytest.raises(CallFailed, match="makes no sense"):
        thulium.stop_number("601000041", 3, soon)


def test_a_campaign_tells_its_statuses_and_agents(thulium: Thulium, soon: float) -> None:
    """Statuses and agents are rows; an agent whom nobody knows is none."""
    assert thulium.statuses("00001", soon)[0]["status_id"] == "1"
    assert [row["login"] for row in thulium.agents("00001", soon)] == ["jkowalski"]
    agent = thulium.agent("jkowalski", soon)
    assert agent is not None
    assert agent["surname"] == "Kowalski"
    assert thulium.agent("nobody", soon) is None


def test_a_failed_call_keeps_its_evidence(sandbox: Sandbox, thulium: Thulium, soon: float) -> None:
    """The failure of a whole call has its status, Thulium's request id, its messages, and how long to wait."""
    sandbox.fail("batch", faults.error(503, "Try later.", retry_after="120"))
    with pytest.raises(CallFailed, match="Thulium answered 503") as caught:
        thulium.add_records("00001", RECORDS, soon)
    failed = caught.value
    assert (failed.http_status, failed.request_id, failed.message) == (503, "53678450401cf", "Try later.")
    assert failed.retry_after == 120


def test_a_redirect_is_an_error(sandbox: Sandbox, thulium: Thulium, soon: float) -> None:
    """A redirect is not followed, and is no success."""
    sandbox.fail("update", faults.redirect("/elsewhere"))
    with pytest.raises(CallFailed, match="Thulium answered 302"):
        thulium.update_customer(441, {"note": "x"}, soon)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda api, d: api.find_customers("email", "ada@example.com", d),
        lambda api, d: api.create_customer({"surname": "Kot"}, d),
        lambda api, d: api.update_customer(441, {"note": "x"}, d),
        lambda api, d: api.add_records("00001", RECORDS, d),
        lambda api, d: api.get_record("00001", 445, d),
        lambda api, d: api.update_record("00001", 445, {"status_id": 3}, d),
        lambda api, d: api.stop_number("601000041", 3, d),
    ],
)
@pytest.mark.parametrize("fault", [faults.html(200), faults.says("null"), faults.says("42"), faults.says("[1]")])
def test_nonsense_is_never_a_success(
    sandbox: Sandbox, thulium: Thulium, soon: float, call: Call, fault: faults.Fault
) -> None:
    """A reply with 200 that makes no sense fails every call."""
    sandbox.fail("*", fault)
    with pytest.raises(CallFailed, match="makes no sense"):
        call(thulium, soon)


# When no call is made


def test_a_call_has_what_is_left_until_the_deadline(sandbox: Sandbox, thulium: Thulium) -> None:
    """A call ends by the deadline, even where it might take longer by itself."""
    sandbox.fail("*", faults.hang())
    started = time.monotonic()
    with pytest.raises(CallFailed, match="no answer in time"):
        thulium.campaigns(started + 0.1)
    assert time.monotonic() - started < 3


def test_a_call_has_its_own_limit(sandbox: Sandbox, soon: float) -> None:
    """A call takes no longer than ``timeout``, even where the deadline is far."""
    sandbox.fail("*", faults.hang())
    started = time.monotonic()
    with pytest.raises(CallFailed, match="no answer in time"):
        connect(sandbox, timeout=0.1).campaigns(soon)
    assert time.monotonic() - started < 3


def test_without_time_no_call_is_made(sandbox: Sandbox, thulium: Thulium) -> None:
    """After the deadline nothing is sent any more."""
    with pytest.raises(CallFailed, match="no time left"):
        thulium.campaigns(time.monotonic())
    assert not sandbox.requests


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_a_refused_password_makes_no_storm(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    """After a 401 no call is made until a time has passed, and each time one loud line says so."""
    now = [0.0]
    thulium = connect(sandbox, pause=60, clock=lambda: now[0])
    sandbox.set_password("another")
    failures = []
    for now[0] in (0.0, 0.0, 59.9, 60.0):
        with pytest.raises(CallFailed, match=REFUSED) as caught:
            thulium.campaigns(1000)
        failures.append((caught.value.http_status, caught.value.message))
    assert failures == [(401, "Wrong user or password."), (401, ""), (401, ""), (401, "Wrong user or password.")]
    assert len(sandbox.requests) == 2
    assert lines(caplog) == ["Thulium refused the password; no call is made for 60 s"] * 2


def test_many_refusals_at_once_are_one_line(
    sandbox: Sandbox, thulium: Thulium, soon: float, caplog: pytest.LogCaptureFixture
) -> None:
    """Calls that were under way together when the password was refused make one line."""
    sandbox.fail("campaigns", faults.Fault(status=401, wait=1), times=None)
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(thulium.campaigns, soon) for _ in range(8)]
        assert all(isinstance(call.exception(), CallFailed) for call in calls)
    assert len(sandbox.requests) == 8
    assert len(lines(caplog)) == 1


def test_new_credentials_are_tried_at_once(sandbox: Sandbox, thulium: Thulium, soon: float) -> None:
    """A password that has changed since it was refused is used with the next call."""
    sandbox.set_password("another")
    with pytest.raises(CallFailed, match=REFUSED):
        thulium.campaigns(soon)
    thulium.renew(Secret(sandbox.user), Secret("another"))
    assert [row["id"] for row in thulium.campaigns(soon)] == ["00001"]


def test_a_refusal_of_the_old_password_does_not_stop_the_new_one(
    sandbox: Sandbox, thulium: Thulium, soon: float
) -> None:
    """A 401 to a call that was under way while the password changed says nothing of the new one."""
    sandbox.fail("campaigns", faults.Fault(status=401, wait=0.2))
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(thulium.campaigns, soon)
        while not sandbox.requests:
            time.sleep(0.01)
        sandbox.set_password("another")
        thulium.renew(Secret(sandbox.user), Secret("another"))
        with pytest.raises(CallFailed, match=REFUSED):
            slow.result()
    assert thulium.campaigns(soon)


def test_another_error_does_not_stop_the_calls(sandbox: Sandbox, thulium: Thulium, soon: float) -> None:
    """A right that is missing for one call says nothing of the others."""
    sandbox.fail("statuses", faults.error(403))
    with pytest.raises(CallFailed, match="Thulium answered 403"):
        thulium.statuses("00001", soon)
    assert thulium.campaigns(soon)
