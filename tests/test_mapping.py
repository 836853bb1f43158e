"""What an event comes to: who is called, in which campaign, when; or why nobody is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import CallFailed
from ringback.event import Event
from ringback.known import hash_question
from ringback.leads.hours import is_open, read_hours
from ringback.mapping import Assignment, Mapper
from ringback.outcome import Outcome, Status
from ringback.secret import Secret
from tests.given import LOG_KEY, PROOF, load, make_config
from tests.given import make_source as given_source
from tests.leads import NOW, make_event, make_sources

WARSAW = ZoneInfo("Europe/Warsaw")
ACCESS = {"url": "http://127.0.0.1:9", "user": "ringback", "password": "only-for-the-sandbox"}
LATER = {"later": {"status_id": 7}}
CALLBACKS: dict[str, Any] = {"id": "00001", "set": {"status_id": 3}, **LATER}
GERMAN = {
    "german": {"id": "00002", "set": {"status_id": 8, "agent_login": "h.meier"}, "stop": {"status_id": 4}, **LATER}
}
PHONE = {"phone_number": "601000001"}


def make_mapper(
    website: Mapping[str, Any] | None = None, callbacks: Mapping[str, Any] | None = None, **top: Any
) -> Mapper:
    """Return a mapper whose source ``website`` and campaign ``callbacks`` have these keys besides the usual ones."""
    usual = make_sources()["website"]
    dated = {**usual, "map": {**usual["map"], "next_call_date": "next_call_date"}}
    sources = {"website": {**dated, **(website or {})}}
    campaigns = {"callbacks": {**CALLBACKS, **(callbacks or {})}, **GERMAN}
    return Mapper(load({"thulium": ACCESS, "log_key": LOG_KEY, "campaigns": campaigns, "sources": sources, **top}))


def assign(mapper: Mapper, event: Event, now: datetime = NOW) -> Assignment:
    """Return what an event comes to that makes a lead."""
    assignment = mapper.map(event, now)
    assert isinstance(assignment, Assignment), assignment
    return assignment


def refuse(mapper: Mapper, event: Event) -> Outcome:
    """Return the outcome of an event that makes none."""
    outcome = mapper.map(event, NOW)
    assert isinstance(outcome, Outcome)
    return outcome


# Which events


@pytest.mark.parametrize(("score", "expected"), [(11, None), (10, "SKIPPED"), (None, "INVALID"), ("x", "INVALID")])
def test_when(score: object, expected: str | None) -> None:
    """Only events for which `when` holds are leads; where it can't be worked out the expression is named."""
    mapper = make_mapper({"when": "ceil(score) > `10`"})
    result = mapper.map(make_event(**PHONE, score=score), NOW)
    assert getattr(result, "status", None) == expected
    if expected == "SKIPPED":
        assert getattr(result, "reason", None) == "`when` does not hold"
    if expected == "INVALID":
        assert list(getattr(result, "fields", {})) == ["ceil(score) > `10`"]


def test_consent_comes_after_when() -> None:
    """What is no lead at all is not asked for consent."""
    mapper = make_mapper({"when": "a", "consent": "b"})
    reasons = [
        refuse(mapper, make_event(**PHONE, **data)).reason for data in ({}, {"a": True}, {"a": True, "b": "nie"})
    ]
    assert reasons == ["`when` does not hold", "no consent", "no consent"]
    assert assign(mapper, make_event(**PHONE, a=True, b=["", "Tak."])).campaigns[0].name == "callbacks"


@pytest.mark.parametrize("data", [None, "text", 7, [1], True])
def test_event_that_is_nothing(data: object) -> None:
    """What is no event is INVALID."""
    assert list(refuse(make_mapper(), Event("website", "e", "k", data, NOW)).fields) == ["items"]


def test_event_with_a_problem() -> None:
    """An event that could not be read when it came in says so."""
    outcome = refuse(make_mapper(), replace(make_event(**PHONE), problem={"id": "why"}))
    assert (outcome.status, outcome.fields, outcome.reason) == ("INVALID", {"id": "why"}, "id: why")


def test_source_that_is_gone() -> None:
    """An event whose source is not configured any more waits for somebody to look at it."""
    assert list(refuse(make_mapper(), make_event("gone", **PHONE)).fields) == ["source"]


# Where values are


def test_answers_of_a_form() -> None:
    """A value may be an answer, by its question."""
    place = {"label": "Numer"}
    website = {"answers": {"items": "fields[].{label: q, value: v}"}, "map": {"phone_number": place}}
    event = make_event(fields=[{"q": "Imię", "v": "Ada"}, {"q": "numer", "v": "601 000 001"}])
    assert assign(make_mapper(website), event).lead.customer == PHONE


def test_request_is_seen() -> None:
    """Expressions see headers, query and time of the request."""
    seen = {"headers": {"x-call": "601000001"}, "query": {"note": "Nordsee"}}
    place = "_request."
    website = {
        "map": {
            "phone_number": f'{place}headers."x-call"',
            "note": f"join(' ', [{place}query.note, {place}received_at])",
        }
    }
    lead = assign(make_mapper(website), replace(make_event(), request=seen)).lead
    assert lead.customer == {**PHONE, "note": "Nordsee 2026-03-02T09:00:00+00:00"}


def test_failing_expression_is_named() -> None:
    """A map that can't be worked out on an event makes that event INVALID, and says which it is."""
    outcome = refuse(make_mapper({"map": {"phone_number": "join('', phones)"}}), make_event(phones=7))
    assert (outcome.status, list(outcome.fields)) == ("INVALID", ["join('', phones)"])


# Three places of `set`


@pytest.mark.parametrize(
    ("campaign", "mapped", "source", "expected"),
    [
        (3, None, None, 3),
        (3, 5, None, 5),
        (3, 5, 8, 8),
        (None, 5, 8, 8),
        (3, None, 8, 8),
        (3, "", None, 3),
        (None, None, 8, 8),
    ],
)
def test_who_wins(campaign: int | None, mapped: object, source: int | None, expected: int) -> None:
    """What the event says wins over the campaign's constants, the source's constants over both."""
    constants = {} if source is None else {"set": {"status_id": source}}
    mapper = make_mapper(constants, {"set": {} if campaign is None else {"status_id": campaign}})
    assert assign(mapper, make_event(**PHONE, status_id=mapped)).lead.record == {"status_id": expected}


def test_constants_of_the_customer() -> None:
    """Constants may be the customer's too."""
    mapper = make_mapper({"set": {"note": "from the shop", "custom_fields.Kraj": "Polska", "group": "leads"}})
    lead = assign(mapper, make_event(**PHONE, note="mine", country="Niemcy")).lead
    assert lead.customer == {**PHONE, "note": "from the shop", "custom_fields": {"Kraj": "Polska"}, "group": "leads"}


# Which campaign


ROUTES = [{"when": "country == 'DE'", "to": "german"}, {"when": "ceil(score) > `1`", "to": "00001"}]


@pytest.mark.parametrize(
    ("data", "expected"), [({"country": "DE", "score": "x"}, "00002"), ({"score": 2}, "00001"), ({"score": 1}, None)]
)
def test_routes(data: dict[str, object], expected: str | None) -> None:
    """The first that matches takes the lead, and no other is asked; none matching is INVALID, so that none is lost."""
    result = make_mapper({"campaign": ROUTES}).map(make_event(**PHONE, **data), NOW)
    if expected:
        assert isinstance(result, Assignment)
        assert [campaign.id for campaign in result.campaigns] == [expected]
    else:
        assert isinstance(result, Outcome)
        assert (result.status, list(result.fields)) == ("INVALID", ["campaign"])


def test_campaigns_own_rules() -> None:
    """A routed lead gets the constants of the campaign that it goes into."""
    lead = assign(make_mapper({"campaign": ROUTES}), make_event(**PHONE, country="DE")).lead
    assert lead.record == {"status_id": 8, "agent_login": "h.meier"}


@pytest.mark.parametrize(
    ("campaign", "expected"),
    [
        ("*", ["00001", "00002"]),
        (["callbacks", "german", "callbacks"], ["00001", "00002"]),
        ([{"when": "country == 'DE'", "to": "german"}, "callbacks"], ["00002", "00001"]),
        ([{"when": "country == 'PL'", "to": "german"}, "callbacks"], ["00001"]),
    ],
)
def test_campaigns_of_a_stop(campaign: object, expected: list[str]) -> None:
    """A stop holds in every campaign that matches, once in each."""
    website = {**PROOF, "map": PHONE_MAP, "action": "stop", "campaign": campaign}
    mapper = make_mapper(website, {"stop": {"status_id": 6}})
    assignment = assign(mapper, make_event(**PHONE, country="DE"))
    assert [campaign.id for campaign in assignment.campaigns] == expected
    assert assignment.lead.record == {}


PHONE_MAP = {"phone_number": "phone_number"}


def test_stop_takes_no_time() -> None:
    """A stop is not put off: neither to a time, nor to hours in which calls are made."""
    website = {"map": PHONE_MAP, "action": "stop", "set": {"note": "stop"}}
    callbacks = {"stop": {"status_id": 6}, "call_hours": "Sun 10:00-11:00", "set": {"next_call_date": "+2h"}}
    lead = assign(make_mapper(website, callbacks), make_event(**PHONE)).lead
    assert (lead.record, lead.customer) == ({}, {**PHONE, "note": "stop"})


# When


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-02T13:30:00+01:00", "2026-03-02 13:30"),
        ("2026-03-02T13:30:00Z", "2026-03-02 14:30"),
        ("2026-03-02T13:30:20", "2026-03-02 13:31"),
        ("2026-03-02 13:30", "2026-03-02 13:30"),
        ("2026-03-02T07:30:00-05:00", "2026-03-02 13:30"),
        (1772454600, "2026-03-02 13:30"),
        (1772454600000, "2026-03-02 13:30"),
        ("1772454600", "2026-03-02 13:30"),
        ("2026-03-03", "2026-03-03 00:00"),
        ("2026-03-02T09:00:00+01:00", "2026-03-02 10:00"),  # an hour ago
        ("", None),
        (None, None),
    ],
)
def test_time_of_a_call(value: object, expected: str | None) -> None:
    """A call's time goes to Thulium as its own clock shows it, in whole minutes, never before it was asked for."""
    record = assign(make_mapper(), make_event(**PHONE, next_call_date=value)).lead.record
    assert record.get("next_call_date") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("+15m", "2026-03-02 10:15"), ("+2h", "2026-03-02 12:00"), ("+1d", "2026-03-03 10:00")]
)
@pytest.mark.parametrize("where", ["campaign", "source"])
def test_relative_time(where: str, value: str, expected: str) -> None:
    """In `set` a time may be relative, from when the event came in."""
    constants = {"set": {"next_call_date": value}}
    mapper = make_mapper(*([None, constants] if where == "campaign" else [constants]))
    assert assign(mapper, make_event(**PHONE)).lead.record["next_call_date"] == expected


def test_relative_time_of_an_old_event() -> None:
    """What was to be called in a quarter of an hour, and has waited for longer, is called now."""
    mapper = make_mapper(None, {"set": {"next_call_date": "+15m"}})
    later = NOW + timedelta(hours=1)
    assert assign(mapper, make_event(**PHONE), later).lead.record["next_call_date"] == "2026-03-02 11:00"


@pytest.mark.parametrize(
    ("asked", "notes"),
    [
        ("2026-03-02 09:59", ["next_call_date: it was in the past, the call is due now"]),
        ("2026-03-02 10:00", []),
        ("2026-03-02 10:30", []),
    ],
)
def test_time_that_had_passed_when_the_event_came_in(asked: str, notes: list[str]) -> None:
    """What was to be called before anybody knew of it is called now, and the outcome says so."""
    later = NOW + timedelta(hours=1)
    lead = assign(make_mapper(), make_event(**PHONE, next_call_date=asked), later).lead
    assert (lead.record["next_call_date"], list(lead.notes)) == ("2026-03-02 11:00", notes)


def test_event_that_asks_for_a_relative_time() -> None:
    """Only the configuration may say a relative time; in an event it is none, and costs no more than the time."""
    lead = assign(make_mapper(), make_event(**PHONE, next_call_date="+15m")).lead
    assert "next_call_date" not in lead.record
    assert lead.notes == ("next_call_date dropped: not a time; send ISO 8601 (2026-11-03T10:00:00+01:00) or Unix time",)


def test_event_wins_over_a_relative_time() -> None:
    """What the person asked for wins over the campaign's own time."""
    mapper = make_mapper(None, {"set": {"next_call_date": "+15m"}})
    record = assign(mapper, make_event(**PHONE, next_call_date="2026-03-05 12:00")).lead.record
    assert record["next_call_date"] == "2026-03-05 12:00"


HOURS = "Mon-Fri 09:00-19:00, Sat 10:00-14:00"


@pytest.mark.parametrize(
    ("now", "asked", "expected"),
    [
        ("2026-03-02T10:00", None, None),
        ("2026-03-02T22:40", None, "2026-03-03 09:00"),
        ("2026-03-02T08:59:30", None, "2026-03-02 09:00"),
        ("2026-03-02T18:59:30", None, "2026-03-03 09:00"),
        ("2026-03-06T19:00", None, "2026-03-07 10:00"),
        ("2026-03-07T14:00", None, "2026-03-09 09:00"),
        ("2026-03-02T10:00", "2026-03-02 20:00", "2026-03-03 09:00"),
        ("2026-03-02T10:00", "2026-03-02 18:30", "2026-03-02 18:30"),
        ("2026-03-02T22:40", "2026-03-02 12:00", "2026-03-03 09:00"),
        ("2026-03-28T15:00", None, "2026-03-30 09:00"),  # the clock is put forward on Sunday
        ("2026-10-24T15:00", None, "2026-10-26 09:00"),  # and back
        ("2026-03-27T10:00", "2026-03-30T06:59:00Z", "2026-03-30 09:00"),  # 08:59 in summer's time
        ("2026-10-23T10:00", "2026-10-26T07:59:00Z", "2026-10-26 09:00"),  # 08:59 in winter's
    ],
)
def test_call_hours(now: str, asked: str | None, expected: str | None) -> None:
    """A call outside the hours, now included, is moved to their next opening, across changes of the clock."""
    at = datetime.fromisoformat(now).replace(tzinfo=WARSAW).astimezone(UTC)
    mapper = make_mapper(None, {"call_hours": HOURS})
    assert assign(mapper, make_event(**PHONE, next_call_date=asked), at).lead.record.get("next_call_date") == expected


@pytest.mark.parametrize(
    ("asked", "expected"), [("2026-03-29 02:30", "2026-03-29 03:00"), ("2026-10-25 02:30", "2026-10-25 02:30")]
)
def test_hours_that_the_clock_leaves_out(asked: str, expected: str) -> None:
    """A time that the clock leaves out becomes the first that it shows, one that comes twice is the first."""
    mapper = make_mapper(None, {"call_hours": "Mon-Sun 00:00-24:00"})
    assert assign(mapper, make_event(**PHONE, next_call_date=asked)).lead.record["next_call_date"] == expected


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
WEEKS = ["Mon-Fri 09:00-19:00, Sat 10:00-14:00", "Sun 01:00-04:00", "Mon-Sun 02:10-02:50", "Mon-Sun 00:00-24:00"]
MAPPERS = {hours: make_mapper(None, {"call_hours": hours}) for hours in WEEKS}


@given(st.sampled_from(WEEKS), MOMENTS, st.none() | MOMENTS)
def test_any_time(hours: str, now: datetime, asked: datetime | None) -> None:
    """Nobody is called before the time that was asked for, nor outside the hours, whatever the clock does."""
    event = make_event(**PHONE, next_call_date=asked and asked.isoformat())
    written = assign(MAPPERS[hours], event, now).lead.record.get("next_call_date")
    week = read_hours(hours)
    if written is None:
        assert asked is None
        assert is_open(week, now, WARSAW)
    else:
        at = datetime.fromisoformat(str(written)).replace(tzinfo=WARSAW)
        assert at.astimezone(UTC) >= max(now, asked or now)
        assert is_open(week, at, WARSAW)


# What is told of it


def test_person() -> None:
    """A person is known in the log by a keyed hash of the number."""
    assign_ = partial(assign, make_mapper(None, None))
    people = [assign_(make_event(phone_number=n)).person for n in ("601000001", "+48 601 000 001", "601000002")]
    assert people[0] == people[1] != people[2]
    other = assign(make_mapper(None, None, log_key="another-key-long-enough"), make_event(phone_number="601000001"))
    assert other.person not in people
    assert assign_(make_event(email="ada@example.com")).person is None


@pytest.mark.parametrize(
    ("data", "is_known"),
    [
        ({**PHONE, "agreed": "nie"}, True),
        ({**PHONE, "agreed": "yes", "status_id": "x"}, True),
        ({"phone_number": "12", "agreed": "nie"}, False),
        ({"phone_number": None, "agreed": "nie"}, False),
    ],
)
def test_person_of_whom_no_lead_is_made(data: dict[str, object], is_known: bool) -> None:  # noqa: FBT001
    """Whoever was not called may ask why: they are known by their number, where there is one that can be read."""
    mapper = make_mapper({"consent": "agreed"}, None, log_key="an-invented-key-long-enough")
    person = assign(mapper, make_event(**PHONE, agreed="yes")).person
    assert refuse(mapper, make_event(**data)).person == (person if is_known else None)


@pytest.mark.parametrize("place", [None, "join('', phones)"])
def test_person_that_is_nowhere(place: str | None) -> None:
    """Nobody is known where no number is mapped, or where it can't be worked out."""
    number = {"phone_number": place} if place else {}
    source = {"map": {"email": "email", **number}, "consent": "agreed"}
    mapper = make_mapper(source, None, log_key="an-invented-key-long-enough")
    assert refuse(mapper, make_event(email="ada@example.com")).person is None


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"customer_id": 441}, 441),
        ({"customer_id": "441", "phone_number": "601 000 001"}, 441),
        ({"customer_id": 601000001}, None),
        ({"customer_id": 44051401359}, None),
        ({"customer_id": 19440514}, None),
        ({"customer_id": 1234567890123}, None),
        ({"customer_id": 5550143, "note": "555 01 43"}, None),
    ],
)
def test_customer_id_of_an_event(data: dict[str, object], told: int | None) -> None:
    """A customer's id that an event brings is told of its outcome, unless it may be a number of a person."""
    assignment = assign(make_mapper(None, None), make_event(**data))
    assert assignment.lead.customer_id == int(str(data["customer_id"]))
    assert assignment.outcome(Status.FAILED).customer_id == told


def test_customer_id_of_the_configuration() -> None:
    """A customer's id that the configuration names is no one's secret."""
    mapper = make_mapper({"map": {"phone_number": "phone_number"}, "set": {"customer_id": 601000001}}, None)
    assert assign(mapper, make_event(**PHONE)).outcome(Status.FAILED).customer_id == 601000001


def test_deferred_lead() -> None:
    """A failed call is told with its evidence, and without what is personal in it."""
    assignment = assign(make_mapper(), make_event(**PHONE, full_name="Ada Kowalewska", email="none"))
    error = CallFailed(
        "Thulium answered 503", http_status=503, message="Kowalewska 601000001", request_id="53a", retry_after=7.0
    )
    outcome = assignment.defer(error)
    assert outcome.reason == ("Thulium answered 503; …; email dropped: not an e-mail address")
    assert outcome.evidence == f"{outcome.reason}; Thulium's request 53a"
    assert (outcome.status, outcome.http_status, outcome.retry_after) == (Status.DEFERRED, 503, 7.0)
    assert assignment.defer(CallFailed("no time left")).reason == "no time left; email dropped: not an e-mail address"


# --- which value wins ---


@pytest.mark.parametrize(
    ("campaign", "mapped", "constants", "expected"),
    [
        ({"surname": "Lead"}, {"full_name": "who"}, {}, {"name": "Jan", "surname": "Łoś"}),
        ({"name": "Camp", "surname": "Lead"}, {"full_name": "who"}, {}, {"name": "Jan", "surname": "Łoś"}),
        ({"full_name": "The Lead"}, {"surname": "last"}, {}, {"name": "The", "surname": "Mak"}),
        ({}, {"surname": "last", "name": "first"}, {"full_name": "Set Name"}, {"name": "Set", "surname": "Name"}),
        ({}, {"full_name": "who"}, {"surname": "Set"}, {"name": "Jan", "surname": "Set"}),
        ({"surname": "Lead"}, {"full_name": "nobody"}, {}, {"surname": "Lead"}),
        ({}, {"full_name": "who", "surname": "last"}, {}, {"name": "Jan", "surname": "Mak"}),
    ],
)
def test_full_name_stands_for_both_its_parts(
    campaign: dict[str, str], mapped: dict[str, str], constants: dict[str, str], expected: dict[str, str]
) -> None:
    """The map wins over the campaign's constants, the source's over both, be a name whole or in two parts."""
    places = {"phone_number": "phone_number", **mapped}
    mapper = make_mapper({"map": places, "set": constants}, {"set": campaign})
    event = make_event(**PHONE, who="Jan Łoś", first="Ewa", last="Mak")
    customer = assign(mapper, event).lead.customer
    assert {name: customer[name] for name in ("name", "surname") if name in customer} == expected


# --- what an event is found by ---

KEY = Secret("a-key-for-hashes")


def known(data: Any, source: dict[str, Any] | None = None, name: str = "website", **top: Any) -> set[str]:
    """Return the hashes by which an event is found."""
    settings = load({**make_config(given_source(**(source or {}))), "log_key": KEY.text, **top})
    return set(Mapper(settings).list_known(Event(name, "e1", "k1", data, NOW)))


@pytest.mark.parametrize(
    ("source", "data", "expected"),
    [
        ({}, {"phone": "+48 601-000-001 ext. 5"}, True),
        ({}, {"phone": 601000001}, True),
        ({}, {"phone": ["n/a", "tel. 601 000 001"]}, True),
        ({}, {"phone": "602000001", "note": "601000001"}, False),
        ({}, {}, False),
        ({}, "text", False),
        ({"map": {"email": "phone"}}, {"phone": "601000001"}, True),
        ({"map": {"phone_number": "join('', phone)"}}, {"phone": "601000001"}, False),
    ],
)
def test_event_is_found_by_a_number(source: dict[str, Any], data: Any, expected: bool) -> None:  # noqa: FBT001
    """An event is found by each number that stands where its source looks for one, beside whatever else."""
    assert (hash_question(KEY, "phone", "+48601000001") in known(data, source)) is expected


@pytest.mark.parametrize("text", ["+49 30 1234567", "030 1234567", "0049 30 1234567"])
def test_number_is_found_in_any_writing(text: str) -> None:
    """However a number is written, its event is found."""
    assert hash_question(KEY, "phone", "+49301234567") in known({"phone": text}, phone_region="DE")


def test_number_that_does_not_exist_is_found_as_typed() -> None:
    """A number that lacks a digit is found by its digits, as they were typed."""
    assert hash_question(KEY, "typed", "60100000") in known({"phone": "601 00-000"})


def test_event_is_found_by_what_is_mapped_besides() -> None:
    """An event is found by its address, its identifier and each word of its name, without accents."""
    source = {"map": {"email": "mail", "identifier": "ref", "full_name": "who", "phone_number": "phone"}}
    found = known({"mail": "Jan <Jan@Example.com>", "ref": " K-1", "who": "Łukasz Żółć"}, source)
    asked = [("email", "jan@example.com"), ("identifier", "K-1"), ("name", "lukasz"), ("name", "zolc")]
    assert found == {hash_question(KEY, kind, text) for kind, text in asked}


def test_event_of_a_source_that_is_gone_is_found_by_nothing() -> None:
    """Where it is not known where a number is, none is found."""
    assert known({"phone": "601000001"}, name="elsewhere") == set()
