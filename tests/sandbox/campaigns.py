"""Campaigns as such: which there are, their statuses, their agents; and a status for everybody with a number."""

from tests.sandbox import phones
from tests.sandbox.customers import read_object
from tests.sandbox.exchange import Received, Refused, Reply, reply_json
from tests.sandbox.rows import campaign_row, in_envelope, status_row
from tests.sandbox.store import Agent, Campaign, Record
from tests.sandbox.world import World


def campaigns(world: World, _: Received) -> Reply:
    """Answer ``GET outbounds``."""
    rows = [campaign_row(campaign) for campaign in world.store.campaigns.values()]
    return reply_json(in_envelope(rows, len(rows), world.ways.campaigns_list))


def statuses(world: World, _: Received, campaign_id: str) -> Reply:
    """Answer ``GET outbounds/:id/statuses``."""
    campaign = find_campaign(world, campaign_id)
    return reply_json([status_row(status) for status in campaign.statuses.values()])


def agents(world: World, _: Received, campaign_id: str) -> Reply:
    """Answer ``GET outbounds/:id/agents``: a number is text there."""
    everybody = [world.store.agents[login] for login in find_campaign(world, campaign_id).agents]
    return reply_json([_agent_in_campaign(agent) for agent in everybody])


def agent(world: World, _: Received, login: str) -> Reply:
    """Answer ``GET agents/:login``."""
    found = world.store.agents.get(login)
    if found is None:
        raise Refused(404, "Agent not found.")
    row = {"agent_id": found.agent_id, "login": found.login, "name": found.name, "surname": found.surname}
    more = {"email": "", "active": found.is_active, "number": 3000 + found.agent_id, "outbound_mode": "manual"}
    return reply_json({**row, **more, "group_id": 3})


def status_by_number(world: World, received: Received) -> Reply:
    """Answer ``POST outbound_status_by_phone_number``: of all campaigns in which the main number is."""
    given = read_object(received)
    number, status = str(given.get("phone_number") or ""), given.get("status_id")
    if not number or not str(status).isdigit():
        raise Refused(400, "phone_number and status_id are required.")
    wanted = int(str(status))
    if not any(_by_dictionary(campaign, wanted) for campaign in world.store.campaigns.values()):
        raise Refused(400, "Status not found.")
    changed = [each.id for each in world.store.campaigns.values() if _changed(world, each, number, wanted)]
    return reply_json({"outbound_id": changed})


def find_campaign(world: World, campaign_id: str) -> Campaign:
    """Return the campaign whom the path names (its zeros count), else refuse."""
    campaign = world.store.campaigns.get(campaign_id)
    if campaign is None:
        raise Refused(404, "Campaign not found.")
    return campaign


def _agent_in_campaign(agent: Agent) -> dict[str, object]:
    row: dict[str, object] = {"login": agent.login, "number": str(3000 + agent.agent_id)}
    return {**row, "active": agent.is_active, "active_in_outbound": agent.is_active, "agent_id": agent.agent_id}


def _by_dictionary(campaign: Campaign, wanted: int) -> int | None:
    ids = [each.status_id for each in campaign.statuses.values() if each.dictionary_status_id == wanted]
    return ids[0] if ids else None


def _changed(world: World, campaign: Campaign, number: str, wanted: int) -> bool:
    status_id = _by_dictionary(campaign, wanted)
    records = [each for each in campaign.records.values() if _has_main_number(world, each, number)]
    for record in records if status_id else []:
        record.status_id = status_id or record.status_id
    return bool(records) and status_id is not None


def _has_main_number(world: World, record: Record, number: str) -> bool:
    customer = world.store.customers.get(record.customer_id)
    main = customer.phone_numbers[:1] if customer else []
    return any(phones.MATCH[world.ways.phone_match](own, number) for own in main)
