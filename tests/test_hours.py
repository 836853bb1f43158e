"""Nobody is called before the time they asked for, nor outside the hours, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.leads.hours import (
    Hours,
    Range,
    is_open,
    next_opening,
    read_hours,
    read_relative,
    read_time,
    round_up,
    write_time,
)

WARSAW = ZoneInfo("Europe/Warsaw")
OFFICE = "Mon-Fri 09:00-19:00, Sat 10:00-14:00"
MINUTE = timedelta(minutes=1)
# The clock goes from 02:00 to 03:00 at 01:00 UTC in spring, from 03:00 back to 02:00 at 01:00 UTC in autumn.
CHANGES = [datetime(*day, 1, tzinfo=UTC) for day in ((2026, 3, 29), (2026, 10, 25), (2027, 3, 28), (2027, 10, 31))]


def at(text: str, fold: int = 0) -> datetime:
    """Return the moment at which a clock in Warsaw shows ``text``, for the first or (``fold`` 1) the second time."""
    return datetime.fromisoformat(text).replace(tzinfo=WARSAW, fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("Mon 09:00-17:00", [(0, 540, 1020)]),
        ("mon 9:00-17:00", [(0, 540, 1020)]),
        (" MON   09:00 - 17:00 ", [(0, 540, 1020)]),
        ("Sat-Sun 10:00-14:00", [(5, 600, 840), (6, 600, 840)]),
        ("Sat \N{EN DASH} Sun 10:00\N{EN DASH}14:00", [(5, 600, 840), (6, 600, 840)]),
        ("Sun-Mon 10:00-14:00", [(6, 600, 840), (0, 600, 840)]),
        ("Fri-Fri 10:00-14:00", [(4, 600, 840)]),
        ("Mon 00:00-24:00", [(0, 0, 1440)]),
        ("Mon 09:15-17:45", [(0, 555, 1065)]),
        ("Mon 09:00-12:00 13:00-17:00", [(0, 540, 720), (0, 780, 1020)]),
        ("Mon 09:00-12:00, 13:00-17:00", [(0, 540, 720), (0, 780, 1020)]),
        ("Mon 09:00-12:00, Mon 11:00-17:00", [(0, 540, 720), (0, 660, 1020)]),
    ],
)
def test_hours_are_read(text: str, ranges: list[tuple[int, int, int]]) -> None:
    """Days, runs of days over the week's end, and several ranges a day are read, 24:00 as a day's end."""
    assert read_hours(text) == Hours(tuple(Range(*each) for each in ranges))


def test_a_whole_week_is_seven_days() -> None:
    """Days that run over the week's end come once each."""
    assert sorted(each.weekday for each in read_hours("Fri-Thu 10:00-14:00").ranges) == list(range(7))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' are no call hours; write `Mon-Fri"),
        ("Mon", "'Mon' are no call hours"),
        ("Mon 09:00-17:00,", "'' are no call hours"),
        ("Mon, Tue 09:00-17:00", "'Mon' are no call hours"),
        ("always", "'always' are no call hours"),
        ("09:00-17:00", "'09:00-17:00' has no days; write `Mon-Fri 09:00-17:00`"),
        ("Monday 09:00-17:00", "'monday' is no day; write Mon, Tue, Wed, Thu, Fri, Sat, Sun"),
        ("Mon-Pt 09:00-17:00", "'pt' is no day"),
        ("Mon 9-17", "'9-17' is no range of hours; write 09:00-17:00"),
        ("Mon 09:00", "'09:00' is no range of hours"),
        ("Mon 09:00-17:00 x", "'x' is no range of hours"),
        ("Mon 09:00-17:60", "'09:00-17:60' has a time that no clock shows"),
        ("Mon 09:61-17:00", "has a time that no clock shows"),
        ("Mon 09:00-24:01", "has a time that no clock shows; write 00:00 to 24:00"),
        ("Mon 22:00-06:00", "'22:00-06:00' ends before it starts; write two"),
        ("Mon 09:00-09:00", "ends before it starts"),
        ("Mon 24:00-24:00", "ends before it starts"),
    ],
)
def test_bad_hours_are_named(text: str, message: str) -> None:
    """A mistake in the hours is named, with the part it is in and what to write instead."""
    with pytest.raises(ValueError) as error:
        read_hours(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-03T09:00", True),
        ("2026-11-03T18:59:59", True),
        ("2026-11-03T19:00", False),
        ("2026-11-03T08:59:59", False),
        ("2026-11-07T13:59", True),
        ("2026-11-07T14:00", False),
        ("2026-11-08T12:00", False),
    ],
)
def test_open_from_the_first_minute_to_before_the_last(moment: str, expected: bool) -> None:  # noqa: FBT001 - a table
    """A range holds its start and not its end."""
    assert is_open(read_hours(OFFICE), at(moment), WARSAW) is expected


@pytest.mark.parametrize(
    ("asked", "opening"),
    [
        ("2026-11-03T10:00", "2026-11-03T10:00"),
        ("2026-11-03T10:00:30", "2026-11-03T10:00:30"),
        ("2026-11-03T08:00", "2026-11-03T09:00"),
        ("2026-11-03T08:59:30", "2026-11-03T09:00"),
        ("2026-11-03T18:59", "2026-11-03T18:59"),
        ("2026-11-03T18:59:30", "2026-11-04T09:00"),
        ("2026-11-03T19:00", "2026-11-04T09:00"),
        ("2026-11-03T22:40", "2026-11-04T09:00"),
        ("2026-11-06T19:00", "2026-11-07T10:00"),
        ("2026-11-07T14:00", "2026-11-09T09:00"),
        ("2026-03-28T22:00", "2026-03-30T09:00"),
        ("2026-10-24T22:00", "2026-10-26T09:00"),
    ],
)
def test_next_opening(asked: str, opening: str) -> None:
    """A call outside the hours moves to the next opening, at nine by the clock also when the clock has changed."""
    assert next_opening(read_hours(OFFICE), at(asked), WARSAW) == at(opening)


def test_an_hour_is_missing_before_the_opening_in_spring() -> None:
    """The night in which the clock is put forward is an hour shorter."""
    hours = read_hours("Sun 09:00-10:00")
    asked = at("2026-03-29T00:00")
    assert next_opening(hours, asked, WARSAW) - asked == timedelta(hours=8)


@pytest.mark.parametrize(
    ("hours", "asked", "opening"),
    [
        ("Sun 02:30-05:00", "2026-03-29T01:00", "2026-03-29T03:00"),
        ("Sun 02:10-02:50", "2026-03-29T01:00", "2026-04-05T02:10"),
        ("Sun 02:10-02:50", "2026-03-22T02:50", "2026-04-05T02:10"),
        ("Sun 02:30-05:00", "2026-10-25T01:00", "2026-10-25T02:30"),
        ("Mon 09:00-10:00", "2026-11-02T10:00", "2026-11-09T09:00"),
    ],
)
def test_hours_that_the_clock_leaves_out(hours: str, asked: str, opening: str) -> None:
    """Hours that a clock put forward leaves out begin with what comes after, or the week after."""
    assert next_opening(read_hours(hours), at(asked), WARSAW) == at(opening)


@pytest.mark.parametrize(
    ("hours", "asked", "opening"),
    [
        ("Sun 01:00-05:00", at("2026-10-25T02:10", fold=1), at("2026-10-25T02:10", fold=1)),
        ("Sun 01:00-02:30", at("2026-10-25T02:10", fold=1), at("2026-11-01T01:00")),
        ("Sun 01:00-02:30", at("2026-10-25T02:40"), at("2026-11-01T01:00")),
        ("Sun 02:30-05:00", at("2026-10-25T02:10", fold=1), at("2026-10-25T03:00")),
    ],
)
def test_hours_that_the_clock_shows_twice(hours: str, asked: datetime, opening: datetime) -> None:
    """The second run of an hour is called as the first minute after it, since Thulium can't be told the second."""
    assert next_opening(read_hours(hours), asked, WARSAW) == opening


moments = st.builds(
    lambda change, seconds: change + timedelta(seconds=seconds),
    st.sampled_from(CHANGES),
    st.integers(-3 * 86400, 3 * 86400) | st.integers(-7200, 7200),
)
zones = st.sampled_from([WARSAW, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("UTC")])
spans = st.lists(st.integers(0, 96), min_size=2, max_size=2, unique=True).map(sorted)
weeks = st.lists(
    st.builds(lambda day, span: Range(day, span[0] * 15, span[1] * 15), st.integers(0, 6), spans),
    min_size=1,
    max_size=4,
).map(lambda ranges: Hours(tuple(ranges)))


@given(weeks, moments, zones)
def test_always_inside_the_hours_and_never_before(hours: Hours, asked: datetime, zone: ZoneInfo) -> None:
    """Whatever is asked for, the opening and the minute that Thulium is told are within the hours, and not before."""
    opening = next_opening(hours, asked, zone)
    assert opening >= asked
    assert is_open(hours, opening, zone)
    assert_told(opening, zone)
    assert is_open(hours, told(opening, zone), zone)


@given(weeks, moments)
def test_no_opening_is_missed(hours: Hours, asked: datetime) -> None:
    """The opening is the first minute within the hours that Thulium can be told."""
    minute = round_up(asked)
    while minute.astimezone(WARSAW).fold or not is_open(hours, minute, WARSAW):
        minute += MINUTE * (15 - minute.minute % 15)  # the hours above begin at quarters
    assert told(next_opening(hours, asked, WARSAW), WARSAW) == minute


@given(moments, zones)
def test_thulium_is_never_told_too_early(moment: datetime, zone: ZoneInfo) -> None:
    """What is written is not before the moment, in whichever way the minute is understood."""
    assert_told(moment, zone)


def told(moment: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment that Thulium understands, if it takes the first of two."""
    return datetime.fromisoformat(write_time(moment, zone)).replace(tzinfo=zone).astimezone(UTC)


def assert_told(moment: datetime, zone: ZoneInfo) -> None:
    """Hold that what is written is a minute not before the moment, and at most the hour shown twice after it."""
    assert moment <= told(moment, zone) < moment + timedelta(hours=1) + MINUTE


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        (at("2026-11-03T10:00"), "2026-11-03 10:00"),
        (at("2026-11-03T10:00:00.000001"), "2026-11-03 10:01"),
        (at("2026-11-03T10:00:59"), "2026-11-03 10:01"),
        (at("2026-12-31T23:59:30"), "2027-01-01 00:00"),
        (datetime(2026, 7, 1, 8, 0, tzinfo=UTC), "2026-07-01 10:00"),
        (datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC), "2026-03-29 03:00"),
        (at("2026-10-25T02:30"), "2026-10-25 02:30"),
        (at("2026-10-25T02:59:30"), "2026-10-25 03:00"),
        (at("2026-10-25T02:30", fold=1), "2026-10-25 03:00"),
    ],
)
def test_written_for_thulium(moment: datetime, written: str) -> None:
    """Thulium takes local minutes: seconds are rounded up, and a minute that comes again moves on."""
    assert write_time(moment, WARSAW) == written


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-03T10:00:00+01:00", "2026-11-03T09:00:00Z"),
        ("2026-11-03T10:00:00-05:00", "2026-11-03T15:00:00Z"),
        ("2026-11-03T10:00:00Z", "2026-11-03T10:00:00Z"),
        ("2026-11-03T10:00:00.123456Z", "2026-11-03T10:00:00.123456Z"),
        ("2026-11-03T10:00:00+0100", "2026-11-03T09:00:00Z"),
        ("2026-11-03 10:00:00 +0100", "2026-11-03T09:00:00Z"),
        ("2026-11-03 10:00:00 -05:00", "2026-11-03T15:00:00Z"),
        ("2026-11-03T10:00:00 01:00", "2026-11-03T09:00:00Z"),
        ("2026-11-03T10:00:00.5 01:00", "2026-11-03T09:00:00.5Z"),
        (" 2026-11-03 10:00 ", "2026-11-03T09:00:00Z"),
        ("2026-11-03 10:00:30", "2026-11-03T09:00:30Z"),
        ("2026-11-03T10:00", "2026-11-03T09:00:00Z"),
        ("2026-07-03 10:00", "2026-07-03T08:00:00Z"),
        ("2026-11-03", "2026-11-02T23:00:00Z"),
        ("20261103", "2026-11-02T23:00:00Z"),
        (20261103, "2026-11-02T23:00:00Z"),
        (1793696400, "2026-11-03T09:00:00Z"),
        ("1793696400", "2026-11-03T09:00:00Z"),
        (1793696400000, "2026-11-03T09:00:00Z"),
        ("1793696400000", "2026-11-03T09:00:00Z"),
        (1793696400.5, "2026-11-03T09:00:00.5Z"),
        (1793696400500, "2026-11-03T09:00:00.5Z"),
        ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),
        ("2026-03-29 02:30:30", "2026-03-29T01:00:00Z"),
        ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
    ],
)
def test_times_are_read(value: object, moment: str) -> None:
    """ISO 8601 with any offset, local time, a date, and Unix time in seconds or milliseconds are one moment, in UTC."""
    read = read_time(value, WARSAW)
    assert read == datetime.fromisoformat(moment)
    assert read.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "neither text nor a number"),
        (True, "neither text nor a number"),
        ([], "neither text nor a number"),
        ("", "not a time; send ISO 8601"),
        ("tomorrow", "not a time"),
        ("10:00", "not a time"),
        ("2026-11-31", "not a time"),
        ("0000-00-00 00:00:00", "not a time"),
        ("2026-11-03 10:00 2026", "not a time"),
        ("+15m", "not a time"),
        ("\ud83d", "not a time"),
        (float("nan"), "not a time"),
        (0, "not a time"),
        (-1793696400, "not a time"),
        ("0001-01-01T00:00:00", "not of this century"),
        ("9999-12-31T23:59:59-12:00", "not of this century"),
        ("1980-05-05", "not of this century"),
        ("0000000000", "not of this century"),
    ],
)
def test_what_is_no_time(value: object, reason: str) -> None:
    """What is no time, or a birthday or the empty date of some database, is refused with the reason."""
    with pytest.raises(ValueError, match=reason):
        read_time(value, WARSAW)


@given(moments.map(lambda moment: moment.astimezone(WARSAW).replace(tzinfo=None, second=0, microsecond=0)))
def test_a_local_time_reaches_thulium_as_it_was_asked_for(wall: datetime) -> None:
    """A local minute is given to Thulium as it is, also one that the clock shows twice."""
    assert write_time(read_time(wall.isoformat(" "), WARSAW), WARSAW) == f"{wall:%Y-%m-%d %H:%M}"


@given(moments.map(lambda moment: moment.replace(tzinfo=None)))
def test_never_before_the_local_time_asked_for(wall: datetime) -> None:
    """A local time, whether any clock shows it or not, is never told to Thulium as an earlier one."""
    written = datetime.fromisoformat(write_time(read_time(wall.isoformat(), WARSAW), WARSAW))
    assert wall <= written <= wall + timedelta(hours=1) + MINUTE


@given(st.text() | st.integers() | st.floats() | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:+Z. -]{4,}"))
def test_whatever_is_sent_as_a_time(value: object) -> None:
    """Whatever is sent is a time of this century in UTC that can be written, or a ValueError."""
    try:
        moment = read_time(value, WARSAW)
    except ValueError:
        return
    assert 1999 <= moment.year <= 2100
    assert write_time(moment, WARSAW)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+15m", "2026-10-24T10:15"),
        (" +2h ", "2026-10-24T12:00"),
        ("+0m", "2026-10-24T10:00"),
        ("+1d", "2026-10-25T09:00"),
    ],
)
def test_relative_times(text: str, expected: str) -> None:
    """A relative time is counted from the start; a day is 24 hours, whatever the clocks do."""
    start = at("2026-10-24T10:00")
    assert read_relative(text, start) == at(expected)
    assert read_relative(text, start.astimezone(WARSAW)) == at(expected)


@pytest.mark.parametrize("text", ["", "15m", "+15", "+1w", "-15m", "+1.5h", "+99999d", "+15 m", "soon", "+١٥m"])
def test_what_is_no_relative_time(text: str) -> None:
    """Anything else is refused with what to write."""
    with pytest.raises(ValueError, match=r"write \+15m, \+2h or \+1d"):
        read_relative(text, at("2026-10-24T10:00"))


@given(moments, st.integers(0, 999_999))
def test_rounding_up(moment: datetime, microseconds: int) -> None:
    """A rounded moment is a whole minute, and less than a minute later."""
    moment += timedelta(microseconds=microseconds)
    rounded = round_up(moment.astimezone(WARSAW))
    assert (rounded.second, rounded.microsecond) == (0, 0)
    assert timedelta(0) <= rounded - moment < MINUTE


def test_small_letters_of_a_time() -> None:
    """ISO 8601 may be written in small letters."""
    assert read_time("2026-11-03t10:00:00z", ZoneInfo("Europe/Warsaw")) == datetime(2026, 11, 3, 10, tzinfo=UTC)
