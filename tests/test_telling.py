"""Which ids may stand in the log as they are: those that a machine has made, and that tell of nobody."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.leads.telling import WORDS, find_core, is_random, is_random_hex, shares_digits

ID = "6620fa1e8f2b3c4d5e6f7890"

MACHINE_MADE = {
    "8f2b6c1a-9d3e-4a7f-b5c2-1e6f9a0d4b7c": "8f2b6c1a-9d3e-4a7f-b5c2-1e6f9a0d4b7c",
    "8F2B6C1A-9D3E-4A7F-B5C2-1E6F9A0D4B7C": "8F2B6C1A-9D3E-4A7F-B5C2-1E6F9A0D4B7C",
    "01HXQ3ZK9B4V7N8M2P5R6S0TWX": "01HXQ3ZK9B4V7N8M2P5R6S0TWX",
    "01hxq3zk9b4v7n8m2p5r6s0twx": "01hxq3zk9b4v7n8m2p5r6s0twx",
    ID: ID,
    "8f2b6c1a9d3e4a7fb5c21e6f9a0d4b7c": "8f2b6c1a9d3e4a7fb5c21e6f9a0d4b7c",
    "0": "0",
    "771": "771",
    "9001001": "9001001",
    "12345678": "12345678",
    "123456789012": "123456789012",
    f"evt_{ID}": ID,
    "wf-123": "123",
    "customer-441": "441",
    "urn:uuid:8f2b6c1a-9d3e-4a7f-b5c2-1e6f9a0d4b7c": "8f2b6c1a-9d3e-4a7f-b5c2-1e6f9a0d4b7c",
    "e1": "1",
    "Order #7".replace(" ", "_").lower().replace("_#", "#"): "7",
    "K-12": "12",
}

NOT_MACHINE_MADE = [
    *("", "Kowalski", "jan.kowalski", "Żółć", "JanKowalski1990Warszawa12Dluga5", "e", "a b", "łoś-1", "Kowalski-12"),
    *("44051401359", "02211501359", "90010112345", "evt_44051401359"),  # of a person: the date of birth is in front
    *("601000001", "48601000001", "0601000001", "lead-601000001", "0048601000001", "601-000-001", "+48601000001"),
    *("2211501359", "211501359", "5141944"),  # the same without the zeros that a JSON number loses
    *("19440514", "14051944", "05141944", "1944-05-14", "e-19440514"),
    *("1234567890123", "1459076748710713", "61109010140000071219812874", "4111111111111111"),  # of accounts and cards
    *("Kurza-7", "00-950", "Warszawa", "K-K-K-12", "j-a-n-1"),
    *("abcdefabcdefabcdef", "deadbeef", "1a2b", "12345678901234567890", f"{ID}x", f"{ID} ", f" {ID}", f"{ID}\n"),
    *("ada4405140135901", "1234567890123abc"),  # letters and digits, each in one piece
    *("jan@example.com", "https://example.com/7", "2_ABaOnudMk1ZB", "msg_2Lh9KRb0pzN4LePd3XiA4v12Axj", "\uff17\uff17"),
    "00000000-0000-4000-8000-04860100000",
    "61109010140000071219812874",  # as long as a ULID, and a bank account
    "01JANKAMEKWARSZAWA",
]


@pytest.mark.parametrize("text", MACHINE_MADE)
def test_machine_made(text: str) -> None:
    """A UUID, a ULID, hexadecimal digits and a number are ids, also behind a word that senders put there."""
    assert find_core(text, "PL") == MACHINE_MADE[text]


@pytest.mark.parametrize("text", NOT_MACHINE_MADE)
def test_not_machine_made(text: str) -> None:
    """What a person may have typed is none: names, addresses, dates of birth, and numbers that are somebody's."""
    assert find_core(text, "PL") is None


@given(st.uuids(), st.sampled_from(sorted(WORDS)), st.sampled_from("-_:./#"))
def test_any_uuid(each: uuid.UUID, word: str, separator: str) -> None:
    """A UUID is logged, whatever word is before it."""
    assert find_core(f"{word}{separator}{each}", "PL") == str(each)
    assert is_random(str(each))


LETTERS = st.text(st.characters(categories=["L"]), min_size=4, max_size=40)


@given(LETTERS, st.sampled_from(["", "-", "_", " ", "."]), st.integers(0, 10**9).map(str) | LETTERS)
def test_any_name(name: str, separator: str, rest: str) -> None:
    """What begins with a word is none, unless the word is one of those that senders put before their ids."""
    if name.lower() not in WORDS:
        assert find_core(f"{name}{separator}{rest}", "PL") is None


BIRTHDAYS = st.dates().filter(lambda day: 1900 <= day.year < 2100)


@given(BIRTHDAYS, st.integers(0, 99999), st.sampled_from(["%Y%m%d", "%d%m%Y", "%m%d%Y"]))
def test_any_date_of_birth(day: Any, serial: int, form: str) -> None:
    """No date of birth is an id, nor is a Polish person's number, which begins with one."""
    century = 20 if day.year >= 2000 else 0
    assert find_core(f"{day:%y}{day.month + century:02}{day:%d}{serial:05}", "PL") is None
    assert find_core(day.strftime(form), "PL") is None


@pytest.mark.parametrize(
    ("core", "value", "shared"),
    [
        ("601000001", "+48 601-000-001", True),
        ("48601000001", 601000001, True),
        ("1601000", "601 000 001", False),
        ("1000001", "601 000 001", True),
        ("1234", ["12", "34"], True),
        ("123", "123", False),
        ("1234", None, False),
        ("12345678", "1 234567", True),
        ("1234567", "234567", False),
        (f"{ID}", "6620", False),
        ("a6620123b4c5d6e7f8", "662 01 23", True),
    ],
)
def test_shared_digits(core: str, value: object, shared: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Digits in common are found however the value is written; few of them, or among letters, are chance."""
    assert shares_digits(core, ["else", value]) is shared


def test_random_hex() -> None:
    """A number that is written long is no random one."""
    assert is_random_hex(ID)
    assert not is_random_hex("48601000001".rjust(32, "0"))
    assert not is_random_hex("48601000001".rjust(31, "0") + "a")
    assert not is_random_hex("a" * 32)
    assert not is_random_hex("a601000001b".center(32, "0"))
