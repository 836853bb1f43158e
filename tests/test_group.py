"""The group of an event: the same for one person's events, different for other people's."""

from pathlib import Path
from typing import Any

import pytest

from ringback.config import load
from ringback.event import Event
from ringback.group import make_grouping
from ringback.settings import Settings
from tests.events import make_event

CONFIG = """
thulium: {url: "http://127.0.0.1:9", user: u, password: p}
countries: [PL, DE]
stop: {dictionary_status_id: 9}
%s
campaigns: {callbacks: {id: "00001"}}
sources:
  website: {verify: none, campaign: "00001",
    map: {phone_number: tel, email: mail, identifier: ref, customer_id: id, note: "join(',', tags)"}}
  mails: {verify: none, campaign: "00001", map: {email: "join('@', parts)", identifier: "to_string(ref)"}}
  german: {verify: none, campaign: "00001", phone_region: DE, map: {phone_number: tel, phone_region: land}}
  optout: {verify: none, action: stop, campaign: "*", map: {phone_number: number}}
  form: {verify: none, campaign: "00001", map: {phone_number: {label: "Phone"}},
    answers: {items: "join('', answers)"}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def read(config: Path, more: str = "log_key: 0123456789abcdef") -> Settings:
    config.write_text(CONFIG % more)
    return load({"RINGBACK_CONFIG": str(config)})


@pytest.fixture
def settings(config: Path) -> Settings:
    return read(config)


def event(source: str, **data: Any) -> Event:
    return make_event(source=source, data=data)


def group(settings: Settings, source: str, **data: Any) -> str:
    return make_grouping(settings)(event(source, **data))


@pytest.mark.parametrize("number", ["+48 601 000 001", "601000001", "0048601000001"])
def test_one_person_is_one_group(number: str, settings: Settings) -> None:
    """However a number is written, and whichever source of leads it comes from, its events are one person's."""
    assert group(settings, "website", tel=number, mail="a@example.com") == group(
        settings, "german", tel="+48601-000-001"
    )


@pytest.mark.parametrize(("first", "second"), [("+33 142685300", "+33142685300"), ("brak", "+33 142685300")])
def test_number_of_a_country_that_is_not_called(first: str, second: str, settings: Settings) -> None:
    """Leads are kept in line wherever their number is from, and whichever of several can be used."""
    assert group(settings, "website", tel=[first, "+33 142685300"]) == group(settings, "website", tel=second, ref="1")


def test_stop_waits_behind_no_lead(settings: Settings) -> None:
    """An opt-out has a group of its own kind, the same for all of one person's."""
    stop = group(settings, "optout", number="601 000 001")
    assert stop == group(settings, "optout", number="+48601000001")
    assert stop != group(settings, "website", tel="601 000 001")


def test_region_of_the_source_and_of_the_event(settings: Settings) -> None:
    """A number without a country code is read as of its source's region, or of the country that the event names."""
    german = group(settings, "website", tel="+49 171 1234567")
    assert group(settings, "german", tel="0171 1234567") == german
    assert group(settings, "german", tel="0171 1234567", land="Niemcy") == german
    assert group(settings, "german", tel="601 000 001", land="PL") == group(settings, "website", tel="601 000 001")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"tel": "601 000 001", "ref": "1"}, {"tel": "601 000 001", "ref": "2"}),
        ({"mail": "Jan@Example.com"}, {"mail": "jan@example.com ", "ref": "2"}),
        ({"ref": "K-1", "id": 1}, {"ref": "K-1", "id": 2}),
        ({"id": "441"}, {"id": 441}),
        ({"tel": "12", "mail": "jan@example.com"}, {"mail": "jan@example.com"}),
    ],
)
def test_first_key_that_is_there_decides(first: dict[str, Any], second: dict[str, Any], settings: Settings) -> None:
    """The number, else the address, else the identifier, else the customer's id; what can't be read counts for none."""
    assert group(settings, "website", **first) == group(settings, "website", **second)
    assert len(group(settings, "website", **first)) == 32


@pytest.mark.parametrize("other", [{"tel": "601 000 002"}, {"mail": "601000001"}, {"ref": "601000001"}])
def test_other_people_are_other_groups(other: dict[str, Any], settings: Settings) -> None:
    """Two people are never one group, whatever else they share."""
    assert group(settings, "website", tel="601 000 001") != group(settings, "website", **other)


def test_failed_expression_is_passed_over(settings: Settings) -> None:
    """A key whose expression fails on the event is as if it were not there."""
    assert group(settings, "mails", parts=5, ref="1") == group(settings, "mails", parts=None, ref="1")


@pytest.mark.parametrize(
    "alone",
    [
        event("website"),
        event("website", tel="", mail=None, ref=[], id={}),
        event("gone", tel="601 000 001"),
        event("form", answers=5),
        make_event(data=["601 000 001"]),
    ],
)
def test_unknown_person_is_alone(alone: Event, settings: Settings) -> None:
    """An event that does not say whom it is about is a group of its own, known by its key."""
    assert make_grouping(settings)(alone) == alone.key


def test_group_is_keyed(config: Path) -> None:
    """Without the key a group does not tell the number."""
    groups = {
        group(read(config, f"log_key: {key}"), "website", tel="601 000 001") for key in ("a-long-key", "b-long-key")
    }
    assert len(groups) == 2


def test_half_characters_have_a_group(settings: Settings) -> None:
    """Text that has no UTF-8 form is hashed all the same."""
    assert len(group(settings, "website", ref="\ud800")) == 32


def test_mistake_of_ours_costs_no_event(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """What fails unexpectedly is logged without what it was about, and the event is alone in its group."""
    odd = make_event(data={"tel": "601 000 001"}, received_at="today")
    assert make_grouping(settings)(odd) == odd.key
    assert "has no group" in caplog.text
    assert "601" not in caplog.text
