"""Outcomes -> verdicts: what is done, and when the rest is tried again."""

from dataclasses import replace
from datetime import datetime, timedelta

from ringback import log
from ringback.delivery.backoff import LONGEST_OF_A_STOP, next_try
from ringback.event import Again, Done, Event, Verdict
from ringback.outcome import Outcome, Status
from ringback.settings import Settings

PATIENCE_WITH_A_STOP = timedelta(hours=1)  # after which an opt-out that is not carried out raises an alarm
OLDEST_STOP = timedelta(days=13)  # SQS, which keeps a message for 14 days at most, must not delete it
UNDONE = (Status.INVALID, Status.FAILED, Status.PARKED)
TWO_TRIES = 2.5  # seconds that a sender must still wait, for half of them to be waited and a try to be made then


class Judge:
    """Gives verdicts by the rules of each event's source."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings."""
        self._settings = settings

    def is_too_old(self, event: Event, now: datetime) -> bool:
        """Return whether an event is too old for a call. A stop has no age."""
        source = self._settings.sources.get(event.source)
        return source is not None and source.action == "lead" and now - event.age_from > self._settings.max_age

    def judge(self, event: Event, outcome: Outcome, now: datetime, left: float | None) -> Verdict:
        """Return the verdict that an outcome comes to.

        ``left`` has the seconds that the sender still waits, in direct mode: there no later try is sure.
        """
        source = self._settings.sources.get(event.source)
        if source is not None and source.action == "stop":
            return self._judge_stop(event, outcome, now, left)
        if outcome.status.is_final:
            return Done(outcome)
        at = next_try(event.attempt, now, outcome.retry_after, outcome.http_status)
        if self.is_too_old(event, at):
            return Done(replace(outcome, status=Status.PARKED))
        return Again(outcome, at)

    def _judge_stop(self, event: Event, outcome: Outcome, now: datetime, left: float | None) -> Verdict:
        """Return the verdict on an opt-out: tried ever more slowly, and parked only when no queue would keep it longer.

        As long as it is not carried out the person may be called, so a person has to know of it.
        """
        pause = find_pause(event, outcome, left)
        outcome = replace(outcome, look_again=None)
        if outcome.status is Status.STOPPED:
            return self._look_again(event, outcome, now, pause)
        at = next_try(event.attempt, now, outcome.retry_after, outcome.http_status, longest=LONGEST_OF_A_STOP)
        at = max(at, now + timedelta(seconds=pause))
        if not outcome.status.is_final and not self._is_kept(event, at):
            outcome = replace(outcome, status=Status.PARKED)
        is_late = now - event.age_from > PATIENCE_WITH_A_STOP
        if outcome.status in UNDONE or (not outcome.status.is_final and is_late):
            log.write_undone_stop(event, outcome)
        return Done(outcome) if outcome.status.is_final else Again(outcome, at)

    def _look_again(self, event: Event, outcome: Outcome, now: datetime, pause: float) -> Verdict:
        """Return the verdict on an opt-out that is carried out, and may still be undone for so many seconds."""
        at = now + timedelta(seconds=pause)
        if not pause or not self._is_kept(event, at):
            return Done(outcome)
        reason = "; ".join(filter(None, (f"stopped; looked at once more in {pause:.0f} s", outcome.reason)))
        return Again(replace(outcome, status=Status.DEFERRED, reason=reason), at)

    def _is_kept(self, event: Event, at: datetime) -> bool:
        """Return whether each queue still has an opt-out at that time."""
        return at - event.age_from <= min(self._settings.retention, OLDEST_STOP)


def find_pause(event: Event, outcome: Outcome, left: float | None) -> float:
    """Return after how many seconds a stop is looked at once more; 0 for one that need not be, or can't.

    In direct mode it is looked at within half the time that the sender still waits: the longer it is, the more of what
    is under way in other processes has ended.
    """
    if not outcome.look_again or left is None:
        return outcome.look_again or 0.0
    if outcome.status is not Status.STOPPED or (left < TWO_TRIES and event.attempt == 1):
        return 0.0
    return min(outcome.look_again, left / 2) if left >= TWO_TRIES else outcome.look_again
