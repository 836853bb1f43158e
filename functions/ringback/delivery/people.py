"""Assignments by person: which are about the same one, and what each is told of what was found. Pure."""

from dataclasses import replace

from ringback.delivery.rows import match_keys
from ringback.leads.lead import MATCH_FIELDS, Lead
from ringback.mapping import Assignment
from ringback.outcome import Outcome, Status


def known_by(lead: Lead) -> list[tuple[str, object]]:
    """Return all by which a lead's customer can be found."""
    return [(name, value) for name in MATCH_FIELDS for value in lead.list_values(name)]


def needs_search(assignment: Assignment) -> bool:
    """Return whether Thulium is asked for the lead's customer: a stop holds for all that match, known or not."""
    lead = assignment.lead
    return lead.customer_id is None or (assignment.source.action == "stop" and bool(known_by(lead)))


def identity(assignment: Assignment) -> object:
    """Return what is equal for assignments of one source whose customer is one and the same, and called by one rule."""
    lead = assignment.lead
    keys = tuple((name, lead.list_values(name)) for name in match_keys(assignment))
    return lead.customer_id, keys, assignment.source.name, tuple(campaign.id for campaign in assignment.campaigns)


def add_fields(assignment: Assignment, earlier: Assignment) -> Assignment:
    """Return an assignment with what an earlier one of the same person said of them besides."""
    customer = {**earlier.lead.customer, **assignment.lead.customer}
    phones, emails = assignment.lead.phones or earlier.lead.phones, assignment.lead.emails or earlier.lead.emails
    return replace(assignment, lead=replace(assignment.lead, customer=customer, phones=phones, emails=emails))


def is_failed(found: Assignment | Outcome) -> bool:
    """Return whether Thulium has refused a customer for good."""
    return isinstance(found, Outcome) and found.status is Status.FAILED


def take_over(assignment: Assignment, found: Lead | Outcome) -> Assignment | Outcome:
    """Return an assignment with what was found for it and others of its person, or the outcome of all of them."""
    if isinstance(found, Outcome):
        return found
    notes = tuple(dict.fromkeys((*assignment.lead.notes, *found.notes)))
    known = {"customer_id": found.customer_id, "others": found.others, "failed": found.failed}
    lead = replace(assignment.lead, **known, notes=notes)  # type: ignore[arg-type]  # mypy knows no replace of a dict
    return replace(assignment, lead=lead)
