"""Counts in DynamoDB, over real HTTP against moto."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from ringback.limits import Limits
from ringback.queues.counter import Counter, CountFailed
from ringback.queues.dynamodb import DynamoCounts
from tests.amazon import Amazon
from tests.events import make_event

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Amazon]:
    with Amazon() as amazon:
        yield amazon


@pytest.fixture
def amazon(server: Amazon, monkeypatch: pytest.MonkeyPatch) -> Amazon:
    server.reset()
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    server.make_table("counts")
    server.calls.clear()
    return server


def test_counts_of_a_day(amazon: Amazon) -> None:
    """Each call adds to its hour and returns the counts of the whole day: an hour that brought nothing has none."""
    one, other = DynamoCounts("counts"), DynamoCounts("counts")
    assert one.add("website", 3, NOW)[9] == 3
    other.add("website", 1, NOW + timedelta(hours=2))
    hours = one.add("website", 2, NOW)
    assert {hour: count for hour, count in enumerate(hours) if count} == {9: 5, 11: 1}
    assert len(hours) == 24
    assert amazon.calls == ["UpdateItem"] * 3


def test_days_and_sources_are_items(amazon: Amazon) -> None:
    """Another day, and another source, begins with nothing; DynamoDB deletes an item after two days."""
    counts = DynamoCounts("counts")
    counts.add("website", 3, NOW)
    assert sum(counts.add("website", 1, NOW + timedelta(days=1))) == 1
    assert sum(counts.add("shop", 1, NOW)) == 1
    items = {item["id"]["S"]: item for item in amazon.read_items("counts")}
    assert items.keys() == {"website 2026-03-02", "website 2026-03-03", "shop 2026-03-02"}
    assert int(items["website 2026-03-02"]["ends"]["N"]) == (NOW + timedelta(days=2)).timestamp()


@pytest.mark.parametrize("status", [403, 500, 503])
def test_failure_tells_its_kind_and_is_not_tried_again(status: int, amazon: Amazon) -> None:
    """A failure says what to look at, and no more; an addition is never sent twice."""
    amazon.fail("UpdateItem", times=9, status=status)
    with pytest.raises(
        CountFailed, match=r"^DynamoDB: AccessDeniedException; look at the table and the function's role$"
    ):
        DynamoCounts("counts").add("website", 1, NOW)
    assert amazon.calls == ["UpdateItem"]


def test_no_table(amazon: Amazon) -> None:
    """A table that is not there is a failure too."""
    with pytest.raises(CountFailed, match="ResourceNotFoundException"):
        DynamoCounts("another").add("website", 1, NOW)


def test_nobody_there(monkeypatch: pytest.MonkeyPatch, amazon: Amazon) -> None:
    """So is a DynamoDB that does not answer."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(CountFailed, match="EndpointConnectionError"):
        DynamoCounts("counts").add("website", 1, NOW)


def test_two_functions_share_the_table(amazon: Amazon) -> None:
    """The processes of a function let through as many as one would."""
    counters = [Counter(DynamoCounts("counts")) for _ in range(3)]
    marked = [counter.mark([make_event(1), make_event(2)], Limits(per_hour=3), NOW) for counter in counters]
    assert [[event.over is None for event in events] for events in marked] == [
        [True, True],
        [True, False],
        [False, False],
    ]
