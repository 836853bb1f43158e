"""A lead: the customer that an event describes, and how to call them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from marshmallow import ValidationError

from ringback.errors import CallFailed
from ringback.leads.contacts import find_contacts
from ringback.leads.country import read_country
from ringback.leads.lead_schema import EMPTY, NAMES, LeadSchema, Regional, is_empty, list_values
from ringback.leads.phone import Phone

NOT_KNOWN = "a lead needs it, or a phone number, an e-mail address or an identifier to find one"
UNREADABLE = "neither a telephone number nor an e-mail address can be read in it"
CONTACTS = ("phone_number", "email")
RECORD_FIELDS = ("status_id", "dictionary_status_id", "agent_login", "next_call_date", "order")
STATUS_FIELDS = frozenset({"status_id", "dictionary_status_id"})  # the two ways in which Thulium takes a status
ADDRESSES = ("address", "invoice_address", "mail_drop_address")
ADDRESS_PARTS = ("street", "building", "flat", "postcode", "city", "country")
IDS = ("customer_id", "identifier", "phone_region", *RECORD_FIELDS)  # these tell nothing of a person
MATCH_FIELDS = ("identifier", "phone_number", "email")
LEAD_FIELDS = (
    NAMES - {"custom_fields", *ADDRESSES}
    | {"phone_region"}
    | {f"{one}.{part}" for one in ADDRESSES for part in ADDRESS_PARTS}
)
# Behind a comma these belong to the name before it: the first name in `Jan Wrona, MBA` is Jan.
_TITLES = "jr sr ii iii phd md mba msc bsc ma ba esq cpa dds dr prof mgr inż lic hab mag ing bc dipl-ing"
TITLES = frozenset(_TITLES.split())


@dataclass(frozen=True)
class Lead:
    """A customer and how to call them, as Thulium takes both.

    ``record`` has the campaign record's fields but for ``customer_id``; ``next_call_date``, which is ``next_call``
    (aware), when it is scheduled. ``customer`` has the customer's, the telephone number as it is sent. ``phones`` and
    ``emails`` are all that the customer is known by: of a lead one at most, of an opt-out each that it names. ``notes``
    says which fields were dropped, and why. ``others`` are further customers that match: a stop holds for them too.
    ``failed`` is the failure of a search or change of customers that a stop holds for: it is tried again.
    """

    customer_id: int | None
    record: Mapping[str, object]
    customer: Mapping[str, object] = field(repr=False)
    phones: tuple[Phone, ...] = ()
    emails: tuple[str, ...] = field(default=(), repr=False)
    next_call: datetime | None = None
    notes: tuple[str, ...] = ()
    others: tuple[int, ...] = ()
    failed: CallFailed | None = None

    @property
    def phone(self) -> Phone | None:
        """The number that is called, or the first that an opt-out names."""
        return next(iter(self.phones), None)

    def list_values(self, name: str) -> tuple[str, ...]:
        """Return the values of a field by which customers are matched: none, one, or of an opt-out several."""
        if name == "phone_number":
            return tuple(phone.sent for phone in self.phones)
        if name == "email":
            return self.emails
        return (str(self.customer[name]),) if name in self.customer else ()


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

    An optional field that can't be read is dropped, with a note, as long as the lead can still be called; of a stop any
    field is, as long as a customer can be found. Raises BadLead otherwise.
    """
    given = {name: value for name, value in values.items() if not is_empty(value)}
    if schema.is_stop:
        return _read_stop(schema, given)
    good, bad = _load(schema, read_region(given))
    fatal = {name: why for name, why in bad.items() if _is_fatal(name, good)}
    if fatal:
        raise BadLead(fatal)
    phone, email = good.get("phone_number"), good.get("email")
    phones = (phone,) if isinstance(phone, Phone) else ()
    return _make_lead(good, bad, phones, (email,) if isinstance(email, str) else ())


def _read_stop(schema: LeadSchema, given: Mapping[str, object]) -> Lead:
    """Return an opt-out with every number and address in what it gives for either."""
    region = find_region(given, schema.region) or schema.region
    found = {name: find_contacts(given[name], region, schema.home) for name in CONTACTS if name in given}
    phones = dict.fromkeys(phone for phones, _ in found.values() for phone in phones)
    emails = dict.fromkeys(email for _, emails in found.values() for email in emails)
    good, bad = _load(schema, {name: value for name, value in given.items() if name not in (*CONTACTS, "phone_region")})
    bad |= {name: UNREADABLE for name, contacts in found.items() if contacts == ([], [])}
    good |= dict(zip(CONTACTS, (next(iter(each), None) for each in (phones, emails)), strict=True))
    return _make_lead(_drop_empty(good), bad, tuple(phones), tuple(emails))


def read_region(values: Mapping[str, object]) -> Mapping[str, object]:
    """Return lead values with the number bound to the region that the event names, if it names one."""
    if "phone_region" not in values:
        return values
    rest = {name: value for name, value in values.items() if name != "phone_region"}
    regional = Regional(values.get("phone_number"), find_region(values, ""))
    return {**rest, "phone_number": regional} if "phone_number" in values else rest


def find_region(values: Mapping[str, object], otherwise: str) -> str:
    """Return the country of the number in lead values (two letters): "" for one not known, else the one given."""
    country = next(iter(list_values(values.get("phone_region"))), None)
    return otherwise if country is None else read_country(str(country)) or ""


def _load(schema: LeadSchema, given: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Return what the good values come to, and of the bad ones why."""
    try:
        good, bad = schema.load(nest_fields(given)), {}
    except ValidationError as error:
        good, bad = dict(error.valid_data), _flatten(error.messages)  # type: ignore[arg-type]  # of a load they are so
    return _drop_empty(good), bad


def split_full_name(full_name: str) -> dict[str, str]:
    """Return ``surname`` (the last word) and ``name`` (what stands before it), if there is either.

    ``Wrona, Jan`` has its surname first; a title behind a comma is left out.
    """
    before, comma, after = (part.strip() for part in full_name.partition(","))
    is_title = set(after.lower().replace(".", "").replace(",", " ").split()) <= TITLES
    if comma and before and not is_title:
        return {"name": " ".join(after.replace(",", " ").split()), "surname": before}
    first, _, last = (before or after).rpartition(" ")
    return {name: part for name, part in (("name", first.strip()), ("surname", last)) if part}


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
    if name in ("order", "next_call_date"):  # neither is a reason not to call
        return False
    return name in ("customer_id", *RECORD_FIELDS) or (name == "phone_number" and "customer_id" not in good)


def _make_lead(
    good: Mapping[str, object], dropped: Mapping[str, str], phones: tuple[Phone, ...], emails: tuple[str, ...]
) -> Lead:
    """Return the lead; ``good`` has what was read. Raises BadLead if no customer can be found by it."""
    if not any(name in good for name in ("customer_id", *MATCH_FIELDS)):
        raise BadLead(dropped or {"customer_id": NOT_KNOWN})
    customer = {name: value for name, value in good.items() if name not in ("customer_id", "full_name", *RECORD_FIELDS)}
    if "full_name" in good:
        customer = {**split_full_name(str(good["full_name"])), **customer}
    if phones:
        customer["phone_number"] = phones[0].sent
    customer_id, next_call = good.get("customer_id"), good.get("next_call_date")
    return Lead(
        customer_id=customer_id if isinstance(customer_id, int) else None,
        record={name: good[name] for name in RECORD_FIELDS if name in good and name != "next_call_date"},
        customer=customer,
        phones=phones,
        emails=emails,
        next_call=next_call if isinstance(next_call, datetime) else None,
        notes=tuple(f"{name} dropped: {why}" for name, why in dropped.items()),
    )
