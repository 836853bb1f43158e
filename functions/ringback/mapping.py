"""(event, source) -> a lead and its campaign, or the outcome that says why there is none."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from ringback.errors import CallFailed
from ringback.event import Event
from ringback.expressions.expression import Expression, ExpressionFailed, is_true
from ringback.known import KNOWN_FIELDS, hash_lead, hash_values
from ringback.leads.consent import forbids_call, is_yes
from ringback.leads.hours import read_relative
from ringback.leads.lead import IDS, RECORD_FIELDS, BadLead, Lead, find_region, read_lead
from ringback.leads.lead_schema import LeadSchema, is_empty, recognise_first
from ringback.leads.phone import Phone
from ringback.leads.schedule import put_off, schedule
from ringback.leads.telling import is_harmless, shares_digits
from ringback.lookup import Look, look_into
from ringback.messages import scrub
from ringback.outcome import Outcome, Status
from ringback.secret import Secret
from ringback.settings import Campaign, Place, Settings, Source

NAMES = ("name", "surname", "full_name")


@dataclass(frozen=True)
class Assignment:
    """A lead and where it goes: one campaign, or for a stop every campaign it holds for.

    ``untold`` is the customer's id as the event has it, where it may be a number of the person: no outcome shows it.
    """

    event: Event
    source: Source
    lead: Lead
    campaigns: tuple[Campaign, ...]
    person: str | None
    known: tuple[str, ...] = ()
    untold: int | None = None

    @property
    def customer_id(self) -> int:
        """The lead's customer. Raises ValueError as long as Thulium has not been asked for it."""
        if self.lead.customer_id is None:
            raise ValueError("the lead's customer is not known yet")
        return self.lead.customer_id

    def outcome(self, status: Status, reason: str | None = None, **rest: object) -> Outcome:
        """Return an outcome of this lead; the lead's missing parts are noted in its reason."""
        notes = "; ".join(filter(None, (reason, *self.lead.notes)))
        customer_id = None if self.lead.customer_id == self.untold else self.lead.customer_id
        told = {"campaign_id": self.campaigns[0].id, "customer_id": customer_id, "person": self.person}
        return Outcome(status, notes or None, **{**told, "known": self.known, **rest})  # type: ignore[arg-type]

    def defer(self, error: CallFailed) -> Outcome:
        """Return the outcome of a lead for which a call failed that may succeed another time."""
        reason = "; ".join(filter(None, (error.reason, self.scrub(error.message))))
        evidence = {"http_status": error.http_status, "retry_after": error.retry_after, "request_id": error.request_id}
        return self.outcome(Status.DEFERRED, reason, **evidence)

    def scrub(self, message: str) -> str:
        """Return a message without its personal and secret parts."""
        return scrub(message, self.lead.customer.values())


class Mapper:
    """Maps events by the settings. Each source's schema is built once: that costs more than to use it."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is built yet."""
        self.settings = settings
        self._schemas: dict[str, LeadSchema] = {}

    def map(self, event: Event, now: datetime) -> Assignment | Outcome:
        """Return the assignment that ``event`` makes by its source's rules, or its final outcome."""
        if event.problem:
            return invalid(event.problem)
        source = self.settings.sources.get(event.source)
        if source is None:
            return invalid({"source": "it is not in the configuration any more"})
        if not isinstance(event.data, Mapping):
            return invalid({"items": "neither an event nor a list of events is there"})
        look = look_into(event.data, event, source)
        try:
            result = self._apply_rules(event, source, look, now)
        except ExpressionFailed as error:
            result = invalid({error.text: str(error)})
        return self._mark(result, source, look) if isinstance(result, Outcome) else result

    def _apply_rules(self, event: Event, source: Source, look: Look, now: datetime) -> Assignment | Outcome:
        if not all(is_true(look(when)) for when in source.when):
            return Outcome(Status.SKIPPED, "`when` does not hold")
        if source.action == "lead" and (why := find_refusal(source, look)):
            return Outcome(Status.SKIPPED, why)
        campaigns = choose_campaigns(source, look)
        if not campaigns:
            return invalid({"campaign": "none of the campaigns matches"})
        values, own = gather_values(source, campaigns[0], look, event.received_at)
        try:
            lead = read_lead(self._find_schema(source), values)
        except BadLead as error:
            return invalid(error.fields, campaigns[0].id)
        person = self._hash_person(lead.phone)
        hours = campaigns[0].call_hours if source.action == "lead" else None
        lead = schedule(lead, hours, self.settings.thulium.timezone, event.received_at, now)
        lead = put_off(lead, campaigns[0].later, own, now)
        known = hash_lead(self.settings.log_key, lead)
        return Assignment(event, source, lead, campaigns, person, known, self._find_untold(source, lead))

    def _find_untold(self, source: Source, lead: Lead) -> int | None:
        """Return the customer's id as the event has it, if it may be a number of the person by its form or digits."""
        if lead.customer_id is None or "customer_id" not in source.map:
            return None
        number, region = str(lead.customer_id), source.phone_region or self.settings.phone_region
        personal = (value for name, value in lead.customer.items() if name not in IDS)
        is_told = is_harmless(number, region) and not shares_digits(number, personal)
        return None if is_told else lead.customer_id

    def mark(self, outcome: Outcome, event: Event) -> Outcome:
        """Return the outcome of an event that is not mapped with all by which its person is found later."""
        source = self.settings.sources.get(event.source)
        if source is None or not isinstance(event.data, Mapping):
            return outcome
        return self._mark(outcome, source, look_into(event.data, event, source))

    def list_known(self, event: Event) -> tuple[str, ...]:
        """Return the hashes by which an event's person is found, as far as the event tells by itself."""
        return self.mark(Outcome(Status.DEFERRED), event).known

    def _mark(self, outcome: Outcome, source: Source, look: Look) -> Outcome:
        values = {name: try_place(look, place) for name, place in source.map.items() if name in KNOWN_FIELDS}
        region = find_region(values, source.phone_region or self.settings.phone_region)
        return replace(
            outcome,
            person=self._hash_person(find_phone(source, self.settings, look)),
            known=hash_values(self.settings.log_key, values, region, self.settings.phone_region),
        )

    def _hash_person(self, phone: Phone | None) -> str | None:
        return hash_person(self.settings.log_key, phone.e164) if phone else None

    def _find_schema(self, source: Source) -> LeadSchema:
        """Return the schema of the fields that the source's leads can have."""
        if source.name not in self._schemas:
            constants = (name for route in source.routes for name in route.to.set)
            names = {name.partition(".")[0] for name in (*source.map, *source.set, *constants)} - {"phone_region"}
            self._schemas[source.name] = LeadSchema(
                source.phone_region or self.settings.phone_region,
                self.settings.countries,
                self.settings.thulium.timezone,
                home=self.settings.phone_region,
                only=names,
                is_stop=source.action == "stop",
            )
        return self._schemas[source.name]


def find_refusal(source: Source, look: Look) -> str | None:
    """Return the reason for which the event itself forbids a call, None if it does not."""
    if any(forbids_call(look(place)) for place in source.do_not_call):
        return "the sender says: do not call"
    if source.consent and not is_yes(look(source.consent.place), source.consent.yes):
        return "no consent"
    return None


def find_phone(source: Source, settings: Settings, look: Look) -> Phone | None:
    """Return the first number that an event has where its source looks for one, also if it may not be called.

    Several sources find the same person by it, whatever their countries and rules.
    """
    names = [name for name in ("phone_number", "phone_region") if name in source.map]
    try:
        values = {name: look(source.map[name]) for name in names}
    except ExpressionFailed:
        return None
    region = find_region(values, source.phone_region or settings.phone_region)
    return recognise_first(values.get("phone_number"), region, settings.countries, settings.phone_region)


def try_place(look: Look, place: Place) -> object:
    """Return the value of a place, None where it can't be worked out."""
    try:
        return look(place)
    except ExpressionFailed:
        return None


def invalid(at_fault: Mapping[str, str], campaign_id: str | None = None) -> Outcome:
    """Return the outcome of an event of which no lead can be made; ``at_fault`` names the fields, and why."""
    reason = "; ".join(f"{name}: {why}" for name, why in at_fault.items())
    return Outcome(Status.INVALID, reason, campaign_id=campaign_id, fields=at_fault)


def choose_campaigns(source: Source, look: Callable[[Expression], object]) -> tuple[Campaign, ...]:
    """Return the campaign of the first route that matches; for a stop those of all that do."""
    matching = (route.to for route in source.routes if route.when is None or is_true(look(route.when)))
    if source.action == "stop":
        return tuple({campaign.id: campaign for campaign in matching}.values())
    return tuple(islice(matching, 1))


def gather_values(
    source: Source, campaign: Campaign, look: Look, start: datetime
) -> tuple[dict[str, object], AbstractSet[str]]:
    """Return the lead's values, and which of them the event itself has given.

    The event's values win over the campaign's constants, the source's over both. A stop takes only what says who it
    is: its records have the status of a stop, and nothing else.
    """
    mapped = {name: value for name, place in source.map.items() if not is_empty(value := look(place))}
    own = mapped.keys() - source.set.keys()
    if source.action == "stop":
        return {name: value for name, value in overlay(mapped, source.set).items() if name not in RECORD_FIELDS}, own
    return overlay(overlay(read_constants(campaign.set, start), mapped), read_constants(source.set, start)), own


def overlay(values: Mapping[str, object], stronger: Mapping[str, object]) -> dict[str, object]:
    """Return the values with stronger ones instead; a full name stands in place of both its parts."""
    replaced = NAMES if "full_name" in stronger else ()
    return {**{name: value for name, value in values.items() if name not in replaced}, **stronger}


def read_constants(constants: Mapping[str, object], start: datetime) -> Mapping[str, object]:
    """Return constants with a relative time (``+15m``) worked out from ``start``."""
    at = constants.get("next_call_date")
    if not isinstance(at, str) or not at.startswith("+"):
        return constants
    return {**constants, "next_call_date": read_relative(at, start)}


def hash_person(key: Secret, e164: str) -> str:
    """Return the keyed hash by which the log knows the person with this number."""
    return key.hash(e164)[:16]
