"""Which events are about one person, as far as an event tells at once: they keep their order, one after another."""

from collections.abc import Callable, Mapping

from marshmallow import ValidationError

from ringback import log
from ringback.event import Event
from ringback.expressions.expression import ExpressionFailed
from ringback.leads.lead_schema import LeadSchema
from ringback.lookup import Look, look_into
from ringback.mapping import find_phone
from ringback.settings import Settings, Source

# After the number, which comes first whatever a source matches by.
KEYS = ("email", "identifier", "customer_id")


def make_grouping(settings: Settings) -> Callable[[Event], str]:
    """Return the function from an event to its group in a queue: its person, opt-outs and leads apart.

    So no opt-out waits behind a lead. An event of which no person is known is alone in a group, under its key.
    """
    find_person = make_persons(settings)

    def group_of(event: Event) -> str:
        source, person = settings.sources.get(event.source), find_person(event)
        return settings.log_key.hash(f"{source.action}:{person}")[:32] if source and person else event.key

    return group_of


def make_persons(settings: Settings) -> Callable[[Event], str]:
    """Return the function from an event to its person, 32 hex digits that are the same for one person's events.

    They are a hash, keyed by ``log_key``, of the number that the source's map finds in the event as it came in
    (nothing is fetched), else of the first of ``KEYS``; "" where it finds none. The function raises nothing.
    """
    schema = LeadSchema(settings.phone_region, settings.countries, settings.thulium.timezone)

    def person_of(event: Event) -> str:
        source = settings.sources.get(event.source)
        try:
            found = _find(event, source, settings, schema) if source else None
        except Exception as error:  # noqa: BLE001 - a mistake of ours must not cost an event that can be stored
            log.write_bug(error, f"event {event.id} of {event.source} has no group")
            return ""
        return settings.log_key.hash(found)[:32] if found else ""

    return person_of


def _find(event: Event, source: Source, settings: Settings, schema: LeadSchema) -> str | None:
    """Return the first key of a person, with its name, or None."""
    if not isinstance(event.data, Mapping):
        return None
    look = look_into(event.data, event, source)
    if phone := find_phone(source, settings, look):
        return f"phone_number:{phone.e164}"
    return next(filter(None, (_read(name, source, look, schema) for name in KEYS)), None)


def _read(name: str, source: Source, look: Look, schema: LeadSchema) -> str | None:
    if name not in source.map:
        return None
    try:
        text = str(schema.fields[name].deserialize(look(source.map[name])) or "")
    except (ExpressionFailed, ValidationError):
        return None
    return f"{name}:{text}" if text else None
