"""Leads with customer ids -> outcomes: added to their campaigns, or there already."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ringback.delivery.batch import Batch, Replies
from ringback.delivery.doubts import Doubts
from ringback.delivery.locks import Locks
from ringback.delivery.memory import Memory
from ringback.delivery.parallel import run_each
from ringback.delivery.requeue import Requeue
from ringback.errors import CallFailed
from ringback.mapping import Assignment
from ringback.outcome import Outcome, Status
from ringback.settings import Settings
from ringback.thulium.api import RecordReply, Thulium
from ringback.thulium.replies import REFUSED  # ALREADY_EXISTS comes with it too

TOO_MANY, BROKEN = 429, 500  # a record's http_status (of the second: and above) that another time may be another
FINAL_WORDS = {"ADDED": Status.ADDED, "ALREADY_EXISTS": Status.ALREADY_EXISTS, "FAILED": Status.FAILED}
ROUNDS = 5  # in which earlier records of one customer are sent
DONE = (Status.ADDED, Status.ALREADY_EXISTS, Status.REQUEUED)


class Campaigns:
    """Adds leads to Thulium's campaigns."""

    def __init__(self, thulium: Thulium, settings: Settings, locks: Locks, memory: Memory, doubts: Doubts) -> None:
        self._batch = Batch(thulium, settings.thulium.batch_size)
        self._requeue = Requeue(thulium, settings, locks, memory, doubts)
        self._memory = memory
        self._threads = settings.thulium.parallel

    def add(self, assignments: Sequence[Assignment], deadline: float) -> list[Outcome]:
        """Return the outcome of each assignment, in their order.

        One customer is one record, the last one's: Thulium's reply has a customer only once. Is that refused, those
        before it are sent without it, and so on; after some rounds they are DEFERRED, and come again by themselves.
        """
        outcomes = self._add_together(assignments, deadline)
        going = [*range(len(assignments))]
        for _ in range(ROUNDS):
            going = find_unsent(going, assignments, outcomes)
            for n, outcome in zip(going, self._add_together([assignments[n] for n in going], deadline), strict=True):
                outcomes[n] = outcome
        for n in find_unsent(going, assignments, outcomes):
            outcomes[n] = replace(outcomes[n], status=Status.DEFERRED)
        return [self._doubt(each, outcome) for each, outcome in zip(assignments, outcomes, strict=True)]

    def _add_together(self, assignments: Sequence[Assignment], deadline: float) -> list[Outcome]:
        replies = self._send(assignments, deadline)
        outcomes = [_judge(each, replies) for each in assignments]
        last = {identify_record(each): n for n, each in enumerate(assignments)}
        coming_again = [n for n in last.values() if _comes_again(assignments[n], outcomes[n])]

        def put_back(n: int) -> Outcome:
            return self._requeue.put_back(assignments[n], outcomes[n], deadline)

        for n, outcome in zip(coming_again, run_each(put_back, coming_again, self._threads), strict=True):
            outcomes[n] = outcome
        for each, outcome in zip(assignments, outcomes, strict=True):
            if outcome.status in DONE:
                self._memory.remember(each.event, each.customer_id)
        return outcomes

    def _doubt(self, assignment: Assignment, outcome: Outcome) -> Outcome:
        """Return the outcome; none for a refused customer that was only remembered: it is searched next time."""
        if outcome.status is not Status.FAILED or self._memory.recall(assignment.event) is None:
            return outcome
        self._memory.forget(assignment.event)
        return replace(outcome, status=Status.DEFERRED)

    def _send(self, assignments: Sequence[Assignment], deadline: float) -> dict[str, Replies]:
        records: dict[str, dict[int, Mapping[str, object]]] = {}
        for each in assignments:
            records.setdefault(each.campaigns[0].id, {})[each.customer_id] = each.lead.record

        def send(campaign_id: str) -> Replies:
            return self._batch.send(campaign_id, records[campaign_id], deadline)

        return dict(zip(records, run_each(send, [*records], self._threads), strict=True))


def decide(assignment: Assignment, reply: RecordReply | CallFailed | None, campaign_id: str) -> Outcome:
    """Return what Thulium's reply about one customer means. Only its own final words are final."""
    if reply is None:
        return assignment.outcome(Status.DEFERRED, "Thulium's reply leaves the customer out", campaign_id=campaign_id)
    if isinstance(reply, CallFailed):
        return replace(assignment.defer(reply), campaign_id=campaign_id)
    known = {"campaign_id": campaign_id, "record_id": reply.record_id, "http_status": reply.http_status}
    status = FINAL_WORDS.get(reply.status)
    if status is None:
        word = assignment.scrub(reply.status)
        return assignment.outcome(Status.DEFERRED, f"Thulium's reply has an unknown status: {word}", **known)
    if doubt := find_contradiction(status, reply.http_status or 0):
        return assignment.outcome(Status.DEFERRED, f"Thulium's reply says {status}{doubt}", **known)
    return assignment.outcome(status, assignment.scrub(reply.message) or None, **known)


def find_unsent(some: Sequence[int], assignments: Sequence[Assignment], outcomes: Sequence[Outcome]) -> list[int]:
    """Return those of some that have the refusal of another record than their own, sent last for their customer."""
    last = {identify_record(assignments[n]): assignments[n].lead.record for n in some}
    refused = (n for n in some if outcomes[n].status is Status.FAILED)
    return [n for n in refused if assignments[n].lead.record != last[identify_record(assignments[n])]]


def identify_record(assignment: Assignment) -> tuple[str, int]:
    """Return what is equal for assignments that are one record."""
    return assignment.campaigns[0].id, assignment.customer_id


def find_contradiction(status: Status, http_status: int) -> str | None:
    """Return why a word of Thulium's about a record is not taken for its last: its number (0 for none) says other."""
    if status is Status.ADDED:
        return ", and that it was refused" if http_status >= REFUSED else None
    if status is Status.FAILED and 0 < http_status < REFUSED:
        return ", and that it was done"
    is_passing = http_status >= BROKEN or (status is Status.FAILED and http_status == TOO_MANY)
    return f" with {http_status}" if is_passing else None


def _judge(assignment: Assignment, replies: Mapping[str, Replies]) -> Outcome:
    campaign_id = assignment.campaigns[0].id
    return decide(assignment, replies[campaign_id].get(assignment.customer_id), campaign_id)


def _comes_again(assignment: Assignment, outcome: Outcome) -> bool:
    return outcome.status is Status.ALREADY_EXISTS and assignment.campaigns[0].on_existing == "requeue"
