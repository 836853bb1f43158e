"""Who is rung when: what the stand-in's dialler makes of the records' statuses and dates.

Thulium tells what its system statuses mean (https://api.thulium.com/docs/api, the batch call's page): TO_CALL is a
fresh record to call, CALL one to call, CALL_PROGRESSIVE one to call in progressive mode. None of them is said to wait
for a date, so here none does, whatever date the record has. CALL_NO_SOONER_THAN and MY_RECORD demand a date, and wait
for it. NO_CALL is not called, IN_PROGRESS is being called already, and ABANDONED_AFTER_N_TRIES was given up.
"""

from collections.abc import Iterator

from tests.sandbox.store import Campaign, Record
from tests.sandbox.world import World

AT_ONCE = ("TO_CALL", "CALL", "CALL_PROGRESSIVE")
WHEN_DUE = ("CALL_NO_SOONER_THAN", "MY_RECORD")


def ring(world: World, at: str) -> Iterator[tuple[str, int]]:
    """Ring all who are to be called when Thulium's clock shows ``at`` (``YYYY-MM-DD hh:mm``): campaign and customer.

    A record is rung once, and once more after it was given a status anew.
    """
    for campaign in world.store.campaigns.values():
        for record in campaign.records.values() if campaign.is_active else ():
            if not record.is_rung and is_due(campaign, record, at):
                record.is_rung, record.call_date = True, at
                yield campaign.id, record.customer_id


def is_due(campaign: Campaign, record: Record, at: str) -> bool:
    """Return whether a record is to be called at a time of Thulium's clock."""
    kind = campaign.statuses[record.status_id].system_status
    return kind in AT_ONCE or (kind in WHEN_DUE and record.next_call_date <= at)
