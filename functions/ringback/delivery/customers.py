"""Leads -> customer ids: each person is searched once, and by one thread at a time."""

from collections.abc import Sequence
from dataclasses import replace

from ringback import log
from ringback.delivery.details import TOO_LARGE
from ringback.delivery.doubts import Doubts
from ringback.delivery.locks import Locks
from ringback.delivery.match import Match
from ringback.delivery.memory import Memory
from ringback.delivery.parallel import run_each
from ringback.delivery.people import add_fields, identity, is_failed, known_by, needs_search, take_over
from ringback.errors import CallFailed
from ringback.leads.lead import Lead
from ringback.mapping import Assignment
from ringback.outcome import Outcome, Status
from ringback.settings import Settings
from ringback.thulium.api import Thulium


class Customers:
    """Thulium's customers, found or made. One person is handled by one thread at a time.

    The locks hold within this process. Two processes that create the same person at once both search again afterwards,
    and the lowest id wins. What can still make two: leads with the same address or identifier and different numbers,
    in different processes at once; and a third lead that is searched by what only the later of the two has, before
    the older one has been given it.
    """

    def __init__(self, thulium: Thulium, settings: Settings, locks: Locks, memory: Memory, doubts: Doubts) -> None:
        self._match = Match(thulium, settings, locks, doubts)
        self._threads = settings.thulium.parallel
        self._locks = locks
        self._memory = memory

    def identify(self, assignments: Sequence[Assignment], deadline: float) -> list[Assignment | Outcome]:
        """Return each assignment with its lead's customer id, or the outcome that says why it has none.

        Leads of one source that are alike in all by which they are searched are looked up once, with the fields of
        all of them, of which the latest one's count most; if that is refused, each by itself. For a stop all that match
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
        """Return the lead or outcome of each; a lead that can't be created may match another one's new customer."""
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
                return self._match.match(assignment, deadline)
        except CallFailed as error:
            if error.http_status in TOO_LARGE and assignment.source.action == "lead":
                return assignment.outcome(Status.FAILED, error.reason, http_status=error.http_status)
            return assignment.defer(error)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not take the lead's neighbours with it
            log.write_bug(error, f"the customer of event {assignment.event.id} could not be found")
            return assignment.outcome(Status.DEFERRED, "internal error")
