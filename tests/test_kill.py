"""Kill -9 at random moments, while events come in and Thulium fails in turn: what was answered 200 is done, once.

``RINGBACK_KILLS`` says how often; ``make soak`` has it killed a thousand times.
"""

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from itertools import cycle
from pathlib import Path
from typing import Any, Self

import pytest

from ringback.hosts.worker import Worker
from ringback.outcome import Outcome
from ringback.pipeline import Pipeline
from ringback.queues.history import trace
from ringback.queues.sqlite import SqliteQueue
from tests.given import LOG_KEY, SECRET, load
from tests.sandbox import Fault, Sandbox, faults
from tests.served import Served

KILLS = int(os.environ.get("RINGBACK_KILLS", "50"))
SENDERS = 4
LONGEST_ROUND = 0.7  # seconds: enough to start, to answer and to deliver something
FAULTS = (
    *(faults.error(500), faults.error(503, retry_after="1"), faults.html(502), faults.html(200), faults.says("null")),
    *(faults.says("", work=False), faults.half(), faults.reset(after_work=False), faults.reset(after_work=True)),
    *(faults.hang(), faults.hang(after_work=True), faults.drip("head"), Fault(work=True, wire="close")),
    *(Fault(work=True, word="QUEUED"), Fault(status=429, body="", headers={"Retry-After": "1"})),
)
CALLS = ("search", "create", "batch", "*")
HEADERS = {"X-Api-Key": SECRET, "Content-Type": "application/json"}

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a server's processes are found in /proc"),
    pytest.mark.timeout(max(120, 4 * KILLS)),
]


def make_config(thulium: Sandbox, folder: Path) -> dict[str, Any]:
    """Return a configuration with a SQLite queue."""
    source = {
        "verify": {"scheme": "token", "header": "X-Api-Key"},
        "secret": SECRET,
        "event_id": "id",
        "map": {"phone_number": "phone", "surname": "surname"},
        "campaign": "00001",
    }
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password, "timeout": 0.3}
    return {
        "thulium": access,
        "log_key": LOG_KEY,
        "queue": f"sqlite:///{folder}/ringback.db",
        "sources": {"website": source},
    }


class Senders:
    """Threads that send leads, each of another person, and each again until it is answered with 200."""

    def __init__(self, servers: list[Served]) -> None:
        """Take the servers; the list may change meanwhile."""
        self.servers = servers
        self.answered: set[str] = set()
        self._numbers = iter(range(10**6))
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send_all) for _ in range(SENDERS)]

    def __enter__(self) -> Self:
        """Start."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, some leads perhaps unanswered."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send_all(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                number = next(self._numbers)
            lead = {"id": f"e{number}", "phone": f"60{1_000_000 + number}", "surname": "Sowa"}
            while not self._stop.is_set() and not self._send(lead):
                self._stop.wait(0.02)
            if number % 5 == 0:
                self._send(lead)  # once more, as some senders do
            self._stop.wait(0.1)  # few enough that a delivery may be over before the next kill

    def _send(self, lead: Mapping[str, str]) -> bool:
        try:
            status, _ = random.choice(self.servers).post("/website", json.dumps(lead).encode(), HEADERS, timeout=5)
        except (OSError, HTTPException):
            return False  # killed while it was at it
        if status == 200:
            self.answered.add(lead["id"])
        return status == 200


@contextmanager
def run(config: Mapping[str, Any], folder: Path, count: int) -> Iterator[list[Served]]:
    """Run so many servers, and kill them in the end."""
    with ExitStack() as stack:
        yield [stack.enter_context(Served(folder, config)) for _ in range(count)]


def kill_often(senders: Senders, thulium: Sandbox, times: int) -> None:
    """Kill the process that answers and delivers, of one of the servers, at random moments; each time a call fails.

    Between two kills something is answered, however slow the machine is.
    """
    plan = zip(cycle(FAULTS), cycle(CALLS), strict=False)
    killed = 0
    while killed < times:
        fault, call = next(plan)
        thulium.heal()
        thulium.fail(call, fault, times=random.randint(1, 3))
        before = len(senders.answered)
        time.sleep(random.uniform(0.02, LONGEST_ROUND))
        while len(senders.answered) == before:
            time.sleep(0.01)
        killed += random.choice(senders.servers).kill_worker()


def finish(config: Mapping[str, Any], queue: SqliteQueue) -> None:
    """Deliver what is left, as if its time had come: what a killed process had held, and what was to be tried later."""
    deliver = Pipeline(load(config)).deliver
    now = datetime.now(UTC) + timedelta(hours=1)
    for hours in range(5):
        worker = Worker(queue, deliver, clock=lambda hours=hours: now + timedelta(hours=hours))  # type: ignore[misc] # mypy knows no default of a lambda
        while worker.step(threading.Event()):
            pass


def read_outcome(queue: SqliteQueue, event_id: str) -> Outcome | None:
    """Return what became of an event, which is stored once."""
    (story,) = trace(queue.database, event_id)
    return story.outcome if story.next_try is None else None


def check(answered: set[str], queue: SqliteQueue, thulium: Sandbox, log: Path) -> None:
    """What was answered with 200 has one final outcome, said once at most, and its person is in the campaign once."""
    outcomes = {event_id: read_outcome(queue, event_id) for event_id in answered}
    assert {event_id for event_id, outcome in outcomes.items() if outcome is None} == set()
    assert {outcome.status for outcome in outcomes.values() if outcome} <= {"ADDED", "ALREADY_EXISTS"}
    assert queue.count_due(1, datetime.now(UTC) + timedelta(days=1)) == 0
    people = Counter(number for customer in thulium.customers for number in customer["phone_numbers"])
    called = Counter(record["customer_id"] for record in thulium.records("00001"))
    assert set(people.values()) == set(called.values()) == {1}
    assert {f"60{1_000_000 + int(event_id[1:])}" for event_id in answered} <= people.keys()
    assert len(called) == len(people)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    final = Counter(line["event_id"] for line in lines if line["event"] == "customer.outcome")
    assert max(final.values()) == 1
    assert not [line for line in lines if line["event"] == "internal.error"]


@pytest.mark.parametrize("count", [1, 2], ids=["one server", "two servers on one file"])
def test_kill_loop(count: int, tmp_path: Path) -> None:
    """However often the processes are killed, and whatever fails: nobody is lost, and nobody is called twice."""
    random.seed(count)
    with Sandbox() as thulium:
        thulium.add_campaign("00001")
        config = make_config(thulium, tmp_path)
        with run(config, tmp_path, count) as servers, Senders(servers) as senders:
            kill_often(senders, thulium, KILLS)
        thulium.heal()
        queue = SqliteQueue(str(tmp_path / "ringback.db"))
        finish(config, queue)
        check(senders.answered, queue, thulium, tmp_path / "log")
        queue.close()
    assert len(senders.answered) >= KILLS
