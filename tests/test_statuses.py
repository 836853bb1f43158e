"""The statuses of a campaign are asked for once an hour, by one thread, and not again and again where that fails."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from ringback.errors import CallFailed
from ringback.secret import Secret
from ringback.thulium.api import Thulium
from ringback.thulium.statuses import KEPT, PAUSE, Row, Statuses
from ringback.thulium.wire import Wire
from tests.sandbox import STATUSES, Sandbox, Status, faults

AGES = 1e9  # seconds; a deadline that is never come to


class Clock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Access:
    """Where the stand-in is."""

    def __init__(self, thulium: Sandbox) -> None:
        self.url, self.timeout = thulium.url, 5.0
        self.user, self.password = Secret(thulium.user), Secret(thulium.password)


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture
def statuses(thulium: Sandbox, clock: Clock) -> Statuses:
    """The statuses that a client of the stand-in keeps."""
    return Thulium(Access(thulium), Wire(), clock=clock).kept_statuses


def ids(rows: Sequence[Row]) -> list[str]:
    """Return the ids of statuses."""
    return [str(row["status_id"]) for row in rows]


ALL = [str(status.status_id) for status in STATUSES]


@pytest.mark.parametrize(("seconds", "calls"), [(0, 1), (KEPT - 1, 1), (KEPT, 2), (10 * KEPT, 2)])
def test_asked_once_an_hour(seconds: float, calls: int, statuses: Statuses, thulium: Sandbox, clock: Clock) -> None:
    """What Thulium has said of a campaign holds for an hour."""
    assert ids(statuses.find("00001", AGES)) == ALL
    clock.now += seconds
    assert ids(statuses.find_if_possible("00001", AGES)) == ALL
    assert thulium.counts == {"statuses": calls}


def test_each_campaign_by_itself(statuses: Statuses, thulium: Sandbox) -> None:
    """Campaigns have statuses of their own."""
    thulium.add_campaign("00002", statuses=[Status(70, "CALL", "Call")])
    assert [ids(statuses.find(name, AGES)) for name in ("00001", "00002", "00001")] == [ALL, ["70"], ALL]
    assert [call.path for call in thulium.calls("statuses")] == [
        "/api/outbounds/00001/statuses",
        "/api/outbounds/00002/statuses",
    ]


def test_campaign_of_five_characters(statuses: Statuses, thulium: Sandbox) -> None:
    """A campaign's id is a part of the path, whatever characters it has."""
    thulium.add_campaign("4%7?#")
    assert ids(statuses.find("4%7?#", AGES)) == ALL


def test_status_that_is_new(statuses: Statuses, thulium: Sandbox) -> None:
    """A status that is not among those that are kept is asked for at once; of one that is there nothing is."""
    assert ids(statuses.find("00001", AGES)) == ALL
    thulium.add_campaign("00001", statuses=[*STATUSES, Status(70, "NO_CALL", "Never")])
    assert ids(statuses.find("00001", AGES, "6")) == ALL
    assert ids(statuses.find("00001", AGES, 70)) == [*ALL, "70"]
    assert ids(statuses.find("00001", AGES, "70")) == [*ALL, "70"]
    assert thulium.counts == {"statuses": 2}


@pytest.mark.parametrize(
    "fault", [faults.error(503), faults.error(403), faults.html(200), faults.reset(after_work=True)]
)
def test_failure_is_not_repeated_for_a_minute(
    fault: faults.Fault, statuses: Statuses, thulium: Sandbox, clock: Clock
) -> None:
    """Who can do without is not told what has failed, and does not ask again for a minute."""
    thulium.fail("statuses", fault)
    for _ in range(3):
        assert ids(statuses.find_if_possible("00001", AGES)) == []
    clock.now += PAUSE - 1
    assert ids(statuses.find_if_possible("00001", AGES)) == []
    assert thulium.counts == {"statuses": 1}
    clock.now += 1
    assert ids(statuses.find_if_possible("00001", AGES)) == ALL


def test_who_can_not_do_without_asks_again(statuses: Statuses, thulium: Sandbox) -> None:
    """Who needs the statuses is told of a failure, may ask at once, and what is found then serves everybody."""
    thulium.fail("statuses", faults.error(503), times=2)
    assert ids(statuses.find_if_possible("00001", AGES)) == []
    with pytest.raises(CallFailed, match="Thulium answered 503"):
        statuses.find("00001", AGES)
    assert ids(statuses.find("00001", AGES)) == ALL
    assert ids(statuses.find_if_possible("00001", AGES)) == ALL


def test_failure_of_one_campaign_is_none_of_another(statuses: Statuses, thulium: Sandbox) -> None:
    """A campaign that can't be seen keeps nobody from looking at another one."""
    assert ids(statuses.find_if_possible("00009", AGES)) == []
    assert ids(statuses.find_if_possible("00001", AGES)) == ALL


def run_at_once(what: Callable[[], object], times: int) -> None:
    """Do something in several threads at a time."""
    threads = [threading.Thread(target=what) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_one_call_at_a_time(thulium: Sandbox) -> None:
    """Of many who want the same one asks, and the others wait for the answer."""
    thulium.slow(0.1, "statuses")
    statuses = Thulium(Access(thulium), Wire()).kept_statuses
    found: list[list[str]] = []
    run_at_once(lambda: found.append(ids(statuses.find("00001", time.monotonic() + 30))), 8)
    assert (found, thulium.counts) == ([ALL] * 8, {"statuses": 1})


def test_nobody_waits_beyond_the_deadline() -> None:
    """Who has no time left to wait for another one's call goes on without, and what that call brings is used."""
    asked, answered = threading.Event(), threading.Event()

    def ask(_: str, __: float) -> list[Row]:
        asked.set()
        answered.wait(10)
        return [{"status_id": "1"}]

    statuses = Statuses(ask, time.monotonic)
    asking = threading.Thread(target=lambda: statuses.find("00001", AGES))
    asking.start()
    asked.wait(10)
    with pytest.raises(CallFailed, match="no time left"):
        statuses.find("00001", time.monotonic() - 1)
    assert ids(statuses.find_if_possible("00001", time.monotonic())) == []
    answered.set()
    asking.join(10)
    assert ids(statuses.find_if_possible("00001", time.monotonic())) == ["1"]
