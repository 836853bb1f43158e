"""Whether a campaign's statuses, as Thulium tells them, do what the configuration takes them to do. Pure.

A status is a row of ``GET outbounds/:id/statuses``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from ringback.delivery.demands import NEEDS, find_status
from ringback.leads.lead import RECORD_FIELDS, STATUS_FIELDS
from ringback.settings import Campaign, Source
from ringback.thulium.statuses import Row, Rows

KEYS = tuple(name for name in RECORD_FIELDS if name in STATUS_FIELDS)


class Word(StrEnum):
    """What can be said of a thing."""

    RIGHT = "right"
    WRONG = "WRONG"
    UNSEEN = "?"


RIGHT, WRONG, UNSEEN = Word


@dataclass(frozen=True)
class Finding:
    """A word about a thing, and what was seen of it."""

    what: str
    word: Word
    text: str


def list_constants(campaign: Campaign, source: Source | None) -> dict[str, object]:
    """Return what each record has that a source's leads get in a campaign."""
    return {**campaign.set, **(source.set if source else {})}


def list_agents(campaign: Campaign, source: Source | None) -> list[str]:
    """Return the logins that records get which a source's leads have in a campaign."""
    given = (list_constants(campaign, source), campaign.later)
    return list(dict.fromkeys(str(each["agent_login"]) for each in given if "agent_login" in each))


def judge_statuses(campaign: Campaign, source: Source | None, rows: Rows) -> Iterator[Finding]:
    """Yield whether the statuses exist that a source's leads get in a campaign, and have what they need."""
    constants = list_constants(campaign, source)
    given = {*constants, *(source.map if source else ())}
    for key in KEYS:
        what = f"campaign {campaign.title}, {key}" + (f" of {source.name}" if source else "")
        if key in constants:
            yield judge_status(f"{what} {constants[key]}", key, constants[key], given, rows)
        elif key in given:
            yield Finding(what, UNSEEN, "comes with the event")


def judge_status(what: str, key: str, value: object, given: set[str], rows: Rows) -> Finding:
    """Return whether a status exists, and ``given`` has what it needs."""
    row = find_status(key, value, rows)
    if row is None:
        return Finding(what, WRONG, f"there is no such status; there are {tell_statuses(key, rows)}")
    kind = str(row.get("system_status"))
    if kind == "NO_CALL":
        return Finding(what, WRONG, f"{tell_status(key, row)}: nobody would be called")
    lacking = [name for name in NEEDS.get(kind, ()) if name not in given]
    if lacking:
        return Finding(what, WRONG, f"{tell_status(key, row)}: it needs {' and '.join(lacking)} in `map` or `set`")
    return Finding(what, RIGHT, tell_status(key, row))


def judge_later(campaign: Campaign, source: Source | None, rows: Rows) -> Iterator[Finding]:
    """Yield whether the records of a source's leads wait for their date under the campaign's ``later``."""
    given = {*campaign.later, *list_constants(campaign, source), *(source.map if source else ()), "next_call_date"}
    for key in KEYS:
        if key in campaign.later:
            of = f" of {source.name}" if source else ""
            what = f"campaign {campaign.title}, later {key}{of} {campaign.later[key]}"
            yield judge_waiting(what, key, campaign.later[key], given, rows)


def judge_waiting(what: str, key: str, value: object, given: set[str], rows: Rows) -> Finding:
    """Return whether a record with a status is not called before its date, and ``given`` has what it needs."""
    row = find_status(key, value, rows)
    if row is None or row.get("system_status") in NEEDS:
        return judge_status(what, key, value, given, rows)
    waiting = [each for each in rows if each.get("system_status") in NEEDS]
    way_out = f"take one that waits for the date; there are {tell_statuses(key, waiting)}"
    return Finding(what, WRONG, f"{tell_status(key, row)}: a call would not wait for its time; {way_out}")


def judge_stop(campaign: Campaign, rows: Rows) -> Iterator[Finding]:
    """Yield whether a customer that opts out would still be called in a campaign."""
    for key, value in campaign.stop.items():
        yield judge_quiet(f"campaign {campaign.title}, stop with {key} {value}", key, value, rows)


def judge_quiet(what: str, key: str, value: object, rows: Rows) -> Finding:
    """Return whether a record with a status is not called."""
    row = find_status(key, value, rows)
    if row is None:
        return Finding(what, WRONG, f"there is no such status; there are {tell_statuses(key, rows)}")
    if row.get("system_status") != "NO_CALL":
        return Finding(
            what, WRONG, f"{tell_status(key, row)}: people who said stop would be called; take a NO_CALL one"
        )
    return Finding(what, RIGHT, tell_status(key, row))


def tell_status(key: str, row: Row) -> str:
    """Return a status as people know it."""
    return f"{row.get(key)} is {row.get('name')} ({row.get('system_status')})"


def tell_statuses(key: str, rows: Rows) -> str:
    """Return all statuses that have an id of this kind."""
    return ", ".join(f"{row[key]} {row.get('name')}" for row in rows if row.get(key) is not None) or "none"
