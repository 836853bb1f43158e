"""The queues between accepting an event and delivering it: each reads and settles, and has no rules of its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from ringback.errors import RingbackError
from ringback.event import Event
from ringback.limits import UNLIMITED, Limits


class QueueFailed(RingbackError):
    """The queue has not done what was asked: nothing of it is stored, and the sender may send it all again.

    The text says which queue, what is wrong and what to look at; it holds nothing of an event.
    """


class Queue(Protocol):
    """What accepting needs of a queue."""

    def put(self, events: Sequence[Event], now: datetime, limits: Limits = UNLIMITED) -> list[Event]:
        """Return as soon as all the events are stored durably; one that is known already is not stored again.

        The events are of one source. Those above its ``limits`` are stored with ``over``, where parked events wait, so
        that a flood keeps no leads of other sources waiting. They are returned, for the log. A queue without such a
        place returns none; then they are parked when they are delivered.

        Raises QueueFailed if not all of them are stored. To put them all again is always safe.
        """
