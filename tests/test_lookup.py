"""What is stored of an event where no more may be than the configuration reads."""

from datetime import UTC, datetime
from typing import Any

import pytest

from ringback.event import Event
from ringback.lookup import make_excerpt
from ringback.mapping import Assignment, Mapper
from ringback.outcome import Outcome, Status
from ringback.queues.message import dump_event, load_event
from tests.given import load, make_config, make_source

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
RULES: dict[str, Any] = {
    "answers": {"object": "@"},
    "map": {
        "phone_number": ["who.fax", {"label": "Phone"}],
        "phone_region": "land",
        "full_name": "who.name",
        "note": "_request.query.page",
    },
    "consent": "ok",
    "do_not_call": "who.dnd",
    "when": "score > `1`",
    "campaign": [{"when": "country == 'DE'", "to": "00002"}, {"to": "00001"}],
}
DATA = {
    "Phone": "601 000 001",
    "who": {"name": "Ewa Mak", "diagnosis": "private-1"},
    "ok": "tak",
    "score": 2,
    "country": "DE",
    "comment": "private-2",
}


def make_event(data: object = DATA, **rest: Any) -> Event:
    """Return an event of the source ``website``."""
    query = {"page": "prices", "session": "private-3"}
    return Event("website", "e-1", "k-1", data, NOW, request={"headers": {}, "query": query}, **rest)


@pytest.mark.parametrize(
    "changes",
    [
        *({}, {"ok": "nie"}, {"score": 1}, {"Phone": "12"}, {"country": None}, {"who": {"dnd": True}}, {"land": "DE"}),
        {"Phone": None, "who": {"fax": "22 123 45 67"}},
    ],
)
def test_same_result(changes: dict[str, Any]) -> None:
    """An excerpt ends as the whole event would have ended, also after it was stored."""
    settings = load(make_config(make_source(**RULES)))
    event = make_event({**DATA, **changes})
    kept = load_event(dump_event(make_excerpt(event, settings.sources["website"])))
    whole, part = (Mapper(settings).map(each, NOW) for each in (event, kept))
    if isinstance(whole, Assignment) and isinstance(part, Assignment):
        assert (part.lead, part.campaigns) == (whole.lead, whole.campaigns)
    else:
        assert part == whole


def test_sender_can_not_bring_an_excerpt() -> None:
    """What a sender writes is asked by the rules, whatever it looks like."""
    settings = load(make_config(make_source(**RULES)))
    values = {"label: Phone": "601 000 001", "who.name": "Ewa Mak", "ok": "tak", "score > `1`": True}
    kept = make_excerpt(make_event(), settings.sources["website"])
    assert isinstance(kept.data, dict)
    assert values.items() <= kept.data.items()
    for data in (values, {"excerpt": values}, {"_request": {"excerpt": {}}, **values}):
        assert not isinstance(Mapper(settings).map(make_event(data), NOW), Assignment)


def test_rule_that_was_added_later() -> None:
    """A rule that looks where the excerpt has nothing makes the event INVALID: it would else take it for empty."""
    old, new = (load(make_config(make_source(**RULES, **more))) for more in ({}, {"event_id": "x"}))
    kept = make_excerpt(make_event(), old.sources["website"])
    assert isinstance(Mapper(new).map(kept, NOW), Assignment)
    rules = {**RULES, "do_not_call": ["who.dnd", "blocked"]}
    outcome = Mapper(load(make_config(make_source(**rules)))).map(kept, NOW)
    assert isinstance(outcome, Outcome)
    assert (outcome.status, list(outcome.fields)) == (Status.INVALID, ["blocked"])


def test_nothing_more() -> None:
    """What no rule looks at is not in the excerpt."""
    source = load(make_config(make_source(**RULES))).sources["website"]
    assert "private" in dump_event(make_event())
    assert "private" not in dump_event(make_excerpt(make_event(), source))


def test_thin_event() -> None:
    """An event that is completed later is kept as it is: its ids are needed for that."""
    fetch = {"url": "https://example.com/leads/{id}"}
    source = load(make_config(make_source(map={"phone_number": "phone"}, fetch=fetch))).sources["website"]
    event = make_event({"id": 7})
    assert make_excerpt(event, source) is event


@pytest.mark.parametrize("data", [None, "text", {"who": "x"}], ids=["nothing", "text", "an expression fails"])
def test_what_is_invalid(data: object) -> None:
    """Of an event that can't be read nothing is kept but what its outcome has to name."""
    settings = load(make_config(make_source(map={"phone_number": "join('', who.numbers)"})))
    event = make_event(data)
    kept = load_event(dump_event(make_excerpt(event, settings.sources["website"])))
    assert kept.data in (None, {})
    outcome = Mapper(settings).map(kept, NOW)
    assert isinstance(outcome, Outcome)
    assert outcome == Mapper(settings).map(event, NOW)
    assert outcome.status is Status.INVALID
