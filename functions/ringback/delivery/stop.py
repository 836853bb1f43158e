"""Opt-outs with customer ids -> outcomes: who said stop has a record that is not called in each campaign named."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus

from ringback.delivery.batch import Batch
from ringback.delivery.campaigns import decide
from ringback.delivery.locks import Locks
from ringback.delivery.parallel import run_each
from ringback.delivery.rows import list_forms, match_keys
from ringback.errors import CallFailed
from ringback.mapping import Assignment
from ringback.outcome import Outcome, Status
from ringback.settings import Campaign, Settings
from ringback.thulium.api import Thulium

CONFIRMED = (Status.ADDED, Status.STOPPED)


class Stop:
    """Stops customers. A requeue of the same one waits meanwhile, in this process; in another it may not be noticed."""

    def __init__(self, thulium: Thulium, settings: Settings, locks: Locks) -> None:
        self._thulium = thulium
        self._batch = Batch(thulium, settings.thulium.batch_size)
        self._dictionary_status = settings.stop
        self._forms = settings.thulium.phone_forms
        self._threads = settings.thulium.parallel
        self._locks = locks

    def stop(self, assignments: Sequence[Assignment], deadline: float) -> list[Outcome]:
        """Return the outcome of each: STOPPED when every campaign has confirmed that nobody of them is called."""
        beside = max(1, self._threads // max(1, len(assignments)))  # calls of one stop at a time: all have their share
        return run_each(lambda each: self._stop_one(each, beside, deadline), assignments, self._threads)

    def _stop_one(self, assignment: Assignment, beside: int, deadline: float) -> Outcome:
        """Stop in every campaign, whatever another one says; what can still be mended is told first."""
        lead = assignment.lead
        ids = [] if lead.customer_id is None else [lead.customer_id, *lead.others]
        try:
            with self._locks.hold(ids, deadline):
                found = run_each(
                    lambda each: self._stop_in(each, ids, assignment, deadline), assignment.campaigns, beside
                )
                undone = [outcome for outcomes in found for outcome in outcomes if outcome.status not in CONFIRMED]
                self._stop_number(assignment, deadline)
        except CallFailed as error:
            return assignment.defer(error)
        if lead.failed:
            return assignment.defer(lead.failed)
        undone.sort(key=lambda outcome: outcome.status.is_final)
        return undone[0] if undone else assignment.outcome(Status.STOPPED)

    def _stop_in(
        self, campaign: Campaign, ids: Sequence[int], assignment: Assignment, deadline: float
    ) -> list[Outcome]:
        """Return what became of each customer in one campaign: added as one who is not called, or made one."""
        replies = self._batch.send(campaign.id, dict.fromkeys(ids, campaign.stop), deadline)
        outcomes = {each: decide(assignment, replies.get(each), campaign.id) for each in ids}
        for customer_id, outcome in outcomes.items():
            if outcome.status is Status.ALREADY_EXISTS:
                outcomes[customer_id] = self._change(campaign, customer_id, assignment, deadline)
            elif outcome.status is Status.FAILED and not is_nobody(assignment):
                outcomes[customer_id] = replace(outcome, status=Status.DEFERRED)
        return list(outcomes.values())

    def _change(self, campaign: Campaign, customer_id: int, assignment: Assignment, deadline: float) -> Outcome:
        """Give a record the stop's status; twice where records are put back.

        Another process that has looked at the record before the first time puts it back before the second.
        """
        try:
            for _ in range(2 if campaign.on_existing == "requeue" else 1):
                self._thulium.update_record(campaign.id, customer_id, campaign.stop, deadline)
        except CallFailed as error:
            return assignment.defer(error)
        return assignment.outcome(Status.STOPPED)

    def _stop_number(self, assignment: Assignment, deadline: float) -> None:
        """Stop the numbers in the campaigns that the configuration does not name, in each form they may have there."""
        status = self._dictionary_status
        if status is None:
            return
        for form in list_forms(assignment.lead, "phone_number", self._forms):
            try:
                self._thulium.stop_number(form, status, deadline)
            except CallFailed as error:
                if error.http_status != HTTPStatus.NOT_FOUND:  # no campaign has it
                    raise


def is_nobody(assignment: Assignment) -> bool:
    """Return whether a stop may fail for good: it names an id and nothing else, and Thulium knows no such customer.

    Any other refusal may pass, and the person is not to be called until it does.
    """
    return not match_keys(assignment)
