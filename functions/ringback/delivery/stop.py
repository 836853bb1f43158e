"""Opt-outs with customer ids -> outcomes: who said stop has a record that is not called in each campaign named.

A requeue in another process may have read a record before the stop and write it after. So where a campaign requeues, a
stop is looked at once more when whatever was under way has come to its end, and a look that changes something is not
the last.
"""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from itertools import chain

from ringback.delivery.batch import Batch
from ringback.delivery.campaigns import decide
from ringback.delivery.doubts import SETTLED, Doubts
from ringback.delivery.locks import Locks
from ringback.delivery.parallel import run_each
from ringback.delivery.rows import list_forms, match_keys
from ringback.delivery.search import noting
from ringback.delivery.stopped import Stopped
from ringback.errors import CallFailed
from ringback.mapping import Assignment
from ringback.outcome import Outcome, Status
from ringback.settings import Campaign, Settings
from ringback.thulium.api import Thulium

CONFIRMED = (Status.ADDED, Status.STOPPED)
LOOKS = 2  # at a record in one try, and a change after each that finds it not stopped


class Stop:
    """Stops customers. A requeue of the same one waits meanwhile, in this process; in another one it does not."""

    def __init__(self, thulium: Thulium, settings: Settings, locks: Locks, doubts: Doubts) -> None:
        self._thulium = thulium
        self._settings = settings
        self._batch = Batch(thulium, settings.thulium.batch_size)
        self._threads = settings.thulium.parallel
        self._locks = locks
        self._doubts = doubts
        self._stopped = Stopped(thulium, settings)
        # A requeue has the time of one call for its look and its change, and the change may come later still.
        self._look_again = settings.thulium.timeout + SETTLED

    def stop(self, assignments: Sequence[Assignment], deadline: float) -> list[Outcome]:
        """Return the outcome of each: STOPPED when every campaign has confirmed that nobody of them is called.

        With ``look_again`` it is not final yet.
        """
        beside = max(1, self._threads // max(1, len(assignments)))  # calls of one stop at a time: all have their share
        return run_each(lambda each: self._stop_one(each, beside, deadline), assignments, self._threads)

    def _stop_one(self, assignment: Assignment, beside: int, deadline: float) -> Outcome:
        """Stop in every campaign, whatever another one says."""
        lead, outcomes, failure = assignment.lead, list[Outcome](), assignment.lead.failed
        ids = [] if lead.customer_id is None else [lead.customer_id, *lead.others]
        try:
            with self._locks.hold(ids, deadline):
                doubt = self._doubts.find((campaign.id, each) for campaign in assignment.campaigns for each in ids)
                found = run_each(
                    lambda each: self._stop_in(each, ids, assignment, deadline), assignment.campaigns, beside
                )
                outcomes += chain.from_iterable(found)
                failure = failure or doubt
                self._stop_number(assignment, deadline)
        except CallFailed as error:
            failure = error
        outcome = assignment.defer(failure) if failure else sum_up(assignment, outcomes)
        is_settled = not any(each.look_again for each in outcomes) and not self._is_first(assignment, outcome)
        return outcome if is_settled else replace(outcome, look_again=self._look_again)

    def _is_first(self, assignment: Assignment, outcome: Outcome) -> bool:
        """Return whether a stop has been looked at once, where it takes two: it may have been made a moment ago."""
        requeues = any(map(self._settings.requeues, assignment.campaigns))
        return requeues and outcome.status is Status.STOPPED and assignment.event.attempt == 1

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
        """Give a record the stop's status."""
        if self._settings.requeues(campaign):
            return self._look_and_change(campaign, customer_id, assignment, deadline)
        try:
            self._thulium.update_record(campaign.id, customer_id, campaign.stop, deadline)
        except CallFailed as error:
            return assignment.defer(error)
        return assignment.outcome(Status.STOPPED)

    def _look_and_change(
        self, campaign: Campaign, customer_id: int, assignment: Assignment, deadline: float
    ) -> Outcome:
        """Give a record the stop's status unless it is read to have it; also while it can't be read."""
        failures, look_again = list[CallFailed](), None
        for _ in range(LOOKS):
            with noting(failures):
                record = self._thulium.get_record(campaign.id, customer_id, deadline)
                if record and self._stopped.said_stop(record, campaign, deadline):
                    return assignment.outcome(Status.STOPPED, look_again=look_again)
            look_again = self._look_again
            with noting(failures):
                self._thulium.update_record(campaign.id, customer_id, campaign.stop, deadline)
        failure = failures[0] if failures else CallFailed("Thulium does not show the record as stopped")
        return replace(assignment.defer(failure), look_again=look_again)

    def _stop_number(self, assignment: Assignment, deadline: float) -> None:
        """Stop the numbers in the campaigns that the configuration does not name, in each form they may have there."""
        status = self._settings.stop
        if status is None:
            return
        for form in list_forms(assignment.lead, "phone_number", self._settings.thulium.phone_forms):
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


def sum_up(assignment: Assignment, outcomes: Sequence[Outcome]) -> Outcome:
    """Return what a stop comes to: STOPPED if every campaign has confirmed. What can still be mended is told first."""
    undone = sorted((each for each in outcomes if each.status not in CONFIRMED), key=lambda each: each.status.is_final)
    return undone[0] if undone else assignment.outcome(Status.STOPPED)
