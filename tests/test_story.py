"""What became of an event is told in the order in which it happened."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from ringback.outcome import Outcome, Status
from ringback.queues.sqlite.history import Kept, Story
from ringback.reports.story import count_kept, tell_story
from tests.events import NOW

WARSAW = ZoneInfo("Europe/Warsaw")
DOWN = Outcome(Status.DEFERRED, "Thulium answered 503")
LATER = NOW + timedelta(minutes=2)


def make_story(**changes: object) -> Story:
    """Return the story of an event that came once and has not been tried, some of it changed."""
    whole: dict[str, object] = {
        "source": "website",
        "event_id": "e1",
        "received_at": NOW,
        "received_last": NOW,
        "received": 1,
        "attempt": 0,
        "held": False,
        "outcome": None,
        "told_at": None,
        "next_try": NOW,
        "earlier": (),
        **changes,
    }
    return Story(**whole)  # type: ignore[arg-type] # each has its type


def tell(**changes: object) -> list[str]:
    """Return the lines of a story, without the first."""
    first, *lines = tell_story(make_story(**changes), WARSAW, NOW)
    assert first == "event e1 of website"
    return [line.strip() for line in lines]


def test_event_that_waits() -> None:
    """What has not been tried yet says when it came, and when it will be."""
    assert tell() == [
        "2026-03-02 10:00:00+01:00  received",
        "2026-03-02 10:00:00+01:00  first try  or as soon as somebody is there",
    ]


def test_event_that_is_being_tried() -> None:
    """While somebody holds it, nothing is said of the next try."""
    assert tell(held=True, next_try=LATER)[1:] == ["now                        is being tried"]


def test_event_whose_worker_is_gone() -> None:
    """What was held by somebody who has not been heard of since waits like any other."""
    assert tell(held=True, next_try=NOW)[1:] == [
        "2026-03-02 10:00:00+01:00  first try  or as soon as somebody is there"
    ]


def test_event_that_is_tried_again() -> None:
    """What was said before stands before what was said last, with the next try behind it."""
    lines = tell(
        outcome=DOWN, told_at=LATER, attempt=3, next_try=LATER, earlier=((NOW, Outcome(Status.PARKED, "old")),)
    )
    assert lines[1:] == [
        "2026-03-02 10:00:00+01:00  PARKED    old",
        "2026-03-02 10:02:00+01:00  DEFERRED  Thulium answered 503; 3 tries",
        "2026-03-02 10:02:00+01:00  next try  or as soon as somebody is there",
    ]


def test_event_that_is_done() -> None:
    """A final outcome is told with the campaign, the customer and the record; how often it came too."""
    added = Outcome(Status.ADDED, campaign_id="00001", customer_id=441, record_id=111)
    assert tell(outcome=added, told_at=LATER, attempt=1, next_try=None, received=3, received_last=LATER) == [
        "2026-03-02 10:00:00+01:00  received  3 times, the last at 2026-03-02 10:02:00+01:00",
        "2026-03-02 10:02:00+01:00  ADDED     campaign 00001, customer 441, record 111; 1 try",
    ]


def test_what_is_kept_is_counted() -> None:
    """Events that ended alike are a line: how many, from where, how and why."""
    kept = [Kept("website", Status.PARKED, "older than max_age", 12), Kept("crm", Status.FAILED, None, 1)]
    assert count_kept(kept) == ["  12  website  PARKED  older than max_age", "  1   crm      FAILED"]
