"""Who else has a lead's number: it is not called if one of them said stop."""

from collections.abc import Sequence

from ringback.delivery.rows import Row, carries, get_row_id
from ringback.delivery.search import Search
from ringback.errors import CallFailed
from ringback.mapping import Assignment
from ringback.settings import Campaign, Settings
from ringback.thulium.api import Thulium
from ringback.thulium.replies import NONSENSE


class Owners:
    """Looks at the records of the customers who have a number."""

    def __init__(self, thulium: Thulium, search: Search, settings: Settings) -> None:
        self._thulium = thulium
        self._search = search
        self._region = settings.phone_region

    def are_stopped(
        self, assignment: Assignment, oldest: Row | None, owners: Sequence[Row] | None, deadline: float
    ) -> bool:
        """Return whether the number that would be called is another customer's too, who is not to be called on it.

        ``oldest`` is who would be called, if they are there; ``owners`` who carries the number, if that is known.
        """
        lead, campaign, update = assignment.lead, assignment.campaigns[0], assignment.source.customer.update
        if lead.phone is None:
            return False
        if oldest and "phone_number" not in update and not carries(oldest, lead, "phone_number", self._region):
            return False
        rows = self._search.find_by_number(assignment, deadline) if owners is None else owners
        others = {get_row_id(row) for row in rows} - ({get_row_id(oldest)} if oldest else set())
        records = (self._thulium.get_record(campaign.id, each, deadline) for each in sorted(others))
        return any(is_not_called(record, campaign) for record in records)


def is_not_called(record: Row | None, campaign: Campaign) -> bool:
    """Return whether a record is one that the dialler leaves alone, by its kind of status or as the campaign's stop."""
    if record is None:
        return False
    if not record.get("system_status"):
        raise CallFailed(NONSENSE)
    stop = campaign.stop.get("status_id")
    return record.get("system_status") == "NO_CALL" or (stop is not None and str(record.get("status_id")) == str(stop))
