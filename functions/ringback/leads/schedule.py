"""When a lead is to be called: what it asks for, within the hours in which calls are made."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from ringback.leads.hours import Hours, next_opening, write_time
from ringback.leads.lead import Lead


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
    return replace(lead, record=record, notes=(*lead.notes, *notes))
