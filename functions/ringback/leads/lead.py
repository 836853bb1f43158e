"""A lead: the customer whom an event describes, and how to call them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from marshmallow import ValidationError

from ringback.errors import CallFailed
from ringback.leads.lead_schema import EMPTY, NAMES, LeadSchema
from ringback.leads.phone import Phone

RECORD_FIELDS = ("status_id", "dictionary_status_id", "agent_login", "next_call_date", "order")
STATUS_FIELDS = frozenset({"status_id", "dictionary_status_id"})  # the two ways in which Thulium takes a status
ADDRESSES = ("address", "invoice_address", "mail_drop_address")
ADDRESS_PARTS = ("street", "building", "flat", "postcode", "city", "country")
MATCH_FIELDS = ("identifier", "phone_number", "email")
LEAD_FIELDS = NAMES - {"custom_fields", *ADDRESSES} | {f"{one}.{part}" for one in ADDRESSES for part in ADDRESS_PARTS}


@dataclass(frozen=True)
class Lead:
    """A customer and how to call them, as Thulium takes both.

    ``record`` has the campaign record's fields but for ``customer_id``; ``next_call_date``, which is ``next_call``
    (aware), when it is scheduled. ``customer`` has the customer's, the phone number as it is sent. ``notes`` says which
    fields were dropped, and why. ``others`` are further customers who match: a stop holds for them too. ``failed`` says
    what has kept those from being found or completed whom a stop holds for: it is tried again.
    """

    customer_id: int | None
    record: Mapping[str, object]
    customer: Mapping[str, object] = field(repr=False)
    phone: Phone | None = None
    next_call: datetime | None = None
    notes: tuple[str, ...] = ()
    others: tuple[int, ...] = ()
    failed: CallFailed | None = None


class BadLead(ValueError):
    """No lead can be made of the values; ``fields`` names each that is at fault, and why, without showing it."""

    def __init__(self, at_fault: Mapping[str, str]) -> None:
        """Keep the fields."""
        super().__init__("; ".join(f"{name}: {why}" for name, why in at_fault.items()))
        self.fields = dict(at_fault)


def is_lead_field(name: str) -> bool:
    """Return whether ``map`` and ``set`` may have a field of this name, ``custom_fields.<its name>`` included."""
    head, _, rest = name.partition(".")
    return name in LEAD_FIELDS or (head == "custom_fields" and rest != "")


def read_lead(schema: LeadSchema, values: Mapping[str, object]) -> Lead:
    """Return the lead that ``values`` (lead field to value, dots for what is nested) make; empty ones are left out.

    An optional customer field that can't be read is dropped, with a note, as long as the lead can still be called; of a
    stop any field is, as long as somebody can be found. Raises BadLead otherwise.
    """
    given = nest_fields({name: value for name, value in values.items() if not is_empty(value)})
    try:
        good, bad = schema.load(given), {}
    except ValidationError as error:
        good, bad = dict(error.valid_data), _flatten(error.messages)  # type: ignore[arg-type]  # of a load they are so
    good = _drop_empty(good)
    fatal = {name: why for name, why in bad.items() if _is_fatal(name, good)}
    if fatal and not schema.is_stop:
        raise BadLead(fatal)
    if not any(name in good for name in ("customer_id", *MATCH_FIELDS)):
        raise BadLead(
            bad or {"customer_id": "a lead needs it, or a phone number, an e-mail address or an identifier to find one"}
        )
    return _make_lead(good, bad)


def is_empty(value: object) -> bool:
    """Return whether there is nothing in a value: spaces are nothing, nor is a list of what is empty."""
    if isinstance(value, list):
        return all(map(is_empty, value))
    return (value.strip() if isinstance(value, str) else value) in EMPTY


def split_full_name(full_name: str) -> dict[str, str]:
    """Return ``surname`` (the last word) and ``name`` (what stands before it, if anything does)."""
    first, _, last = full_name.rpartition(" ")
    return {"name": first.strip(), "surname": last} if first.strip() else {"surname": last}


def nest_fields(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values with ``custom_fields.X`` and its kin put into objects: ``{"custom_fields": {"X": ...}}``."""
    nested: dict[str, object] = {}
    for name, value in values.items():
        head, _, rest = name.partition(".")
        if rest:
            nested[head] = {**inner, rest: value} if isinstance(inner := nested.get(head), dict) else {rest: value}
        else:
            nested[name] = value
    return nested


def _drop_empty(values: Mapping[str, object]) -> dict[str, object]:
    inner = {name: _drop_empty(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    return {name: value for name, value in inner.items() if value not in EMPTY}


def _flatten(messages: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, inner in messages.items():
        if isinstance(inner, Mapping):
            flat |= _flatten(inner, f"{prefix}{name}." if name != "value" else prefix)
        else:
            flat[(prefix + str(name)).removesuffix(".value")] = str(inner[0]) if isinstance(inner, list) else str(inner)
    return flat


def _is_fatal(name: str, good: Mapping[str, object]) -> bool:
    if name == "order":  # when exactly somebody's turn comes is no reason not to call
        return False
    return name in ("customer_id", *RECORD_FIELDS) or (name == "phone_number" and "customer_id" not in good)


def _make_lead(good: Mapping[str, object], dropped: Mapping[str, str]) -> Lead:
    customer = {name: value for name, value in good.items() if name not in ("customer_id", "full_name", *RECORD_FIELDS)}
    if "full_name" in good:
        customer = {**split_full_name(" ".join(str(good["full_name"]).split())), **customer}
    phone = customer.get("phone_number")
    if isinstance(phone, Phone):
        customer["phone_number"] = phone.sent
    customer_id, next_call = good.get("customer_id"), good.get("next_call_date")
    return Lead(
        customer_id=customer_id if isinstance(customer_id, int) else None,
        record={name: good[name] for name in RECORD_FIELDS if name in good and name != "next_call_date"},
        customer=customer,
        phone=phone if isinstance(phone, Phone) else None,
        next_call=next_call if isinstance(next_call, datetime) else None,
        notes=tuple(f"{name} dropped: {why}" for name, why in dropped.items()),
    )
