"""The leads that this process has done: in direct mode there is no queue that knows, and senders send again."""

from collections import OrderedDict
from datetime import datetime

from ringback.event import Event

MOST = 5_000  # events; some 300 bytes each


class Memory:
    """Events whose person is in the campaign, with the customer's id, for as long as a redelivery is recognised."""

    def __init__(self) -> None:
        self._done: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def remember(self, event: Event, customer_id: int) -> None:
        """Take note that an event is done."""
        if self.recall(event) is None:  # it is its first delivery from which the time counts
            self._done[event.key] = event.known_until, customer_id
        if len(self._done) > MOST:
            self._done.popitem(last=False)

    def forget(self, event: Event) -> None:
        """Be as if an event had not been done."""
        self._done.pop(event.key, None)

    def recall(self, event: Event) -> int | None:
        """Return the customer of an event that is done; None for one that is not, or is another one by now."""
        until, customer_id = self._done.get(event.key, (event.received_at, 0))
        return customer_id if event.received_at < until else None
