"""lead -> the customers whom Thulium has for it already."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import NamedTuple

from ringback.delivery.rows import Row, carries, get_row_id, list_forms, match_keys, may_hide, sure_keys
from ringback.errors import CallFailed
from ringback.leads.lead import Lead
from ringback.mapping import Assignment
from ringback.settings import Settings
from ringback.thulium.api import Thulium

# Customers at most whose row may hide a number, the oldest first; more come where Thulium ignores what is searched for.
LOOKED_AT, LOOKED_AT_FOR_A_STOP = 5, 100


class Found(NamedTuple):
    """Customers who match, and those who carry the lead's number: None where nobody has searched for that."""

    rows: list[Row]
    owners: list[Row] | None


class Search:
    """Searches customers; found are only those who really carry the value that was searched for."""

    def __init__(self, thulium: Thulium, settings: Settings) -> None:
        self._thulium = thulium
        self._region = settings.phone_region
        self._forms = settings.thulium.phone_forms

    def find_first(self, assignment: Assignment, deadline: float) -> Found:
        """Return the customers who match by the first key by which anybody matches."""
        found: dict[str, list[Row]] = {}
        for name in match_keys(assignment):
            found[name] = self._look(assignment.lead, name, deadline)
            if found[name]:
                return Found(found[name], found.get("phone_number"))
        return Found([], found.get("phone_number"))

    def find_again(self, assignment: Assignment, deadline: float) -> list[Row]:
        """Return those whom another instance may have created at the same time, and who was created here."""
        keys = sure_keys(match_keys(assignment))
        return [row for name in keys for row in self._look(assignment.lead, name, deadline)]

    def find_by_number(self, assignment: Assignment, deadline: float) -> list[Row]:
        """Return the customers who carry the lead's number."""
        return self._look(assignment.lead, "phone_number", deadline)

    def find_all(self, assignment: Assignment, deadline: float) -> tuple[list[Row], CallFailed | None]:
        """Return every customer who matches, by whatever, and the one whose id the lead has; and what has failed.

        What one call does not find another may: nobody is called meanwhile who was found.
        """
        rows: list[Row] = []
        failed: CallFailed | None = None
        for name in (*(["customer_id"] if assignment.lead.customer_id else []), *match_keys(assignment)):
            try:
                if name == "customer_id":
                    rows += self._get(assignment.customer_id, deadline)
                else:
                    rows += self._look(assignment.lead, name, deadline, LOOKED_AT_FOR_A_STOP)
            except CallFailed as error:
                failed = error
        return rows, failed

    def _get(self, customer_id: int, deadline: float) -> list[Row]:
        try:
            return [self._thulium.get_customer(customer_id, deadline)]
        except CallFailed as error:
            if error.http_status != HTTPStatus.NOT_FOUND:
                raise
            return []

    def _look(self, lead: Lead, name: str, deadline: float, looked_at: int = LOOKED_AT) -> list[Row]:
        """Return the customers who carry the lead's value of a field, in whichever form of it."""
        forms = list_forms(lead, name, self._forms)
        rows = [row for form in forms for row in self._thulium.find_customers(name, form, deadline)]
        return self._confirm(rows, lead, name, deadline, looked_at)

    def _confirm(self, rows: Sequence[Row], lead: Lead, name: str, deadline: float, looked_at: int) -> list[Row]:
        sure = [row for row in rows if carries(row, lead, name, self._region)]
        hiding = sorted({get_row_id(row) for row in rows if may_hide(row, name)} - {get_row_id(row) for row in sure})
        whole = [self._thulium.get_customer(number, deadline) for number in hiding[:looked_at]]
        return [*sure, *(row for row in whole if carries(row, lead, name, self._region))]
