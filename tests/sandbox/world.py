"""All that one stand-in knows: its data, how it answers, what shall go wrong, and what it was asked."""

import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.sandbox.exchange import Received
from tests.sandbox.faults import Plan
from tests.sandbox.store import Store
from tests.sandbox.ways import Ways


def warsaw_now() -> datetime:
    """Return the time in Warsaw, which is taken to be Thulium's."""
    return datetime.now(ZoneInfo("Europe/Warsaw"))


@dataclass
class World:
    """Everything but the HTTP. Whoever reads or changes it holds ``lock``.

    ``poisons`` holds (status, message) for each customer whose record spoils its batch; ``refusals`` the message with
    which a customer's record FAILs, under None for everybody's; ``latency`` the seconds each kind of call takes;
    ``put_off`` the requests that are carried out later, each with its time.
    """

    user: str = "ringback"
    password: str = "only-for-the-sandbox"
    now: Callable[[], datetime] = warsaw_now
    keep: int | None = None
    ways: Ways = field(default_factory=Ways)
    plan: Plan = field(default_factory=Plan)
    poisons: dict[int, tuple[int, str]] = field(default_factory=dict)
    refusals: dict[int | None, str] = field(default_factory=dict)
    latency: dict[str, float] = field(default_factory=dict)
    put_off: list[tuple[datetime, Received]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    store: Store = field(init=False)
    received: deque[Received] = field(init=False)
    counts: Counter[str] = field(default_factory=Counter)
    refused: int = 0

    def __post_init__(self) -> None:
        """Make the empty store, and the list of what came in (of the last ``keep`` requests, or of all)."""
        self.store = Store(self.now)
        self.received = deque(maxlen=self.keep)

    def note(self, received: Received) -> None:
        """Remember a request."""
        self.received.append(received)
        self.counts[received.call] += 1

    def request_id(self) -> str:
        """Return the next id that an error is known by, of the documentation's shape."""
        self.refused += 1
        return f"{0x53678450401CF + self.refused - 1:x}"
