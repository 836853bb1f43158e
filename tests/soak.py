"""Two services on one file, under load, while something goes wrong: what was answered with 200 is done, and done once.

``make soak`` sends 20,000 events; ``RINGBACK_SOAK`` says how many.
"""

import json
import random
import shutil
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPException
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import UUID

from ringback.pipeline import Pipeline
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.history import replay, trace
from ringback.queues.sqlite.worker import Way
from tests.given import LOG_KEY, SECRET, load
from tests.sandbox import Fault, Sandbox, faults
from tests.served import Served
from tests.working import work_off

SENDERS = 6
LONGEST_FINISH = 300.0  # seconds: thousands of events may be left, some of them opt-outs with many calls
LIVE = "NO_CALL"  # the system status of a record that is not called
FAULTS = (
    *(faults.error(500), faults.error(503, retry_after="1"), faults.html(502), faults.html(200), faults.says("null")),
    *(faults.says("", work=False), faults.half(), faults.reset(after_work=False), faults.reset(after_work=True)),
    *(faults.hang(), faults.hang(after_work=True), faults.drip("head"), Fault(work=True, wire="close")),
    *(Fault(work=True, word="QUEUED"), Fault(status=429, body="", headers={"Retry-After": "1"}), faults.late(0.5)),
)
CALLS = ("search", "create", "batch", "change", "update", "*")
HEADERS = {"X-Api-Key": SECRET, "Content-Type": "application/json"}
CAMPAIGNS = {"website": "00001", "shop": "00002"}


def make_config(thulium: Sandbox, folder: Path) -> dict[str, Any]:
    """Return a configuration with a SQLite queue: one campaign keeps its records, one puts people back, one stops."""
    common = {"verify": {"scheme": "token", "header": "X-Api-Key"}, "secret": SECRET, "event_id": "id"}
    lead = {**common, "map": {"phone_number": "phone", "surname": "surname"}}
    status = {"set": {"status_id": 3}, "stop": {"status_id": 6}}
    return {
        "thulium": {"url": thulium.url, "user": thulium.user, "password": thulium.password, "timeout": 0.3},
        "log_key": LOG_KEY,
        "queue": f"sqlite:///{folder}/ringback.db",
        "campaigns": {
            "keeps": {"id": "00001", **status},
            "requeues": {"id": "00002", **status, "on_existing": "requeue"},
        },
        "sources": {
            **{name: {**lead, "campaign": campaign_id} for name, campaign_id in CAMPAIGNS.items()},
            "optout": {**common, "action": "stop", "campaign": "*", "map": {"phone_number": "phone"}},
        },
    }


@dataclass
class Crowd:
    """People who send leads, some of them again, and who say stop; what they were answered with 200 is remembered."""

    chance: random.Random
    count: int = 0
    sent: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    led: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # phone number: campaigns
    stopping: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def draw(self) -> tuple[str, dict[str, str]]:
        """Return a source and an event for it: of seven leads one is sent again, and one person of ten says stop."""
        with self.lock:
            kind, earlier = self.chance.random(), self.chance.choice(self.sent[-500:]) if self.sent else None
            if earlier and kind < 0.15:
                return earlier
            self.count += 1
            phone = earlier[1]["phone"] if earlier and kind < 0.35 else f"60{1_000_000 + self.count}"
            source = "optout" if earlier and kind < 0.25 else self.chance.choice(list(CAMPAIGNS))
            drawn = source, {"id": make_id(self.chance), "phone": phone, "surname": "Sowa"}
            self.sent.append(drawn)
            if source == "optout":
                self.stopping.add(phone)
            return drawn

    def note(self, source: str, event: Mapping[str, str]) -> None:
        """Remember an event that was answered with 200."""
        with self.lock:
            self.answered.add(event["id"])
            if source == "optout":
                self.stopped.add(event["phone"])
            else:
                self.led[event["phone"]].add(CAMPAIGNS[source])


def make_id(chance: random.Random) -> str:
    """Return an id that is logged as it is: a machine's."""
    return str(UUID(int=chance.getrandbits(128), version=4))


class Soak:
    """What runs: two services, and the crowd's senders. ``clock`` and ``disk`` are what troubles reach for."""

    def __init__(self, folder: Path, thulium: Sandbox, seed: int, count: int = 2) -> None:
        """Prepare ``count`` services in a folder; nothing runs yet."""
        self.folder = folder
        self.thulium = thulium
        self.chance = random.Random(seed)
        self.crowd = Crowd(random.Random(seed))
        self.clock = folder / "clock"
        self.config = make_config(thulium, folder)
        self.servers: list[Served] = []
        self.is_forgetful = False  # a clock that was a month ahead: what is sent again is new then
        self._count = count
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the services and the senders; then end the services in order."""
        self.clock.write_text("0")
        with ExitStack() as stack:
            self.servers = [self.start(stack) for _ in range(self._count)]
            threads = [threading.Thread(target=self._send_all) for _ in range(SENDERS)]
            for thread in threads:
                thread.start()
            try:
                yield
            finally:
                self._stop.set()
                for thread in threads:
                    thread.join()
            self.thulium.heal()
            time.sleep(1)
            for server in self.servers:
                assert server.end() == 0

    def start(self, stack: ExitStack) -> Served:
        """Start another service on the file."""
        environ = {"TEST_CLOCK": str(self.clock)}
        return stack.enter_context(Served(self.folder, self.config, module="tests.clocked", environ=environ))

    def send(self, number: int) -> None:
        """Return when so many more events have been answered with 200."""
        goal = len(self.crowd.answered) + number
        while len(self.crowd.answered) < goal:
            time.sleep(0.01)

    def _send_all(self) -> None:
        while not self._stop.is_set():
            source, event = self.crowd.draw()
            while not self._stop.is_set() and not self._send(source, event):
                self._stop.wait(0.02)

    def _send(self, source: str, event: Mapping[str, str]) -> bool:
        server = random.choice(self.servers)
        try:
            status, _ = server.post(f"/{source}", json.dumps(event).encode(), HEADERS, timeout=5)
        except (OSError, HTTPException):
            return False
        if status == 200:
            self.crowd.note(source, event)
        return status == 200

    # --- troubles: each lasts for some events ---

    def fail(self, events: int) -> None:
        """Have calls to Thulium go wrong in every way, one after the other."""
        plan = zip(cycle(FAULTS), cycle(CALLS), strict=False)
        step = max(1, events // (2 * len(FAULTS)))
        for _ in range(0, events, step):
            fault, call = next(plan)
            self.thulium.heal()
            self.thulium.fail(call, fault, times=self.chance.randint(1, 3))
            self.send(step)
        self.thulium.heal()

    def kill(self, events: int) -> None:
        """Kill the processes that answer and deliver, of one of the services, at random moments, while calls fail."""
        for _ in range(0, events, 20):
            self.thulium.heal()
            self.thulium.fail(self.chance.choice(CALLS), self.chance.choice(FAULTS), times=2)
            self.send(20)
            time.sleep(self.chance.uniform(0, 0.3))
            self.chance.choice(self.servers).kill_worker()
        self.thulium.heal()

    def pause(self, events: int, seconds: float = 33) -> None:
        """Stop all processes of a service for longer than a lease, and let them go on."""
        for server in self.servers:  # one that is stopped may hold the file's lock: then the other answers 503
            server.signal_all(signal.SIGSTOP)
            time.sleep(seconds)
            server.signal_all(signal.SIGCONT)
            self.send(events // len(self.servers))

    def set_clock(self, events: int, seconds: float = 30) -> None:
        """Set the clock three hours ahead, and back; then a month, for half a minute."""
        self.is_forgetful = True
        for ahead in (3 * 3600, 31 * 86400, -1800):
            self.clock.write_text(str(ahead))
            self.send(events // 6)
            time.sleep(seconds)
            self.clock.write_text("0")
            self.send(events // 6)

    def cut_off(self, events: int, seconds: float = 20) -> None:
        """Have Thulium be down, and come back to a backlog."""
        self.thulium.fail("*", faults.error(503), times=None)
        self.send(events // 2)
        time.sleep(seconds)
        self.thulium.heal()
        self.send(events // 2)

    def fill_disk(self, events: int, seconds: float = 10) -> None:
        """Leave the disk without room for new events; what is stored goes on. The folder is a small disk of its own."""
        self.send(events // 2)
        ballast = self.folder / "ballast"
        with ballast.open("wb") as file:
            while shutil.disk_usage(self.folder).free > 65536:
                file.write(bytes(65536))
                file.flush()
        time.sleep(seconds)
        ballast.unlink()
        self.send(events // 2)

    # --- afterwards ---

    def finish(self) -> Counter[str]:
        """Deliver what is left, what a wrong clock made too old too, and count what came of all events."""
        queue = SqliteQueue(str(self.folder / "ringback.db"))
        settings = load(self.config)
        now = datetime.now(UTC) + timedelta(hours=1)
        for hours in range(8):
            replay(queue.database, now, even_if_old=True)
            at = now + timedelta(hours=hours)
            work_off(queue, Way(Pipeline(settings).deliver), make_clock(at), patience=LONGEST_FINISH)
        try:
            return self._check(queue)
        finally:
            queue.close()

    def _check(self, queue: SqliteQueue) -> Counter[str]:
        stories = {each: trace(queue.database, each) for each in self.crowd.answered}
        lost = [each for each, found in stories.items() if not found or any(story.next_try for story in found)]
        assert lost == [], [(stories[each][-1:] or each) for each in lost][:4]
        twice = {each for each, found in stories.items() if len(found) > 1}
        leads = {event["id"] for source, event in self.crowd.sent if source != "optout"}
        assert not twice & leads or self.is_forgetful, "stored twice"  # an opt-out that comes again later is new
        called = self._list_called()
        people = Counter(number for customer in self.thulium.customers for number in customer["phone_numbers"])
        assert set(people.values()) == {1}, "a person is several customers"
        ids = {number: each["customer_id"] for each in self.thulium.customers for number in each["phone_numbers"]}
        for phone, campaigns in self.crowd.led.items():
            if phone not in self.crowd.stopping:
                assert {campaign for campaign in CAMPAIGNS.values() if ids[phone] in called[campaign]} >= campaigns, (
                    "a lead is not in its campaign"
                )
        assert not [phone for phone in self.crowd.stopped if any(ids.get(phone) in each for each in called.values())]
        self._check_log(twice)
        return Counter(str(story.outcome.status) for found in stories.values() for story in found if story.outcome)

    def _list_called(self) -> dict[str, set[int]]:
        called = {}
        for campaign in CAMPAIGNS.values():
            rows = self.thulium.records(campaign)
            assert max(Counter(row["customer_id"] for row in rows).values(), default=0) <= 1, "two records of a person"
            called[campaign] = {row["customer_id"] for row in rows if row["system_status"] != LIVE}
        return called

    def _check_log(self, twice: set[str]) -> None:
        lines = [json.loads(line) for line in (self.folder / "log").read_text("utf-8").splitlines()]
        final = Counter(line["event_id"] for line in lines if line["event"] == "customer.outcome")
        again = twice | {line["event_id"] for line in lines if line.get("status") == "PARKED"}  # replayed by `finish`
        assert [each for each, count in final.items() if count > 1 and each not in again] == [], "told twice"
        assert [line for line in lines if line["event"] == "internal.error"] == []


def make_clock(at: datetime) -> Callable[[], datetime]:
    """Return a clock that stands still."""
    return lambda: at
