"""Data to begin with."""

from tests.sandbox.control import Control


def documented(thulium: Control) -> None:
    """Seed the documented batch: 441 will be added as record 111, 445 is there, 448 does not exist."""
    thulium.add_agent("jkowalski", name="Jan", surname="Kowalski")
    thulium.add_campaign("00001", name="Callbacks", agents=("jkowalski",))
    thulium.add_customer(441, name="Ada", surname="Lis", phone_number="601000041")
    thulium.add_customer(445, name="Jan", surname="Sowa", phone_number="601000045")
    thulium.put_record("00001", 445, record_id=100)
    thulium.number(record=111, customer=449)
