"""What can go wrong with one call: faults as data, and the plan that says which call has which.

A fault says whether the work is done all the same, what is replied, and how the reply leaves. The functions below make
the usual ones; ``Fault(...)`` any other.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from tests.sandbox.exchange import Received, Reply, error_body, reply_json

HTML = "<!DOCTYPE html><html><body><h1>Bad Gateway</h1></body></html>"
Wire = Literal["whole", "reset", "close", "short", "hang", "drip-head", "drip-body", "endless", "hang-up"]


@dataclass(frozen=True)
class Fault:
    """How one call goes wrong.

    Before: ``wait`` seconds; with ``late``, until the client has hung up and so many seconds more.
    Work: done if ``work``, and the real reply is the base; else the base is an empty 200. With ``later`` it is done so
    many seconds later by Thulium's clock (``World.now``): by the first call that comes then, or by ``catch_up``.
    Reply: ``status``, ``headers`` and ``body`` take the base's place; ``{request}`` in the body stands for what was
    asked (query and body). Of a batch's reply the customers in ``leave_out`` are left out, those in ``strangers`` are
    ``ADDED``, and ``word`` is every customer's status. ``half`` keeps the first half of the body.
    Sending (``wire``): whole; not at all, with a reset or a plain close; ``short`` of what its length says; nothing at
    all (``hang``); a byte every ``pace`` seconds, from its head or its body on; a body without end; or whole, and then
    the kept connection is closed without a word (``hang-up``).
    """

    work: bool = False
    wait: float = 0.0
    late: float | None = None
    later: float | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    leave_out: tuple[int, ...] = ()
    strangers: tuple[int, ...] = ()
    word: str | None = None
    half: bool = False
    wire: Wire = "whole"
    pace: float = 0.05

    def __post_init__(self) -> None:
        """Refuse a way of sending that there is not."""
        if self.wire not in get_args(Wire):
            raise ValueError(f"wire: choose one of {', '.join(get_args(Wire))}")


def error(status: int, message: str = "Something went wrong.", **headers: str) -> Fault:
    """Return an error in the documented form; ``retry_after="120"`` becomes a header."""
    names = {name.replace("_", "-").title(): value for name, value in headers.items()}
    return Fault(status=status, body=error_body([message], status, "53678450401cf").decode(), headers=names)


def html(status: int = 502, body: str = HTML) -> Fault:
    """Return a page of HTML, as a proxy in front of Thulium sends it; with 200 too."""
    return Fault(status=status, body=body, headers={"Content-Type": "text/html; charset=utf-8"})


def redirect(location: str, status: int = 302) -> Fault:
    """Return a redirect."""
    return Fault(status=status, headers={"Location": location}, body="")


def says(body: str, status: int = 200, *, work: bool = True) -> Fault:
    """Return a reply whose body is not what was promised: empty, ``null``, ``[]``, ``42`` ... ."""
    return Fault(work=work, status=status, body=body)


def half() -> Fault:
    """Return half a JSON document after the work was done; its length is right."""
    return Fault(work=True, half=True)


def reset(*, after_work: bool) -> Fault:
    """Reset the connection instead of replying."""
    return Fault(work=after_work, wire="reset")


def hang(*, after_work: bool = False) -> Fault:
    """Say nothing, until the client hangs up."""
    return Fault(work=after_work, wire="hang")


def late(seconds: float) -> Fault:
    """Do the work so many seconds after the client has hung up."""
    return Fault(work=True, late=seconds)


def later(seconds: float, fault: Fault) -> Fault:
    """Reply as another fault does, and do the work so many seconds later by Thulium's clock."""
    return replace(fault, work=False, later=seconds)


def drip(part: Literal["head", "body"], pace: float = 0.05) -> Fault:
    """Send a byte of the head or the body every ``pace`` seconds; the work is done before."""
    return Fault(work=True, wire="drip-head" if part == "head" else "drip-body", pace=pace)


def endless() -> Fault:
    """Send a body that never ends; the work is done before."""
    return Fault(work=True, wire="endless")


@dataclass
class Rule:
    """A fault for a kind of call: the first ``after`` of them are spared, ``times`` have it (None: all)."""

    call: str
    fault: Fault
    times: int | None = 1
    after: int = 0


class Plan:
    """Which of the coming calls go wrong. Rules are asked in the order in which they were made."""

    def __init__(self) -> None:
        """Start with a world in which nothing fails."""
        self._rules: list[Rule] = []

    def add(self, rule: Rule) -> None:
        """Add a rule after the others."""
        self._rules.append(rule)

    def heal(self, call: str = "*") -> None:
        """Forget the rules for a kind of call; ``*``: all of them."""
        self._rules = [rule for rule in self._rules if call not in ("*", rule.call)]

    def next(self, call: str) -> Fault | None:
        """Return what happens to this call, and count it."""
        for rule in self._rules:
            if rule.call in ("*", call) and _is_due(rule):
                return rule.fault
        return None


def _is_due(rule: Rule) -> bool:
    """Count the call against the rule, and tell whether it has the fault."""
    if rule.after:
        rule.after -= 1
        return False
    if rule.times is None:
        return True
    rule.times -= 1
    return rule.times >= 0


def spoil(fault: Fault, reply: Reply, received: Received) -> Reply:
    """Return the reply as the fault leaves it."""
    if fault.leave_out or fault.strangers or fault.word is not None:
        reply = replace(reply, body=_edited(fault, json.loads(reply.body or b"{}")))
    body = reply.body if fault.body is None else _filled(fault.body, received)
    body = body[: len(body) // 2] if fault.half else body
    return Reply(fault.status or reply.status, body, {**reply.headers, **fault.headers})


def _edited(fault: Fault, items: dict[str, dict[str, Any]]) -> bytes:
    if not all(key.isdigit() for key in items):
        return reply_json(items).body  # an error, not the customers
    left = {key: item for key, item in items.items() if int(key) not in fault.leave_out}
    added = {str(number): {"http_status": 201, "record_id": 9000, "status": "ADDED"} for number in fault.strangers}
    word = {} if fault.word is None else {"status": fault.word}
    return reply_json({key: {**item, **word} for key, item in {**left, **added}.items()}).body


def _filled(body: str, received: Received) -> bytes:
    request = f"{received.query} {received.body.decode('utf-8', 'replace')}"
    return body.replace("{request}", json.dumps(request, ensure_ascii=False)[1:-1]).encode("utf-8", "surrogateescape")
