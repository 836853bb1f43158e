"""Outcomes of a lead: the words, and which of them are final."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

TOO_OLD = "older than max_age"  # the reason of what is parked because nobody should be called unasked so late


class Status(StrEnum):
    """The outcomes. The first three are Thulium's own words."""

    ADDED = "ADDED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED = "FAILED"
    REQUEUED = "REQUEUED"
    STOPPED = "STOPPED"
    SKIPPED = "SKIPPED"
    INVALID = "INVALID"
    PARKED = "PARKED"
    DEFERRED = "DEFERRED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the lead by itself."""
        return self is not Status.DEFERRED

    @property
    def is_replayable(self) -> bool:
        """Whether a mended configuration, sender or Thulium could change it, so that trying again makes sense."""
        return self in (Status.PARKED, Status.FAILED, Status.INVALID)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one lead. ``reason`` is scrubbed: it holds nothing personal.

    ``fields`` names the faults of an INVALID lead. ``retry_after`` (seconds) is the wait that Thulium asked for, if it
    did. ``look_again`` is set for a stop that another process may undo yet: it is looked at once more after so many
    seconds. ``person`` is the keyed hash by which the log knows a person, ``known`` has those by which their events are
    found (see ``known``). ``request_id`` stands apart: outcomes with the same reason are counted and replayed together.
    """

    status: Status
    reason: str | None = None
    campaign_id: str | None = None
    customer_id: int | None = None
    record_id: int | None = None
    http_status: int | None = None
    person: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None
    look_again: float | None = None
    request_id: str | None = None
    known: tuple[str, ...] = ()

    @property
    def evidence(self) -> str | None:
        """Return the reason, with the number of the request by which Thulium's support finds the call."""
        support = f"Thulium's request {self.request_id}" if self.request_id else None
        return "; ".join(filter(None, (self.reason, support))) or None
