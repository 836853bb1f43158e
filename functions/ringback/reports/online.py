"""What Thulium itself says of a configuration: whether campaigns, statuses and agents are as it takes them to be.

Only looks: nothing is created or changed.
"""

from collections.abc import Iterator
from time import monotonic

from ringback.errors import CallFailed
from ringback.reports.statuses import (
    RIGHT,
    UNSEEN,
    WRONG,
    Finding,
    judge_later,
    judge_statuses,
    judge_stop,
    list_agents,
)
from ringback.settings import Campaign, Settings, Source
from ringback.thulium.api import Thulium

PATIENCE = 60.0  # seconds for all of it
NOBODY = "ringback-check"  # an identifier that no customer has
ABSENT = (400, 404)
FORBIDDEN = 403
IDLE = {"active": "is not active", "active_in_outbound": "does not work in this campaign at present"}


class Online:
    """Looks at a Thulium with the settings in hand."""

    def __init__(self, settings: Settings, thulium: Thulium, patience: float = PATIENCE) -> None:
        """Keep both; the time begins to run."""
        self._settings = settings
        self._thulium = thulium
        self._deadline = monotonic() + patience
        self._inactive: set[str] = set()

    def look(self) -> Iterator[Finding]:
        """Yield the findings; nothing more when the password is refused."""
        entry = self._look_at_entry()
        yield entry
        if entry.word is RIGHT:
            yield self._look_at_customers()
            for campaign in list_campaigns(self._settings):
                yield from self._look_at_campaign(campaign)

    def _look_at_entry(self) -> Finding:
        try:
            rows = self._thulium.campaigns(self._deadline)
            self._inactive = {str(row.get("id")) for row in rows if row.get("active") is False}
        except CallFailed as error:
            if error.http_status != FORBIDDEN:  # whoever may not see them all has been let in
                return Finding("thulium", WRONG, f"{error.reason}; look at its url, user and password")
        return Finding("thulium", RIGHT, "user and password are taken")

    def _look_at_customers(self) -> Finding:
        try:
            self._thulium.find_customers("identifier", NOBODY, self._deadline)
        except CallFailed as error:
            return Finding("customers", WRONG, f"can't be searched: {error.reason}; look at the API user's rights")
        return Finding("customers", RIGHT, "can be searched")

    def _look_at_campaign(self, campaign: Campaign) -> Iterator[Finding]:
        what = f"campaign {campaign.title}"
        try:
            rows = self._thulium.statuses(campaign.id, self._deadline)
        except CallFailed as error:
            missing = error.http_status in ABSENT
            yield Finding(what, WRONG, "there is no such campaign" if missing else f"can't be seen: {error.reason}")
            return
        yield self._look_at_kind(campaign, f"is there, with {len(rows)} statuses")
        for source in list_sources(campaign, self._settings):
            yield from judge_statuses(campaign, source, rows)
            yield from judge_later(campaign, source, rows)
            yield from (self._look_at_agent(campaign, login) for login in list_agents(campaign, source))
        yield from judge_stop(campaign, rows)

    def _look_at_kind(self, campaign: Campaign, seen: str) -> Finding:
        """Look at a record, if only to see whether there can be one: a campaign of the other kind has none."""
        try:
            self._thulium.get_record(campaign.id, 1, self._deadline)
        except CallFailed as error:
            why = f"{seen}, but shows no records ({error.reason}): is it fed from the CRM, and may the user see it?"
            return Finding(f"campaign {campaign.title}", WRONG, why)
        if campaign.id in self._inactive:
            return Finding(f"campaign {campaign.title}", WRONG, f"{seen}, but is not active: nobody is called")
        return Finding(f"campaign {campaign.title}", RIGHT, seen)

    def _look_at_agent(self, campaign: Campaign, login: str) -> Finding:
        what = f"campaign {campaign.title}, agent {login}"
        try:
            rows = self._thulium.agents(campaign.id, self._deadline)
            found = next((row for row in rows if row.get("login") == login), None)
            if found is None:
                known = self._thulium.agent(login, self._deadline)
                text = "works in other campaigns only; add the agent to this one" if known else "there is no such agent"
                return Finding(what, WRONG, text)
            idle = [text for key, text in IDLE.items() if found.get(key) is False]
            return Finding(what, WRONG, idle[0]) if idle else Finding(what, RIGHT, "works in it")
        except CallFailed as error:
            return Finding(what, UNSEEN, f"can't be seen: {error.reason}")


def list_campaigns(settings: Settings) -> list[Campaign]:
    """Return the campaigns of the file, and those that sources name by a bare id."""
    routed = [route.to for source in settings.sources.values() for route in source.routes]
    return list({each.name: each for each in (*settings.campaigns.values(), *routed)}.values())


def list_sources(campaign: Campaign, settings: Settings) -> list[Source | None]:
    """Return the sources whose leads go to a campaign; ``[None]`` where there are none."""
    leading = (source for source in settings.sources.values() if source.action == "lead")
    return [each for each in leading if any(route.to.name == campaign.name for route in each.routes)] or [None]
