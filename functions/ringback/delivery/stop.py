"""Opt-outs with customer ids -> outcomes: each customer gets a record that is not called in each campaign named.

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
NOT_SHOWN = "Thulium does not show the record as stopped"


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
        """Return the outcome of each: STOPPED when every campaign has confirmed that none of them is called.

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
        """Return the outcome of each customer in one campaign: added as one that is not called, or made one."""
        replies = self._batch.send(campaign.id, dict.fromkeys(ids, campaign.stop), deadline)
        added = {each: persist(assignment, decide(assignment, replies.get(each), campaign.id)) for each in ids}
        change = self._look_and_change if self._settings.requeues(campaign) else self._change
        return [change(campaign, each, outcome, assignment, deadline) for each, outcome in added.items()]

    def _change(
        self, campaign: Campaign, customer_id: int, added: Outcome, assignment: Assignment, deadline: float
    ) -> Outcome:
        """Give a record that is there already the stop's status; ``added`` is what adding it has come to."""
        if added.status is not Status.ALREADY_EXISTS:
            return added
        try:
            self._thulium.update_record(campaign.id, customer_id, campaign.stop, deadline)
        except CallFailed as error:
            return assignment.defer(error)
        return assignment.outcome(Status.STOPPED)

    def _look_and_change(
        self, campaign: Campaign, customer_id: int, added: Outcome, assignment: Assignment, deadline: float
    ) -> Outcome:
        """Do the same where records are put back, and read the record. What may have changed is looked at again."""
        if added.status is Status.ADDED:
            return replace(added, look_again=self._look_again)
        was_there, failures = added.status is Status.ALREADY_EXISTS, list[CallFailed]()
        changes = self._make_stopped(campaign, customer_id, failures, deadline)
        if changes is None:
            failure = failures[0] if failures else CallFailed(NOT_SHOWN)
            return replace(assignment.defer(failure) if was_there else added, look_again=self._look_again)
        is_found = was_there and not changes
        return assignment.outcome(Status.STOPPED, look_again=None if is_found else self._look_again)

    def _make_stopped(
        self, campaign: Campaign, customer_id: int, failures: list[CallFailed], deadline: float
    ) -> int | None:
        """Return after how many changes a record is read to be stopped; None if it is not, or there is none.

        It is changed also while it can't be read.
        """
        for changes in range(LOOKS):
            with noting(failures):
                record = self._thulium.get_record(campaign.id, customer_id, deadline)
                if record is None:
                    return None
                if self._stopped.said_stop(record, campaign, deadline):
                    return changes
            with noting(failures):
                self._thulium.update_record(campaign.id, customer_id, campaign.stop, deadline)
        return None

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


def persist(assignment: Assignment, outcome: Outcome) -> Outcome:
    """Return the outcome of adding a record; a refusal is one for now, as long as there are customers to be stopped."""
    is_refused = outcome.status is Status.FAILED and not is_nobody(assignment)
    return replace(outcome, status=Status.DEFERRED) if is_refused else outcome


def is_nobody(assignment: Assignment) -> bool:
    """Return whether a stop may fail for good: it names an id and nothing else, and Thulium knows no such customer.

    Any other refusal may pass, and the person is not to be called until it does.
    """
    return not match_keys(assignment)


def sum_up(assignment: Assignment, outcomes: Sequence[Outcome]) -> Outcome:
    """Return what a stop comes to: STOPPED if every campaign has confirmed. What can still be mended is told first."""
    undone = sorted((each for each in outcomes if each.status not in CONFIRMED), key=lambda each: each.status.is_final)
    return undone[0] if undone else assignment.outcome(Status.STOPPED)
