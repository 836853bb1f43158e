import json
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.event import Event
from ringback.outcome import Outcome, Status
from ringback.queues.message import dump_event, dump_outcome, load_event, load_outcome, storable
from tests.events import make_event

TEXT = st.text(st.characters(exclude_categories=()))  # with half characters
NUMBERS = st.integers() | st.integers(min_value=10**40) | st.floats(allow_nan=False)
DATA = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)
TEXTS = st.dictionaries(TEXT, TEXT, max_size=3)
EVENTS = st.builds(
    Event,
    source=TEXT,
    id=TEXT,
    key=TEXT,
    data=DATA,
    received_at=st.datetimes(timezones=st.just(UTC) | st.just(timezone(timedelta(hours=2)))),
    identified=st.booleans(),
    attempt=st.integers(min_value=1),
    request=st.fixed_dictionaries({"headers": TEXTS, "query": TEXTS}),
    problem=TEXTS,
    trace=st.none() | TEXT,
    started_at=st.none() | st.datetimes(timezones=st.just(UTC)),
)
OUTCOMES = st.builds(
    Outcome,
    status=st.sampled_from(Status),
    reason=st.none() | TEXT,
    campaign_id=st.none() | TEXT,
    customer_id=st.none() | st.integers(),
    record_id=st.none() | st.integers(min_value=2**63),
    http_status=st.none() | st.integers(),
    person=st.none() | TEXT,
    fields=TEXTS,
    retry_after=st.none() | st.floats(allow_nan=False),
)


@given(EVENTS)
def test_event_comes_back_as_it_was(event: Event) -> None:
    """Whatever an event holds, it comes back equal from one line that can be sent as UTF-8 and through SQS."""
    text = dump_event(event)
    assert load_event(text) == event
    assert text.encode().decode() == text
    assert not {"\n", "\ufffe", "\uffff"} & set(text)


@given(OUTCOMES)
def test_outcome_comes_back_as_it_was(outcome: Outcome) -> None:
    """Whatever an outcome holds, it comes back equal."""
    assert load_outcome(dump_outcome(outcome)) == outcome


def test_text_is_compact() -> None:
    """Letters stay letters, and there is no blank between the parts."""
    text = dump_event(make_event(data={"name": "Łoś"}))
    assert '"data":{"name":"Łoś"}' in text


@pytest.mark.parametrize("text", ["\ud800", "\udc00\ud800", "\ufffe", "\uffff"])
def test_awkward_characters_are_escaped(text: str) -> None:
    """What has no UTF-8, or is refused by SQS, is written as its number, and comes back."""
    stored = dump_event(make_event(data=text))
    assert stored.isascii()
    assert load_event(stored).data == text


def test_other_mappings_become_objects() -> None:
    """What was given as a read-only mapping comes back as a dict."""
    event = make_event(request=MappingProxyType({"headers": MappingProxyType({"a": "b"})}))
    assert load_event(dump_event(event)).request == {"headers": {"a": "b"}}


def test_other_things_are_refused() -> None:
    """What is not JSON is no event's data."""
    with pytest.raises(TypeError):
        dump_event(make_event(data=object()))


GOOD = json.loads(dump_event(make_event()))


STORED = """{"v":1,"source":"website","id":"e1","key":"k1","data":{"phone":"601000001"},
"received_at":"2026-03-02T09:00:00+00:00","identified":true,"attempt":1,
"request":{"headers":{},"query":{}},"problem":{},"trace":null}"""


def test_what_another_ringback_has_stored() -> None:
    """An event outlives an update and the way back: fields that came later may be missing, or not be known."""
    old = load_event(STORED)
    assert (old.data, old.started_at) == ({"phone": "601000001"}, None)
    assert load_event(json.dumps({**json.loads(STORED), "later": 1})) == old


@pytest.mark.parametrize(
    "text",
    ["", "garbage", "null", "[]", '"x"', "{}", "[" * 100_000, "9" * 5000, json.dumps({**GOOD, "v": 2}), "\ud800"],
    ids=["empty", "garbage", "null", "list", "text", "object", "deep", "digits", "newer", "half character"],
)
def test_garbage_is_refused(text: str) -> None:
    """What is no event of ours is a ValueError, whatever it is."""
    with pytest.raises(ValueError, match="this is no event that was stored here"):
        load_event(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 2),
        ("v", "1"),
        ("source", None),
        ("id", 7),
        ("key", ["k"]),
        ("received_at", "601 000 001"),
        ("received_at", "2026-03-02T09:00:00"),
        ("received_at", 5),
        ("identified", 1),
        ("attempt", 0),
        ("attempt", True),
        ("attempt", "1"),
        ("request", []),
        ("request", {"headers": []}),
        ("request", {"headers": {"a": 1}}),
        ("problem", {"a": None}),
        ("trace", 1),
        ("started_at", "2026-03-02T09:00:00"),
    ],
)
def test_field_of_another_kind_is_refused_by_name(name: str, value: Any) -> None:
    """The error names the field that is wrong, and shows nothing of what is in it."""
    with pytest.raises(ValueError, match=f"at fault: {name}$") as caught:
        load_event(json.dumps({**GOOD, name: value}))
    assert "601" not in str(caught.value)


def test_fields_are_all_checked() -> None:
    """Two fields that are wrong are both named."""
    with pytest.raises(ValueError, match="at fault: id, key"):
        load_event(json.dumps({**GOOD, "id": 1, "key": 2}))


def test_times_are_aware() -> None:
    """A stored time comes back with its zone."""
    assert load_event(dump_event(make_event())).received_at == datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_half_characters_are_replaced() -> None:
    """Text for the database has a UTF-8 form."""
    assert storable("a\ud800ż") == "a?ż"
