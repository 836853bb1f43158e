"""The calls that a lead would make to Thulium, as data, to be shown before it does. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from ringback.delivery.demands import may_lack
from ringback.delivery.rows import ADDED_ONLY, describe_new, find_changes, list_forms, match_keys, sure_keys
from ringback.mapping import Assignment
from ringback.settings import Campaign, Settings
from ringback.thulium.api import MOST_ROWS

NEW_ID = "<customer_id>"  # stands for the id of a customer who is searched first
OWNER_ID = "<another_id>"  # stands for the id of a customer who has the lead's number


@dataclass(frozen=True)
class Call:
    """One request to Thulium's API. ``path`` stands after ``/api/``, ``when`` says which calls are not always made."""

    method: str
    path: str
    body: Mapping[str, object] | None = None
    when: str = ""


def plan_calls(assignment: Assignment, settings: Settings) -> Iterator[Call]:
    """Yield the calls that are made for an assignment, in their order."""
    if needs_statuses(assignment):
        yield _plan_statuses(assignment.campaigns[0], "unless it was asked within the hour: what the status demands")
    if assignment.lead.customer_id is None or (assignment.source.action == "stop" and match_keys(assignment)):
        yield from _plan_customer(assignment, settings)
    if assignment.source.action == "stop":
        yield from _plan_stop(assignment, settings)
    else:
        yield from _plan_record(assignment, assignment.campaigns[0])


def needs_statuses(assignment: Assignment) -> bool:
    """Return whether it depends on the campaign's statuses whether a lead's record is whole."""
    return assignment.source.action == "lead" and may_lack(assignment.lead.record)


def _plan_statuses(campaign: Campaign, when: str) -> Call:
    return Call("GET", f"outbounds/{quote(campaign.id)}/statuses", when=when)


def _plan_customer(assignment: Assignment, settings: Settings) -> Iterator[Call]:
    lead, rules = assignment.lead, assignment.source.customer
    is_stop = assignment.source.action == "stop"
    for number, key in enumerate(match_keys(assignment)):
        when = "if that finds nobody" if number and not is_stop else ""
        yield from _plan_searches(key, assignment, settings.thulium.phone_forms, when)
    if lead.customer_id:
        yield Call("GET", f"customers/{lead.customer_id}")
    if lead.phone and not is_stop:
        yield from _plan_owners(assignment, settings)
    if rules.on_missing == "create" and (lead.phone or is_stop):
        yield Call("POST", "customers", describe_new(lead), "if nobody is found")
        for key in sure_keys(match_keys(assignment)):
            yield from _plan_searches(
                key, assignment, settings.thulium.phone_forms, "whether somebody else has done the same"
            )
    update = [name for name in match_keys(assignment) if name in ADDED_ONLY] if is_stop else rules.update
    lacking = find_changes({}, lead, update, settings.phone_region)
    if not lead.customer_id and any(name in ADDED_ONLY for name in lacking):
        yield Call("GET", f"customers/{NEW_ID}", when="if somebody is found who lacks the number or the address")
    if lacking:
        yield Call("PUT", f"customers/{NEW_ID}", lacking, "if somebody is found who lacks any of it")


def _plan_owners(assignment: Assignment, settings: Settings) -> Iterator[Call]:
    """Yield the calls that ask whether the number to be called belongs to an opt-out."""
    if match_keys(assignment)[0] != "phone_number":
        when = "unless that was searched already"
        yield from _plan_searches("phone_number", assignment, settings.thulium.phone_forms, when)
    path = f"crm_outbounds/{quote(assignment.campaigns[0].id)}/records/{OWNER_ID}"
    yield Call("GET", path, when="if another customer has the number: who said stop is not called on it")
    by_dictionary = settings.stop or "dictionary_status_id" in assignment.campaigns[0].stop
    if by_dictionary and not needs_statuses(assignment):
        yield _plan_statuses(assignment.campaigns[0], "if that record is not to be called")


def _plan_searches(name: str, assignment: Assignment, forms: Sequence[str], when: str) -> Iterator[Call]:
    for form in list_forms(assignment.lead, name, forms):
        yield Call("GET", f"customers?{urlencode({name: form, 'limit': MOST_ROWS})}", when=when)


def _plan_record(assignment: Assignment, campaign: Campaign) -> Iterator[Call]:
    who, record = assignment.lead.customer_id or NEW_ID, assignment.lead.record
    yield _plan_batch(campaign, who, record)
    if campaign.on_existing == "requeue":
        path = f"crm_outbounds/{quote(campaign.id)}/records/{who}"
        yield Call("GET", path, when="if they are in the campaign already")
        yield Call("PUT", path, record, "if that record may be called again")


def _plan_stop(assignment: Assignment, settings: Settings) -> Iterator[Call]:
    who = assignment.lead.customer_id or NEW_ID
    for campaign in assignment.campaigns:
        yield _plan_batch(campaign, who, campaign.stop)
        path = f"crm_outbounds/{quote(campaign.id)}/records/{who}"
        if settings.requeues(campaign):
            yield Call("GET", path, when="if they are in the campaign already; again after a change, and later")
            yield Call("PUT", path, campaign.stop, "if that record is not stopped")
        else:
            yield Call("PUT", path, campaign.stop, "if they are in the campaign already")
    if settings.stop:
        for form in list_forms(assignment.lead, "phone_number", settings.thulium.phone_forms):
            body = {"phone_number": form, "status_id": str(settings.stop)}
            yield Call("POST", "outbound_status_by_phone_number", body)


def _plan_batch(campaign: Campaign, who: object, record: Mapping[str, object]) -> Call:
    path = f"batch/crm_outbounds/{quote(campaign.id)}/records"
    return Call("POST", path, {"records": [{"customer_id": who, **record}]})
