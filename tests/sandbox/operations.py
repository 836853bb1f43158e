"""What the stand-in can be told and asked, as functions over its world; and the same over HTTP.

Arguments and results are JSON, so that both ways of telling it are alike: ``POST /_sandbox/<name>`` with an object, or
``GET`` with a query, answers ``{"result": ...}``, or 400 and ``{"error": ...}``.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import parse_qsl

from tests.sandbox.api import catch_up
from tests.sandbox.customers import filled
from tests.sandbox.dialler import ring
from tests.sandbox.exchange import Received, Reply, reply_json
from tests.sandbox.faults import Fault, Plan, Rule
from tests.sandbox.records import row
from tests.sandbox.store import STATUSES, Agent, Campaign, Customer, Record, Status, Store
from tests.sandbox.ways import Ways
from tests.sandbox.world import World

PREFIX = "/_sandbox/"


def operate(world: World, name: str, query: str, body: bytes) -> Reply:
    """Carry out an operation that came by HTTP."""
    try:
        given = json.loads(body) if body else dict(parse_qsl(query))
        with world.lock:
            return reply_json({"result": OPERATIONS[name](world, **given)})
    except (KeyError, TypeError, ValueError) as problem:
        return reply_json({"error": f"{type(problem).__name__}: {problem}"}, 400)


def add_customer(world: World, customer_id: int | None = None, **fields: Any) -> int:
    """Add a customer (``phone_number`` and ``email``: one or a list), unchecked; return the id."""
    number = world.store.next_customer_id if customer_id is None else customer_id
    world.store.keep(filled(Customer(number), fields, Ways()))
    return number


def add_agent(world: World, login: str, **fields: Any) -> None:
    """Add an agent."""
    world.store.agents[login] = Agent(len(world.store.agents) + 1, login, **fields)


def add_campaign(
    world: World,
    campaign_id: str,
    name: str = "",
    statuses: list[dict[str, Any]] | None = None,
    agents: tuple[str, ...] = (),
    *,
    is_crm: bool = True,
    is_active: bool = True,
) -> None:
    """Add a campaign, with a status of each kind or with those that are given."""
    own = [Status(**status) for status in statuses] if statuses is not None else STATUSES
    by_id = {status.status_id: status for status in own}
    world.store.campaigns[campaign_id] = Campaign(campaign_id, name, by_id, tuple(agents), is_crm, is_active)


def put_record(world: World, campaign_id: str, customer_id: int, **fields: Any) -> int:
    """Put a customer into a campaign, or change the record that is there, unchecked; return the record's id."""
    campaign = world.store.campaigns[campaign_id]
    old = campaign.records.get(customer_id)
    if old is None:
        first = next(iter(campaign.statuses))
        old = world.store.put(campaign, Record(0, customer_id, first, create_date=world.store.stamp()))
    is_rung = old.is_rung and "status_id" not in fields
    campaign.records[customer_id] = replace(old, **{"is_rung": is_rung, **fields})
    return campaign.records[customer_id].record_id


def dial(world: World, at: str | None = None) -> list[list[Any]]:
    """Have the dialler ring all who are to be called at a time (default: now); return campaign and customer of each."""
    return [list(each) for each in ring(world, at or world.store.stamp())]


def number(world: World, customer: int | None = None, record: int | None = None) -> None:
    """Set the ids that the next customer and the next record get."""
    world.store.next_customer_id = customer or world.store.next_customer_id
    world.store.next_record_id = record or world.store.next_record_id


def fail(world: World, call: str, fault: dict[str, Any], times: int | None = 1, after: int = 0) -> None:
    """Have the next calls of a kind go wrong."""
    world.plan.add(Rule(call, Fault(**fault), times, after))


def heal(world: World, call: str = "*") -> None:
    """Have nothing go wrong any longer: calls of a kind, or all, with poisons, refusals and latency."""
    world.plan.heal(call)
    if call == "*":
        world.poisons.clear()
        world.refusals.clear()
        world.latency.clear()


def poison(world: World, customer_id: int, status: int = 400, message: str = "Wrong value of field.") -> None:
    """Have each batch with this customer refused as a whole."""
    world.poisons[customer_id] = (status, message)


def refuse(world: World, customer_id: int | None = None, message: str = "Record could not be added.") -> None:
    """Have this customer's record FAIL (None: everybody's); ``{surname}`` and the like are filled in."""
    world.refusals[customer_id] = message


def slow(world: World, seconds: float, call: str = "*") -> None:
    """Have each call of a kind take so long."""
    world.latency[call] = seconds


def behave(world: World, **ways: Any) -> None:
    """Choose how the undocumented is answered; see ``Ways``."""
    world.ways = replace(world.ways, **ways)


def set_password(world: World, password: str) -> None:
    """Change the API user's password."""
    world.password = password


def customers(world: World) -> list[dict[str, Any]]:
    """Return all customers, by id."""
    found = sorted(world.store.customers.items())
    return [
        {"customer_id": number, "phone_numbers": one.phone_numbers, "emails": one.emails, **one.fields}
        for number, one in found
    ]


def records(world: World, campaign_id: str) -> list[dict[str, Any]]:
    """Return a campaign's records as Thulium shows them, in the order of adding."""
    campaign = world.store.campaigns[campaign_id]
    return [row(world, campaign, record) for record in campaign.records.values()]


def requests(world: World, call: str | None = None) -> list[dict[str, Any]]:
    """Return what came in, of a kind or all, in its order."""
    return [as_json(received) for received in world.received if call in (None, received.call)]


def counts(world: World) -> dict[str, int]:
    """Return how many calls of each kind came in."""
    return dict(world.counts)


def forget(world: World) -> None:
    """Forget the requests that came in."""
    world.received.clear()
    world.counts.clear()


def reset(world: World) -> None:
    """Start anew: no data, no faults, no requests, the likeliest ways."""
    world.store, world.ways, world.plan = Store(world.now), Ways(), Plan()
    world.put_off.clear()
    heal(world)
    forget(world)


def as_json(received: Received) -> dict[str, Any]:
    """Return a request as JSON can carry it; ``from_json`` takes it back."""
    return {**asdict(received), "body": received.body.decode("utf-8", "surrogateescape")}


def from_json(content: dict[str, Any]) -> Received:
    """Return the request that ``as_json`` was given."""
    return Received(**{**content, "body": content["body"].encode("utf-8", "surrogateescape")})


_NAMED: tuple[Callable[..., Any], ...] = (
    *(add_customer, add_agent, add_campaign, put_record, dial, catch_up, number),
    *(fail, heal, poison, refuse, slow, behave, set_password),
    *(customers, records, requests, counts, forget, reset),
)
OPERATIONS: dict[str, Callable[..., Any]] = {function.__name__: function for function in _NAMED}
