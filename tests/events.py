"""Events and outcomes for the tests of the queues."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ringback.event import Again, Done, Event
from ringback.outcome import Outcome, Status

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PERSON = "0123456789abcdef"


def make_event(number: int = 1, **changes: Any) -> Event:
    """Return an event that differs from those with other numbers in id and key."""
    fields: dict[str, Any] = {
        "source": "website",
        "id": f"e{number}",
        "key": f"key-{number}",
        "data": {"phone_number": f"601 000 {number:03}"},
        "received_at": NOW,
        **changes,
    }
    return Event(**fields)


def done(status: Status = Status.ADDED, reason: str | None = None, **changes: Any) -> Done:
    """Return a final verdict."""
    return Done(Outcome(status, reason, **{"campaign_id": "00001", "person": PERSON, **changes}))


def again(seconds: float = 60, reason: str = "Thulium does not answer", now: datetime = NOW) -> Again:
    """Return the verdict that the event is to be tried again so many seconds after ``now``."""
    return Again(Outcome(Status.DEFERRED, reason), now + timedelta(seconds=seconds))
