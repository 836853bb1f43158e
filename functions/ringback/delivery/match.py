"""One lead -> its customer: found and completed, or created."""

from collections.abc import Sequence
from dataclasses import replace

from ringback import log
from ringback.delivery.details import FINAL_REFUSALS, Details
from ringback.delivery.doubts import SETTLED, Doubts
from ringback.delivery.locks import Locks
from ringback.delivery.owners import Owners
from ringback.delivery.people import known_by
from ringback.delivery.rows import (
    ADDED_ONLY,
    Row,
    describe_new,
    drop_known,
    get_row_id,
    is_shared,
    match_keys,
    split_by_address,
)
from ringback.delivery.search import Search, noting
from ringback.errors import CallFailed
from ringback.leads.lead import Lead
from ringback.mapping import Assignment, invalid
from ringback.outcome import Outcome, Status
from ringback.settings import Settings
from ringback.thulium.api import Thulium

SHARED_NUMBER = (
    "the customer has another identifier of this sender: if they are two people, `match: [identifier]` keeps them apart"
)


class Match:
    """Matches leads and opt-outs with Thulium's customers. The caller keeps the same person's other events waiting."""

    def __init__(self, thulium: Thulium, settings: Settings, locks: Locks, doubts: Doubts) -> None:
        self._thulium = thulium
        self._search = Search(thulium, settings)
        self._owners = Owners(thulium, self._search, settings)
        self._details = Details(thulium, settings, locks, doubts)
        self._doubts = doubts
        self._region = settings.phone_region

    def match(self, assignment: Assignment, deadline: float) -> Lead | Outcome:
        """Return the lead with its customer's id, or why it has none. Raises CallFailed."""
        if assignment.source.action == "stop":
            return self._find_for_stop(assignment, deadline)
        return self._find_or_create(assignment, deadline)

    def _find_or_create(self, assignment: Assignment, deadline: float) -> Lead | Outcome:
        doubt = self._doubts.find(known_by(assignment.lead))
        rows, owners, notes = self._search.find_first(assignment, deadline)
        assignment = replace(assignment, lead=replace(assignment.lead, notes=(*assignment.lead.notes, *notes)))
        if not rows and assignment.source.customer.on_missing == "fail":
            return assignment.outcome(Status.SKIPPED, "no such customer")
        if not rows and assignment.lead.phone is None:
            why = "; ".join(("a person who has to be created needs one", *notes))
            return invalid({"phone_number": why}, assignment.campaigns[0].id)
        if self._owners.are_stopped(assignment, find_oldest(rows), owners, deadline):
            return assignment.outcome(Status.SKIPPED, "said stop")
        if rows:
            return self._complete(assignment, rows, deadline)
        if doubt:
            raise doubt
        return self._create(assignment, deadline)

    def _find_for_stop(self, assignment: Assignment, deadline: float) -> Lead | Outcome:
        """Return the opt-out with all customers that match; without any it is created, for a later lead to be found by.

        If a search failed, no customer is created; a failure never prevents stopping the customers that were found. A
        write that may still come is a failure too.
        """
        doubt = self._doubts.find(known_by(assignment.lead))
        rows, failures = self._search.find_all(assignment, deadline)
        failures += [doubt] if doubt else []
        ids, notes = set(map(get_row_id, rows)), assignment.lead.notes
        if not rows and not failures and assignment.source.customer.on_missing == "fail":
            return assignment.outcome(Status.SKIPPED, "no such customer")
        if rows:
            with noting(failures):
                notes = self._complete(assignment, rows, deadline).notes
        elif not failures:
            ids = self._create_for_stop(assignment, failures, deadline)
        if failures and assignment.lead.customer_id:
            ids.add(assignment.lead.customer_id)
        ordered, failed = sorted(ids), next(iter(failures), None)
        first = next(iter(ordered), None)
        return replace(assignment.lead, customer_id=first, others=tuple(ordered[1:]), failed=failed, notes=notes)

    def _create_for_stop(self, assignment: Assignment, failures: list[CallFailed], deadline: float) -> set[int]:
        """Create customers for an opt-out that matches none, one for each address: Thulium shows one of a customer."""
        ids: set[int] = set()
        for lead in split_by_address(assignment.lead):
            with noting(failures):
                made = self._create(replace(assignment, lead=lead), deadline)
                ids |= {made.customer_id, *made.others} if isinstance(made, Lead) and made.customer_id else set()
                failures += [made.failed] if isinstance(made, Lead) and made.failed else []
        return ids

    def _complete(self, assignment: Assignment, rows: Sequence[Row], deadline: float) -> Lead:
        """Return the lead with the oldest customer's id; that customer gets the updates."""
        ids = sorted({get_row_id(row) for row in rows})
        row = next(row for row in rows if get_row_id(row) == ids[0])
        told, update, notes = assignment, assignment.source.customer.update, list[str]()
        if assignment.source.action == "stop":
            told = replace(assignment, lead=drop_known(assignment.lead, rows, self._region))
            update = tuple(name for name in match_keys(assignment) if name in ADDED_ONLY)
        else:
            notes += [f"{len(ids)} customers match, the oldest was taken"] if len(ids) > 1 else []
            notes += [SHARED_NUMBER] if is_shared(row, assignment.lead) else []
        notes += self._details.tell(told, row, update, deadline)
        return replace(
            assignment.lead, customer_id=ids[0], others=tuple(ids[1:]), notes=(*assignment.lead.notes, *notes)
        )

    def _create(self, assignment: Assignment, deadline: float) -> Lead | Outcome:
        lead = assignment.lead
        if assignment.source.action == "stop":  # nothing may stand in its way that it does not need
            lead = replace(lead, customer={name: lead.customer[name] for name in match_keys(assignment)})
        try:
            with self._doubts.watch(known_by(lead)):
                created = self._thulium.create_customer(describe_new(lead), deadline)
        except CallFailed as error:
            return self._judge_refusal(assignment, error, deadline)
        ids, failures = [created], list[CallFailed]()
        # Another instance may have created the same person since our search: both look again and take the lowest id.
        with noting(failures):
            ids = sorted({created, *map(get_row_id, self._search.find_again(assignment, deadline))})
        if ids[0] != created:
            _write_duplicate(assignment, created, ids[0])
            with noting(failures):
                self._details.merge(assignment, ids[0], deadline)
        if failures and assignment.source.action == "lead":
            raise failures[0]
        return replace(assignment.lead, customer_id=ids[0], others=tuple(ids[1:]), failed=next(iter(failures), None))

    def _judge_refusal(self, assignment: Assignment, error: CallFailed, deadline: float) -> Lead | Outcome:
        """Return the result of a refused creation: another process created the customer meanwhile, or it failed."""
        if error.is_in_doubt:  # it is searched when that is over
            error.retry_after = max(error.retry_after or 0.0, SETTLED)
        if error.http_status not in FINAL_REFUSALS:
            raise error
        rows = self._search.find_first(assignment, deadline).rows
        if rows:
            return self._complete(assignment, rows, deadline)
        if assignment.source.action == "stop":  # a later lead may bring what is lacking
            raise error
        reason = assignment.scrub(error.message or error.reason)
        return assignment.outcome(Status.FAILED, reason, http_status=error.http_status)


def find_oldest(rows: Sequence[Row]) -> Row | None:
    """Return the customer with the lowest id."""
    return min(rows, key=get_row_id, default=None)


def _write_duplicate(assignment: Assignment, created: int, oldest: int) -> None:
    log.write(
        "WARNING",
        f"customer {created} was created beside {oldest}",
        "customer.duplicate",
        source=assignment.source.name,
        event_id=assignment.event.id,
        customer_id=oldest,
        duplicate_id=created,
    )
