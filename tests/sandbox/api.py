"""Thulium's REST API, as far as Ringback calls it: who may ask, which call it is, and what is answered."""

import base64
import re
from collections.abc import Callable

from tests.sandbox import batch, campaigns, customers, records
from tests.sandbox.exchange import Received, Refused, Reply, error_body
from tests.sandbox.world import World

ROUTES: dict[str, tuple[str, Callable[..., Reply]]] = {
    "search": ("GET customers", customers.search),
    "create": ("POST customers", customers.create),
    "customer": ("GET customers/:id", customers.read),
    "update": ("PUT customers/:id", customers.change),
    "delete": ("DELETE customers/:id", customers.delete),
    "campaigns": ("GET outbounds", campaigns.campaigns),
    "statuses": ("GET outbounds/:id/statuses", campaigns.statuses),
    "agents": ("GET outbounds/:id/agents", campaigns.agents),
    "agent": ("GET agents/:login", campaigns.agent),
    "records": ("GET crm_outbounds/:id/records", records.records),
    "add": ("POST crm_outbounds/:id/records", records.add),
    "record": ("GET crm_outbounds/:id/records/:customer_id", records.record),
    "change": ("PUT crm_outbounds/:id/records/:customer_id", records.change),
    "batch": ("POST batch/crm_outbounds/:id/records", batch.add_many),
    "remove": ("DELETE batch/crm_outbounds/:id/records", batch.remove_many),
    "stop": ("POST outbound_status_by_phone_number", campaigns.status_by_number),
}


_PATTERNS = {
    call: (route.split()[0], re.compile("/api/" + re.sub(r":\w+", "([^/]+)", route.split()[1])))
    for call, (route, _) in ROUTES.items()
}


def which(method: str, path: str) -> str:
    """Return the name of the call; ``?`` for one that does not exist."""
    for call, (verb, pattern) in _PATTERNS.items():
        if verb == method and pattern.fullmatch(path):
            return call
    return "?"


def answer(world: World, received: Received) -> Reply:
    """Do what is asked and return what Thulium replies. Errors come in the documented form."""
    try:
        _authorise(world, received)
        return _called(world, received)
    except Refused as refused:
        body = error_body(refused.messages, refused.status, world.request_id())
        return Reply(refused.status, body)


def catch_up(world: World) -> int:
    """Carry out what was put off and is due by now, in its order; return how many requests that were."""
    now = world.now()
    due = sorted((each for each in world.put_off if each[0] <= now), key=lambda each: each[0])
    world.put_off = [each for each in world.put_off if each[0] > now]
    for _, received in due:
        answer(world, received)
    return len(due)


def _called(world: World, received: Received) -> Reply:
    if received.call == "?":
        known = any(pattern.fullmatch(received.path) for _, pattern in _PATTERNS.values())
        raise Refused(*((405, "Method not allowed.") if known else (404, "Resource not found.")))
    found = _PATTERNS[received.call][1].fullmatch(received.path)
    return ROUTES[received.call][1](world, received, *(found.groups() if found else ()))


def _authorise(world: World, received: Received) -> None:
    expected = b"Basic " + base64.b64encode(f"{world.user}:{world.password}".encode())
    if received.headers.get("authorization", "").encode() != expected:
        raise Refused(401, "Wrong user or password.")
