"""Settles on one's own Thulium what its documentation leaves open, by trying it, and removes what it has made.

No person is called by it: a record that is made has a status of the kind NO_CALL, or a date ten years ahead.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from ringback.delivery.details import FINAL_REFUSALS
from ringback.errors import CallFailed, RingbackError
from ringback.leads.phone import Phone
from ringback.reports.probe_dates import QUIET, Dates, Step, find_of_kind
from ringback.thulium.api import Thulium
from ringback.thulium.replies import RecordReply
from ringback.thulium.wire import Reply, Wire

PATIENCE = 120.0  # seconds for all of it
NO_SUCH_CUSTOMER = 2_147_483_647
NEVER_QUIET = "the campaign has no status of the kind NO_CALL, so somebody could be called; nothing was made"
ENVELOPES = ("result", "data")


class ProbeRefused(RingbackError):
    """Nothing can be tried there without a call to a person; nothing was made."""


class Recorder(Wire):
    """A wire that keeps the last reply, for what is not in what is read from it."""

    reply = Reply(0)

    def call(self, *args: Any, **rest: Any) -> Reply:
        """Make a call."""
        self.reply = super().call(*args, **rest)
        return self.reply


@dataclass(frozen=True)
class Answer:
    """A question that the documentation leaves open, and what Thulium has done."""

    question: str
    text: str


class Probe:
    """Tries things on a campaign, with customers that have ``phone`` and are named by ``mark``."""

    def __init__(  # noqa: PLR0913 - where, for whom, and by which clock
        self, thulium: Thulium, recorder: Recorder, campaign_id: str, phone: Phone, mark: str, *, zone: ZoneInfo
    ) -> None:
        """Keep the parts; ``thulium`` calls through ``recorder``, ``zone`` is its own. The time begins to run."""
        self._thulium = thulium
        self._recorder = recorder
        self._campaign = campaign_id
        self._phone = phone
        self._zone = zone
        self._mark = f"ringback-probe-{mark}"
        self._deadline = monotonic() + PATIENCE
        self._made: list[int] = []
        self._asked = 0  # for so many customers that may have been made

    def run(self) -> Iterator[Answer]:
        """Yield the answers. Call ``remove`` afterwards, however it ends. Raises CallFailed and ProbeRefused."""
        statuses = self._thulium.statuses(self._campaign, self._deadline)
        status = find_of_kind(QUIET, statuses)
        if status is None:
            raise ProbeRefused(NEVER_QUIET)
        customer = self._create()
        yield Answer("reply to a new customer", self._tell_reply())
        dates = Dates(self._thulium, self._campaign, customer, self._zone, self._deadline)
        for question, step in (*self._list_steps(customer, status), *dates.list_steps(statuses)):
            yield Answer(question, self._settle(step))

    def remove(self) -> str:
        """Remove all that was made, also what no reply has told of, and return what became of that."""
        deadline = monotonic() + PATIENCE
        with suppress(CallFailed):
            rows = self._thulium.find_customers("identifier", self._mark, deadline)
            self._made += [int(str(row["customer_id"])) for row in rows if row.get("identifier") == self._mark]
        made = dict.fromkeys(self._made)
        left = [f"customer {each}" for each in made if not self._remove_one(each, deadline)]
        if len(made) < self._asked:  # no reply told whether it was made, and no search has found it yet
            left.append(f"perhaps a customer with the identifier {self._mark}")
        return f"not removed: {', '.join(left)}; remove it by hand" if left else "all that was made is removed"

    def _remove_one(self, customer: int, deadline: float) -> bool:
        with suppress(CallFailed):
            self._thulium.remove_records(self._campaign, [customer], deadline)
        try:
            self._thulium.delete_customer(customer, deadline)
        except CallFailed:
            return False
        return True

    def _list_steps(self, customer: int, status: Mapping[str, object]) -> list[Step]:
        record = {"customer_id": customer, **status}
        return [
            ("a list of customers", self._try_list),
            ("phone numbers are found as", lambda: self._try_phone_forms(customer)),
            ("e-mail addresses in capitals", lambda: self._try_capitals(customer)),
            ("a second customer with the same data", self._try_duplicate),
            ("a new e-mail address in PUT customers", lambda: self._try_update(customer)),
            ("batch, a new record", lambda: self._try_batch([record])),
            ("batch, a record that is there", lambda: self._try_again(record)),
            ("batch, one customer twice", lambda: self._try_batch([record, record])),
            (
                "batch, a customer who is not there",
                lambda: self._try_batch([{**record, "customer_id": NO_SUCH_CUSTOMER}]),
            ),
            ("batch, no record at all", lambda: self._try_batch([])),
        ]

    def _settle(self, step: Callable[[], str]) -> str:
        try:
            return step()
        except CallFailed as error:
            return f"refused: {error.reason}"

    def _create(self) -> int:
        fields = {
            "surname": "Ringback probe",
            "identifier": self._mark,
            "phone_number": [self._phone.sent],
            "email": [f"{self._mark}@example.com"],
        }
        self._asked += 1
        try:
            self._made.append(self._thulium.create_customer(fields, self._deadline))
        except CallFailed as error:
            self._asked -= (error.http_status or 0) in FINAL_REFUSALS
            raise
        return self._made[-1]

    def _finds(self, field: str, value: str, customer: int) -> bool:
        return any(row["customer_id"] == customer for row in self._thulium.find_customers(field, value, self._deadline))

    def _try_list(self) -> str:
        self._thulium.find_customers("identifier", self._mark, self._deadline)
        return self._tell_reply()

    def _try_phone_forms(self, customer: int) -> str:
        e164 = self._phone.e164
        forms = {"they are sent": self._phone.sent, "e164": e164, "digits": e164.removeprefix("+")}
        found = [name for name, form in forms.items() if self._finds("phone_number", form, customer)]
        missed = [name for name in forms if name not in found]
        return ", ".join(found or ["nothing"]) + (f"; not as {', '.join(missed)}" if missed else "")

    def _try_capitals(self, customer: int) -> str:
        return "are found" if self._finds("email", f"{self._mark}@example.com".upper(), customer) else "are not found"

    def _try_duplicate(self) -> str:
        self._create()
        return "is created"

    def _try_update(self, customer: int) -> str:
        self._thulium.update_customer(customer, {"email": [f"{self._mark}-new@example.com"]}, self._deadline)
        row = self._thulium.get_customer(customer, self._deadline)
        return "is added to the old one" if f"{self._mark}@" in str(row) else "replaces the old one"

    def _try_batch(self, records: list[dict[str, object]]) -> str:
        replies = self._thulium.add_records(self._campaign, records, self._deadline)
        return "; ".join([self._tell_reply(), *map(tell_record, replies.values())])

    def _try_again(self, record: dict[str, object]) -> str:
        told = self._try_batch([{**record, "order": 7}])
        row = self._thulium.get_record(self._campaign, int(str(record["customer_id"])), self._deadline) or {}
        return f"{told}; the record {'is changed' if str(row.get('order')) == '7' else 'stays as it was'}"

    def _tell_reply(self) -> str:
        return tell_reply(self._recorder.reply)


def tell_reply(reply: Reply) -> str:
    """Return a reply's status and the shape of its body, with nothing of what is in it."""
    try:
        data = reply.json()
    except ValueError:
        return f"{reply.status}, {'no JSON' if reply.body.strip() else 'an empty body'}"
    if isinstance(data, list):
        return f"{reply.status}, a bare list" + ("" if data else ", empty")
    if not isinstance(data, dict):
        return f"{reply.status}, neither an object nor a list"
    envelope = next((f", with its list in `{name}`" for name in ENVELOPES if isinstance(data.get(name), list)), "")
    keys = sorted({"<id>" if key.isdecimal() else key for key in data})
    return f"{reply.status}, an object" + (envelope or (f" with {', '.join(keys)}" if keys else ", empty"))


def tell_record(reply: RecordReply) -> str:
    """Return Thulium's word about a record, and the status that comes with it."""
    status = f" with http_status {reply.http_status}" if reply.http_status else ""
    return f"{reply.status}{status}"
