"""lead -> the customers that Thulium has for it already."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import NamedTuple

from ringback.delivery.rows import (
    Row,
    carries,
    count_numbers,
    get_row_id,
    list_forms,
    match_keys,
    may_hide,
    sure_keys,
)
from ringback.errors import NO_ANSWER, CallFailed
from ringback.leads.lead import Lead
from ringback.mapping import Assignment
from ringback.settings import Settings
from ringback.thulium.api import Thulium

# Customers at most whose row may hide a number, the oldest first; more come where Thulium ignores what is searched for.
LOOKED_AT, LOOKED_AT_FOR_A_STOP = 5, 100
SHARED_BY = 5  # numbers of one customer; an address of theirs is shared, or was made up by many


class Found(NamedTuple):
    """Customers that match, and those that have the lead's number: None where it was not searched for.

    ``notes`` say what was found and not taken.
    """

    rows: list[Row]
    owners: list[Row] | None
    notes: tuple[str, ...] = ()


class Search:
    """Searches customers; found are only those that really have the value that was searched for."""

    def __init__(self, thulium: Thulium, settings: Settings) -> None:
        self._thulium = thulium
        self._region = settings.phone_region
        self._forms = settings.thulium.phone_forms

    def find_first(self, assignment: Assignment, deadline: float) -> Found:
        """Return the customers that match by the first key by which any does."""
        found: dict[str, list[Row]] = {}
        notes: tuple[str, ...] = ()
        for name in match_keys(assignment):
            found[name] = self._look(assignment.lead, name, deadline)
            rows = found[name]
            if name == "email" and rows:
                rows, notes = self._choose_by_address(rows, assignment, deadline)
            if rows:
                return Found(rows, found.get("phone_number"), notes)
        return Found([], found.get("phone_number"), notes)

    def _choose_by_address(
        self, rows: Sequence[Row], assignment: Assignment, deadline: float
    ) -> tuple[list[Row], tuple[str, ...]]:
        """Return those of the customers with an address that it proves to be the lead's, and why it proves none.

        An address typed for many people (a shop's, a made-up one) is none's: its customers would get all their numbers.
        """
        whole = [self._complete(row, deadline) for row in rows[:LOOKED_AT]]
        if any(count_numbers(row) >= SHARED_BY for row in whole):
            return [], (f"the e-mail address is no match: a customer with it has {SHARED_BY} numbers or more",)
        if assignment.source.customer.new_number == "separate" and assignment.lead.phones:
            own = self._carrying(whole, assignment.lead, "phone_number")
            return own, () if own else ("the customer with the e-mail address has another number: kept apart",)
        return [*rows], ()

    def _complete(self, row: Row, deadline: float) -> Row:
        return self._thulium.get_customer(get_row_id(row), deadline) if may_hide(row, "phone_number") else row

    def find_again(self, assignment: Assignment, deadline: float) -> list[Row]:
        """Return the customers that another instance may have created at the same time, and the one created here."""
        keys = sure_keys(match_keys(assignment))
        return [row for name in keys for row in self._look(assignment.lead, name, deadline)]

    def find_by_number(self, assignment: Assignment, deadline: float) -> list[Row]:
        """Return the customers that have the lead's number."""
        return self._look(assignment.lead, "phone_number", deadline)

    def find_all(self, assignment: Assignment, deadline: float) -> tuple[list[Row], list[CallFailed]]:
        """Return every customer that matches by any field, and the one with the lead's id; and the failures.

        Whom one call does not find another may, and who was found is stopped. Once Thulium is silent it is not asked
        any more: the time is for those who were found.
        """
        lead, rows, failures = assignment.lead, list[Row](), list[CallFailed]()
        maybe: dict[tuple[str, int], None] = {}
        if lead.customer_id is not None:
            with noting(failures):
                rows += self._get(lead.customer_id, deadline)
        values = [(key, form) for key in match_keys(assignment) for form in list_forms(lead, key, self._forms)]
        for name, form in values:
            with noting(failures):
                if not is_silent(failures):
                    sure, hiding = self._sift(self._thulium.find_customers(name, form, deadline), lead, name)
                    rows += sure
                    maybe |= dict.fromkeys((name, number) for number in hiding[:LOOKED_AT_FOR_A_STOP])
        for name, number in maybe:
            with noting(failures):
                if not is_silent(failures):
                    rows += self._carrying([self._thulium.get_customer(number, deadline)], lead, name)
        return rows, failures

    def _get(self, customer_id: int, deadline: float) -> list[Row]:
        try:
            return [self._thulium.get_customer(customer_id, deadline)]
        except CallFailed as error:
            if error.http_status != HTTPStatus.NOT_FOUND:
                raise
            return []

    def _look(self, lead: Lead, name: str, deadline: float) -> list[Row]:
        """Return the customers that have the lead's value of a field, in any form of it."""
        forms = list_forms(lead, name, self._forms)
        found = [row for form in forms for row in self._thulium.find_customers(name, form, deadline)]
        sure, hiding = self._sift(found, lead, name)
        whole = [self._thulium.get_customer(number, deadline) for number in hiding[:LOOKED_AT]]
        return [*sure, *self._carrying(whole, lead, name)]

    def _sift(self, rows: Sequence[Row], lead: Lead, name: str) -> tuple[list[Row], list[int]]:
        """Return the rows that carry the value, and the ids of those that may hide it."""
        sure = self._carrying(rows, lead, name)
        ids = {get_row_id(row) for row in sure}
        return sure, sorted({get_row_id(row) for row in rows if may_hide(row, name)} - ids)

    def _carrying(self, rows: Sequence[Row], lead: Lead, name: str) -> list[Row]:
        return [row for row in rows if carries(row, lead, name, self._region)]


def is_silent(failures: Sequence[CallFailed]) -> bool:
    """Return whether one of the calls was not answered: the next would not be either."""
    return any(failure.reason == NO_ANSWER for failure in failures)


@contextmanager
def noting(failures: list[CallFailed]) -> Iterator[None]:
    """Let a call fail, and keep what has failed."""
    try:
        yield
    except CallFailed as error:
        failures.append(error)
