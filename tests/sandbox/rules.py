"""When a customer may be put into a campaign, and what a record may be changed to."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.sandbox.store import Campaign, Customer, Record, Status
from tests.sandbox.world import World

NEEDS = {"MY_RECORD": ("agent_login", "next_call_date"), "CALL_NO_SOONER_THAN": ("next_call_date",)}
STATUSES = {"status_id", "dictionary_status_id"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d")


class Failed(Exception):
    """One record is refused, with a message; the others of its batch are not concerned."""


def place(world: World, campaign: Campaign, given: Mapping[str, Any]) -> Record:
    """Put a customer into a campaign who is not in it; raise ``Failed`` if that can't be."""
    customer = world.store.customers.get(customer_id(given))
    if customer is None:
        raise Failed("Customer not found.")
    refusal = world.refusals.get(customer.customer_id, world.refusals.get(None))
    if refusal is not None:
        raise Failed(_told(refusal, customer))
    if world.ways.needs_phone and not customer.phone_numbers:
        raise Failed("Customer has no phone number.")
    fresh = Record(0, customer.customer_id, _fresh(campaign).status_id, create_date=world.store.stamp())
    return world.store.put(campaign, changed(world, campaign, fresh, given))


def changed(world: World, campaign: Campaign, record: Record, given: Mapping[str, Any]) -> Record:
    """Return the record with what is given; raise ``Failed`` if it may not be so."""
    status = _status(campaign, given) or campaign.statuses[record.status_id]
    wanted: dict[str, Any] = {name: given[name] for name in ("agent_login", "next_call_date") if name in given}
    if wanted.get("agent_login") and wanted["agent_login"] not in world.store.agents:
        raise Failed("Agent not found.")
    if wanted.get("next_call_date") and not _DATE.fullmatch(str(wanted["next_call_date"])):
        raise Failed("Wrong format of next_call_date.")
    if given.get("order") is not None:
        wanted["order"] = _whole(given["order"], "order")
    if STATUSES & given.keys():
        wanted["is_rung"] = False
    new = replace(record, status_id=status.status_id, **wanted)
    missing = [name for name in NEEDS.get(status.system_status, ()) if not getattr(new, name)]
    if missing:
        raise Failed(f"Field {missing[0]} is required.")
    return new


def customer_id(given: Mapping[str, Any]) -> int:
    """Return the customer that a record names, or one who never exists."""
    text = str(given.get("customer_id"))
    return int(text) if text.isascii() and text.isdigit() else -1


def _status(campaign: Campaign, given: Mapping[str, Any]) -> Status | None:
    """Return the status that is named by either id, of this campaign."""
    if given.get("status_id") is not None:
        found = campaign.statuses.get(_whole(given["status_id"], "status_id"))
    elif given.get("dictionary_status_id") is not None:
        wanted = _whole(given["dictionary_status_id"], "dictionary_status_id")
        found = next((each for each in campaign.statuses.values() if each.dictionary_status_id == wanted), None)
    else:
        return None
    if found is None:
        raise Failed("Status not found.")
    return found


def _fresh(campaign: Campaign) -> Status:
    """Return the status of fresh records: the first that is "to call", else the first of all."""
    statuses = list(campaign.statuses.values())
    return next((each for each in statuses if each.system_status == "TO_CALL"), statuses[0])


def _whole(value: object, name: str) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit()):
        raise Failed(f"Wrong value of {name}.")
    return int(text)


def _told(message: str, customer: Customer) -> str:
    """Fill ``{name}``, ``{surname}``, ``{phone_number}``, ``{email}`` ... in from the customer."""
    known: dict[str, object] = defaultdict(str, customer.fields)
    known["phone_number"] = next(iter(customer.phone_numbers), "")
    known["email"] = next(iter(customer.emails), "")
    return message.format_map(known)
