"""Puts the record of a person that comes again back to be called, unless something forbids it."""

import time
from zoneinfo import ZoneInfo

from ringback.delivery.doubts import Doubts
from ringback.delivery.locks import Locks
from ringback.delivery.memory import Memory
from ringback.delivery.stopped import Record, Stopped
from ringback.errors import CallFailed
from ringback.leads.lead import STATUS_FIELDS
from ringback.mapping import Assignment
from ringback.outcome import Outcome, Status
from ringback.settings import Campaign, Settings
from ringback.thulium.api import Thulium

LEFT_ALONE = frozenset({"NO_CALL", "IN_PROGRESS", "MY_RECORD"})  # system statuses that a requeue does not touch


class Requeue:
    """Looks at records and puts them back. A stop of the same customer waits meanwhile, in this process."""

    def __init__(self, thulium: Thulium, settings: Settings, locks: Locks, memory: Memory, doubts: Doubts) -> None:
        self._thulium = thulium
        self._doubts = doubts
        self._timeout = settings.thulium.timeout
        self._zone = settings.thulium.timezone
        self._stopped = Stopped(thulium, settings)
        self._locks = locks
        self._memory = memory

    def put_back(self, assignment: Assignment, existing: Outcome, deadline: float) -> Outcome:
        """Return the outcome of a lead that is in the campaign already (``existing``).

        An event that has been done is delivered once more only because its sender did not hear of it.
        """
        if self._memory.recall(assignment.event) is not None:
            return existing
        try:
            with self._locks.hold([assignment.customer_id], deadline):
                return self._look_and_put(assignment, existing.record_id, deadline)
        except CallFailed as error:
            return assignment.defer(error)

    def _look_and_put(self, assignment: Assignment, record_id: int | None, deadline: float) -> Outcome:
        """Look at the record, and put it back within the time of one call: a stop in another process counts on that."""
        campaign, customer_id = assignment.campaigns[0], assignment.customer_id
        deadline = min(deadline, time.monotonic() + self._timeout)
        record = self._thulium.get_record(campaign.id, customer_id, deadline)
        if not record or not record.get("system_status"):
            reason = "Thulium has the customer in the campaign, and shows no record of it"
            return assignment.outcome(Status.DEFERRED, reason, record_id=record_id)
        if self._said_stop(record, campaign, deadline):
            return assignment.outcome(Status.SKIPPED, "said stop", record_id=record_id)
        if why := find_obstacle(assignment, record, self._zone):
            return assignment.outcome(Status.ALREADY_EXISTS, why, record_id=record_id)
        with self._doubts.watch([(campaign.id, customer_id)]):
            self._thulium.update_record(campaign.id, customer_id, assignment.lead.record, deadline)
        return assignment.outcome(Status.REQUEUED, record_id=record_id)

    def _said_stop(self, record: Record, campaign: Campaign, deadline: float) -> bool:
        """Return whether a record is of a person that must not be called, also if ``requeue_from`` allows it."""
        if record["system_status"] == "NO_CALL" and "NO_CALL" not in campaign.requeue_from:
            return True
        return self._stopped.said_stop(record, campaign, deadline)


def find_obstacle(assignment: Assignment, record: Record, zone: ZoneInfo) -> str | None:
    """Return why a record is not put back to be called, if it is not: an agent has it, or it was called since."""
    if not STATUS_FIELDS & assignment.lead.record.keys():
        return "the lead has no status to be put back with"
    status = str(record["system_status"])
    if status in LEFT_ALONE - assignment.campaigns[0].requeue_from:
        return f"the record is {status}"
    called = str(record.get("call_date") or "")  # to the minute, in Thulium's time zone
    if called >= assignment.event.received_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"):
        return "called since the event came in"
    return None
