"""Leads -> those whose records have what their status demands; the others are INVALID, before anything is sent."""

from collections.abc import Mapping, Sequence
from time import monotonic

from ringback.delivery.parallel import run_each
from ringback.leads.lead import STATUS_FIELDS
from ringback.mapping import Assignment
from ringback.outcome import Outcome, Status
from ringback.settings import Settings
from ringback.thulium.api import Thulium
from ringback.thulium.statuses import Row, Rows

# What a record has to have along with a status of this kind: https://api.thulium.com/docs/api, the batch call's page.
NEEDS = {"MY_RECORD": ("agent_login", "next_call_date"), "CALL_NO_SOONER_THAN": ("next_call_date",)}
SHARE = 4  # the part of the time that asking for the statuses may take: the rest is for the calls that add the record


class Demands:
    """Checks records by their campaign's statuses. Where these can't be had, nothing is demanded."""

    def __init__(self, thulium: Thulium, settings: Settings) -> None:
        self._statuses = thulium.kept_statuses
        self._threads = settings.thulium.parallel

    def check(self, assignments: Sequence[Assignment], deadline: float) -> list[Assignment | Outcome]:
        """Return each assignment, or its outcome where its record lacks a field that its status demands."""
        now = monotonic()
        until = now + (deadline - now) / SHARE
        ids = list(dict.fromkeys(each.campaigns[0].id for each in assignments if may_lack(each.lead.record)))
        found = run_each(lambda each: self._statuses.find_if_possible(each, until), ids, self._threads)
        rows = dict(zip(ids, found, strict=True))
        return [judge(each, rows.get(each.campaigns[0].id, ())) for each in assignments]


def may_lack(record: Mapping[str, object]) -> bool:
    """Return whether a record has a status, and not each of the fields that a status may demand."""
    return bool(STATUS_FIELDS & record.keys()) and not record.keys() >= set(NEEDS["MY_RECORD"])


def judge(assignment: Assignment, rows: Rows) -> Assignment | Outcome:
    """Return the assignment, or the outcome that names what its record lacks by the campaign's statuses."""
    record, lacking = assignment.lead.record, dict[str, str]()
    for key in sorted(STATUS_FIELDS & record.keys()):
        row = find_status(key, record[key], rows) or {}
        kind = str(row.get("system_status"))
        why = f"a record with {key} {record[key]} ({kind}) needs it; give it in `map` or `set`, or use another status"
        lacking |= {name: why for name in NEEDS.get(kind, ()) if name not in record}
    if not lacking:
        return assignment
    reason = "; ".join(f"{name}: {why}" for name, why in lacking.items())
    return assignment.outcome(Status.INVALID, reason, fields=lacking)


def find_status(key: str, value: object, rows: Rows) -> Row | None:
    """Return the status with an id; Thulium writes ids as numbers here and as texts there."""
    return next((row for row in rows if str(row.get(key)) == str(value)), None)
