"""Which customers ``GET customers`` finds: every filter must hold."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.sandbox import phones
from tests.sandbox.exchange import Refused
from tests.sandbox.rows import INCLUDED
from tests.sandbox.store import Customer, Store
from tests.sandbox.ways import Ways

INDEXED = ("identifier", "phone_number", "email")
KNOWN = {*INDEXED, "nip", "company_id", "company_flag", "type", "group"}
PAGING = {"limit", "offset", "order", *(f"include_{name}" for name in INCLUDED)}
_CUSTOM = re.compile(r"custom_fields\[([^\]]+)\](?:\[\d*\])?")


def filtered(store: Store, asked: Sequence[tuple[str, str]], ways: Ways) -> list[Customer]:
    """Return the customers for whom all filters hold, by id. Unknown filters do nothing, or are refused."""
    filters = _filters(asked, ways)
    lookup = next((name for name in INDEXED if name in filters), None)
    customers: Iterable[Customer] = store.customers.values()
    if lookup is not None and len(filters[lookup]) == 1:
        customers = store.candidates(lookup, filters[lookup][0])
    found = [customer for customer in customers if _all_hold(customer, filters, ways)]
    return sorted(found, key=lambda customer: customer.customer_id, reverse=ways.customers_order == "newest")


def agreeing(store: Store, customer: Customer, name: str, ways: Ways) -> bool:
    """Tell whether another customer has the same identifier, or one of the same numbers or addresses."""
    values = {"phone_number": customer.phone_numbers, "email": customer.emails}.get(name)
    own = values if values is not None else [str(customer.fields.get(name) or "")]
    others = ((other, value) for value in own if value for other in store.candidates(name, value))
    return any(other.customer_id != customer.customer_id and holds(other, name, value, ways) for other, value in others)


def holds(customer: Customer, name: str, value: str, ways: Ways) -> bool:
    """Tell whether one filter holds; an empty value asks for those who have nothing there."""
    if name == "phone_number":
        return _any_number(customer, value, ways)
    if name == "email":
        return _any_address(customer, value, ways)
    own = _CUSTOM.fullmatch(name)
    if own:
        custom = customer.fields.get("custom_fields")
        return str((custom if isinstance(custom, dict) else {}).get(own[1], "")) == value
    return str(customer.fields.get(name) or "") == value


def _filters(asked: Sequence[tuple[str, str]], ways: Ways) -> dict[str, list[str]]:
    filters: dict[str, list[str]] = defaultdict(list)
    for name, value in asked:
        own = _CUSTOM.fullmatch(name)
        if own or name in KNOWN:
            filters[f"custom_fields[{own[1]}]" if own else name].append(value)
        elif name not in PAGING and ways.unknown_filters == "refused":
            raise Refused(400, f"Unknown parameter {name}.")
    return filters


def _all_hold(customer: Customer, filters: dict[str, list[str]], ways: Ways) -> bool:
    return all(any(holds(customer, name, value, ways) for value in values) for name, values in filters.items())


def _any_number(customer: Customer, value: str, ways: Ways) -> bool:
    if not value:
        return not customer.phone_numbers
    searched = customer.phone_numbers if ways.additional_numbers else customer.phone_numbers[:1]
    return any(phones.MATCH[ways.phone_match](number, value) for number in searched)


def _any_address(customer: Customer, value: str, ways: Ways) -> bool:
    if not value:
        return not customer.emails
    if ways.email_case:
        return value in customer.emails
    return value.lower() in {address.lower() for address in customer.emails}
