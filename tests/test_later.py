"""`later`: the status of a record whose call lies in the future, where it is needed, and when it is given."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from ringback.errors import ConfigError
from ringback.mapping import Assignment, Mapper
from tests.given import NOTHING, find_mistakes, load, make_config, make_source
from tests.leads import NOW, make_event

PHONE = {"phone_number": "phone"}
DATED = {**PHONE, "next_call_date": "at"}
OWN_STATUS = {**DATED, "status_id": "status", "agent_login": "agent"}
LATER = {"status_id": 7}
AT = {"at": "2026-03-02 12:00"}  # NOW is 10:00 in Warsaw
HOURS = "Mon-Fri 09:00-19:00"


def make_record(
    campaign: Mapping[str, Any],
    source: Mapping[str, Any],
    data: Mapping[str, object] = NOTHING,
    late: timedelta = timedelta(),
) -> Mapping[str, object]:
    """Return the record of an event with this data that is delivered so late after it came in."""
    campaigns = {"callbacks": {"id": "00001", **campaign}}
    mapper = Mapper(load(make_config(make_source(campaign="callbacks", **source), campaigns=campaigns)))
    assignment = mapper.map(make_event(phone="601000001", **dict(data)), NOW + late)
    assert isinstance(assignment, Assignment), assignment
    return assignment.lead.record


# What a record gets


@pytest.mark.parametrize(
    ("constants", "later", "expected"),
    [
        ({}, {"status_id": 7}, {"status_id": 7}),
        ({"status_id": 3}, {"status_id": 7}, {"status_id": 7}),
        ({"dictionary_status_id": 3}, {"status_id": 7}, {"status_id": 7}),
        ({"status_id": 3}, {"dictionary_status_id": 12}, {"dictionary_status_id": 12}),
        ({"status_id": 3, "dictionary_status_id": 4}, {"status_id": 7}, {"status_id": 7}),
        ({"status_id": 3, "order": 5}, {"status_id": "8"}, {"status_id": 8, "order": 5}),
        ({"status_id": 3}, {"status_id": 5, "agent_login": "a.mak"}, {"status_id": 5, "agent_login": "a.mak"}),
        (
            {"status_id": 3, "agent_login": "h.meier"},
            {"status_id": 5, "agent_login": "a.mak"},
            {"status_id": 5, "agent_login": "a.mak"},
        ),
        ({"agent_login": "h.meier"}, {"status_id": 7}, {"status_id": 7, "agent_login": "h.meier"}),
    ],
)
@pytest.mark.parametrize("where", ["campaign", "source"])
def test_call_in_the_future(
    where: str, constants: dict[str, Any], later: dict[str, Any], expected: dict[str, Any]
) -> None:
    """A record whose call lies in the future has `later` in place of the statuses and the agent in `set`."""
    campaign = {"later": later, **({"set": constants} if where == "campaign" else {})}
    source = {"map": DATED, **({"set": constants} if where == "source" else {})}
    assert make_record(campaign, source, AT) == {**expected, "next_call_date": "2026-03-02 12:00"}


@pytest.mark.parametrize(
    ("keys", "data", "date"),
    [
        ({"call_hours": "Tue 09:00-19:00"}, {}, "2026-03-03 09:00"),
        ({"set": {"status_id": 3, "next_call_date": "+15m"}}, {}, "2026-03-02 10:15"),
        ({}, {"at": "2026-03-02T09:00:01Z"}, "2026-03-02 10:01"),
        ({"call_hours": HOURS}, {"at": "2026-03-02 07:00+01:00"}, None),
        ({"call_hours": HOURS}, {"at": "2026-03-02 20:00"}, "2026-03-03 09:00"),
    ],
)
def test_whatever_puts_a_call_off(keys: dict[str, Any], data: dict[str, str], date: str | None) -> None:
    """Hours, a relative time and a time of the event's own put a call off; one that has passed does not."""
    record = make_record({"set": {"status_id": 3}, "later": LATER, **keys}, {"map": DATED}, data)
    assert record == {"status_id": 7 if date else 3, "next_call_date": date or "2026-03-02 10:00"}


@pytest.mark.parametrize(
    ("keys", "late", "expected"),
    [
        ({"call_hours": HOURS}, timedelta(), {"status_id": 3}),
        ({"set": {"status_id": 3, "next_call_date": "+15m"}}, timedelta(minutes=15), "2026-03-02 10:15"),
        ({"set": {"status_id": 3, "next_call_date": "+15m"}}, timedelta(hours=1), "2026-03-02 11:00"),
        ({}, timedelta(hours=2), "2026-03-02 12:00"),
        ({}, timedelta(hours=2, seconds=1), "2026-03-02 12:01"),
    ],
)
def test_call_that_is_due(keys: dict[str, Any], late: timedelta, expected: object) -> None:
    """A call that is due when it is delivered keeps the status in `set`, however late that is."""
    data = {} if keys else AT
    record = make_record({"set": {"status_id": 3}, "later": LATER, **keys}, {"map": DATED}, data, late)
    assert record == ({"status_id": 3, "next_call_date": expected} if isinstance(expected, str) else expected)


@pytest.mark.parametrize(
    ("source", "data", "expected"),
    [
        ({"map": OWN_STATUS}, {"status": 9}, {"status_id": 9, "agent_login": "a.mak"}),
        ({"map": OWN_STATUS}, {"status": ""}, {"status_id": 5, "agent_login": "a.mak"}),
        ({"map": OWN_STATUS}, {"status": 9, "agent": "j.lis"}, {"status_id": 9, "agent_login": "j.lis"}),
        ({"map": OWN_STATUS}, {"agent": "j.lis"}, {"status_id": 5, "agent_login": "j.lis"}),
        ({"map": OWN_STATUS, "set": {"status_id": 8}}, {"status": 9}, {"status_id": 5, "agent_login": "a.mak"}),
        (
            {"map": OWN_STATUS, "set": {"dictionary_status_id": 2}},
            {"status": 9},
            {"status_id": 9, "agent_login": "a.mak"},
        ),
        (
            {"map": {**DATED, "dictionary_status_id": "status"}},
            {"status": 9},
            {"dictionary_status_id": 9, "agent_login": "a.mak"},
        ),
    ],
)
def test_what_the_event_says_wins(source: dict[str, Any], data: dict[str, Any], expected: dict[str, Any]) -> None:
    """A status or an agent of the event's own stays; a status of its own is the only one."""
    campaign = {"set": {"status_id": 3, "agent_login": "h.meier"}, "later": {"status_id": 5, "agent_login": "a.mak"}}
    assert make_record(campaign, source, {**AT, **data}) == {**expected, "next_call_date": "2026-03-02 12:00"}


def test_campaign_without_it() -> None:
    """A campaign whose records get no date needs no `later`, and one that has it does no harm."""
    assert make_record({"set": {"status_id": 3}}, {"map": PHONE}) == {"status_id": 3}
    assert make_record({"set": {"status_id": 3}, "later": LATER}, {"map": PHONE}) == {"status_id": 3}


# Where it is needed

WAY_OUT = "; write `later: {status_id: N}`, N being a status of the kind CALL_NO_SOONER_THAN"


@pytest.mark.parametrize(
    ("campaign", "source", "told"),
    [
        ({"call_hours": HOURS}, {}, "`call_hours` can"),
        ({"set": {"next_call_date": "+2h"}}, {}, "`next_call_date` in `set` can"),
        ({"set": {"next_call_date": "2026-05-01"}, "call_hours": HOURS}, {}, "`call_hours` and `next_call_date` in"),
        ({}, {"map": DATED}, "`next_call_date` in `map` of source website can"),
        ({}, {"set": {"next_call_date": "+1d"}}, "`next_call_date` in `set` of source website can"),
        ({"call_hours": HOURS}, {"map": DATED}, "`call_hours` can"),
    ],
)
def test_campaign_that_needs_it(campaign: dict[str, Any], source: dict[str, Any], told: str) -> None:
    """A campaign whose records may get a date has to say under which status they wait for it."""
    campaigns = {"callbacks": {"id": "00001", **campaign}}
    for named in ("callbacks", "00001"):
        (mistake,) = find_mistakes(make_config(make_source(campaign=named, **source), campaigns=campaigns))
        assert mistake.startswith(f"campaigns.callbacks.later: missing: {told}")
        assert mistake.endswith(WAY_OUT)
    assert load(make_config(make_source(campaign="callbacks", **source), campaigns=add_later(campaigns))).sources


def add_later(campaigns: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the campaigns with what they lack."""
    return {name: {**each, "later": LATER} for name, each in campaigns.items()}


def test_every_campaign_that_a_source_leads_to() -> None:
    """Each campaign that a source with a date may choose needs it; one that has only an id has to be named first."""
    campaigns = {"one": {"id": "00001"}, "two": {"id": "00002", "later": LATER}, "three": {"id": "00003"}}
    routes = [{"when": "a", "to": "00004"}, {"when": "b", "to": "two"}, {"when": "c", "to": "three"}, "one"]
    *named, bare = find_mistakes(make_config(make_source(map=DATED, campaign=routes), campaigns=campaigns))
    assert [mistake.partition(":")[0] for mistake in named] == ["campaigns.one.later", "campaigns.three.later"]
    assert bare.startswith("sources.website.campaign: 00004 has no `later`: `next_call_date` in `map` of source ")
    assert "; name the campaign under `campaigns:`, write that name here, and give it `later: {status_id: N}`" in bare


def test_campaign_whose_name_is_its_id() -> None:
    """A campaign of the file is told at its own place, also where its name is its id."""
    (mistake,) = find_mistakes(make_config(make_source(map=DATED), campaigns={"00001": {"id": "00001"}}))
    assert mistake.startswith("campaigns.00001.later: missing: ")


def test_stop_has_no_date() -> None:
    """A source of opt-outs writes no date, whatever it maps."""
    campaigns = {"callbacks": {"id": "00001", "stop": {"status_id": 6}}}
    source = make_source(action="stop", map=DATED, set={"next_call_date": "+1h"}, campaign="callbacks")
    assert load(make_config(source, campaigns=campaigns)).sources


@pytest.mark.parametrize(
    ("campaign", "at_fault"),
    [
        ({"call_hours": "9-5"}, ["call_hours"]),
        ({"call_hours": HOURS, "later": {}}, ["later"]),
        ({"call_hours": HOURS, "later": {"status_id": 0}}, ["later.status_id"]),
        ({"call_hours": HOURS, "later": 7}, ["later"]),
        ({"call_hours": HOURS, "later": None}, ["later"]),
        ({"call_hours": HOURS, "later": {"status_id": 7, "order": 1}}, ["later.order"]),
        ({"call_hours": HOURS, "later": {"status_id": 7}, "on_existing": "x"}, ["on_existing"]),
    ],
)
def test_key_that_is_bad_is_told_once(campaign: dict[str, Any], at_fault: list[str]) -> None:
    """What is wrong with a key by itself is said, and not that `later` is missing besides."""
    mistakes = find_mistakes(
        make_config(make_source(map=DATED, campaign="one"), campaigns={"one": {"id": "00001", **campaign}})
    )
    assert [mistake.partition(": ")[0].removeprefix("campaigns.one.") for mistake in mistakes] == (
        at_fault if "later" in campaign else ["call_hours", "later"]
    )


# What can be done with a configuration that lacks it


def get_settings(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the sources that a bad configuration leaves, by name."""
    with pytest.raises(ConfigError) as error:
        load(raw)
    return dict(error.value.settings.sources) if error.value.settings else {}


def test_settings_of_a_contradiction() -> None:
    """Where keys are good by themselves and only do not go together, there are settings to look at."""
    raw = make_config(make_source(map=DATED, campaign="one"), campaigns={"one": {"id": "00001"}})
    assert get_settings(raw)["website"].routes[0].to.later == {}


@pytest.mark.parametrize(
    ("top", "source"),
    [
        ({"max_age": "x"}, {}),
        ({"thulium": {"url": "x"}}, {}),
        ({}, {"when": "="}),
        ({}, {"campaign": "sale"}),
        ({}, {"campaign": ["callbacks", "bad"]}),
        ({}, {"campaign": [{"when": "a", "to": "half"}, "callbacks"]}),
    ],
)
def test_no_settings_of_what_is_bad_by_itself(top: dict[str, Any], source: dict[str, Any]) -> None:
    """A source with a bad key, or whose campaign has one, is not shown as if it were not there."""
    campaigns = {"callbacks": {"id": "00001"}, "bad": {"id": "00002", "set": 5}, "half": {"id": "3"}}
    raw = {**make_config(make_source(**{"campaign": "callbacks", **source}), campaigns=campaigns), **top}
    assert get_settings(raw) == {}
