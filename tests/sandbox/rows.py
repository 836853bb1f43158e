"""What Thulium shows of a customer, a record, a campaign; and lists of them, page by page."""

from collections.abc import Mapping
from typing import Any

from tests.sandbox.store import Agent, Campaign, Customer, Record, Status
from tests.sandbox.ways import Envelope, Ways

INCLUDED = ("custom_fields", "address", "invoice_address", "mail_drop_address")
PLAIN = ("company_id", "identifier", "type", "group", "company_flag", "account_manager", "updated_at")
PAGE = 100


def customer_row(customer: Customer, ways: Ways, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return a customer as ``GET customers`` shows one; what is asked for with ``include_...`` is there too."""
    fields = customer.fields
    number = customer.customer_id
    row: dict[str, Any] = {
        "customer_id": str(number) if ways.ids_as_text else number,
        "name": fields.get("name", ""),
        "surname": fields.get("surname", ""),
        "phone_number": next(iter(customer.phone_numbers), ""),
        "phone_numbers": customer.phone_numbers,
        "email": customer.emails if ways.email_as == "list" else next(iter(customer.emails), ""),
    }
    if not ways.with_phone_numbers:
        del row["phone_numbers"]
    row |= {name: fields.get(name, "") for name in PLAIN}
    return row | {name: fields.get(name, {}) for name in INCLUDED if asked.get(f"include_{name}") == "true"}


def record_row(record: Record, campaign: Campaign, customer: Customer | None, agent: Agent | None) -> dict[str, Any]:
    """Return a record as ``GET crm_outbounds/:id/records`` shows one."""
    status = campaign.statuses[record.status_id]
    return {
        "record_id": record.record_id,
        "phone_number": next(iter(customer.phone_numbers), "") if customer else "",
        "system_status": status.system_status,
        "status": status.name,
        "status_id": status.status_id,
        "call_date": record.call_date,
        "create_date": record.create_date,
        "next_call_date": record.next_call_date,
        "agent_name": f"{agent.name} {agent.surname}".strip() if agent else "",
        "agent_login": record.agent_login,
        "customer_id": record.customer_id,
        "last_note": record.last_note,
        "order": record.order,
    }


def status_row(status: Status) -> dict[str, Any]:
    """Return a status as ``GET outbounds/:id/statuses`` shows one: its id is text there."""
    return {
        "system_status": status.system_status,
        "status_id": str(status.status_id),
        "dictionary_status_id": status.dictionary_status_id,
        "name": status.name,
    }


def campaign_row(campaign: Campaign) -> dict[str, Any]:
    """Return a campaign as ``GET outbounds`` may show one: that page could not be read."""
    kind = "crm" if campaign.is_crm else "csv"
    return {"id": campaign.id, "name": campaign.name, "type": kind, "active": campaign.is_active}


def in_envelope(rows: list[Any], count: int, envelope: Envelope) -> object:
    """Return a list in one of its forms; ``count`` is that of all matches, not of this page."""
    forms: dict[str, object] = {"bare": rows, "result": {"count": count, "result": rows}, "data": {"data": rows}}
    return forms[envelope]


def page(rows: list[Any], asked: Mapping[str, str], most: int) -> list[Any]:
    """Return the rows that ``order``, ``offset`` and ``limit`` ask for: 100 by default, never more than ``most``."""
    order = asked.get("order", "")
    if order:
        rows = sorted(rows, key=lambda row: str(row.get(order.lstrip("-"), "")), reverse=order.startswith("-"))
    start = _whole(asked.get("offset"), 0)
    return rows[start : start + min(_whole(asked.get("limit"), PAGE), most)]


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default
