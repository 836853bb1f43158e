"""What Thulium keeps of a record's date, with a status that waits for it and without, and in which time zone.

No person is called: a record has a status of the kind NO_CALL, or a date ten years ahead, and is removed at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ringback.errors import CallFailed
from ringback.thulium.api import Thulium
from ringback.thulium.replies import read_id

YEARS_AHEAD = 10
FORM = "%Y-%m-%d %H:%M"
STEP = timedelta(minutes=15)  # time zones differ by so much at least, the moments compared by less
QUIET, WAITING = "NO_CALL", "CALL_NO_SOONER_THAN"

Row = Mapping[str, object]
Step = tuple[str, Callable[[], str]]


class Dates:
    """Tries dates on the record of one customer in a campaign. ``zone`` is the configured one."""

    def __init__(self, thulium: Thulium, campaign_id: str, customer_id: int, zone: ZoneInfo, deadline: float) -> None:
        self._thulium = thulium
        self._campaign = campaign_id
        self._customer = customer_id
        self._zone = zone
        self._deadline = deadline

    def list_steps(self, statuses: Sequence[Row]) -> list[Step]:
        """Return what is to be tried, by question; ``statuses`` are the campaign's."""
        return [
            ("the time zone of its dates", self._try_zone),
            (f"a date with a status of the kind {QUIET}", lambda: self._try_date(find_of_kind(QUIET, statuses))),
            (f"a date with a status of the kind {WAITING}", lambda: self._try_date(find_of_kind(WAITING, statuses))),
        ]

    def _try_zone(self) -> str:
        """Look at the record that was made a moment ago."""
        now = datetime.now(self._zone).replace(tzinfo=None)
        row = self._thulium.get_record(self._campaign, self._customer, self._deadline) or {}
        return tell_zone(now, str(row.get("create_date") or ""), self._zone)

    def _try_date(self, status: Row | None) -> str:
        if status is None:
            return "not tried: the campaign has no such status"
        sent = datetime(datetime.now(self._zone).year + YEARS_AHEAD, 7, 15, 12, 34)  # noqa: DTZ001 - as it is written
        with self._place({**status, "next_call_date": sent.strftime(FORM)}) as row:
            return tell_date(sent, str(row.get("next_call_date") or ""))

    @contextmanager
    def _place(self, fields: Row) -> Iterator[Row]:
        """Have a record of the customer with these fields for a moment; yields how Thulium shows it."""
        self._remove()
        record = {"customer_id": self._customer, **fields}
        try:
            replies = self._thulium.add_records(self._campaign, [record], self._deadline)
            if not any(reply.status == "ADDED" for reply in replies.values()):
                raise CallFailed("the record is not added")
            yield self._thulium.get_record(self._campaign, self._customer, self._deadline) or {}
        finally:
            with suppress(CallFailed):
                self._remove()

    def _remove(self) -> None:
        self._thulium.remove_records(self._campaign, [self._customer], self._deadline)


def find_of_kind(kind: str, statuses: Sequence[Row]) -> Row | None:
    """Return, as a record has it, the first status of a kind."""
    ids = (read_id(row.get("status_id")) for row in statuses if row.get("system_status") == kind)
    return next(({"status_id": each} for each in ids if each), None)


def tell_date(sent: datetime, shown: str) -> str:
    """Return what became of a date that was sent."""
    told = read_date(shown)
    if told is None:
        return "is shown in another form" if shown else "is not kept"
    return "is shown as it was sent" if told == sent else f"is shown {tell_hours(told - sent)}"


def tell_zone(now: datetime, shown: str, zone: ZoneInfo) -> str:
    """Return how the clock of Thulium differs from that of the time zone that the configuration names."""
    made = read_date(shown)
    if made is None:
        return "can't be told: a new record shows no create_date"
    away = round((made - now) / STEP) * STEP
    told = f"that of {zone.key}" if not away else f"{tell_hours(away)} than in {zone.key}: change `thulium.timezone`"
    return f"by a new record's create_date {told}; whether it calls by the same clock can't be told without a call"


def tell_hours(away: timedelta) -> str:
    """Return a difference in words: ``2 h later``, ``1.5 h earlier``."""
    return f"{abs(away) / timedelta(hours=1):g} h {'later' if away > timedelta() else 'earlier'}"


def read_date(text: str) -> datetime | None:
    """Return a date as records have them, with or without seconds; None for any other text."""
    try:
        return datetime.strptime(text[: len("2026-03-02 10:00")], FORM)  # noqa: DTZ007 - it tells no time zone
    except ValueError:
        return None
