"""How a test talks to the stand-in, in its own process (``Sandbox``) or in another one (``Remote``)."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.sandbox.exchange import Received
from tests.sandbox.faults import Fault
from tests.sandbox.operations import PREFIX, from_json
from tests.sandbox.store import Status


class Control(ABC):
    """What the stand-in can be told and asked. ``tell`` takes the name of an operation (see ``operations``)."""

    @abstractmethod
    def tell(self, operation: str, **arguments: Any) -> Any:
        """Carry out an operation and return its result."""

    def add_customer(self, customer_id: int | None = None, **fields: Any) -> int:
        """Add a customer: ``surname=``, ``phone_number=`` (one or a list), ``email=`` ...; return the id."""
        return int(self.tell("add_customer", customer_id=customer_id, **fields))

    def add_agent(self, login: str, **fields: Any) -> None:
        """Add an agent: ``name``, ``surname``, ``is_active``."""
        self.tell("add_agent", login=login, **fields)

    def add_campaign(self, campaign_id: str, statuses: Iterable[Status] | None = None, **more: Any) -> None:
        """Add a campaign: ``name``, ``agents`` (logins), ``is_crm``, ``is_active``. Default: a status of each kind."""
        own = None if statuses is None else [asdict(status) for status in statuses]
        self.tell("add_campaign", campaign_id=campaign_id, statuses=own, **more)

    def put_record(self, campaign_id: str, customer_id: int, **fields: Any) -> int:
        """Put a customer into a campaign, or change the record there (``call_date=`` ...); return its id."""
        return int(self.tell("put_record", campaign_id=campaign_id, customer_id=customer_id, **fields))

    def dial(self, at: str | None = None) -> list[tuple[str, int]]:
        """Have the dialler ring all who are to be called, now or when Thulium's clock shows ``at``; see ``dialler``.

        Returns the campaign's id and the customer's of each who is rung.
        """
        return [(campaign_id, customer_id) for campaign_id, customer_id in self.tell("dial", at=at)]

    def catch_up(self) -> int:
        """Carry out what a fault has put off until now (``later``); return how many calls that were."""
        return int(self.tell("catch_up"))

    def number(self, *, customer: int | None = None, record: int | None = None) -> None:
        """Set the ids that the next customer and the next record get."""
        self.tell("number", customer=customer, record=record)

    def fail(self, call: str, fault: Fault, *, times: int | None = 1, after: int = 0) -> None:
        """Have calls of a kind (``*``: any) go wrong: the next ``times`` (None: all) but for the first ``after``."""
        self.tell("fail", call=call, fault=asdict(fault), times=times, after=after)

    def heal(self, call: str = "*") -> None:
        """Have nothing go wrong any longer."""
        self.tell("heal", call=call)

    def poison(self, customer_id: int, **how: Any) -> None:
        """Have each batch with this customer refused as a whole, with a ``status`` and a ``message``."""
        self.tell("poison", customer_id=customer_id, **how)

    def refuse(self, customer_id: int | None = None, message: str = "Record could not be added.") -> None:
        """Have this customer's record FAIL (None: everybody's); ``{surname}`` and the like are filled in."""
        self.tell("refuse", customer_id=customer_id, message=message)

    def slow(self, seconds: float, call: str = "*") -> None:
        """Have each call of a kind take so long."""
        self.tell("slow", seconds=seconds, call=call)

    def behave(self, **ways: Any) -> None:
        """Choose how the undocumented is answered: the fields of ``Ways``."""
        self.tell("behave", **ways)

    def set_password(self, password: str) -> None:
        """Change the API user's password."""
        self.tell("set_password", password=password)

    def forget(self) -> None:
        """Forget the requests that came in."""
        self.tell("forget")

    def reset(self) -> None:
        """Start anew, with nothing."""
        self.tell("reset")

    @property
    def customers(self) -> list[dict[str, Any]]:
        """All customers by id: ``customer_id``, ``phone_numbers``, ``emails`` and what else they were given."""
        found: list[dict[str, Any]] = self.tell("customers")
        return found

    def records(self, campaign_id: str) -> list[dict[str, Any]]:
        """Return a campaign's records as Thulium shows them, in the order of adding."""
        found: list[dict[str, Any]] = self.tell("records", campaign_id=campaign_id)
        return found

    def record(self, campaign_id: str, customer_id: int) -> dict[str, Any] | None:
        """Return a customer's record, if there is one."""
        return next((each for each in self.records(campaign_id) if each["customer_id"] == customer_id), None)

    @property
    def requests(self) -> list[Received]:
        """All requests that came in, in their order."""
        return self.calls(None)

    def calls(self, call: str | None) -> list[Received]:
        """Return the requests of one kind."""
        return [from_json(each) for each in self.tell("requests", call=call)]

    @property
    def counts(self) -> dict[str, int]:
        """How many calls of each kind came in; what was never called is not there."""
        found: dict[str, int] = self.tell("counts")
        return found


class Remote(Control):
    """Talks to a stand-in in another process, over its ``/_sandbox/``."""

    def __init__(self, url: str) -> None:
        """Take the stand-in's address, as in ``http://127.0.0.1:8081``."""
        self.url = url

    def tell(self, operation: str, **arguments: Any) -> Any:
        """Carry out an operation there; raise ValueError with what is said when that can't be done."""
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request("POST", PREFIX + operation, json.dumps(arguments))
            answer = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["result"]
