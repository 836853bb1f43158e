"""What the stand-in keeps: customers, agents, campaigns and their records."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tests.sandbox import phones

_NATIONAL = 9  # digits; less of a number is found by looking at all of them


@dataclass
class Customer:
    """One customer. ``fields`` holds all that is neither an id, a number nor an address, under Thulium's names."""

    customer_id: int
    phone_numbers: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Status:
    """A status that a campaign's records may have. ``dictionary_status_id`` is None for one of this campaign alone."""

    status_id: int
    system_status: str
    name: str
    dictionary_status_id: int | None = None


@dataclass
class Record:
    """A customer in a campaign. Dates are ``YYYY-MM-DD hh:mm`` in Thulium's own time zone, or empty.

    ``is_rung`` is whether the dialler has called them under the status that they have.
    """

    record_id: int
    customer_id: int
    status_id: int
    create_date: str = ""
    call_date: str = ""
    next_call_date: str = ""
    agent_login: str = ""
    last_note: str = ""
    order: int | str = ""
    is_rung: bool = False


@dataclass
class Campaign:
    """A campaign, its statuses by id, its records by customer. ``is_crm`` is false for one that is fed from a file."""

    id: str
    name: str
    statuses: dict[int, Status]
    agents: tuple[str, ...] = ()
    is_crm: bool = True
    is_active: bool = True
    records: dict[int, Record] = field(default_factory=dict)


@dataclass(frozen=True)
class Agent:
    """Somebody who makes the calls."""

    agent_id: int
    login: str
    name: str = ""
    surname: str = ""
    is_active: bool = True


STATUSES = (
    Status(1, "TO_CALL", "To call", 1),
    Status(2, "IN_PROGRESS", "In progress"),
    Status(3, "CALL", "Contact needed", 2),
    Status(4, "NO_CALL", "Not interested"),
    Status(5, "MY_RECORD", "My record"),
    Status(6, "NO_CALL", "Do not call", 3),
    Status(7, "CALL_NO_SOONER_THAN", "Not sooner than"),
    Status(8, "CALL", "Call once more", 8),
    Status(9, "ABANDONED_AFTER_N_TRIES", "Abandoned"),
    Status(10, "CALL_PROGRESSIVE", "Progressive"),
)


class Store:
    """All of it. Customers are found by number, address and identifier without looking at each of them."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Start empty; ``now`` is the clock on Thulium's wall."""
        self.customers: dict[int, Customer] = {}
        self.campaigns: dict[str, Campaign] = {}
        self.agents: dict[str, Agent] = {}
        self.next_customer_id = 1
        self.next_record_id = 1
        self._now = now
        self._found: dict[tuple[str, str], set[int]] = defaultdict(set)

    def stamp(self) -> str:
        """Return the time as records have it."""
        return self._now().strftime("%Y-%m-%d %H:%M")

    def keep(self, customer: Customer) -> None:
        """Store a customer, new or changed."""
        self.customers[customer.customer_id] = customer
        self.next_customer_id = max(self.next_customer_id, customer.customer_id + 1)
        for name, value in _keys(customer):
            self._found[name, value].add(customer.customer_id)

    def candidates(self, name: str, value: str) -> Iterable[Customer]:
        """Return the customers who may match, some of them perhaps by a value that they no longer have."""
        wanted = _key(name, value)
        if wanted is None:
            return self.customers.values()
        return [self.customers[number] for number in self._found.get((name, wanted), ()) if number in self.customers]

    def put(self, campaign: Campaign, record: Record) -> Record:
        """Put a new record into a campaign, under the next id."""
        record.record_id = self.next_record_id
        self.next_record_id += 1
        campaign.records[record.customer_id] = record
        return record


def _keys(customer: Customer) -> Iterable[tuple[str, str]]:
    yield from (("phone_number", phones.key(number)) for number in customer.phone_numbers)
    yield from (("email", address.lower()) for address in customer.emails)
    yield "identifier", str(customer.fields.get("identifier", ""))


def _key(name: str, value: str) -> str | None:
    """Return what to look up, or None where everybody must be looked at (nothing, or only a part of a number)."""
    if name == "phone_number":
        return phones.key(value) if len(phones.digits(value)) >= _NATIONAL else None
    return {"email": value.lower(), "identifier": value}.get(name) or None
