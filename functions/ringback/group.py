"""Which events are about one person, as far as an event tells at once: a queue keeps their order."""

from collections.abc import Callable, Mapping

from marshmallow import ValidationError

from ringback import log
from ringback.event import Event
from ringback.expressions.expression import ExpressionFailed
from ringback.leads.lead_schema import LeadSchema
from ringback.leads.phone import Phone
from ringback.lookup import Look, look_into
from ringback.secret import Secret
from ringback.settings import Settings, Source

# The number first, whatever a source matches by: opt-outs often have nothing else, and must not overtake their lead.
KEYS = ("phone_number", "email", "identifier", "customer_id")


def make_grouping(settings: Settings) -> Callable[[Event], str]:
    """Return the function from an event to its group, 32 hex digits that are the same for one person's events.

    They are a hash, keyed by ``log_key`` where there is one, of the first of ``KEYS`` that the source's map finds in
    the event as it came in: nothing is fetched. Where it finds none the group is the event's key, and the event alone
    in it. The function raises nothing.
    """
    # As a stop is read: the numbers of every country, since one must not overtake its lead wherever that is.
    schema = LeadSchema(settings.phone_region, settings.countries, settings.thulium.timezone, is_stop=True)
    key = settings.log_key or Secret("")

    def group_of(event: Event) -> str:
        try:
            found = _find(event, settings.sources.get(event.source), schema)
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not cost an event that can be stored
            log.write_bug(error, f"event {event.id} of {event.source} has no group")
            return event.key
        return key.hash(found)[:32] if found else event.key

    return group_of


def _find(event: Event, source: Source | None, schema: LeadSchema) -> str | None:
    """Return what a person is known by, with its name, or None."""
    if source is None or not isinstance(event.data, Mapping):
        return None
    look = look_into(event.data, event, source)
    return next(filter(None, (_read(name, source, look, schema) for name in KEYS)), None)


def _read(name: str, source: Source, look: Look, schema: LeadSchema) -> str | None:
    if name not in source.map:
        return None
    try:
        value = schema.fields[name].deserialize(look(source.map[name]))
    except (ExpressionFailed, ValidationError):
        return None
    text = value.e164 if isinstance(value, Phone) else str(value or "").strip()
    return f"{name}:{text}" if text else None
