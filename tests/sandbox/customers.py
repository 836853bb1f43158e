"""Thulium's customers: search, read, create, change, delete."""

from dataclasses import replace
from typing import Any

from tests.sandbox import phones
from tests.sandbox.exchange import Received, Refused, Reply, reply_json
from tests.sandbox.matching import agreeing, filtered
from tests.sandbox.rows import customer_row, in_envelope, page
from tests.sandbox.store import Customer
from tests.sandbox.ways import Ways
from tests.sandbox.world import World

MOST = 1000  # customers on one page


def search(world: World, received: Received) -> Reply:
    """Answer ``GET customers``."""
    asked = dict(received.parameters)
    found = filtered(world.store, received.parameters, world.ways)
    rows = page([customer_row(customer, world.ways, asked) for customer in found], asked, MOST)
    return reply_json(in_envelope(rows, len(found), world.ways.customers_list))


def read(world: World, received: Received, customer_id: str) -> Reply:
    """Answer ``GET customers/:id``, which is documented to show all numbers, whatever a list does."""
    ways = replace(world.ways, with_phone_numbers=True)
    return reply_json(customer_row(_find(world, customer_id), ways, dict(received.parameters)))


def create(world: World, received: Received) -> Reply:
    """Answer ``POST customers``, with the new customer's id."""
    given = read_object(received)
    customer = filled(Customer(world.store.next_customer_id), {"surname": "", **given}, world.ways)
    _check(world, customer)
    world.store.keep(customer)
    name = "id" if world.ways.create_reply == "id" else "customer_id"
    as_text = world.ways.create_reply == "text"
    return reply_json({name: str(customer.customer_id) if as_text else customer.customer_id}, world.ways.create_status)


def change(world: World, received: Received, customer_id: str) -> Reply:
    """Answer ``PUT customers/:id``, with nothing."""
    changed = filled(_find(world, customer_id), read_object(received), world.ways)
    _check(world, changed)
    world.store.keep(changed)
    return Reply(world.ways.put_status)


def delete(world: World, _: Received, customer_id: str) -> Reply:
    """Answer ``DELETE customers/:id``: the customer's records go too."""
    customer = _find(world, customer_id)
    del world.store.customers[customer.customer_id]
    for campaign in world.store.campaigns.values():
        campaign.records.pop(customer.customer_id, None)
    return Reply(world.ways.put_status)


def read_object(received: Received) -> dict[str, Any]:
    """Return the body's JSON object, else refuse."""
    try:
        content = received.json
    except ValueError:
        raise Refused(400, "Malformed JSON.") from None
    if not isinstance(content, dict):
        raise Refused(400, "A JSON object is required.")
    return content


def _find(world: World, customer_id: str) -> Customer:
    is_number = customer_id.isascii() and customer_id.isdigit()
    customer = world.store.customers.get(int(customer_id)) if is_number else None
    if customer is None:
        raise Refused(404, "Customer not found.")
    return customer


def filled(old: Customer, given: dict[str, Any], ways: Ways) -> Customer:
    """Return a copy of the customer with what is given: a refusal must leave the old one as it was."""
    numbers, addresses = list(old.phone_numbers), list(old.emails)
    keep = ways.put_lists == "append"
    if "phone_number" in given:
        new = [phones.STORED[ways.phones_stored](text) for text in _texts(given["phone_number"])]
        numbers = list(dict.fromkeys([*numbers, *new])) if keep else new
    if "email" in given:
        addresses = list(dict.fromkeys([*(addresses if keep else []), *_texts(given["email"])]))
    others = {name: value for name, value in given.items() if name not in ("phone_number", "email")}
    if isinstance(given.get("custom_fields"), dict):
        others["custom_fields"] = {**_custom(old), **given["custom_fields"]}
    return Customer(old.customer_id, numbers, addresses, {**old.fields, **others})


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(each) for each in values if each not in (None, "")]


def _custom(customer: Customer) -> dict[str, object]:
    custom = customer.fields.get("custom_fields")
    return custom if isinstance(custom, dict) else {}


def _check(world: World, customer: Customer) -> None:
    ways = world.ways
    messages = [] if customer.fields.get("surname") else ["Surname is required."]
    if not all(map(phones.ACCEPTED[ways.phones_accepted], customer.phone_numbers)):
        messages.append("Wrong format of phone number.")
    if ways.custom_fields is not None:
        messages += [f"Unknown field {name}." for name in _custom(customer) if name not in ways.custom_fields]
    messages += [f"Duplicated customer {name}." for name in ways.unique if agreeing(world.store, customer, name, ways)]
    if messages:
        raise Refused(ways.refusal_status, *messages)
