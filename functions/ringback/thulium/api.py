"""Thulium's REST API: one method a call, replies as data."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

from ringback.errors import CallFailed
from ringback.secret import Secret
from ringback.thulium import replies
from ringback.thulium.breaker import Breaker
from ringback.thulium.login import REFUSED, Login
from ringback.thulium.replies import RecordReply
from ringback.thulium.statuses import Statuses
from ringback.thulium.wire import Params, Reply, Wire

__all__ = ["RecordReply", "Thulium"]

FILTERS = frozenset({"identifier", "phone_number", "email"})
MOST_ROWS = "1000"  # that a search may return; its default is 100, and the oldest may be the last
MOST_PAGES = 5  # of one search; there are more only where Thulium ignores what is searched for
PAUSE = 60.0  # seconds without a call after Thulium has refused the password

Row = dict[str, object]
Fields = Mapping[str, object]


class Access(Protocol):
    """Thulium's address and the user; ``timeout`` is the seconds that one call may take."""

    @property
    def url(self) -> str: ...
    @property
    def user(self) -> Secret: ...
    @property
    def password(self) -> Secret: ...
    @property
    def timeout(self) -> float: ...


FindAccess = Callable[[], Access | None]


def nowhere() -> Access | None:
    """Return no other credentials: those of the start hold for good."""
    return None


class Thulium:
    """Calls Thulium, from many threads at once.

    Every method ends by ``deadline`` (monotonic time), and a call within ``timeout``. Each raises CallFailed when it
    does not get the reply that it is there for; nothing is sent again here. After a 401 no call is made for a while,
    unless ``renew`` has brought another password; and few are made while Thulium is down, as ``breaker`` says.
    """

    def __init__(  # noqa: PLR0913 - what the calls need, by name
        self,
        access: Access,
        wire: Wire,
        *,
        find_access: FindAccess = nowhere,
        breaker: Breaker | None = None,
        pause: float = PAUSE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep what the calls need; ``clock`` is monotonic.

        ``find_access`` is asked when the password was refused, and returns the credentials by now, or None.
        """
        self._wire = wire
        self._base = access.url.rstrip("/") + "/api/"
        self._timeout = access.timeout
        self._clock = clock
        self._find_access = find_access
        self._breaker = breaker or Breaker()
        self._login = Login(access.user, access.password, pause, clock)
        self.kept_statuses = Statuses(self.statuses, clock)

    def renew(self, user: Secret, password: Secret) -> None:
        """Use these credentials from now on."""
        self._login.renew(user, password)

    def find_customers(self, field: str, value: str, deadline: float) -> list[Row]:
        """Return the customers found by one field; each has its ``customer_id`` as an int.

        Whether they really have that value is for the caller to see. Raises ValueError for an empty value, with which
        Thulium looks for the customers who have none, and for a field that is none: Thulium may ignore it and return
        everybody.
        """
        if field not in FILTERS or not value.strip():
            raise ValueError(f"search by one of {', '.join(sorted(FILTERS))}, and not for an empty value")
        rows: list[Row] = []
        for _ in range(MOST_PAGES):
            params = {field: value, "limit": MOST_ROWS, **({"offset": str(len(rows))} if rows else {})}
            reply = self._ask("GET", "customers", deadline, params=params)
            page = replies.read_customers(reply, is_first=not rows)
            rows += page
            if not page or len(rows) >= replies.read_count(reply):
                break
        return rows

    def get_customer(self, customer_id: int, deadline: float) -> Row:
        """Return a customer, and no other one."""
        return replies.read_customer(self._ask("GET", f"customers/{customer_id}", deadline), customer_id)

    def create_customer(self, fields: Fields, deadline: float) -> int:
        """Create a customer and return its id. When this fails the customer may still be there: search first."""
        return replies.read_new_id(self._ask("POST", "customers", deadline, json=fields))

    def update_customer(self, customer_id: int, fields: Fields, deadline: float) -> None:
        """Change the fields that are given."""
        self._do("PUT", f"customers/{customer_id}", deadline, json=fields)

    def delete_customer(self, customer_id: int, deadline: float) -> None:
        """Delete a customer and its records."""
        self._do("DELETE", f"customers/{customer_id}", deadline)

    def add_records(self, campaign_id: str, records: Sequence[Fields], deadline: float) -> dict[int, RecordReply]:
        """Add records to a CRM campaign in one call, and return what became of each customer that the reply names.

        Each record has its ``customer_id`` (int), and no two have the same. Doing it again does no harm: who is there
        is ALREADY_EXISTS.
        """
        reply = self._ask("POST", f"batch/{_records(campaign_id)}", deadline, json={"records": [*records]})
        return replies.read_records(reply, (int(str(record["customer_id"])) for record in records))

    def remove_records(self, campaign_id: str, ids: Iterable[int], deadline: float) -> dict[int, RecordReply]:
        """Take customers out of a campaign: REMOVED, NOT_EXIST or CALL_IN_PROGRESS for each that the reply names."""
        asked = list(ids)
        params = [("customer_id[]", str(number)) for number in asked]
        return replies.read_records(
            self._ask("DELETE", f"batch/{_records(campaign_id)}", deadline, params=params), asked
        )

    def get_record(self, campaign_id: str, customer_id: int, deadline: float) -> Row | None:
        """Return a customer's record in a campaign, or None when there is none."""
        return self._look_up(f"{_records(campaign_id)}/{customer_id}", deadline)

    def update_record(self, campaign_id: str, customer_id: int, fields: Fields, deadline: float) -> None:
        """Change the fields that are given of a customer's record."""
        self._do("PUT", f"{_records(campaign_id)}/{customer_id}", deadline, json=fields)

    def stop_number(self, phone_number: str, dictionary_status_id: int, deadline: float) -> list[str]:
        """Give a status to a number in every campaign that has it, and return the ids of these campaigns."""
        fields = {"phone_number": phone_number, "status_id": str(dictionary_status_id)}  # as text, as documented
        reply = self._ask("POST", "outbound_status_by_phone_number", deadline, json=fields)
        ids = replies.read_object(reply).get("outbound_id")
        if not isinstance(ids, list):
            raise replies.explain(reply)
        return [str(each) for each in ids]

    def campaigns(self, deadline: float) -> list[Row]:
        """Return the campaigns; Thulium does not say whether it gives all of them at once, nor their fields."""
        return replies.read_rows(self._ask("GET", "outbounds", deadline))

    def statuses(self, campaign_id: str, deadline: float) -> list[Row]:
        """Return a campaign's statuses: ``system_status``, ``status_id`` (text), ``dictionary_status_id``, ``name``."""
        return replies.read_rows(self._ask("GET", f"outbounds/{_quote(campaign_id)}/statuses", deadline))

    def agents(self, campaign_id: str, deadline: float) -> list[Row]:
        """Return a campaign's agents: ``login``, ``active``, ``active_in_outbound`` and more."""
        return replies.read_rows(self._ask("GET", f"outbounds/{_quote(campaign_id)}/agents", deadline))

    def agent(self, login: str, deadline: float) -> Row | None:
        """Return an agent, or None when there is none of that login."""
        return self._look_up(f"agents/{_quote(login)}", deadline)

    def _look_up(self, path: str, deadline: float) -> Row | None:
        reply = self._ask("GET", path, deadline)
        return None if reply.status == 404 else replies.read_object(reply)  # noqa: PLR2004 - not found

    def _do(self, method: str, path: str, deadline: float, json: Fields | None = None) -> None:
        """Make a call whose success has nothing to say."""
        replies.check_done(self._ask(method, path, deadline, json=json))

    def _ask(
        self, method: str, path: str, deadline: float, *, params: Params | None = None, json: Fields | None = None
    ) -> Reply:
        authorization = self._login.header()
        seconds = min(self._timeout, deadline - self._clock())
        if seconds <= 0:
            raise CallFailed("no time left", sent=False)
        headers = {"Authorization": authorization, "Accept-Language": "en"}
        url = self._base + path
        reply = self._breaker.let_through(
            lambda: self._wire.call(method, url, seconds=seconds, headers=headers, params=params, json=json), seconds
        )
        if reply.status == 401:  # noqa: PLR2004 - unauthorized
            if self._find_another(authorization):  # a call that was refused has done nothing
                return self._ask(method, path, deadline, params=params, json=json)
            self._login.refuse(authorization)
            raise replies.explain(reply, REFUSED)
        return reply

    def _find_another(self, refused: str) -> bool:
        """Take the password that is valid by now, and return whether it is another one than was refused."""
        access = self._find_access()
        if access is None:
            return False
        self.renew(access.user, access.password)
        return self._login.header() != refused


def _records(campaign_id: str) -> str:
    return f"crm_outbounds/{_quote(campaign_id)}/records"


def _quote(part: str) -> str:
    """Return one part of a path. Raises ValueError for one that would change where the path leads."""
    if part.strip(".") == "":
        raise ValueError("a part of the path is empty")
    return quote(part, safe="")
