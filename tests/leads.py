"""A configuration that calls a stand-in Thulium, and events that are delivered through it."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ringback.event import Again, Event
from ringback.outcome import Outcome
from ringback.pipeline import Pipeline
from ringback.settings import Settings
from tests.given import PROOF, load
from tests.sandbox import Sandbox

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)  # a Monday, 10:00 in Warsaw
PERSON = ("customer_id", "phone_number", "email", "identifier", "full_name", "name", "surname", "note")
RECORD = ("status_id", "agent_login")
COUNTRY = {"custom_fields.Kraj": "country"}

_numbers = itertools.count(1)


def make_sources(**changes: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return two sources of leads, ``website`` and ``shop``, and one of stops, ``optout``, with some keys changed."""
    person = {name: name for name in PERSON} | COUNTRY
    lead = {**PROOF, "map": {**person, **{name: name for name in RECORD}}, "campaign": "callbacks"}
    stop = {**PROOF, "map": person, "campaign": "*", "action": "stop"}
    sources = {"website": lead, "shop": lead, "optout": stop}
    return {name: {**source, **changes.get(name, {})} for name, source in sources.items()}


def configure(
    thulium: Sandbox,
    *,
    access: Mapping[str, Any] | None = None,
    callbacks: Mapping[str, Any] | None = None,
    campaigns: Mapping[str, Any] | None = None,
    sources: Mapping[str, Mapping[str, Any]] | None = None,
    **top: Any,
) -> Settings:
    """Return the settings of the usual sources (changed by ``sources``), and of the campaign ``callbacks``."""
    callback = {"id": "00001", "set": {"status_id": 3}, "stop": {"status_id": 6}, **(callbacks or {})}
    whole = {
        "thulium": {"url": thulium.url, "user": thulium.user, "password": thulium.password, **(access or {})},
        "campaigns": {"callbacks": callback, **(campaigns or {})},
        "sources": make_sources(**(sources or {})),
        "log_key": "an-invented-key-long-enough",
        **top,
    }
    return load(whole)


def make_event(source: str = "website", /, **data: Any) -> Event:
    """Return an event of its own id and key with this data."""
    number = next(_numbers)
    return Event(source, f"e{number}", f"key-{number}", data, NOW)


def deliver(settings: Settings | Pipeline, *events: Event, now: datetime = NOW) -> list[Outcome]:
    """Return what becomes of events that are delivered together, by a pipeline or (for settings) by a new one."""
    pipeline = settings if isinstance(settings, Pipeline) else Pipeline(settings)
    return [verdict.outcome for verdict in pipeline.deliver(events, now)]


def follow(settings: Settings | Pipeline, event: Event, now: datetime = NOW) -> list[Outcome]:
    """Return what becomes of an event with each try, of which each is made when it is due, until one is the last."""
    pipeline = settings if isinstance(settings, Pipeline) else Pipeline(settings)
    (verdict,) = pipeline.deliver([event], now)
    if not isinstance(verdict, Again):
        return [verdict.outcome]
    later = replace(event, attempt=event.attempt + 1)
    return [verdict.outcome, *follow(settings, later, verdict.at)]


def read_statuses(outcomes: list[Outcome]) -> list[str]:
    """Return the words of some outcomes."""
    return [str(outcome.status) for outcome in outcomes]
