"""The story of an event, as lines for people. Pure."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from ringback.outcome import Outcome
from ringback.queues.sqlite.history import Kept, Story
from ringback.reports.columns import align

Row = tuple[str, str, str]


def tell_story(story: Story, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    """Yield the lines about one event, the oldest first, with times in ``zone``; ``now`` is aware."""
    yield f"event {story.event_id} of {story.source}"
    yield from align(_list_rows(story, zone, now), indent=2)


def count_kept(kept: list[Kept]) -> list[str]:
    """Return a line for each group of events that ended alike."""
    rows = [(str(each.count), each.source, str(each.status), each.reason or "") for each in kept]
    return align(rows, indent=2)


def _list_rows(story: Story, zone: ZoneInfo, now: datetime) -> Iterator[Row]:
    again = f"{story.received} times, the last at {_show(story.received_last, zone)}" if story.received > 1 else ""
    yield _show(story.received_at, zone), "received", again
    for at, outcome in story.earlier:
        yield _show(at, zone), str(outcome.status), _explain(outcome)
    if story.outcome and story.told_at:
        tries = "1 try" if story.attempt == 1 else f"{story.attempt} tries"
        yield (
            _show(story.told_at, zone),
            str(story.outcome.status),
            "; ".join(filter(None, (_explain(story.outcome), tries))),
        )
    if story.held and story.next_try and story.next_try > now:
        yield "now", "is being tried", ""
    elif story.next_try:
        yield (
            _show(story.next_try, zone),
            "next try" if story.outcome else "first try",
            "or as soon as somebody is there",
        )


def _explain(outcome: Outcome) -> str:
    ids = {"campaign": outcome.campaign_id, "customer": outcome.customer_id, "record": outcome.record_id}
    known = ", ".join(f"{name} {value}" for name, value in ids.items() if value is not None)
    return "; ".join(filter(None, (outcome.evidence, known)))


def _show(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(" ", "seconds")
