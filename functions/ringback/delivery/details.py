"""Changes of a customer in Thulium: numbers and addresses are added, nothing is emptied."""

from collections.abc import Sequence

from ringback.delivery.doubts import Doubts
from ringback.delivery.locks import Locks
from ringback.delivery.people import known_by
from ringback.delivery.rows import ADDED_ONLY, Row, find_changes, get_row_id, match_keys
from ringback.errors import CallFailed
from ringback.leads.lead import Lead
from ringback.mapping import Assignment
from ringback.settings import Settings
from ringback.thulium.api import Thulium

TOO_LARGE = (413, 414, 431)  # a body, an address, headers: what makes the call too large is this lead's, for good
FINAL_REFUSALS = (400, 409, 422, *TOO_LARGE)  # Thulium's word about this customer; any other error is about the call


class Details:
    """Completes customers, one change of one customer at a time."""

    def __init__(self, thulium: Thulium, settings: Settings, locks: Locks, doubts: Doubts) -> None:
        self._thulium = thulium
        self._doubts = doubts
        self._region = settings.phone_region
        self._locks = locks

    def tell(self, assignment: Assignment, row: Row, update: Sequence[str], deadline: float) -> list[str]:
        """Update a customer; where Thulium refuses some of it, with the number and the address alone. Return notes."""
        notes = []
        for fields in dict.fromkeys((tuple(update), tuple(name for name in update if name in ADDED_ONLY))):
            try:
                self._update(row, assignment.lead, fields, deadline)
                break
            except CallFailed as error:
                if error.http_status not in FINAL_REFUSALS:
                    raise
                notes.append(f"the customer was not updated: {assignment.scrub(error.message)}")
        return notes[:1]

    def _update(self, row: Row, lead: Lead, update: Sequence[str], deadline: float) -> None:
        changes = find_changes(row, lead, update, self._region)
        if not changes:
            return
        with self._locks.hold([("customer", get_row_id(row))], deadline):
            if any(name in changes for name in ADDED_ONLY):
                # A search's row may lack further numbers, and what is put may replace what is there: look at the whole.
                row = self._thulium.get_customer(get_row_id(row), deadline)
                changes = find_changes(row, lead, update, self._region)
            if changes:
                with self._doubts.watch(known_by(lead)):
                    self._thulium.update_customer(get_row_id(row), changes, deadline)

    def merge(self, assignment: Assignment, oldest: int, deadline: float) -> None:
        """Give the oldest what the lead is searched by and they lack: a later lead would find the other one alone."""
        row = self._thulium.get_customer(oldest, deadline)
        lacking = [name for name in match_keys(assignment) if name in ADDED_ONLY or not row.get(name)]
        self._update(row, assignment.lead, lacking, deadline)
