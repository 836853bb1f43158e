"""One thing that happened at a sender, verified and raw; and what delivering it has come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ringback.outcome import Outcome

REMEMBERED = timedelta(days=30)  # for so long a redelivery is recognised
REMEMBERED_BY_CONTENT = timedelta(hours=24)  # people do fill in the same form again


@dataclass(frozen=True)
class Event:
    """One verified event, not yet mapped, so that a wrong map can be mended and the event delivered again.

    ``data`` is the event as the sender told it (JSON values). ``id`` may be logged: it is the sender's event id or its
    keyed hash, or a keyed hash of source and event where the sender has none (``identified`` is then false). ``key``
    recognises a redelivery: a keyed hash of source, event id and content without what is volatile. ``request`` has, of
    ``headers`` and ``query`` of the request it came in, those that its source's rules read. ``problem`` names the field
    and why, when the event could be cut out of the body but not be read. ``over`` says which of its source's limits the
    event is above; None where it is above none. ``attempt`` counts from 1. ``received_at`` is aware, in UTC;
    ``started_at`` too, of an event that has been replayed: its age counts from then.
    """

    source: str
    id: str
    key: str
    data: object = field(repr=False)
    received_at: datetime
    identified: bool = True
    attempt: int = 1
    request: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    problem: Mapping[str, str] = field(default_factory=dict)
    trace: str | None = None
    started_at: datetime | None = None
    over: str | None = None

    @property
    def age_from(self) -> datetime:
        """Return since when the person is meant to be called."""
        return self.started_at or self.received_at

    @property
    def known_until(self) -> datetime:
        """Return until when what is known by the same key is this event again, and no other."""
        return self.received_at + (REMEMBERED if self.identified else REMEMBERED_BY_CONTENT)


@dataclass(frozen=True)
class Done:
    """The event has its final outcome."""

    outcome: Outcome


@dataclass(frozen=True)
class Again:
    """The event is to be delivered again, not before ``at`` (aware, UTC); ``outcome`` is DEFERRED and says why."""

    outcome: Outcome
    at: datetime


Verdict = Done | Again
