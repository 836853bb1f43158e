"""A lead beside a customer's row in Thulium: is it the same person, and what is still to be told. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ringback.leads.email import same_address
from ringback.leads.lead import MATCH_FIELDS, Lead, nest_fields
from ringback.leads.phone import same_number, search_forms
from ringback.mapping import Assignment

ADDED_ONLY = ("phone_number", "email")  # a customer may have several of these: they are added, never replaced
IN_PLACE_OF_A_SURNAME = ("name", "email", "phone_number", "identifier")

Row = Mapping[str, object]


def match_keys(assignment: Assignment) -> tuple[str, ...]:
    """Return the lead fields that its customer is searched by, in the source's order; what it lacks is left out.

    A lead with none of those is searched by whatever it has: to create it unseen would make it once for each delivery.
    """
    customer = assignment.lead.customer
    own = tuple(name for name in assignment.source.customer.match if name in customer)
    return own or tuple(name for name in MATCH_FIELDS if name in customer)


def sure_keys(keys: Sequence[str]) -> list[str]:
    """Return by what a customer just created is searched again: the first key, and the number that all have in common.

    By the first a later lead finds them; the number is what another instance's lead, which may lack the first, has too.
    """
    return list(dict.fromkeys((keys[0], "phone_number" if "phone_number" in keys else keys[0])))


def list_forms(lead: Lead, name: str, phone_forms: Sequence[str]) -> list[str]:
    """Return what is searched for, to find by the field ``name``: a number in each form that Thulium may have it in."""
    if name == "phone_number":
        return [form for phone in lead.phones for form in search_forms(phone, phone_forms)]
    return list(lead.list_values(name))


def get_row_id(row: Row) -> int:
    """Return a row's customer id."""
    return int(str(row["customer_id"]))


def carries(row: Row, lead: Lead, name: str, region: str) -> bool:
    """Return whether a row has one of the lead's values of a field: Thulium may ignore the filter and find others."""
    return any(_has(row, name, value, region) for value in _list_values(lead, name))


def find_missing(row: Row, lead: Lead, name: str, region: str) -> list[str]:
    """Return the lead's values of a field that a row lacks, as they are sent."""
    known = [_has(row, name, value, region) for value in _list_values(lead, name)]
    return [value for value, is_known in zip(lead.list_values(name), known, strict=True) if not is_known]


def drop_known(lead: Lead, rows: Sequence[Row], region: str) -> Lead:
    """Return an opt-out with those of its numbers and addresses that no customer has: a later lead may bring them."""
    numbers, addresses = (
        set.intersection(*(set(find_missing(row, lead, name, region)) for row in rows)) for name in ADDED_ONLY
    )
    return replace(
        lead,
        phones=tuple(phone for phone in lead.phones if phone.sent in numbers),
        emails=tuple(address for address in lead.emails if address in addresses),
    )


def split_by_address(lead: Lead) -> list[Lead]:
    """Return an opt-out in parts with one address each; the first has all the rest."""
    return [
        replace(lead, emails=lead.emails[:1]),
        *(replace(lead, customer={"email": address}, phones=(), emails=(address,)) for address in lead.emails[1:]),
    ]


def _list_values(lead: Lead, name: str) -> tuple[str, ...]:
    return tuple(phone.e164 for phone in lead.phones) if name == "phone_number" else lead.list_values(name)


def _has(row: Row, name: str, value: str, region: str) -> bool:
    texts = _texts(row, name, f"{name}s")
    if name == "phone_number":
        return any(same_number(text, value, region) for text in texts)
    return value in texts or (name == "email" and any(same_address(text, value) for text in texts))


def may_hide(row: Row, name: str) -> bool:
    """Return whether the customer may have more than its row shows: a list's rows are documented nowhere."""
    return name == "phone_number" and "phone_numbers" not in row


def count_numbers(row: Row) -> int:
    """Return how many telephone numbers a customer has."""
    return len(_texts(row, "phone_number", "phone_numbers"))


def is_shared(row: Row, lead: Lead) -> bool:
    """Return whether a customer is another person of one sender: the lead has another identifier of the same kind."""
    own, other = str(lead.customer.get("identifier") or ""), str(row.get("identifier") or "")
    return bool(own and other) and own != other and _sender(own) == _sender(other)


def _sender(identifier: str) -> str:
    """Return the part of an identifier that names its sender: ``hubspot`` of ``hubspot:7``, nothing of ``7``."""
    sender, colon, _ = identifier.partition(":")
    return sender if colon else ""


def find_changes(row: Row, lead: Lead, update: Sequence[str], region: str) -> dict[str, object]:
    """Return what ``PUT customers/:id`` shall send, so that the customer in ``row`` has the lead's ``update`` fields.

    Numbers and addresses are added to those that are there, nothing is emptied.
    """
    changes: dict[str, object] = {}
    for name in update:
        value = _read(lead.customer, name)
        if name in ADDED_ONLY:
            if missing := find_missing(row, lead, name, region):
                changes[name] = [*_texts(row, name, f"{name}s"), *missing]
        elif value is not None and _read(row, name) != value:
            changes[name] = value
    return nest_fields(changes)


def describe_new(lead: Lead) -> dict[str, object]:
    """Return the body of ``POST customers``: all of the lead's fields, and a surname, which Thulium demands."""
    fields = dict(lead.customer)
    if "surname" not in fields:
        fields["surname"] = next(fields[name] for name in IN_PLACE_OF_A_SURNAME if name in fields)
        fields.pop("name", None)
    return {name: [*lead.list_values(name)] if name in ADDED_ONLY else value for name, value in fields.items()}


def _read(fields: Row, name: str) -> object:
    head, _, rest = name.partition(".")
    value = fields.get(head)
    return value.get(rest) if rest and isinstance(value, Mapping) else value


def _texts(row: Row, *names: str) -> list[str]:
    fields = [row.get(name) for name in names]
    values = [value for field in fields for value in (field if isinstance(field, list) else [field])]
    return list(dict.fromkeys(str(value).strip() for value in values if value not in (None, "")))
