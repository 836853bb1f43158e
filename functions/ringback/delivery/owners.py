"""Other customers with a lead's number: it is not called if one of them has opted out."""

from collections.abc import Sequence

from ringback.delivery.rows import Row, carries, get_row_id
from ringback.delivery.search import Search
from ringback.delivery.stopped import Stopped
from ringback.errors import CallFailed
from ringback.mapping import Assignment
from ringback.settings import Campaign, Settings
from ringback.thulium.api import Thulium
from ringback.thulium.replies import NONSENSE

MOST = 10  # owners who are looked at, the newest first: whoever is made for a stop is one of them


class Owners:
    """Looks at the records of the customers that have a number."""

    def __init__(self, thulium: Thulium, search: Search, settings: Settings) -> None:
        self._thulium = thulium
        self._search = search
        self._stopped = Stopped(thulium, settings)
        self._region = settings.phone_region

    def are_stopped(
        self, assignment: Assignment, oldest: Row | None, owners: Sequence[Row] | None, deadline: float
    ) -> bool:
        """Return whether the number to be called is also that of another customer, which must not be called on it.

        ``oldest`` is the customer to be called, if there is one; ``owners`` those with the number, if they are known.
        """
        lead, campaign, update = assignment.lead, assignment.campaigns[0], assignment.source.customer.update
        if lead.phone is None:
            return False
        if oldest and "phone_number" not in update and not carries(oldest, lead, "phone_number", self._region):
            return False
        rows = self._search.find_by_number(assignment, deadline) if owners is None else owners
        others = {get_row_id(row) for row in rows} - ({get_row_id(oldest)} if oldest else set())
        return any(self._said_stop(each, campaign, deadline) for each in sorted(others, reverse=True)[:MOST])

    def _said_stop(self, customer_id: int, campaign: Campaign, deadline: float) -> bool:
        record = self._thulium.get_record(campaign.id, customer_id, deadline)
        if record is not None and not record.get("system_status"):
            raise CallFailed(NONSENSE)
        return record is not None and self._stopped.said_stop(record, campaign, deadline)
