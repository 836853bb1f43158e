"""Who is rung when: leads are delivered all over a year, and the stand-in's dialler rings them minute by minute."""

import random
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from ringback.event import Event
from ringback.pipeline import Pipeline
from ringback.settings import Settings
from tests.given import LOG_KEY, PROOF, load
from tests.leads import deliver, make_event, read_statuses
from tests.sandbox import STATUSES, Remote, Sandbox, World

WARSAW = ZoneInfo("Europe/Warsaw")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CHANGES = {year: [datetime(year, *each, 1, tzinfo=UTC) for each in days]  # of the clock, by year
           for year, days in {2026: [(3, 29), (10, 25)], 2027: [(3, 28), (10, 31)]}.items()}  # fmt: skip

# What each campaign's hours say, told once more: weekday (Monday is 0), first minute of the day, first one after.
WEEK, SATURDAY = range(5), 5
HOURS: dict[str, list[tuple[int, int, int]]] = {
    "Mon-Fri 09:00-19:00, Sat 10:00-14:00": [(day, 540, 1140) for day in WEEK] + [(SATURDAY, 600, 840)],
    "Mon-Fri 08:30-12:00 13:00-16:00": [span for day in WEEK for span in ((day, 510, 720), (day, 780, 960))],
    "Sat-Sun 00:00-24:00": [(day, 0, 1440) for day in (5, 6)],
    "Sun 01:30-03:30": [(6, 90, 210)],
    "Mon-Sun 02:10-02:50": [(day, 130, 170) for day in range(7)],
}
CAMPAIGNS = {f"0000{n}": hours for n, hours in enumerate(HOURS)}


@dataclass(frozen=True)
class Case:
    """A lead of a campaign: delivered at ``now``, and not to be called before ``asked``."""

    campaign: str
    now: datetime
    asked: datetime
    event: Event


def shows(moment: datetime) -> str:
    """Return what Thulium's clock shows."""
    return moment.astimezone(WARSAW).strftime("%Y-%m-%d %H:%M")


def is_within(campaign: str, moment: datetime) -> bool:
    """Return whether a campaign calls at a moment."""
    local = moment.astimezone(WARSAW)
    minute = local.hour * 60 + local.minute
    return any(day == local.weekday() and start <= minute < end for day, start, end in HOURS[CAMPAIGNS[campaign]])


def find_last(case: Case) -> datetime:
    """Return the end of the first stretch of hours in which a lead can be called.

    It begins with a whole minute that Thulium can be told: the clock shows those of an hour in October twice.
    """
    at = case.asked.replace(second=0, microsecond=0)
    at += MINUTE if at < case.asked else timedelta()
    while at.astimezone(WARSAW).fold or not is_within(case.campaign, at):
        at += MINUTE
    while is_within(case.campaign, at):
        at += MINUTE
    return at


def configure(thulium: Sandbox) -> Settings:
    """Return the settings of a campaign for each of the hours, two sources each: at once, or 15 minutes later."""
    fields = {"customer_id": "id", "next_call_date": "at"}
    sources: dict[str, object] = {}
    for name in CAMPAIGNS:
        thulium.add_campaign(name)
        source = {**PROOF, "map": fields, "campaign": name}
        sources |= {f"now-{name}": source, f"soon-{name}": {**source, "set": {"next_call_date": "+15m"}}}
    return load(
        {
            "thulium": {"url": thulium.url, "user": thulium.user, "password": thulium.password},
            "log_key": LOG_KEY,
            "campaigns": {
                name: {"id": name, "set": {"status_id": 3}, "later": {"status_id": 7}, "call_hours": hours}
                for name, hours in CAMPAIGNS.items()
            },
            "sources": sources,
        }
    )


def pick_moment(chance: random.Random, campaign: str, change: datetime | None, start: datetime) -> datetime:
    """Return a moment of the week from ``start``: near a change of the clock, else often where hours begin or end."""
    if change:
        return change + timedelta(seconds=chance.randrange(-7200, 7200))
    day, *edges = chance.choice(HOURS[CAMPAIGNS[campaign]])
    midnight = datetime.combine(start.astimezone(WARSAW), time(), WARSAW) + timedelta(days=(day - start.weekday()) % 7)
    edge = midnight + timedelta(minutes=chance.choice(edges), seconds=chance.randrange(-90, 90))
    return chance.choice((edge, start + timedelta(seconds=chance.randrange(7 * 86400)))).astimezone(UTC)


def make_cases(chance: random.Random, year: int) -> list[Case]:
    """Return leads of a year, in the order of their delivery, two each week and more around the changes of the clock.

    Some say nothing of a time, some ask for one, some are called after a quarter of an hour; some were long in a queue.
    """
    weeks = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(weeks=n) for n in range(52)]
    starts = [(each, None) for each in weeks * 2] + [(each - timedelta(days=1), each) for each in CHANGES[year] * 40]
    moments = []
    for start, change in starts:
        campaign = chance.choice(list(CAMPAIGNS))
        day_of_change = start + timedelta(seconds=chance.randrange(86400))
        now = day_of_change if change else pick_moment(chance, campaign, None, start)
        moments.append((now, campaign, pick_moment(chance, campaign, change, start)))
    return [make_case(chance, n, *each) for n, each in enumerate(sorted(moments), 1)]


def make_case(chance: random.Random, number: int, now: datetime, campaign: str, at: datetime) -> Case:
    """Return a lead of customer ``number``, who may ask for the time ``at``."""
    kind = chance.choice(("now", "soon", "asked"))
    received_at = now - timedelta(minutes=chance.choice((0, 0, 5, 200)))
    data = {"id": number, **({"at": at.astimezone(WARSAW).isoformat()} if kind == "asked" else {})}
    asked = {"now": now, "soon": received_at + 15 * MINUTE, "asked": at}[kind]
    event = make_event(f"{'soon' if kind == 'soon' else 'now'}-{campaign}", **data)
    return Case(campaign, now, max(now, asked), replace(event, received_at=received_at))


def live(thulium: Sandbox, pipeline: Pipeline, cases: Sequence[Case]) -> dict[int, datetime]:
    """Deliver the leads at their time, let the dialler look each minute, and return when each customer was rung."""
    rung: dict[int, datetime] = {}
    waiting, at = deque(cases), cases[0].now
    while len(rung) < len(cases):
        while waiting and waiting[0].now <= at:
            case = waiting.popleft()
            assert read_statuses(deliver(pipeline, case.event, now=case.now)) == ["ADDED"]
            rung |= dial(thulium, case.now)
        at = pass_time(at.replace(second=0, microsecond=0) + MINUTE, waiting, thulium)
        rung |= dial(thulium, at)
        assert at < cases[-1].now + timedelta(days=30), "somebody is never rung"
    return rung


def dial(thulium: Sandbox, at: datetime) -> dict[int, datetime]:
    """Return whom the dialler rings at a moment; their records are done with."""
    rung = thulium.dial(shows(at))
    for campaign, customer in rung:
        thulium.world.store.campaigns[campaign].records.pop(customer)
    return {customer: at for _, customer in rung}


def pass_time(at: datetime, waiting: Sequence[Case], thulium: Sandbox) -> datetime:
    """Return ``at``, or a later time where nothing can happen before it, even if a clock is changed in between."""
    dates = [record["next_call_date"] for name in CAMPAIGNS for record in thulium.records(name)]
    soonest = min([*dates, *(shows(each.now) for each in list(waiting)[:1])], default="")
    while shows(at + 3 * HOUR) < soonest:
        at += HOUR
    return at


@pytest.mark.parametrize("year", CHANGES)
def test_a_year(year: int) -> None:
    """Nobody is rung outside the hours nor before the time that was asked for, and nobody who can be is forgotten."""
    with Sandbox(world=World(keep=1)) as thulium:
        pipeline = Pipeline(configure(thulium))
        cases = make_cases(random.Random(year), year)
        for number in range(1, len(cases) + 1):
            thulium.add_customer(number, surname="Lis")
        rung = live(thulium, pipeline, cases)
    for number, case in enumerate(cases, 1):
        at = rung[number]
        assert is_within(case.campaign, at), (case, at)
        assert case.asked <= at < find_last(case), (case, at)


# The dialler


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: f"{status.status_id} {status.system_status}")
def test_dialler(thulium: Sandbox, status: object) -> None:
    """What is to be called is rung at once, whatever its date; what waits for a date is rung then; all else is not."""
    kind, number = getattr(status, "system_status", ""), getattr(status, "status_id", 0)
    thulium.add_customer(441, surname="Lis")
    thulium.put_record("00001", 441, status_id=number, next_call_date="2026-03-02 10:00")
    times = ["2026-03-01 22:40", "2026-03-02 09:59", "2026-03-02 10:00", "2026-03-02 10:01"]
    expected = {"TO_CALL": 0, "CALL": 0, "CALL_PROGRESSIVE": 0, "MY_RECORD": 2, "CALL_NO_SOONER_THAN": 2}.get(kind)
    assert [bool(thulium.dial(each)) for each in times] == [n == expected for n in range(len(times))]
    called = (thulium.record("00001", 441) or {})["call_date"]
    assert called == ("" if expected is None else times[expected])


def test_dialler_rings_again_who_is_put_back(thulium: Sandbox) -> None:
    """A record is rung once under a status, and once more when it was given one anew."""
    thulium.add_customer(441, surname="Lis")
    thulium.put_record("00001", 441, status_id=3)
    assert thulium.dial() == [("00001", 441)]
    thulium.put_record("00001", 441, last_note="no answer")
    assert Remote(thulium.url).dial() == []
    thulium.put_record("00001", 441, status_id=3)
    assert Remote(thulium.url).dial() == [("00001", 441)]


def test_dialler_of_a_campaign_that_is_not_active(thulium: Sandbox) -> None:
    """Nobody is rung in a campaign that is not active."""
    thulium.add_campaign("00003", is_active=False)
    thulium.add_customer(441, surname="Lis")
    thulium.put_record("00003", 441, status_id=3)
    assert thulium.dial() == []
