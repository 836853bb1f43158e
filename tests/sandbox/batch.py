"""Thulium's batch calls on the records of a CRM campaign."""

from typing import Any

from tests.sandbox.customers import read_object
from tests.sandbox.exchange import Received, Refused, Reply, reply_json
from tests.sandbox.records import crm_campaign
from tests.sandbox.rules import Failed, customer_id, place
from tests.sandbox.store import Campaign
from tests.sandbox.world import World

Item = dict[str, Any]


def add_many(world: World, received: Received, campaign_id: str) -> Reply:
    """Answer ``POST batch/crm_outbounds/:id/records``: what became of each customer, by id."""
    campaign = crm_campaign(world, campaign_id)
    if not campaign.is_active:
        raise Refused(400, "Campaign is not active.")
    records = _records(received)
    _refuse_poison(world, records)
    if not records:
        return _nothing(world)
    items: dict[str, Item] = {}
    for given in records:
        item, key = _added(world, campaign, given), str(given.get("customer_id"))
        items[key] = items.get(key, item) if world.ways.same_customer == "first" else item
    return reply_json(items, world.ways.batch_status)


def remove_many(world: World, received: Received, campaign_id: str) -> Reply:
    """Answer ``DELETE batch/crm_outbounds/:id/records?customer_id[]=...``: what became of each, by id."""
    campaign = crm_campaign(world, campaign_id)
    numbers = [value for name, value in received.parameters if name == "customer_id[]"]
    if not numbers:
        raise Refused(400, "customer_id is required.")
    return reply_json({number: _removed(world, campaign, number) for number in numbers}, world.ways.batch_status)


def _records(received: Received) -> list[dict[str, Any]]:
    records = read_object(received).get("records")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise Refused(400, "Field records is required.")
    return records


def _refuse_poison(world: World, records: list[dict[str, Any]]) -> None:
    for given in records if world.poisons else []:
        poison = world.poisons.get(customer_id(given))
        if poison is not None:
            raise Refused(*poison)


def _nothing(world: World) -> Reply:
    if world.ways.empty_batch == "refused":
        raise Refused(400, "Field records is required.")
    return reply_json([] if world.ways.empty_batch == "list" else {}, world.ways.batch_status)


def _added(world: World, campaign: Campaign, given: dict[str, Any]) -> Item:
    existing = campaign.records.get(customer_id(given))
    if existing is not None:
        return _item(world, 400, existing.record_id, "ALREADY_EXISTS")
    try:
        record = place(world, campaign, given)
    except Failed as failure:
        return {**_item(world, 400, None, "FAILED"), "message": str(failure)}
    return _item(world, 201, record.record_id, "ADDED")


def _removed(world: World, campaign: Campaign, number: str) -> Item:
    record = campaign.records.get(customer_id({"customer_id": number}))
    if record is None:
        return _item(world, 404, None, "NOT_EXIST")
    if campaign.statuses[record.status_id].system_status == "IN_PROGRESS":
        return _item(world, 400, record.record_id, "CALL_IN_PROGRESS")
    del campaign.records[record.customer_id]
    return _item(world, 200, record.record_id, "REMOVED")


def _item(world: World, http_status: int, record_id: int | None, word: str) -> Item:
    ways = world.ways
    item: Item = {"http_status": str(http_status) if ways.statuses_as_text else http_status}
    if record_id is not None:
        item["record_id"] = str(record_id) if ways.ids_as_text else record_id
    return {**item, "status": word}
