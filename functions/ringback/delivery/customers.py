"""lead -> customer id: search, create, complete."""

from collections.abc import Sequence
from dataclasses import replace

from ringback import log
from ringback.delivery.details import FINAL_REFUSALS, Details
from ringback.delivery.locks import Locks
from ringback.delivery.memory import Memory
from ringback.delivery.owners import Owners
from ringback.delivery.parallel import run_each
from ringback.delivery.people import add_fields, identity, is_failed, known_by, needs_search, take_over
from ringback.delivery.rows import ADDED_ONLY, Row, carries, describe_new, get_row_id, match_keys
from ringback.delivery.search import Search, noting
from ringback.errors import NO_ANSWER, CallFailed
from ringback.leads.lead import Lead
from ringback.mapping import Assignment, invalid
from ringback.outcome import Outcome, Status
from ringback.settings import Settings
from ringback.thulium.api import Thulium

GATEWAY_TIMEOUT = 504
SETTLED = 15.0  # seconds after which a creation that was not waited for has come to its end


class Customers:
    """Thulium's customers, found or made. One person is handled by one thread at a time.

    The locks hold within this process. Two processes that create the same person at once both search again afterwards,
    and the lowest id wins. What can still make two: leads with the same address or identifier and different numbers,
    in different processes at once; and a third lead that is searched by what only the later of the two has, before
    the older one has been given it.
    """

    def __init__(self, thulium: Thulium, settings: Settings, locks: Locks, memory: Memory) -> None:
        self._thulium = thulium
        self._search = Search(thulium, settings)
        self._owners = Owners(thulium, self._search, settings)
        self._details = Details(thulium, settings, locks)
        self._region = settings.phone_region
        self._threads = settings.thulium.parallel
        self._locks = locks
        self._memory = memory

    def identify(self, assignments: Sequence[Assignment], deadline: float) -> list[Assignment | Outcome]:
        """Return each assignment with its lead's customer id, or the outcome that says why it has none.

        Leads of one source that are alike in all by which they are searched are looked up once, with the fields of
        all of them, of which the latest one's count most; if that is refused, each by itself. For a stop all who match
        are found, those besides the oldest as ``Lead.others``.
        """
        assignments = [self._recall(each) for each in assignments]
        latest: dict[object, Assignment] = {}
        for each in assignments:
            key = identity(each)
            latest[key] = add_fields(each, latest[key]) if key in latest else each
        found = dict(zip(latest, self._identify_each([*latest.values()], deadline), strict=True))
        known = [take_over(each, found[identity(each)]) for each in assignments]
        told_more = [  # of whom Thulium was told more than they have said themselves
            n
            for n, each in enumerate(assignments)
            if is_failed(known[n]) and each.lead.customer != latest[identity(each)].lead.customer
        ]
        alone = self._identify_each([assignments[n] for n in told_more], deadline)
        for n, result in zip(told_more, alone, strict=True):
            known[n] = take_over(assignments[n], result)
        return known

    def _identify_each(self, assignments: Sequence[Assignment], deadline: float) -> list[Lead | Outcome]:
        """Return the lead or outcome of each; who can't be created may be found by what a neighbour has brought."""
        found: dict[int, Lead | Outcome] = {}
        for is_creatable in (True, False):
            some = [n for n, each in enumerate(assignments) if (each.lead.phone is not None) is is_creatable]
            leads = run_each(
                lambda n: self._identify_one(assignments[n], deadline),
                some,
                self._threads,
                lambda n: needs_search(assignments[n]),
                lambda n: self._memory.recall(assignments[n].event) is not None,
            )
            found |= zip(some, leads, strict=True)
        return [found[n] for n in range(len(assignments))]

    def _recall(self, assignment: Assignment) -> Assignment:
        """Return a lead that is delivered once more with the customer that it was found to be."""
        customer_id = self._memory.recall(assignment.event)
        if customer_id is None or assignment.source.action == "stop" or assignment.source.fetch:
            return assignment  # what is fetched may be another number by now
        return replace(assignment, lead=replace(assignment.lead, customer_id=customer_id))

    def _identify_one(self, assignment: Assignment, deadline: float) -> Lead | Outcome:
        if not needs_search(assignment):
            return assignment.lead
        try:
            with self._locks.hold(known_by(assignment.lead), deadline):
                find = self._find_for_stop if assignment.source.action == "stop" else self._find_or_create
                return find(assignment, deadline)
        except CallFailed as error:
            return assignment.defer(error)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not take the lead's neighbours with it
            log.write_bug(error, f"the customer of event {assignment.event.id} could not be found")
            return assignment.outcome(Status.DEFERRED, "internal error")

    def _find_or_create(self, assignment: Assignment, deadline: float) -> Lead | Outcome:
        rows, owners = self._search.find_first(assignment, deadline)
        if not rows and assignment.source.customer.on_missing == "fail":
            return assignment.outcome(Status.SKIPPED, "no such customer")
        if not rows and assignment.lead.phone is None:
            return invalid({"phone_number": "a person who has to be created needs one"}, assignment.campaigns[0].id)
        if self._owners.are_stopped(assignment, find_oldest(rows), owners, deadline):
            return assignment.outcome(Status.SKIPPED, "said stop")
        return self._complete(assignment, rows, deadline) if rows else self._create(assignment, deadline)

    def _find_for_stop(self, assignment: Assignment, deadline: float) -> Lead | Outcome:
        """Return the lead with all who match; a stranger is created, for whatever a later lead is found by.

        Who could not be asked for is not created, and what can't be done here keeps nobody from being stopped.
        """
        rows, failures = self._search.find_all(assignment, deadline)
        lead = assignment.lead
        if not rows and not failures:
            if assignment.source.customer.on_missing == "fail":
                return assignment.outcome(Status.SKIPPED, "no such customer")
            with noting(failures):
                return self._create(assignment, deadline)
        elif rows:
            with noting(failures):
                lead = self._complete(assignment, rows, deadline)
        named = [assignment.lead.customer_id] if failures and assignment.lead.customer_id else []
        ids = sorted({*map(get_row_id, rows), *named})
        return replace(
            lead, customer_id=next(iter(ids), None), others=tuple(ids[1:]), failed=next(iter(failures), None)
        )

    def _complete(self, assignment: Assignment, rows: Sequence[Row], deadline: float) -> Lead:
        """Return the lead with the oldest customer's id; that customer is given what is to be updated."""
        ids = sorted({get_row_id(row) for row in rows})
        is_stop = assignment.source.action == "stop"
        notes = [f"{len(ids)} customers match, the oldest was taken"] if len(ids) > 1 and not is_stop else []
        update = self._find_unknown(assignment, rows) if is_stop else assignment.source.customer.update
        row = next(row for row in rows if get_row_id(row) == ids[0])
        notes = [*assignment.lead.notes, *notes, *self._details.tell(assignment, row, update, deadline)]
        return replace(assignment.lead, customer_id=ids[0], others=tuple(ids[1:]), notes=tuple(notes))

    def _find_unknown(self, assignment: Assignment, rows: Sequence[Row]) -> list[str]:
        """Return which of a stop's number and address nobody carries yet: later leads are to be recognised by them."""
        names = [name for name in match_keys(assignment) if name in ADDED_ONLY]
        return [name for name in names if not any(carries(row, assignment.lead, name, self._region) for row in rows)]

    def _create(self, assignment: Assignment, deadline: float) -> Lead | Outcome:
        lead = assignment.lead
        if assignment.source.action == "stop":  # nothing may stand in its way that it does not need
            lead = replace(lead, customer={name: lead.customer[name] for name in match_keys(assignment)})
        try:
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
        """Return what a refused creation comes to: somebody else has created the person meanwhile, or it has failed."""
        if error.http_status not in FINAL_REFUSALS:
            raise in_doubt(error)
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


def in_doubt(error: CallFailed) -> CallFailed:
    """Return the failure of a creation, which may come after we hung up: the person is searched when that is over."""
    if error.reason == NO_ANSWER or error.http_status == GATEWAY_TIMEOUT:
        error.retry_after = max(error.retry_after or 0.0, SETTLED)
    return error


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
