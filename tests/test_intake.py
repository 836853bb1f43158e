"""Request -> verified events."""

import gzip
import hmac
import json
import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import BadBody, BadSignature, TooLarge, UnsupportedType, WrongMethod
from ringback.event import Event
from ringback.intake import MAX_EVENTS, MAX_HEAD, take_in
from ringback.settings import Settings
from ringback.web import MAX_BODY, Request, Response
from tests.given import SECRET, load, make_config, make_source

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HEADERS = {"x-api-key": SECRET, "content-type": "application/json"}
HEX = "4bf92f3577b34da6a3ce929d0e0e4736"
UUID = "8f2b6c1a-9d3e-4a7f-b5c2-1e6f9a0d4b7c"
NUMBER = "48601000077".rjust(32, "0")


def given_source(**changes: Any) -> Settings:
    """Return settings whose one source has other keys."""
    return load(make_config(make_source(**changes)))


def make_request(body: object, query: str = "", **headers: str) -> Request:
    """Return a request with the token and a JSON body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", "/website", query, {**HEADERS, **named}, json.dumps(body).encode())


def take(request: Request, settings: Settings) -> list[Event]:
    """Return the events of a request that brings some, or none."""
    taken = take_in(request, settings, NOW)
    assert isinstance(taken, tuple)
    assert taken[0] is settings.sources["website"]
    return taken[1]


def take_one(body: object, **changes: Any) -> Event:
    """Return the one event of a body."""
    [event] = take(make_request(body), given_source(**changes))
    return event


# --- items ---


@pytest.mark.parametrize(
    ("items", "body", "data"),
    [
        ("@", {"id": 1}, [{"id": 1}]),
        ("@", [{"id": 1}, {"id": 2}], [{"id": 1}, {"id": 2}]),
        ("leads", {"leads": [{"id": 1}]}, [{"id": 1}]),
        ("leads", {"leads": {"id": 1}}, [{"id": 1}]),
        ("leads", {"leads": []}, []),
        ("leads[]", {"leads": [[{"id": 1}], [{"id": 2}]]}, [{"id": 1}, {"id": 2}]),
        ("leads", {"leads": [1, "x", None, [5]]}, [{"value": 1}, {"value": "x"}, {"value": None}, {"value": [5]}]),
        ("leads", {"leads": None}, [None]),
        ("leads", {}, [None]),
        ("leads", {"leads": "text"}, ["text"]),
        ("leads", {"leads": 5}, [5]),
        ("@", None, [None]),
        ("@", "text", ["text"]),
    ],
)
def test_items(items: str, body: object, data: list[object]) -> None:
    """A list gives its elements, an object is one event, anything else one that will be INVALID."""
    events = take(make_request(body), given_source(items=items))
    assert [event.data for event in events] == data


def test_items_that_can_not_be_asked() -> None:
    """Where the expression fails on a body there is one event, which says so."""
    event = take_one({"leads": 5}, items="sort(leads)")
    assert event.data == {"leads": 5}
    assert event.problem == {"items": "sort() takes array of string or array of number, and is given number"}


@pytest.mark.parametrize("body", [None, "text", [[]]])
def test_event_that_is_no_object_has_no_id_of_its_own(body: object) -> None:
    """An event that is none still has an id and a key, so that it can be told of."""
    event = take_one(body, event_id="id", only="`false` || !a") if body != [[]] else take_one(body, event_id="id")
    assert not event.identified
    assert len(event.id) == len(event.key) == 32


# --- only ---


@pytest.mark.parametrize(
    "only",
    ["kind == 'lead'", "_body.kind == 'lead'", "_request.headers.topic == 'lead'", "_request.query.topic == 'lead'",
     "starts_with(_request.received_at, '2026-03-02T09:00:00')", ["kind", "_body"]],
)  # fmt: skip
def test_only(only: str | list[str]) -> None:
    """What is no lead by the preset's word is no event; it may be asked of the event, the body and the request."""
    settings = given_source(only=only)
    lead = make_request({"kind": "lead"}, "topic=lead", topic="lead")
    assert len(take(lead, settings)) == 1
    if "received_at" not in only:
        assert take(make_request({"kind": ""}, "topic=x", topic="x"), settings) == []


def test_only_that_can_not_be_asked() -> None:
    """An event on which it fails is not dropped: it says so."""
    event = take_one({"kind": 5}, only="contains(kind, 'x')")
    assert event.problem == {"contains(kind, 'x')": "contains() takes array or string, and is given number"}


# --- event ids ---


@pytest.mark.parametrize(
    ("value", "event_id"), [("e1", "e1"), (" e1 ", "e1"), (5, "5"), (0, "0"), (5.0, "5"), (HEX, HEX)]
)
def test_event_id_is_text(value: object, event_id: str) -> None:
    """An event's id is the sender's, as text."""
    event = take_one({"id": value}, event_id="id")
    assert (event.id, event.identified) == (event_id, True)


@pytest.mark.parametrize(
    "value",
    ["jan@example.com", "+48601000041", "x" * 201, "a\nb", "a\x00b", "a\u2028b", "a\x1b[31mb", "żółć/1", 1.5,
     "Kowalski", "44051401359", 44051401359, "e" * 200 + "1", "ul. Kurza 7"],
)  # fmt: skip
def test_event_id_that_is_not_logged_as_it_is(value: object) -> None:
    """What no machine has made, or may be a person's, is hashed, to the same each time."""
    event, other = (take_one({"id": value, "n": n}, event_id="id") for n in (1, 2))
    assert event.identified
    assert re.fullmatch("[0-9a-f]{32}", event.id)
    assert event.id == other.id
    assert event.key != other.key


@pytest.mark.parametrize("value", [None, "", "  ", True, False, [], ["x"], {}, {"a": 1}])
def test_event_without_an_id(value: object) -> None:
    """Without an id it is a hash of source and event."""
    event = take_one({"id": value, "n": 1}, event_id="id")
    assert not event.identified
    assert event.id == take_one({"n": 1, "id": value}, event_id="id").id
    assert event.id != take_one({"id": value, "n": 2}, event_id="id").id
    settings = load({**make_config(), "sources": {"website": make_source(), "other": make_source()}})
    request = make_request({"n": 1})
    [one] = take(request, settings)
    taken = take_in(replace(request, path="/other"), settings, NOW)
    assert isinstance(taken, tuple)
    assert one.id != taken[1][0].id


def test_event_id_from_the_request() -> None:
    """An id may be a header's, a query's or the body's."""
    settings = given_source(event_id='first(_request.headers."x-id", _request.query.id, _body.id)')
    requests = [
        make_request({"id": "e3"}, "id=e2", x_id="e1"),
        make_request({"id": "e3"}, "id=e2"),
        make_request({"id": "e3"}),
    ]
    assert [take(request, settings)[0].id for request in requests] == ["e1", "e2", "e3"]


def test_event_id_that_can_not_be_asked() -> None:
    """An event on which it fails says so."""
    event = take_one({"id": 5}, event_id="join('', id)")
    assert event.problem.keys() == {"join('', id)"}
    assert not event.identified


# --- keys ---


def key(body: object, **changes: Any) -> str:
    """Return the key that recognises a redelivery of a body."""
    return take_one(body, event_id="id", **changes).key


def test_same_content_is_the_same_event() -> None:
    """The order of keys, and spaces in the body, make no other event."""
    settings = given_source(event_id="id")
    one, other = b'{"id": 1, "a": {"b": 2, "c": [3, 4]}}', b'{ "a": {"c": [3,4], "b": 2},\n "id": 1}'
    keys = [take(replace(make_request(0), body=body), settings)[0].key for body in (one, other)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    "other", [{"id": 2, "a": 1}, {"id": 1, "a": 2}, {"id": 1, "a": "1"}, {"id": 1}, {"id": "1", "a": 1}]
)
def test_other_content_is_another_event(other: dict[str, object]) -> None:
    """The same id with another content is two events, and so is the same content with another id."""
    assert key({"id": 1, "a": 1}) != key(other)


def test_same_event_under_another_query() -> None:
    """What rules look at in the request is part of the event: one more query may mean another campaign."""
    looking = given_source(campaign=[{"when": "_request.query.to == 'b'", "to": "00002"}, {"to": "00001"}])
    queries = ("to=a", "to=b", "to=b&x=1")
    assert len({take(make_request({"id": 1}, query), looking)[0].key for query in queries}) == 2
    telling = given_source(map={"phone_number": "_request.query.to"})  # whom it is about
    assert len({take(make_request({"id": 1}, query), telling)[0].key for query in queries}) == 2
    for other in ({}, {"map": {"note": "_request.query.to", "phone_number": "phone"}}):
        assert len({take(make_request({"id": 1}, query), given_source(**other))[0].key for query in queries}) == 1


def test_time_of_a_delivery_makes_no_other_event() -> None:
    """A rule that looks at the time of the request is another with each delivery, and the event is not."""
    source = given_source(when="_request.received_at")
    taken = [take_in(make_request({"id": 1}), source, NOW + timedelta(minutes=minutes)) for minutes in (0, 1)]
    assert len({each[1][0].key for each in taken if isinstance(each, tuple)}) == 1


def test_rule_that_fails_makes_no_other_event() -> None:
    """A rule that can't be worked out on the request is as if nothing were there."""
    source = given_source(when="abs(_request.query.a)")
    assert len({take(make_request({"id": 1}, query), source)[0].key for query in ("", "a=1")}) == 1


def test_stop_that_is_said_again() -> None:
    """A stop is a redelivery for minutes only: its person may have been put back to be called since."""
    source = load(make_config(make_source(action="stop"), stop={"dictionary_status_id": 3}))
    keys = []
    for minutes in (0, 1, 60):
        taken = take_in(make_request({"id": 1}), source, NOW + timedelta(minutes=minutes))
        assert isinstance(taken, tuple)
        keys.append(taken[1][0].key)
    assert keys[0] == keys[1] != keys[2]


def test_volatile() -> None:
    """What changes from try to try makes no other event, but stays in it."""
    changes = {"volatile": ["attempt", "meta.sent_at", "list[].n"]}
    one = {"id": 1, "attempt": 1, "meta": {"sent_at": 1, "x": 1}, "list": [{"n": 1, "m": 1}]}
    other = {"id": 1, "attempt": 2, "meta": {"sent_at": 2, "x": 1}, "list": [{"n": 2, "m": 1}]}
    assert key(one, **changes) == key(other, **changes)
    assert key(one, **changes) != key({**one, "meta": {"sent_at": 1, "x": 2}}, **changes)
    assert take_one(one, **changes).data == one


def test_id_that_is_logged_in_two_ways_is_one_id() -> None:
    """Whether an id is hashed may depend on what is volatile; the event is the same all the same."""
    changes = {"event_id": "id", "volatile": "sent", "map": {"phone_number": "phone", "note": "sent"}}
    one, other = (take_one({"id": 70123, "sent": sent}, **changes) for sent in (1, "no. 70123"))
    assert (one.id, len(other.id)) == ("70123", 32)
    assert one.key == other.key


def test_event_without_an_id_is_known_by_what_is_not_volatile() -> None:
    """The hash that stands for an id does not hold what is volatile either."""
    one, other = ({"a": 1, "attempt": n} for n in (1, 2))
    assert take_one(one, volatile="attempt").id == take_one(other, volatile="attempt").id


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ANY = given_source(items="list(@)", event_id="id", only="!gone", volatile="x.y")


@given(JSON, JSON)
def test_whatever_is_sent(body: object, other: object) -> None:
    """Any JSON is events; the same has the same keys and ids, another has others."""
    one, again, third = (take(make_request(each), ANY) for each in (body, body, other))
    assert one == again
    assert all(event.id.isprintable() and 0 < len(event.id) <= 200 for event in one)
    if [event.data for event in one] != [event.data for event in third] and not any(
        "x" in str(event.data) for event in one + third
    ):
        assert [event.key for event in one] != [event.key for event in third]


# --- the request ---


SEEN = {"map": {"phone_number": "phone", "note": 'first(_request.query.b, _request.headers."x-topic")'}}


def test_request_is_kept_as_far_as_it_is_read() -> None:
    """An event knows those headers and parameters that the rules of its source name, and no others."""
    sent = {"x-topic": "lead", "user-agent": "crm", "cookie": "s=1", "x-forwarded-for": "192.0.2.1"}
    request = replace(make_request({}, "a=1&b=%C5%82&b=2&token=t&c"), headers={**HEADERS, **sent})
    [event] = take(request, given_source(**SEEN))
    assert event.request == {"headers": {"x-topic": "lead"}, "query": {"b": "ł"}}
    assert event.received_at == NOW
    assert event.attempt == 1
    [event] = take(request, given_source())
    assert event.request == {"headers": {}, "query": {}}


RULES: dict[str, Any] = {
    "event_id": "_request.query.p",
    "only": "_request.query.p",
    "when": "_request.query.p",
    "consent": "_request.query.p",
    "do_not_call": "!(_request.query.p)",
    "campaign": [{"when": "_request.query.p", "to": "00001"}],
    "map": {"phone_number": ["phone", "_request.query.p"]},
    "answers": {"items": "[{label: 'p', value: _request.query.p}]"},
}


@pytest.mark.parametrize("key", RULES)
def test_every_rule_keeps_what_it_reads(key: str) -> None:
    """Whichever key of a source reads a parameter, it is kept."""
    [event] = take(make_request({"phone": "1"}, "p=yes&q=no"), given_source(**{key: RULES[key]}))
    assert event.request == {"headers": {}, "query": {"p": "yes"}}


@pytest.mark.parametrize(
    ("verify", "headers", "query"),
    [
        ({"scheme": "token", "query": "key"}, {}, f"key={SECRET}&b=1"),
        ({"scheme": "token", "header": "X-Own", "prefix": "Bearer "}, {"x-own": f"Bearer {SECRET}"}, "b=1"),
        ("none", {}, f"b=1&token={SECRET}"),
    ],
)
def test_proof_is_nowhere_in_the_event(verify: object, headers: dict[str, str], query: str) -> None:
    """What proved who sent it is in none of the event's parts, wherever it came."""
    bare = {name: value for name, value in HEADERS.items() if name != "x-api-key"}
    request = replace(make_request({"id": 1}, query), headers={**bare, **headers})
    [event] = take(request, given_source(verify=verify, **SEEN))
    assert SECRET not in repr(vars(event))
    assert event.request["query"] == {"b": "1"}


def test_proof_in_the_body_is_taken_out_of_the_event() -> None:
    """A token that came in the body does not stay in the event."""
    settings = given_source(verify={"scheme": "token", "field": "auth.key"}, items="leads")
    body = {"auth": {"key": SECRET, "n": 1}, "leads": [{"id": 1}]}
    [event] = take(make_request(body), settings)
    assert event.data == {"id": 1}
    [event] = take(make_request(body), replace_items(settings))
    assert event.data == {"auth": {"n": 1}, "leads": [{"id": 1}]}


def replace_items(settings: Settings) -> Settings:
    """Return the settings with the whole body for an event."""
    whole = given_source().sources["website"].items
    return replace(settings, sources={"website": replace(settings.sources["website"], items=whole)})


@pytest.mark.parametrize(
    ("headers", "trace"),
    [
        ({"traceparent": f"00-{HEX}-{HEX[:16]}-01"}, f"00-{HEX}-{HEX[:16]}-01"),
        ({"x_cloud_trace_context": f"{HEX}/1;o=1"}, HEX),
        ({"x_cloud_trace_context": HEX}, HEX),
        ({"x_amzn_trace_id": f"Self=1-2;Root=1-{HEX[:8]}-{HEX[:24]}"}, None),
        ({"x_amzn_trace_id": f"Root=1-{HEX[:8]}-{HEX[:24]};Parent=53995c3f42cd8ad8"}, f"Root=1-{HEX[:8]}-{HEX[:24]}"),
        (
            {"x_amzn_trace_id": f"Root=1-{HEX[:8]}-{HEX[:24]}", "traceparent": f"00-{HEX}-{HEX[:16]}-01"},
            f"00-{HEX}-{HEX[:16]}-01",
        ),
        ({"traceparent": "601000077"}, None),
        ({"traceparent": f"00-{HEX}-{HEX[:16]}-01-Kowalski"}, f"00-{HEX}-{HEX[:16]}-01"),
        ({"x_cloud_trace_context": f"{HEX}/Kowalski"}, HEX),
        ({"x_amzn_trace_id": "Jan=Kowalski;tel=601000077"}, None),
        ({"traceparent": f"00-{NUMBER}-{HEX[:16]}-01"}, None),
        ({"traceparent": f"00-{HEX}-{NUMBER[16:]}-01"}, None),
        ({"x_cloud_trace_context": NUMBER}, None),
        ({"x_amzn_trace_id": f"Root=1-{HEX[:8]}-{NUMBER[8:]}"}, None),
        ({}, None),
    ],
)
def test_trace(headers: dict[str, str], trace: str | None) -> None:
    """The platform's id of the request is known, if it is one that may be logged."""
    [event] = take(make_request({}, **headers), given_source())
    assert event.trace == trace


# --- what is read ---


def test_forms() -> None:
    """A form is an event too, its names nested."""
    request = replace(
        make_request(0),
        headers={**HEADERS, "content-type": "application/x-www-form-urlencoded"},
        body=urlencode({"contact[id]": "1", "x": "ł"}).encode(),
    )
    [event] = take(request, given_source())
    assert event.data == {"contact": {"id": "1"}, "x": "ł"}


def test_get() -> None:
    """What a GET says is its query, without what verification read."""
    settings = given_source(methods="GET", verify={"scheme": "token", "query": "key"})
    [event] = take(Request("GET", "/website", f"id=1&key={SECRET}", {}), settings)
    assert event.data == {"id": "1"}


JSON_TYPE, FORM_TYPE, XML_TYPE = "application/json", "application/x-www-form-urlencoded", "text/xml"


@pytest.mark.parametrize(
    ("types", "declared", "body", "data"),
    [
        (JSON_TYPE, None, b'{"a": 1}', {"a": 1}),
        (JSON_TYPE, "text/plain", b' \n[{"a": 1}]', {"a": 1}),
        (JSON_TYPE, FORM_TYPE, b'{"a": 1}', {"a": 1}),
        ([JSON_TYPE, FORM_TYPE], FORM_TYPE, b"a=1", {"a": "1"}),
        ([JSON_TYPE, FORM_TYPE], None, b"a=1", {"a": "1"}),
        (FORM_TYPE, "text/plain", b"a=1", {"a": "1"}),
        (XML_TYPE, None, b"<a><b>1</b></a>", {"a": {"b": "1"}}),
        ("application/soap+xml", "application/xml", b"<a><b>1</b></a>", {"a": {"b": "1"}}),
    ],
)
def test_types_that_a_source_reads(types: object, declared: str | None, body: bytes, data: object) -> None:
    """A source with `body` reads what is of these types; where none is named, what looks like one, else the first."""
    headers = {**HEADERS, "content-type": declared} if declared else {"x-api-key": SECRET}
    [event] = take(replace(make_request(0), headers=headers, body=body), given_source(body=types))
    assert event.data == data


def test_type_that_a_source_does_not_read() -> None:
    """A body of another type is refused once its sender is known, with what to write in order to have it read."""
    request = replace(make_request(0), headers={**HEADERS, "content-type": FORM_TYPE}, body=b"a=1")
    assert f"`body: [{JSON_TYPE}, {FORM_TYPE}]`" in str(expect(UnsupportedType, request, body=JSON_TYPE))
    expect(BadSignature, replace(request, headers={"content-type": FORM_TYPE}), body=JSON_TYPE)


@pytest.mark.parametrize(
    ("types", "declared", "body", "is_read"),
    [
        (None, JSON_TYPE, f'{{"token": "{SECRET}"}}', True),
        (None, FORM_TYPE, f"token={SECRET}", False),
        (None, XML_TYPE, f"<token>{SECRET}</token>", False),
        (FORM_TYPE, FORM_TYPE, f"token={SECRET}", True),
        (FORM_TYPE, JSON_TYPE, f'{{"token": "{SECRET}"}}', False),
        ([FORM_TYPE, XML_TYPE], XML_TYPE, f"<token>{SECRET}</token>", True),
    ],
)
def test_what_is_parsed_for_a_token(types: object, declared: str, body: str, *, is_read: bool) -> None:
    """Before its sender is known a body is parsed only for a token in it, and only as a type that its source names."""
    own = {"verify": {"scheme": "token", "field": "token"}, **({"body": types} if types else {})}
    request = Request("POST", "/website", "", {"content-type": declared}, body.encode())
    if is_read:
        assert take(request, given_source(**own))
    else:
        assert str(expect(BadSignature, request, **own)) == "no token can be read from the body"


# --- compressed bodies ---

SIGNED: dict[str, Any] = {"verify": {"scheme": "hmac", "header": "X-Signature"}}


def make_compressed(body: bytes, signed: bytes, encoding: str = "gzip") -> Request:
    """Return a request with this body, and the signature of another one."""
    signature = hmac.digest(SECRET.encode(), signed, "sha256").hex()
    headers = {"content-type": "application/json", "content-encoding": encoding, "x-signature": signature}
    return Request("POST", "/website", "", headers, body)


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
@pytest.mark.parametrize("is_signed_as_sent", [True, False])
def test_compressed_body(pack: Callable[[bytes], bytes], *, is_signed_as_sent: bool) -> None:
    """A compressed body is inflated; its signature may be of the bytes as sent, or as they were before."""
    plain = b'{"id": 1}'
    packed = pack(plain)
    encoding = "gzip" if pack is gzip.compress else "deflate"
    request = make_compressed(packed, packed if is_signed_as_sent else plain, encoding)
    [event] = take(request, given_source(**SIGNED))
    assert event.data == {"id": 1}
    expect(BadSignature, make_compressed(packed, plain + b" ", encoding), **SIGNED)


def test_token_in_a_compressed_body() -> None:
    """A token is found in a compressed body too."""
    body = gzip.compress(json.dumps({"token": SECRET}).encode())
    assert take(make_compressed(body, b""), given_source(verify={"scheme": "token", "field": "token"}))


@pytest.mark.parametrize(
    ("body", "encoding", "error"),
    [
        (b"{}", "gzip", BadBody),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", BadBody),
        (gzip.compress(bytes(MAX_BODY + 1), mtime=0), "gzip", TooLarge),
        (b"{}", "br", UnsupportedType),
    ],
)
def test_body_that_can_not_be_inflated(body: bytes, encoding: str, error: type[Exception]) -> None:
    """It is refused as what it is if its sender is known, and as unsigned if not."""
    expect(error, make_compressed(body, body, encoding), **SIGNED)
    expect(BadSignature, make_compressed(body, b"", encoding), **SIGNED)


# --- requests that bring nothing ---


@pytest.mark.parametrize(
    ("changes", "body", "why"),
    [
        ({"items": "leads"}, {"leads": []}, "`items` finds an empty list"),
        ({}, [], "`items` finds an empty list"),
        ({"only": "kind == 'lead'"}, {"kind": "x"}, "`only` does not hold"),
        ({"only": "kind == 'lead'"}, [{"kind": "x"}, {}], "`only` holds for none of 2"),
        ({"only": "kind == 'lead'"}, [{"kind": "lead"}, {}], None),
    ],
)
def test_why_a_request_brings_no_event(changes: dict[str, Any], body: object, why: str | None) -> None:
    """A verified request without an event says why it has none, without a word of what was sent."""
    taken = take_in(make_request(body), given_source(**changes), NOW)
    assert isinstance(taken, tuple)
    assert taken.why_none == why
    assert bool(taken.events) == (why is None)


# --- what is refused, and answered ---


def expect(error: type[Exception], request: Request, **changes: Any) -> Exception:
    """Return the error with which a request is refused."""
    with pytest.raises(error) as raised:
        take_in(request, given_source(**changes), NOW)
    return raised.value


def test_refusals() -> None:
    """Each way of being refused has its error."""
    good = make_request({"id": 1})
    assert str(expect(BadSignature, replace(good, path="/nobody"))) == "unknown source"
    assert str(expect(TooLarge, replace(good, body=b"x" * (MAX_BODY + 1)))) == "the body is larger than 1048576 bytes"
    error = expect(WrongMethod, replace(good, method="PUT"), methods=["POST", "GET"])
    assert (str(error), error.allowed) == ("use POST or GET", ("POST", "GET"))  # type: ignore[attr-defined]  # it is one
    expect(BadSignature, replace(good, headers={"content-type": "application/json"}))
    expect(UnsupportedType, replace(good, headers={"x-api-key": SECRET}))
    expect(BadBody, replace(good, body=b"{"))
    expect(BadBody, replace(good, body=b"{"), body="application/json")


@pytest.mark.parametrize("path", ["/website", "/website/", "website", "//website"])
def test_slashes_around_the_name_do_not_matter(path: str) -> None:
    """A path names its source, whatever slashes are around it."""
    assert take(replace(make_request({}), path=path), given_source())


def test_head_and_handshake() -> None:
    """A HEAD and a sender's question are answered without any proof."""
    settings = given_source(handshake={"kind": "echo-query", "query": "challenge"})
    assert take_in(Request("HEAD", "/website"), settings, NOW) == Response(200)
    answer = take_in(Request("GET", "/website", "challenge=x"), settings, NOW)
    assert isinstance(answer, Response)
    assert answer.body == b"x"


def test_url_token_comes_beside_the_rest() -> None:
    """A source with ``token`` wants both, the token first; with no scheme it alone decides."""
    both = {"token": "url-token"}
    assert take(make_request({}, "token=url-token"), given_source(**both))
    expect(BadSignature, make_request({}), **both)
    expect(BadSignature, make_request({}, "token=wrong"), **both)
    alone = {"token": "url-token", "verify": "none"}
    assert take(make_request({}, "token=url-token"), given_source(**alone))
    expect(BadSignature, make_request({}), **alone)


PERSONAL = {"phone_number": "tel", "full_name": "who", "custom_fields.Karta": "card", "birthdate": "born"}


@pytest.mark.parametrize(
    ("event_id", "data"),
    [
        ("602111222", {"tel": "602111222"}),
        (602111222, {"tel": "+48 602 111 222"}),
        ("602-111-222", {"tel": "602111222"}),
        ("ewa mak", {"who": "Ewa Mak"}),
        ("e-602111222", {"tel": "602111222"}),
        ("48602111222", {"tel": "602 111 222"}),
        ("0602111222", {"tel": "+48 602 111 222"}),
        (602111222.0, {"tel": "+48 602 111 222"}),
        ("602111222-1700000000", {"tel": "602111222"}),
        ("602111222.0", {"tel": "602111222"}),
        ("\uff16\uff10\uff12111222", {"tel": "602111222"}),
        ("MAK-EWA-2026", {"who": "Ewa Mak"}),
        ("ewa%40example.com", {}),
        ("5550143", {"tel": "+1 202 555 0143"}),
        ("93020255501", {"tel": "+1 202 555 0143"}),
        ("7701234567", {"card": "77-0123-4567-8901"}),
        ("lead-4567", {"card": "77 0123 4567 8901"}),
        ("440514", {"born": "1944-05-14"}),
        ("7012345", {"card": ["\u0667\u0660\u0661\u0662\u0663\u0664\u0665"]}),
        ("6a770123456b7c8d", {"card": "77-0123-4567-8901"}),
    ],
)
def test_event_id_that_tells_the_person(event_id: object, data: dict[str, object]) -> None:
    """An event id is hashed if it has digits of what `map` finds, however they are written on either side."""
    event = take_one({"id": event_id, **data}, event_id="id", map=PERSONAL)
    assert re.fullmatch("[0-9a-f]{32}", event.id)
    assert event.identified
    assert event.id == take_one({"id": event_id, **data}, event_id="id", map=PERSONAL).id


@pytest.mark.parametrize(
    ("event_id", "data"),
    [
        ("7", {"tel": "601000007"}),
        ("lead-7", {"who": "Le Ad"}),
        ("12", {"who": None}),
        ("", {"who": ""}),
        ("100200", {"tel": "601000007"}),
        (HEX, {"card": "3577"}),
        ("00000000-0000-4000-8000-048602111222", {"tel": "602111222"}),
    ],
)
def test_event_id_that_tells_nobody(event_id: str, data: dict[str, object]) -> None:
    """An event id stays as it is if it has nothing in common with the person but by chance."""
    event = take_one({"id": event_id, **data}, event_id="id", map=PERSONAL)
    assert event.id == event_id or not event.identified


def test_event_id_that_is_an_identifier_too() -> None:
    """Many senders have one id for the event and for the person: it is an id, and is logged."""
    ids = {"map": {"identifier": "prefix('shop:', id)", "customer_id": "id"}, "event_id": "id"}
    assert take_one({"id": 7001}, **ids).id == "7001"


def test_event_id_beside_an_expression_that_fails() -> None:
    """Where what `map` finds can't be worked out, nothing is known of the person: a number is hashed, a UUID not."""
    ids = [take_one({"id": each}, event_id="id", map={"surname": "join('', names)"}).id for each in ("e-1", UUID)]
    assert len(ids[0]) == 32
    assert ids[1] == UUID


def test_event_id_of_a_form_tool() -> None:
    """A form's answers are compared, too."""
    form: dict[str, Any] = {"event_id": "id", "answers": {"object": "@"}, "map": {"phone_number": {"label": "tel"}}}
    ids = [take_one({"id": each, "tel": "301 000 077"}, **form).id for each in ("e-1", "100078", "301000077")]
    assert ids[:2] == ["e-1", "100078"]
    assert len(ids[2]) == 32


@pytest.mark.parametrize("text", ["7" * 201, "%41" * 100, "x" * 1_000_000])
def test_long_event_id(text: str) -> None:
    """An event id that is longer than any id is hashed, whatever is in it."""
    assert len(take_one({"id": text}, event_id="id").id) == 32


def test_event_id_of_an_element_with_attributes() -> None:
    """Of XML the id is the element's text, also where it has attributes."""
    headers = {**HEADERS, "content-type": "text/xml"}
    request = replace(make_request(0), headers=headers, body=b'<lead><id source="x">4712</id></lead>')
    [event] = take(request, given_source(items="lead", event_id="id"))
    assert event.id == "4712"


def test_number_that_may_be_called() -> None:
    """A number of the source's region is hashed, also where the event has it nowhere else."""
    source = make_source(event_id="id")
    polish, norwegian = load(make_config(source)), load(make_config({**source, "phone_region": "NO"}, countries=["NO"]))
    for number, where in (("90123456", norwegian), ("602111222", polish), ("48602111222", norwegian)):
        assert len(take(make_request({"id": number}), where)[0].id) == 32
    assert take(make_request({"id": "90123456"}), polish)[0].id == "90123456"


def test_hashes_are_keyed() -> None:
    """Who has the log or the queue can't try all numbers until one fits: no hash is made without the key."""
    settings = [load(make_config(make_source(event_id="id"), log_key=key)) for key in ("0123456789abcdef", "another")]
    for body in ({"id": "+48601000077"}, {"phone": "601000077"}, [1]):
        (one,), (other,) = (take(make_request(body), each) for each in settings)
        assert not {one.id, one.key} & {other.id, other.key}
        assert {len(each) for each in (one.id, one.key)} == {32}


# --- limits ---


@pytest.mark.parametrize(("count", "fits"), [(MAX_EVENTS, True), (MAX_EVENTS + 1, False)])
def test_number_of_events(count: int, fits: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A request has a thousand events at most."""
    request = make_request([{"id": n} for n in range(count)])
    if fits:
        assert len(take(request, given_source())) == count
    else:
        with pytest.raises(TooLarge, match="more than 1000 events"):
            take(request, given_source())


@pytest.mark.parametrize("where", ["headers", "query"])
def test_size_of_headers_and_query(where: str) -> None:
    """Headers and query have a limit of their own, without what proves who sent it."""
    many = "x" * MAX_HEAD
    large = make_request({}, x_note=many) if where == "headers" else make_request({}, f"a={many}")
    with pytest.raises(TooLarge, match="headers and query"):
        take(large, given_source())
    assert take(make_request({}, f"token={many}"), given_source())


@pytest.mark.parametrize(("count", "fits"), [(30, True), (40, False)])
def test_what_each_event_is_kept_with(count: int, fits: bool) -> None:  # noqa: FBT001 - as above
    """What rules read of a request is kept with each of its events, and that is limited altogether."""
    request = make_request([{"id": n} for n in range(count)], x_topic="x" * 30_000)
    if fits:
        assert len(take(request, given_source(**SEEN))) == count
    else:
        with pytest.raises(TooLarge, match="each of the events is kept with"):
            take(request, given_source(**SEEN))
    assert len(take(request, given_source())) == count


def test_word_for_nothing() -> None:
    """What a sender writes where nothing is counts as nothing, at whatever depth."""
    event = take_one({"id": "null", "a": ["null", "x"], "b": {"c": "null"}}, empty="null", event_id="id")
    assert event.data == {"id": None, "a": [None, "x"], "b": {"c": None}}
    assert not event.identified
