"""An opt-out is read generously: every number and every address in it is found."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.leads.contacts import find_contacts

ONE, TWO, LAND = "+48601000001", "+48602000002", "+48221234567"


def find(value: object, region: str = "PL") -> tuple[list[str], list[str]]:
    """Return the numbers and addresses in a value."""
    phones, addresses = find_contacts(value, region, "PL")
    return [phone.e164 for phone in phones], addresses


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("601000001; 602000002", [ONE, TWO]),
        ("601 000 001 602 000 002", [ONE, TWO]),
        ("601000001/602000002", [ONE, TWO]),
        ("601-000-001\n602-000-002", [ONE, TWO]),
        ("+48601000001+48602000002", [ONE, TWO]),
        ("(+48) 601 000 001 lub (22) 123-45-67.", [ONE, LAND]),
        ("0048 601 000 001, 22 123 45 67 wew. 12", [ONE, LAND]),
        ("601 000 001 - proszę nie dzwonić", [ONE]),
        ("STOP601000001", [ONE]),
        ("fax 22 123 45 67", [LAND]),
        ("tel. 601 000 001 (nie dzwonić!)", [ONE]),
        ("601_000_001", [ONE]),
        ("601\ufffd000\ufffd001", [ONE]),
        ("6 0 1 0 0 0 0 0 1", [ONE]),
        ("2026-03-02 601000001", [ONE]),
        ("+49 30 901820 i 801 123 456", ["+4930901820", "+48801123456"]),
        ("0601 000 001", [ONE]),
        (601000001, [ONE]),
        (601000001.0, [ONE]),
        ([["brak", {"a": "601000001"}], 602000002], [ONE, TWO]),
        ("601000001, 601 000 001", [ONE]),
        ("601000001@example.com", []),
        ("112, 2026-03-02, 12345", []),
        ("brak", []),
        (None, []),
        (True, []),
        (1.5, []),
        ({}, []),
    ],
)
def test_numbers(text: object, numbers: list[str]) -> None:
    """However several numbers are written in one field, with words, broken bytes or remarks, each is found."""
    assert find(text)[0] == numbers


def test_numbers_of_a_region() -> None:
    """Numbers without a country code are of the region that the source or the event names."""
    assert find("0171 1234567; 030 901820", "DE")[0] == ["+491711234567", "+4930901820"]


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("jan@example.com, biuro@example.com", ["jan@example.com", "biuro@example.com"]),
        ("jan@example.com\u200b", ["jan@example.com"]),
        ("jan@example.com\ufffd", ["jan@example.com"]),
        ("&lt;Jan@Example.com&gt;", ["jan@example.com"]),
        (["brak@brak.pl", "jan@example.com"], ["jan@example.com"]),
        ("brak", []),
    ],
)
def test_addresses(value: object, addresses: list[str]) -> None:
    """Each address is found, but for placeholders: they would stop all who typed the same."""
    assert find(value) == ([], addresses)


def test_both_in_one_field() -> None:
    """A number and an address may stand in the same field."""
    assert find("Jan <jan@example.com>, tel: (+48) 601-000-001") == ([ONE], ["jan@example.com"])


NUMBERS = st.from_regex(r"(5[0137]|6[069]|7[2389]|88)[0-9]{7}", fullmatch=True)


@given(st.lists(NUMBERS, min_size=1, max_size=5, unique=True), st.data())
@settings(deadline=None)
def test_no_number_is_left_out(numbers: list[str], data: st.DataObject) -> None:
    """Whatever words and separators stand between them, all numbers of a list are found."""
    between = st.sampled_from([", ", "; ", " / ", "\n", " lub ", " oraz tel. ", "|", " - proszę nie dzwonić, "])
    style = st.sampled_from(["{}{}{}", "{} {} {}", "{}-{}-{}", "+48 {} {} {}", "0048{}{}{}", "({}) {}.{}", "48{}{}{}"])
    written = [data.draw(style).format(each[:3], each[3:6], each[6:]) for each in numbers]
    text = "".join(part for each in written for part in (data.draw(between), each))
    assert find(text)[0] == [f"+48{each}" for each in numbers]


JUNK: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.from_regex(r"[0-9+ ()/@a.-]{0,60}"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(JUNK)
@settings(deadline=None)
def test_whatever_comes(value: object) -> None:
    """Whatever comes ends in numbers and addresses, or in none, and never in an error."""
    numbers, addresses = find(value)
    assert all(number.startswith("+") for number in numbers)
    assert all("@" in address for address in addresses)


@pytest.mark.parametrize("text", ["60 " * 1400, "1 " * 2000, "0048" * 1000, "601000001," * 400, "a1" * 2000])
def test_work_is_bounded(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A text made to cost much is looked at for a bounded number of candidates."""
    import phonenumbers  # noqa: PLC0415 - counted here

    asked: list[str] = []
    parse = phonenumbers.parse

    def count(text: str, region: str) -> phonenumbers.PhoneNumber:
        asked.append(text)
        return parse(text, region)

    monkeypatch.setattr(phonenumbers, "parse", count)
    find(text)
    assert len(asked) <= 500
