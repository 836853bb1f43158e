"""Whether a campaign's statuses, as Thulium tells them, do what the configuration takes them to do. Pure.

A status is a row of ``GET outbounds/:id/statuses``.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ringback.settings import Campaign, Source

KEYS = ("status_id", "dictionary_status_id")
# What a record has to have along with a status of this kind: https://api.thulium.com/docs/api, the batch call's page.
NEEDS = {"MY_RECORD": ("agent_login", "next_call_date"), "CALL_NO_SOONER_THAN": ("next_call_date",)}

Row = Mapping[str, object]
Rows = Sequence[Row]


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


def judge_stop(campaign: Campaign, rows: Rows) -> Finding:
    """Return whether whoever says stop would not be called any more in a campaign."""
    key, value = next(iter(campaign.stop.items()))
    what = f"campaign {campaign.title}, stop with {key} {value}"
    row = find_status(key, value, rows)
    if row is None:
        return Finding(what, WRONG, f"there is no such status; there are {tell_statuses(key, rows)}")
    if row.get("system_status") != "NO_CALL":
        return Finding(
            what, WRONG, f"{tell_status(key, row)}: people who said stop would be called; take a NO_CALL one"
        )
    return Finding(what, RIGHT, tell_status(key, row))


def find_status(key: str, value: object, rows: Rows) -> Row | None:
    """Return the status with an id; Thulium writes ids as numbers here and as texts there."""
    return next((row for row in rows if str(row.get(key)) == str(value)), None)


def tell_status(key: str, row: Row) -> str:
    """Return a status as people know it."""
    return f"{row.get(key)} is {row.get('name')} ({row.get('system_status')})"


def tell_statuses(key: str, rows: Rows) -> str:
    """Return all statuses that have an id of this kind."""
    return ", ".join(f"{row[key]} {row.get('name')}" for row in rows if row.get(key) is not None) or "none"
