"""When a lead is to be called, within the hours in which calls are made; and the status of one that is called later."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from ringback.leads.hours import Hours, next_opening, write_time
from ringback.leads.lead import STATUS_FIELDS, Lead


def schedule(lead: Lead, hours: Hours | None, zone: ZoneInfo, received_at: datetime, now: datetime) -> Lead:
    """Return the lead with the time of its call: one outside the hours, now included, moves to their next opening.

    A time that has passed becomes now: what Thulium makes of one is documented nowhere. One that had passed already
    when the event came in is noted. Without hours a call may be at any time. All times are aware.
    """
    asked = lead.next_call
    at = asked and max(asked, now)
    if hours:
        opening = next_opening(hours, at or now, zone)
        at = opening if at or opening > now else None
    if at is None:
        return lead
    notes = ("next_call_date: it was in the past, the call is due now",) if asked and asked < received_at else ()
    record = {**lead.record, "next_call_date": write_time(at, zone)}
    return replace(lead, record=record, next_call=at, notes=(*lead.notes, *notes))


def put_off(lead: Lead, later: Mapping[str, object], own: AbstractSet[str], now: datetime) -> Lead:
    """Return the lead; if its call lies in the future, with the status and the agent of the campaign's ``later``.

    ``own`` names the fields that the event itself has given: they win over ``later``, and ``later`` wins over ``set``.
    https://api.thulium.com/docs/api, the batch call's page: only CALL_NO_SOONER_THAN and MY_RECORD wait for a date.
    """
    if not later or lead.next_call is None or lead.next_call <= now:
        return lead
    stronger = own | STATUS_FIELDS if own & STATUS_FIELDS else own  # a status is one, by whichever of its two names
    kept = {name: value for name, value in lead.record.items() if name in own or name not in STATUS_FIELDS}
    return replace(lead, record={**kept, **{name: value for name, value in later.items() if name not in stronger}})
