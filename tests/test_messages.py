"""What may be logged of a message: that something is wrong, and nothing of whom."""

import base64
import html
import json
import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.messages import LONGEST_REASON, scrub


def list_words(text: str) -> list[str]:
    """Return the words of a text."""
    return re.findall(r"[^\W\d_]+", text)


@pytest.mark.parametrize(
    "message",
    [
        "Customer not found.",
        "Wrong format of phone number.; Duplicated customer name.",
        "Agent is not assigned to this campaign",
        "Field status_id: wrong value",
        "ALREADY_EXISTS",
        "Klient już istnieje",
    ],
)
def test_words_of_a_message_stay(message: str) -> None:
    """What such messages are made of is kept as it is."""
    assert scrub(message) == message


@pytest.mark.parametrize(
    "number",
    ["601000041", "601 000 041", "601\u00a0000\u00a0041", "601\u2013000\u2013041", "601_000_041", "+48 601,000,041",
     "0041",
     "(22) 555-12-34", "0048.601.000.041", "٦٠١٠٠٠٠٤١", "\uff16\uff10\uff11\uff10\uff10\uff10\uff10\uff14\uff11"],
)  # fmt: skip
def test_numbers_are_left_out(number: str) -> None:
    """No digit stays, however a number is written."""
    told = scrub(f"The number {number} is wrong")
    assert list_words(told) == ["The", "number", "is", "wrong"]
    assert not any(character.isdecimal() for character in told)


@pytest.mark.parametrize(
    "address", ["jan.lis@example.com", "JAN@EXAMPLE.COM", "jan%40example.com", "Jan Lis jan@lis.pl"]
)
def test_addresses_are_left_out(address: str) -> None:
    """An address is left out as a whole."""
    assert scrub(f"Duplicate {address} exists") == "Duplicate … exists"


NAMES = ["Łoś-Żak", "O'Brien", "García Márquez", "Kowalska/Nowak", "STRAUSS", "Kowalskiej", "Z\u0301ak",
         "Kow\u00adalski", "Kow\u200balski", "Müller"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "escape",
    [
        str,
        json.dumps,
        lambda text: json.dumps(json.dumps(text)),
        lambda text: text.replace("/", "\\/"),
        quote,
        quote_plus,
        html.escape,
        lambda text: "".join(f"&#{ord(c)};" for c in text),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: text.encode().decode("latin-1"),
    ],
)
def test_names_are_left_out(name: str, escape: Callable[[str], str]) -> None:
    """Nobody's name stays, also of people who are not in the lead, whatever it was escaped for, whole or in part."""
    assert [word for word in list_words(scrub(f"wrong name: {escape(name)}")) if len(word) > 1] == ["wrong", "name"]


def test_values_are_left_out() -> None:
    """A word of the lead's own does not stay, though messages are made of it; short words do."""
    values = ["Field Manager", {"deep": ["the Record"]}, 7, None]
    assert scrub("Field record: the manager is not found", values) == "…: the … is not found"


def test_request_that_is_echoed_tells_nothing() -> None:
    """Of a request that a page of error shows, credentials and content are left out."""
    page = '<html><body>Bad Gateway: Authorization: Basic dTpwdy1vbmU= {"surname": "Lis"}</body></html>'
    assert list_words(scrub(page)) == ["html", "body", "Bad", "Gateway", "Authorization", "surname", "body", "html"]


def test_reason_is_one_short_line() -> None:
    """A reason is one line of at most 200 characters, whatever it was made of."""
    assert scrub("") == ""
    assert scrub("not\nin\r\n\tany\u2028of\x00these \x1b[31m") == "not in any of…these …"
    assert len(scrub("agent " * 99)) == LONGEST_REASON


@given(st.text(), st.lists(st.text(min_size=4).filter(str.isalpha)))
def test_whatever_is_said(message: str, values: list[str]) -> None:
    """Of any message a short, printable line is left, of known words and marks."""
    told = scrub(message, values)
    assert len(told) <= LONGEST_REASON
    assert told.isprintable()
    assert not any(character.isdecimal() for character in told)
    assert not any(value.casefold() in told.casefold().split() for value in values)
