"""Completing a thin event."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.delivery.fetch import complete, fits
from ringback.event import Event
from ringback.expressions.expression import compile_expression
from ringback.outcome import Outcome, Status
from ringback.secret import Secret
from ringback.settings import Fetch
from ringback.thulium.wire import Wire
from tests.events import make_event
from tests.preset_cases import serve
from tests.sandbox import Sandbox, faults
from tests.sandbox.faults import Fault


@pytest.fixture(scope="module")
def started() -> Iterator[Sandbox]:
    """A server that can answer in every way that one can."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def server(started: Sandbox) -> Sandbox:
    """The server with nothing planned."""
    started.reset()
    return started


def fetch(
    server: Sandbox, data: object, seconds: float = 5, path: str = "/contacts/{id}", **rest: Any
) -> Event | Outcome:
    """Complete an event with what the server says."""
    own = Fetch(server.url + path, {"Authorization": Secret("Bearer x")}, None)
    return complete(make_event(data=data), replace(own, **rest), Wire(), seconds)


def say(server: Sandbox, body: str, status: int = 200, **headers: str) -> None:
    """Have the server say this once."""
    server.fail("*", Fault(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()}))


def test_reply_is_merged_under_the_event(server: Sandbox) -> None:
    """What the sender says of the thing is laid under what the event says itself; all else of the event stays."""
    say(server, '{"id": 9, "phone": "601 000 041", "nested": {"a": 1}}')
    event = make_event(data={"id": 7, "nested": {"b": 2}}, attempt=3)
    own = Fetch(server.url + "/contacts/{id}", {"Authorization": Secret("Bearer x")}, None)
    got = complete(event, own, Wire(), 5)
    assert got == replace(event, data={"id": 7, "nested": {"b": 2}, "phone": "601 000 041"})
    [asked] = server.calls(None)
    assert (asked.method, asked.path) == ("GET", "/contacts/7")
    assert {name.lower(): value for name, value in asked.headers.items()}["authorization"] == "Bearer x"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a/b", "/x/a%2Fb"), ("a?b=c&d#e", "/x/a%3Fb%3Dc%26d%23e"), ("../x", "/x/..%2Fx"), ("a b", "/x/a%20b"),
        ("ł", "/x/%C5%82"), ("%2F", "/x/%252F"), (5, "/x/5"), ("a\r\nHost: b", "/x/a%0D%0AHost%3A%20b"),
    ],
)  # fmt: skip
def test_values_stay_in_their_place(value: object, path: str) -> None:
    """A value in the URL is percent-encoded, so that no event leads anywhere else."""
    with serve() as sender:
        complete(make_event(data={"id": value}), Fetch(sender.url + "/x/{id}", {}, None), Wire(), 5)
        assert list(sender.asked) == [path]


@pytest.mark.parametrize(
    ("declared", "name"), [("application/json; charset=iso-8859-2", "Łoś"), ("application/json", "�o�")]
)
def test_reply_of_any_byte(declared: str, name: str) -> None:
    """A reply is read in the charset that it names; no byte of it costs the lead."""
    reply = '{"name": "Łoś", "note": "po\n16", "age": NaN}'.encode("iso-8859-2")
    with serve() as sender:
        sender.replies = {"/1": {"bytes": reply, "type": declared}}
        got = complete(make_event(data={"id": 1}), Fetch(sender.url + "/{id}", {}, None), Wire(), 5)
    assert isinstance(got, Event)
    assert got.data == {"id": 1, "name": name, "note": "po\n16", "age": None}


@pytest.mark.parametrize(("url", "path"), [("/x/{a}?b={b_2}&a={a}", "/x/1?b=x%26y&a=1"), ("/all", "/all")])
def test_several_values(url: str, path: str) -> None:
    """A URL may have several values, in the query too, and none."""
    with serve() as sender:
        complete(make_event(data={"a": "1", "b_2": "x&y"}), Fetch(sender.url + url, {}, None), Wire(), 5)
        assert list(sender.asked) == [path]


@pytest.mark.parametrize("data", [{"contact": {"id": "a/b"}, "n": {"m": {"k": 5}}}])
def test_values_within_others(data: object) -> None:
    """A place may lead through objects, by names and dots."""
    with serve() as sender:
        complete(make_event(data=data), Fetch(sender.url + "/x/{contact.id}?k={n.m.k}", {}, None), Wire(), 5)
        assert list(sender.asked) == ["/x/a%2Fb?k=5"]


@pytest.mark.parametrize("data", [{}, {"contact": None}, {"contact": "x"}, {"contact": ["x"]}, {"contact": {}},
                                  {"contact": {"id": {}}}, {"contact.id": "x"}, {"contact": {"id": ".."}}])  # fmt: skip
def test_values_within_others_that_are_not_there(server: Sandbox, data: object) -> None:
    """A place that leads nowhere makes the lead INVALID, and nobody is asked."""
    got = fetch(server, data, path="/contacts/{contact.id}")
    assert isinstance(got, Outcome)
    assert (got.status, list(got.fields)) == (Status.INVALID, ["contact.id"])
    assert server.calls(None) == []


def test_reply_is_read_as_a_body_is(server: Sandbox) -> None:
    """No number in a reply loses a digit, and no text in it holds half a character."""
    say(server, '{"budget": 0.1234567890123456789012, "name": "\\ud800x"}')
    got = fetch(server, {"id": 1})
    assert isinstance(got, Event)
    assert got.data == {"id": 1, "budget": "0.1234567890123456789012", "name": "?x"}


@pytest.mark.parametrize("value", [None, "", " ", ".", "..", " .. ", True, 1.5, [], ["x"], {"a": "b"}])
def test_event_without_what_is_asked_for(server: Sandbox, value: object) -> None:
    """An event that does not say what to fetch is INVALID; nobody is asked."""
    got = fetch(server, {"id": value})
    assert got == Outcome(
        Status.INVALID,
        "id: missing, and needed to fetch the rest",
        fields={"id": "missing, and needed to fetch the rest"},
    )
    assert server.calls(None) == []


@pytest.mark.parametrize("data", [None, "text", 5, ["x"]])
def test_event_that_is_no_object(server: Sandbox, data: object) -> None:
    """So is one that is no object."""
    got = fetch(server, data)
    assert isinstance(got, Outcome)
    assert got.status is Status.INVALID


@pytest.mark.parametrize("status", [404, 410])
def test_what_does_not_exist_any_more(server: Sandbox, status: int) -> None:
    """404 and 410 are the last word about an event, with every sender."""
    say(server, "<html>", status)
    assert fetch(server, {"id": 1}) == Outcome(Status.FAILED, "fetch: it does not exist any more", http_status=status)


GONE = compile_expression("error.code == `100`")


@pytest.mark.parametrize(
    ("status", "body", "gone"),
    [(400, '{"error": {"code": 100}}', True), (400, '{"error": {"code": 190}}', False), (500, "<html>", False),
     (400, "[]", False), (200, '{"error": {"code": 100}}', None)],
)  # fmt: skip
def test_gone_in_other_words(server: Sandbox, status: int, body: str, gone: bool | None) -> None:  # noqa: FBT001 - a parameter
    """A sender whose error says it otherwise is understood; a success is none of these."""
    say(server, body, status)
    got = fetch(server, {"id": 1}, gone=GONE)
    if gone is None:
        assert isinstance(got, Event)
    else:
        assert isinstance(got, Outcome)
        assert got.status is (Status.FAILED if gone else Status.DEFERRED)


def test_gone_that_can_not_be_asked(server: Sandbox) -> None:
    """An error on which the expression fails says nothing."""
    say(server, '{"error": 5}', 400)
    got = fetch(server, {"id": 1}, gone=compile_expression("sort(error)"))
    assert isinstance(got, Outcome)
    assert got.status is Status.DEFERRED


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 409, 422, 429, 500, 503])
def test_what_is_refused_comes_back(server: Sandbox, status: int) -> None:
    """What a person or time can mend is DEFERRED; a redirect is not followed."""
    say(server, "{}", status, Location=f"{server.url}/elsewhere", Retry_After="120")
    got = fetch(server, {"id": 1})
    assert got == Outcome(Status.DEFERRED, f"fetch: refused with {status}", http_status=status, retry_after=120)
    assert len(server.calls(None)) == 1


@pytest.mark.parametrize("body", ["", "[]", "null", '"x"', "<html>", "{", "\x00"])
def test_reply_that_is_no_object(server: Sandbox, body: str) -> None:
    """A success that says nothing is DEFERRED."""
    say(server, body)
    assert fetch(server, {"id": 1}) == Outcome(Status.DEFERRED, "fetch: the reply is no object", http_status=200)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(faults.hang(), "no answer in time"), (Fault(wire="drip-body", body="x" * 100, pace=0.05), "no answer in time"),
     (faults.reset(after_work=False), "the connection broke"), (Fault(wire="endless"), "the reply is too large")],
)  # fmt: skip
def test_call_that_fails(server: Sandbox, fault: Fault, reason: str) -> None:
    """A call that brings nothing is DEFERRED, in time, and its reason names no address."""
    server.fail("*", fault)
    started = time.monotonic()
    assert fetch(server, {"id": 1}, 0.3 if "time" in reason else 5) == Outcome(Status.DEFERRED, f"fetch: {reason}")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("seconds", [0, -1])
def test_no_time_left(server: Sandbox, seconds: float) -> None:
    """Without time nobody is asked."""
    assert fetch(server, {"id": 1}, seconds) == Outcome(Status.DEFERRED, "fetch: no time left")
    assert server.calls(None) == []


@pytest.mark.parametrize("secret", ["Bearer zażółć", "a\nb: c"])
def test_header_that_makes_no_sense(server: Sandbox, secret: str) -> None:
    """A secret that can't be a header's value is DEFERRED, and not shown."""
    say(server, "{}")
    got = fetch(server, {"id": 1}, headers={"Authorization": Secret(secret)})
    assert got == Outcome(Status.DEFERRED, "fetch: the address or a header makes no sense")


@given(st.none() | st.booleans() | st.integers() | st.text() | st.floats())
def test_what_fits(value: object) -> None:
    """What stands in a path is text or a whole number, and never leads up."""
    assert fits(value) == (type(value) in (str, int) and bool(str(value).strip(". ")))
