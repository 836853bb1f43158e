"""Whatever is done to a SQLite queue, in whatever order, each event is in exactly one place, and ends exactly once."""

import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ringback.event import Done
from ringback.outcome import Status
from ringback.queues.sqlite import LEASE, Held, SqliteQueue
from ringback.queues.sqlite.history import RETENTION, purge, replay
from ringback.queues.sqlite.queue import SUSPECT
from tests.events import NOW, again, done, make_event

FINAL = st.sampled_from([Status.ADDED, Status.SKIPPED, Status.PARKED, Status.INVALID])


@dataclass
class Place:
    """Where one accepted event ought to be: due at a time (perhaps held meanwhile), or settled."""

    key: str
    known_until: datetime
    due_at: datetime | None
    status: Status | None = None
    told_at: datetime = NOW
    holder: Held | None = None
    unended: int = 0  # times that it was taken, without an end


class QueueMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.queue = SqliteQueue(f"{self.folder}/queue.db")
        self.now = NOW
        self.places: list[Place] = []
        self.held: list[Held] = []

    def teardown(self) -> None:
        self.drain()
        self.queue.close()
        shutil.rmtree(self.folder)

    @rule(number=st.integers(0, 3), identified=st.booleans())
    def put(self, number: int, *, identified: bool) -> None:
        event = make_event(number, key=f"{number}{identified}", identified=identified, received_at=self.now)
        self.queue.put([event], self.now)
        if not any(place.key == event.key and place.known_until > self.now for place in self.places):
            memory = timedelta(days=30) if identified else timedelta(hours=24)
            self.places.append(Place(event.key, self.now + memory, self.now))

    @rule(hours=st.sampled_from([0.001, 0.1, 12, 300]))
    def let_time_pass(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @rule(limit=st.integers(1, 3))
    def take(self, limit: int) -> None:
        due = [(place.due_at, n) for n, place in enumerate(self.places) if place.due_at and place.due_at <= self.now]
        first = [self.places[n] for _, n in sorted(due)[:limit]]
        is_alone = bool(first) and first[0].unended >= SUSPECT
        expected = first[:1] if is_alone else [place for place in first if place.unended < SUSPECT]
        taken = self.queue.take(limit, self.now)
        assert [event.key for event in taken] == [place.key for place in expected]
        for place, event in zip(expected, taken, strict=True):
            place.holder, place.due_at = event, self.now + LEASE
            place.unended += 1
        self.held += taken

    def place_of(self, event: Held) -> Place | None:
        return next((place for place in self.places if place.holder is event), None)

    @rule(data=st.data(), status=FINAL | st.none())
    def settle(self, data: st.DataObject, status: Status | None) -> None:
        if not self.held:
            return
        event = data.draw(st.sampled_from(self.held))
        verdict = done(status) if status else again(600, now=self.now)
        settled = self.queue.settle([(event, verdict)], self.now)
        place = self.place_of(event)
        assert bool(settled) is (place is not None)
        if place:
            place.holder, place.told_at, place.status = None, self.now, verdict.outcome.status
            place.unended = 0
            place.due_at = None if isinstance(verdict, Done) else verdict.at

    @rule(data=st.data())
    def hand_back(self, data: st.DataObject) -> None:
        if not self.held:
            return
        event = data.draw(st.sampled_from(self.held))
        self.queue.hand_back([event], self.now)
        if place := self.place_of(event):
            place.holder, place.due_at = None, self.now
            place.unended -= 1

    @rule()
    def crash(self) -> None:
        self.queue.close()
        self.queue = SqliteQueue(f"{self.folder}/queue.db")
        self.held = []

    @rule(even_if_old=st.booleans())
    def replay(self, *, even_if_old: bool) -> None:
        kept = [place for place in self.places if not place.due_at and place.status and place.status.is_replayable]
        assert replay(self.queue.database, self.now, even_if_old=even_if_old) == len(kept)
        for place in kept:
            place.due_at, place.status = self.now, None

    @rule()
    def purge(self) -> None:
        kept = [place for place in self.places if place.due_at or place.told_at > self.now - RETENTION]
        assert purge(self.queue.database, self.now) == len(self.places) - len(kept)
        self.places = kept

    @invariant()
    def each_is_in_its_place(self) -> None:
        rows = self.queue.database.read("SELECT * FROM event ORDER BY number", {})
        found = [(row["key"], row["due_at"], row["status"], bool(row["held"])) for row in rows]
        assert found == [
            (place.key, place.due_at and place.due_at.timestamp(), place.status, place.holder is not None)
            for place in self.places
        ]

    def drain(self) -> None:
        """Let a worker go on for as long as there is something to do: then each has its final outcome, once."""
        waiting = sum(place.due_at is not None for place in self.places)
        self.now += timedelta(days=400)
        settled = 0
        while taken := self.queue.take(2, self.now):
            settled += len(self.queue.settle([(event, done()) for event in taken], self.now))
        assert settled == waiting
        rows = self.queue.database.read("SELECT status FROM event", {})
        assert len(rows) == len(self.places)
        assert all(Status(row["status"]).is_final for row in rows)


TestQueue = QueueMachine.TestCase
TestQueue.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
