"""When a campaign calls, and when a person has asked to be called. Pure.

Thulium takes whole minutes of a local clock, which shows some minutes of the year never and others twice. Whatever it
shows, no call comes before the time that was asked for, nor outside the hours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MINUTE = timedelta(minutes=1)
_DAYS_AHEAD = 15  # two weeks: the one day of a week may be the one whose clock leaves the hours out
_YEARS = range(2000, 2100)  # outside, it is a birthday, a mistyped year or an empty date of some database

_DASH = re.compile(r"\s*[-\N{EN DASH}]\s*")
_PART = re.compile(r"(?:([a-z]+)(?:-([a-z]+))?\s+)?([0-9].*)")
_RANGE = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")
_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})(?:\D*\s([0-9]{1,2})[:.]([0-9]{2})(?::[0-9]{2})?)?")
_UNIX = re.compile(r"([0-9]{10})([0-9]{3})?(?:\.[0-9]+)?")
_OFFSET = re.compile(r"(:[0-9.]+) ([+-]?)([01][0-9]:?[0-5][0-9])$")
_RELATIVE = re.compile(r"\+([0-9]{1,4})([mhd])")
_UNITS = {"m": _MINUTE, "h": timedelta(hours=1), "d": timedelta(days=1)}


@dataclass(frozen=True)
class Range:
    """One stretch of one weekday: from ``start`` up to, not including, ``end``, in minutes of the day (1440: 24:00)."""

    weekday: int
    start: int
    end: int


@dataclass(frozen=True)
class Hours:
    """A week's call hours."""

    ranges: tuple[Range, ...]


def read_hours(text: str) -> Hours:
    """Read ``Mon-Fri 09:00-12:00 13:00-19:00, Sat 10:00-14:00`` (local time; a part without days takes the last ones).

    Days may run over the week's end (``Fri-Mon``), ranges may overlap, 24:00 ends a day. Raises ValueError, which names
    the part at fault and the way out.
    """
    ranges: list[Range] = []
    weekdays: list[int] = []
    for part in _DASH.sub("-", text).split(","):
        match = _PART.fullmatch(part.strip().lower())
        if not match:
            raise ValueError(f"{part.strip()!r} are no call hours; write `Mon-Fri 09:00-17:00, Sat 10:00-14:00`")
        first, last, spans = match.groups()
        weekdays = _read_days(first, last or first) if first else weekdays
        if not weekdays:
            raise ValueError(f"{part.strip()!r} has no days; write `Mon-Fri {part.strip()}`")
        ranges += [Range(day, *span) for span in map(_read_span, spans.split()) for day in weekdays]
    return Hours(tuple(ranges))


def is_open(hours: Hours, at: datetime, zone: ZoneInfo) -> bool:
    """Return whether the clock in ``zone`` shows a time within the hours at that moment (aware)."""
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return any(each.weekday == local.weekday() and each.start <= minute < each.end for each in hours.ranges)


def next_opening(hours: Hours, at: datetime, zone: ZoneInfo) -> datetime:
    """Return ``at`` (aware) if a call can then be made within the hours, else the moment (UTC) of their next opening.

    What counts is the minute that Thulium can be told (``write_time``): half a minute before closing is too late.
    """
    told = _find_minute(at, zone)
    if is_open(hours, told, zone):
        return at if is_open(hours, at, zone) else told
    today = told.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(_DAYS_AHEAD))
    starts = (start for day in days for start in _starts(hours, day, zone))
    return next(start for start in starts if start > told and is_open(hours, start, zone))


def read_time(value: object, zone: ZoneInfo) -> datetime:
    """Return the moment (aware, in UTC) that ``value`` is.

    Read are ISO 8601, Unix time in seconds or milliseconds, and dates with dots, day first (``03.11.2026 10:00``).
    A time without an offset is ``zone``'s, a date alone is the day's start there. A local time that is left out when
    the clock is put forward is the first moment after; one that comes twice is the first, as Thulium writes both alike.

    Raises:
        ValueError: it is neither, or not of this century.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("neither text nor a number")  # noqa: TRY004 - one kind of error for a value nobody can read
    text = str(value).strip()
    moment = _read_unix(text) or _read_dotted(text) or _read_iso(text)
    if moment.year not in _YEARS:
        raise ValueError("a time that is not of this century")
    return moment.astimezone(UTC) if moment.tzinfo else _first_moment(moment, zone)


def read_relative(text: str, start: datetime) -> datetime:
    """Return the moment (UTC) that is ``+15m``, ``+2h`` or ``+1d`` after ``start`` (aware); a day is 24 hours.

    Raises ValueError when ``text`` is none of these.
    """
    match = _RELATIVE.fullmatch(text.strip())
    if not match:
        raise ValueError("not a relative time; write +15m, +2h or +1d")
    return start.astimezone(UTC) + int(match[1]) * _UNITS[match[2]]


def round_up(moment: datetime) -> datetime:
    """Return the first whole minute (UTC) that is not before ``moment`` (aware)."""
    moment = moment.astimezone(UTC)
    minute = moment.replace(second=0, microsecond=0)
    return minute if minute == moment else minute + _MINUTE


def write_time(moment: datetime, zone: ZoneInfo) -> str:
    """Return ``YYYY-MM-DD hh:mm``, as Thulium takes it: local time in ``zone``, not before ``moment`` (aware).

    Source: https://api.thulium.com/docs/api, the batch endpoint's ``next_call_date``, which has no offset. A minute
    that comes the second time, when the clock has been put back, would be understood as the first, an hour early: it is
    moved to the first minute that comes only once.
    """
    return _find_minute(moment, zone).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _read_days(first: str, last: str) -> list[int]:
    for name in (first, last):
        if name not in _DAYS:
            raise ValueError(f"{name!r} is no day; write {', '.join(map(str.title, _DAYS))}")
    start, end = _DAYS.index(first), _DAYS.index(last)
    return [day % 7 for day in range(start, end + 1 if start <= end else end + 8)]


def _read_span(text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is no range of hours; write 09:00-17:00")
    hour, minute, end_hour, end_minute = map(int, match.groups())
    start, end = hour * 60 + minute, end_hour * 60 + end_minute
    if max(minute, end_minute) > 59 or end > 24 * 60:  # noqa: PLR2004 - as a clock has it
        raise ValueError(f"{text!r} has a time that no clock shows; write 00:00 to 24:00")
    if end <= start:
        raise ValueError(f"{text!r} ends before it starts; write two: until 24:00, and from 00:00 of the next day")
    return start, end


def _find_minute(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the first whole minute (UTC) that ``zone``'s clock does not show for the second time."""
    minute = round_up(moment)
    while minute.astimezone(zone).fold:
        minute += _MINUTE
    return minute


def _starts(hours: Hours, day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moments, in order, at which a range starts on ``day``."""
    for minute in sorted(each.start for each in hours.ranges if each.weekday == day.weekday()):
        wall = datetime.combine(day, time(minute // 60, minute % 60))
        yield _first_moment(wall, zone)


def _first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment (UTC) at which ``zone``'s clock shows ``wall`` (naive); left out, the next."""
    moment = wall.replace(tzinfo=zone).astimezone(UTC)
    while moment.astimezone(zone).replace(tzinfo=None) != wall:
        wall = wall.replace(second=0, microsecond=0) + _MINUTE
        moment = wall.replace(tzinfo=zone).astimezone(UTC)
    return moment


def _read_unix(text: str) -> datetime | None:
    if not (match := _UNIX.fullmatch(text)):
        return None
    return datetime.fromtimestamp(float(text) / (1000 if match[2] else 1), UTC)


def _read_dotted(text: str) -> datetime | None:
    if not (match := _DOTTED.fullmatch(text)):
        return None
    day, month, year, hour, minute = (int(part or 0) for part in match.groups())
    return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - of the zone that the caller knows


def _read_iso(text: str) -> datetime:
    offset = _OFFSET.sub(
        lambda match: f"{match[1]}{match[2] or '+'}{match[3]}", text.upper()
    )  # a form's lost plus, or a space
    try:
        return datetime.fromisoformat(offset)
    except ValueError:
        raise ValueError("not a time; send ISO 8601 (2026-11-03T10:00:00+01:00) or Unix time") from None
