"""Tells by a record whether its person said stop."""

from collections.abc import Mapping

from ringback.settings import Campaign, Settings
from ringback.thulium.api import Thulium

Record = Mapping[str, object]


class Stopped:
    """Knows the statuses of opt-outs; those of Thulium's dictionary have other ids in each campaign."""

    def __init__(self, thulium: Thulium, settings: Settings) -> None:
        self._statuses = thulium.kept_statuses
        self._stop = settings.stop

    def said_stop(self, record: Record, campaign: Campaign, deadline: float) -> bool:
        """Return whether a record is that of an opt-out. Raises CallFailed.

        Where the file has no stop for the campaign, each record that is not called may be an opt-out.
        """
        status = str(record.get("status_id"))
        if "status_id" in campaign.stop and status == str(campaign.stop["status_id"]):
            return True
        if record.get("system_status") != "NO_CALL":
            return False
        if not campaign.stop:
            return "NO_CALL" not in campaign.requeue_from
        return status in self._find_stops(campaign, status, deadline)

    def _find_stops(self, campaign: Campaign, status: str, deadline: float) -> set[str]:
        """Return the ids that the dictionary's stop has in a campaign, by statuses of which ``status`` is one."""
        stops = {str(stop) for stop in (self._stop, campaign.stop.get("dictionary_status_id")) if stop}
        rows = self._statuses.find(campaign.id, deadline, status) if stops else ()
        return {str(row.get("status_id")) for row in rows if str(row.get("dictionary_status_id")) in stops}
