"""Records of CRM campaigns, one by one."""

from collections.abc import Sequence
from typing import Any

from tests.sandbox.campaigns import find_campaign
from tests.sandbox.customers import read_object
from tests.sandbox.exchange import Received, Refused, Reply, reply_json
from tests.sandbox.rows import page, record_row
from tests.sandbox.rules import Failed, changed, customer_id, place
from tests.sandbox.store import Campaign, Record
from tests.sandbox.world import World

MOST = 100  # records on one page


def records(world: World, received: Received, campaign_id: str) -> Reply:
    """Answer ``GET crm_outbounds/:id/records``, in the order of adding."""
    campaign = crm_campaign(world, campaign_id)
    rows = [row(world, campaign, record) for record in campaign.records.values()]
    found = [each for each in rows if _is_asked_for(each, received.parameters)]
    return reply_json({"count": len(found), "result": page(found, dict(received.parameters), MOST)})


def record(world: World, _: Received, campaign_id: str, number: str) -> Reply:
    """Answer ``GET crm_outbounds/:id/records/:customer_id``."""
    campaign = crm_campaign(world, campaign_id)
    return reply_json(row(world, campaign, _find(campaign, number)))


def change(world: World, received: Received, campaign_id: str, number: str) -> Reply:
    """Answer ``PUT crm_outbounds/:id/records/:customer_id``, with nothing."""
    campaign = crm_campaign(world, campaign_id)
    old = _find(campaign, number)
    try:
        campaign.records[old.customer_id] = changed(world, campaign, old, read_object(received))
    except Failed as failure:
        raise Refused(400, str(failure)) from failure
    return Reply(world.ways.put_status)


def add(world: World, received: Received, campaign_id: str) -> Reply:
    """Answer ``POST crm_outbounds/:id/records``: the record's id is text there."""
    campaign, given = crm_campaign(world, campaign_id), read_object(received)
    existing = campaign.records.get(customer_id(given))
    if existing is not None and world.ways.existing_record == "refused":
        raise Refused(400, "Record already exists.")
    try:
        found = existing or place(world, campaign, given)
    except Failed as failure:
        raise Refused(400, str(failure)) from failure
    return reply_json({"record_id": str(found.record_id)}, world.ways.create_status)


def crm_campaign(world: World, campaign_id: str) -> Campaign:
    """Return the CRM campaign that the path names, else refuse."""
    campaign = find_campaign(world, campaign_id)
    if not campaign.is_crm:
        raise Refused(400, "Campaign is not a CRM campaign.")
    return campaign


def row(world: World, campaign: Campaign, found: Record) -> dict[str, Any]:
    """Return a record as Thulium shows it."""
    store = world.store
    return record_row(found, campaign, store.customers.get(found.customer_id), store.agents.get(found.agent_login))


def _find(campaign: Campaign, number: str) -> Record:
    found = campaign.records.get(int(number)) if number.isascii() and number.isdigit() else None
    if found is None:
        raise Refused(404, "Record not found.")
    return found


def _is_asked_for(shown: dict[str, Any], asked: Sequence[tuple[str, str]]) -> bool:
    for name in ("status_id", "system_status"):
        wanted = [value for key, value in asked if key == f"{name}[]"]
        if wanted and str(shown[name]) not in wanted:
            return False
    dates = {key: value for key, value in asked if key.endswith(("_date_from", "_date_to"))}
    return all(_in_time(shown, key, value) for key, value in dates.items())


def _in_time(shown: dict[str, Any], key: str, day: str) -> bool:
    name, _, end = key.rpartition("_")
    own = str(shown.get(name, ""))[: len(day)]
    return own >= day if end == "from" else own <= day
