"""What Thulium says of a configuration, found by looking alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ringback.reports.online import Online
from ringback.reports.statuses import RIGHT, UNSEEN, WRONG, Finding, Word
from ringback.thulium.api import Thulium
from ringback.thulium.wire import Wire
from tests.configs import make_source, read_config
from tests.sandbox import Sandbox, faults


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    """A stand-in Thulium with a campaign, and two agents, of whom one works in it."""
    with Sandbox() as sandbox:
        sandbox.add_agent("h.meier")
        sandbox.add_agent("j.lis")
        sandbox.add_agent("gone", is_active=False)
        sandbox.add_campaign("00001", agents=("h.meier", "gone"))
        yield sandbox


def look(thulium: Sandbox, folder: Path, password: str = "", **changes: Any) -> list[Finding]:
    """Return what is found of a configuration."""
    access = {"url": thulium.url, "user": thulium.user, "password": password or thulium.password}
    settings = read_config(folder, thulium=access, **changes)
    return list(Online(settings, Thulium(settings.thulium, Wire())).look())


def find(thulium: Sandbox, folder: Path, what: str, **changes: Any) -> Finding:
    """Return what is found of one thing."""
    (found,) = (each for each in look(thulium, folder, **changes) if each.what == what)
    return found


def campaign(**changes: Any) -> dict[str, Any]:
    """Return ``campaigns:`` with one campaign."""
    return {"callbacks": {"id": "00001", **changes}}


def test_all_is_right(tmp_path: Path, thulium: Sandbox) -> None:
    """What is right is said too, thing by thing; and nothing but looking has been done."""
    campaigns = campaign(set={"status_id": 3, "agent_login": "h.meier"}, stop={"status_id": 6})
    found = look(thulium, tmp_path, campaigns=campaigns)
    assert [each.what for each in found] == [
        "thulium",
        "customers",
        "campaign callbacks (00001)",
        "campaign callbacks (00001), status_id of website 3",
        "campaign callbacks (00001), agent h.meier",
        "campaign callbacks (00001), stop with status_id 6",
    ]
    assert all(each.word is RIGHT for each in found)
    assert {each.method for each in thulium.calls(None)} == {"GET"}


def test_wrong_password(tmp_path: Path, thulium: Sandbox) -> None:
    """Who is not let in is told so, once, and not tried again."""
    (found,) = look(thulium, tmp_path, password="wrong")
    assert (found.what, found.word) == ("thulium", WRONG)
    assert "password" in found.text
    assert thulium.counts == {"campaigns": 1}


def test_nobody_answers(tmp_path: Path, thulium: Sandbox) -> None:
    """A Thulium that is not there is told as such."""
    thulium.stop()
    (found,) = look(thulium, tmp_path)
    assert found.word is WRONG
    assert "connection refused" in found.text


def test_rights_that_are_missing(tmp_path: Path, thulium: Sandbox) -> None:
    """What the API user may not see is told, thing by thing; a list that it need not see does no harm."""
    thulium.fail("campaigns", faults.error(403))
    thulium.fail("search", faults.error(403))
    thulium.fail("statuses", faults.error(403))
    found = {each.what: each for each in look(thulium, tmp_path)}
    assert found["thulium"].word is RIGHT
    assert "rights" in found["customers"].text
    assert found["campaign callbacks (00001)"].text == "can't be seen: Thulium answered 403"


def test_campaign_that_is_not_there(tmp_path: Path, thulium: Sandbox) -> None:
    """A campaign that does not exist is told, also one that a source names by its bare id."""
    sources = {"website": make_source(campaign="00009")}
    assert find(thulium, tmp_path, "campaign 00009", sources=sources).text == "there is no such campaign"


@pytest.mark.parametrize("fault", [faults.error(503), faults.error(404), faults.html(200)])
def test_something_else_answers(tmp_path: Path, thulium: Sandbox, fault: faults.Fault) -> None:
    """A server that is no Thulium, or one that is out of order, has let nobody in."""
    thulium.fail("campaigns", fault)
    (found,) = look(thulium, tmp_path)
    assert found.word is WRONG


def test_campaign_that_is_not_active(tmp_path: Path, thulium: Sandbox) -> None:
    """A campaign in which nobody is called is told."""
    thulium.add_campaign("00001", is_active=False)
    found = find(thulium, tmp_path, "campaign callbacks (00001)")
    assert found.word is WRONG
    assert "is not active" in found.text


def test_campaign_of_the_other_kind(tmp_path: Path, thulium: Sandbox) -> None:
    """A campaign that is fed from a file has no records of customers."""
    thulium.add_campaign("00001", is_crm=False)
    found = find(thulium, tmp_path, "campaign callbacks (00001)")
    assert found.word is WRONG
    assert "fed from the CRM" in found.text


@pytest.mark.parametrize(
    ("status", "word", "telling"),
    [
        ({"status_id": 3}, RIGHT, "3 is Contact needed (CALL)"),
        ({"status_id": 99}, WRONG, "there is no such status; there are 1 To call, "),
        ({"status_id": 6}, WRONG, "nobody would be called"),
        ({"status_id": 5}, WRONG, "it needs agent_login and next_call_date in `map` or `set`"),
        ({"status_id": 5, "agent_login": "h.meier"}, WRONG, "it needs next_call_date in"),
        ({"status_id": 7}, WRONG, "it needs next_call_date in"),
        ({"status_id": 7, "next_call_date": "+1h"}, RIGHT, "Not sooner than"),
        ({"dictionary_status_id": 8}, RIGHT, "8 is Call once more (CALL)"),
        ({"dictionary_status_id": 4}, WRONG, "there are 1 To call, 2 Contact needed, 3 Do not call, 8 Call once more"),
    ],
)
def test_status(status: dict[str, Any], word: Word, telling: str, tmp_path: Path, thulium: Sandbox) -> None:
    """A status has to exist, has to have people called, and needs along with it what its kind needs."""
    ((key, value), *_) = status.items()
    what = f"campaign callbacks (00001), {key} of website {value}"
    found = find(thulium, tmp_path, what, campaigns=campaign(set=status, later={"status_id": 7}))
    assert (found.word, telling in found.text) == (word, True), found.text


def test_what_the_source_gives_counts(tmp_path: Path, thulium: Sandbox) -> None:
    """A field that the source maps or sets is there; the source's own status is the one that is looked at."""
    fields = {"phone_number": "phone", "next_call_date": "at"}
    sources = {"website": make_source(map=fields, set={"status_id": 7})}
    what = "campaign callbacks (00001), status_id of website 7"
    campaigns = campaign(later={"status_id": 7})
    assert find(thulium, tmp_path, what, sources=sources, campaigns=campaigns).word is RIGHT


def test_status_that_comes_with_the_event(tmp_path: Path, thulium: Sandbox) -> None:
    """Of what each event says itself nothing can be seen."""
    sources = {"website": make_source(map={"phone_number": "phone", "status_id": "status"})}
    what = "campaign callbacks (00001), status_id of website"
    assert find(thulium, tmp_path, what, sources=sources, campaigns=campaign()).word is UNSEEN


def test_campaign_without_a_source(tmp_path: Path, thulium: Sandbox) -> None:
    """A campaign that no source uses is looked at as well."""
    campaigns = {**campaign(set={"status_id": 3}), "second": {"id": "00001", "set": {"status_id": 99}}}
    what = "campaign second (00001), status_id 99"
    assert find(thulium, tmp_path, what, campaigns=campaigns).word is WRONG


@pytest.mark.parametrize(
    ("later", "word", "telling"),
    [
        ({"status_id": 7}, RIGHT, "7 is Not sooner than (CALL_NO_SOONER_THAN)"),
        ({"status_id": 5, "agent_login": "h.meier"}, RIGHT, "5 is My record (MY_RECORD)"),
        ({"status_id": 5}, WRONG, "5 is My record (MY_RECORD): it needs agent_login in `map` or `set`"),
        ({"status_id": 3}, WRONG, "a call would not wait for its time; take one that waits for the date; there are "),
        ({"status_id": 1}, WRONG, "there are 5 My record, 7 Not sooner than"),
        ({"status_id": 6}, WRONG, "6 is Do not call (NO_CALL): a call would not wait"),
        ({"status_id": 99}, WRONG, "there is no such status; there are 1 To call, "),
        ({"dictionary_status_id": 2}, WRONG, "2 is Contact needed (CALL): a call would not wait for its time; "),
    ],
)
def test_later(later: dict[str, Any], word: Word, telling: str, tmp_path: Path, thulium: Sandbox) -> None:
    """The status of a later call has to be one that waits for its date, whether a source leads there or not."""
    key, value = next(iter(later.items()))
    for name, of in (("callbacks", " of website"), ("00002", "")):
        sources = {"website": make_source(campaign=name)}
        what = f"campaign callbacks (00001), later {key}{of} {value}"
        found = find(thulium, tmp_path, what, sources=sources, campaigns=campaign(later=later))
        assert (found.word, telling in found.text) == (word, True), found.text


@pytest.mark.parametrize(
    ("source", "campaign_set"),
    [
        (make_source(set={"agent_login": "h.meier"}), {}),
        (make_source(map={"phone_number": "phone", "agent_login": "agent"}), {}),
        (make_source(), {"agent_login": "h.meier"}),
    ],
)
def test_agent_of_a_later_call(
    source: dict[str, Any], campaign_set: dict[str, Any], tmp_path: Path, thulium: Sandbox
) -> None:
    """The agent whose record it is may come from `map` or `set` too."""
    campaigns = campaign(set=campaign_set, later={"status_id": 5})
    what = "campaign callbacks (00001), later status_id of website 5"
    assert find(thulium, tmp_path, what, sources={"website": source}, campaigns=campaigns).word is RIGHT


def test_agents_are_looked_at_once(tmp_path: Path, thulium: Sandbox) -> None:
    """The agents in `set` and in `later` are looked at, one that is in both once."""
    both = {"agent_login": "h.meier"}
    campaigns = campaign(set={"status_id": 3, **both}, later={"status_id": 5, **both})
    found = [each.what for each in look(thulium, tmp_path, campaigns=campaigns)]
    assert found.count("campaign callbacks (00001), agent h.meier") == 1
    campaigns = campaign(set={"status_id": 3, **both}, later={"status_id": 5, "agent_login": "j.lis"})
    assert find(thulium, tmp_path, "campaign callbacks (00001), agent j.lis", campaigns=campaigns).word is WRONG


def test_both_ids_of_a_stop(tmp_path: Path, thulium: Sandbox) -> None:
    """Of a stop that is given by both of its ids each is looked at."""
    campaigns = campaign(stop={"status_id": 6, "dictionary_status_id": 2})
    found = {each.what: each.word for each in look(thulium, tmp_path, campaigns=campaigns)}
    assert found["campaign callbacks (00001), stop with status_id 6"] is RIGHT
    assert found["campaign callbacks (00001), stop with dictionary_status_id 2"] is WRONG


@pytest.mark.parametrize(
    ("stop", "word", "telling"),
    [
        ({"status_id": 6}, RIGHT, "6 is Do not call (NO_CALL)"),
        ({"dictionary_status_id": 3}, RIGHT, "3 is Do not call (NO_CALL)"),
        ({"status_id": 3}, WRONG, "people who said stop would be called"),
        ({"status_id": 99}, WRONG, "there is no such status"),
    ],
)
def test_stop(stop: dict[str, int], word: Word, telling: str, tmp_path: Path, thulium: Sandbox) -> None:
    """The status of those who said stop has to exist, and has to be one that is not called."""
    ((key, value),) = stop.items()
    what = f"campaign callbacks (00001), stop with {key} {value}"
    found = find(thulium, tmp_path, what, campaigns=campaign(stop=stop))
    assert (found.word, telling in found.text) == (word, True), found.text


@pytest.mark.parametrize(
    ("login", "telling"),
    [("j.lis", "works in other campaigns only"), ("nobody", "there is no such agent"), ("gone", "is not active")],
)
def test_agent(login: str, telling: str, tmp_path: Path, thulium: Sandbox) -> None:
    """An agent has to exist, to be active, and to work in the campaign."""
    what = f"campaign callbacks (00001), agent {login}"
    found = find(thulium, tmp_path, what, campaigns=campaign(set={"agent_login": login}))
    assert (found.word, telling in found.text) == (WRONG, True), found.text


def test_agents_that_may_not_be_seen(tmp_path: Path, thulium: Sandbox) -> None:
    """Where agents may not be seen, nothing is said of them but that."""
    thulium.fail("agents", faults.error(403))
    what = "campaign callbacks (00001), agent h.meier"
    assert find(thulium, tmp_path, what, campaigns=campaign(set={"agent_login": "h.meier"})).word is UNSEEN
