"""What a sender sends once more is known for the same, whatever it changes from try to try."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ringback import config
from ringback.intake import take_in
from ringback.web import Request
from tests.preset_cases import FOLDER, PUBLIC_URL, Case, list_schemes, make_entry, read_case, write_config
from tests.signing import make_secret, sign

NOW = datetime(2026, 3, 2, 11, 0, 0, tzinfo=UTC)
CHANGED = [
    ("hubspot/lead", '"attemptNumber": 0', '"attemptNumber": 4'),
    ("pipedrive/lead", '"attempt": 1', '"attempt": 3'),
    ("pipedrive/lead-v1", '"retry": 0', '"retry": 2'),
    ("livespace/lead", '"webhook_delivery_attempt": 2', '"webhook_delivery_attempt": 3'),
    ("intercom/lead", '"delivery_attempts": 2', '"delivery_attempts": 3'),
    ("woocommerce/lead", "2026-03-02T11:59:01", "2026-03-02T11:59:02"),
]
OTHER = [
    ("mailchimp/lead", "10%3A59%3A00", "11%3A59%3A00"),
    ("activecampaign/lead", "11%3A59%3A00", "12%3A59%3A00"),
    ("hubspot/lead", "1772449140000", "1772449150000"),
]


def list_keys(case: Case, request: Request, at: datetime, folder: Path) -> list[str]:
    """Return what the events of a request are recognised by, as it is signed and sent at that time."""
    path = folder / "config.yaml"
    path.write_text(write_config(make_entry(case.preset, case.source), "http://127.0.0.1:1"), "utf-8")
    settings = config.load({"RINGBACK_CONFIG": str(path), "HUBSPOT_TOKEN": "invented"})
    scheme = list_schemes(case.preset)[0]
    taken = take_in(sign(scheme, make_secret(scheme, "key"), request, at, PUBLIC_URL), settings, at)
    assert isinstance(taken, tuple)
    return [event.key for event in taken[1]]


def send_twice(name: str, before: str, after: str, folder: Path) -> tuple[list[str], list[str]]:
    """Return the keys of a case's events, and of the same sent a minute later with one text replaced by another."""
    case = read_case(FOLDER / f"{name}.yaml")
    assert before.encode() in case.request.body
    again = replace(case.request, body=case.request.body.replace(before.encode(), after.encode()))
    later = NOW + timedelta(minutes=1)
    return list_keys(case, case.request, NOW, folder), list_keys(case, again, later, folder)


@pytest.mark.parametrize(("name", "before", "after"), CHANGED)
def test_next_try_is_the_same_event(name: str, before: str, after: str, tmp_path: Path) -> None:
    """A count of tries, or a time that moves along with them, makes no other event."""
    first, second = send_twice(name, before, after, tmp_path)
    assert first == second


@pytest.mark.parametrize(("name", "before", "after"), OTHER)
def test_later_event_is_another(name: str, before: str, after: str, tmp_path: Path) -> None:
    """The same person, once more at another time, is another event: who comes back is not taken for a redelivery."""
    first, second = send_twice(name, before, after, tmp_path)
    assert set(first).isdisjoint(second)
