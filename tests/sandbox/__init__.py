"""A stand-in for Thulium: a real HTTP server on loopback that follows the API's reference.

    with Sandbox() as thulium:
        thulium.add_customer(441, surname="Lis", phone_number="601000041")
        thulium.add_campaign("00001")
        ...                                         # call thulium.url as thulium.user with thulium.password
        thulium.record("00001", 441)["status_id"]   # what it was given: .customers, .records(id), .record(id, customer)
        thulium.calls("batch")[0].json              # what it was asked: .requests, .calls(kind), .counts

What can be told it:

* Data: ``add_customer``, ``add_campaign``, ``add_agent``, ``put_record`` (also changes one), ``number`` (the next ids);
  ``seeds.documented(thulium)`` is the documentation's own example.
* Faults: ``thulium.fail("batch", faults.error(503, retry_after="120"), times=2)``. The kinds of calls are the keys of
  ``api.ROUTES`` (search, create, update, batch, change ...), ``*`` is any; ``times=None`` lasts until ``heal``,
  ``after=3`` spares the first three. ``faults`` has error, html, redirect, says, half, reset, hang, late, later, drip
  and endless; each is a ``Fault``, and ``Fault(...)`` says the rest: a reply without some customers, with strangers,
  with an unknown status, one that comes late, is cut short, or carries what it was sent.
* Records that fail: ``poison(customer_id)`` spoils its whole batch, ``refuse(customer_id, "No number: {surname}")``
  FAILs alone. An unknown campaign is a 404, one with ``is_active=False`` or ``is_crm=False`` a 400.
* ``slow(0.05)`` gives each call a latency; ``stop()`` and ``start()`` are an outage; ``set_password`` rotates.
* A dialler: ``thulium.dial("2026-03-02 10:00")`` returns who is rung when the clock shows that; see ``dialler``.
* What the documentation leaves open: ``behave(customers_list="bare", phone_match="exact", ...)``, see ``Ways``.

``python -m tests.sandbox --thulium`` runs it alone and prints its address. From another process the same is said with
``Remote(url)``, or by hand (``operations`` has the names):

    curl localhost:PORT/_sandbox/counts
    curl localhost:PORT/_sandbox/fail -d '{"call": "batch", "fault": {"status": 500}}'
"""

from tests.sandbox import faults, seeds
from tests.sandbox.control import Control, Remote
from tests.sandbox.exchange import Received
from tests.sandbox.faults import Fault
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.store import STATUSES, Status
from tests.sandbox.ways import Ways
from tests.sandbox.world import World

__all__ = [
    "STATUSES",
    "Control",
    "Fault",
    "Received",
    "Remote",
    "Sandbox",
    "Status",
    "Ways",
    "World",
    "faults",
    "seeds",
]
