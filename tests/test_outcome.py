"""What became of a lead, and what may be said about it."""

import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.outcome import Status, scrub


def test_words() -> None:
    """The words are the contract's; all but DEFERRED are final."""
    words = "ADDED ALREADY_EXISTS FAILED REQUEUED STOPPED SKIPPED INVALID PARKED DEFERRED"
    assert [str(status) for status in Status] == words.split()
    assert [status for status in Status if not status.is_final] == [Status.DEFERRED]
    assert [status for status in Status if status.is_replayable] == [Status.FAILED, Status.INVALID, Status.PARKED]


def test_harmless_messages_stay() -> None:
    """What holds nothing personal is kept as it is."""
    message = "Customer not found. Status 404, code 111111/222 (request 53678450401cf)"
    assert scrub("Customer not found.") == "Customer not found."
    assert scrub("Field status_id: wrong value 12345, 2026") == "Field status_id: wrong value 12345, 2026"
    assert scrub(message).startswith("Customer not found. Status 404, code ")


@pytest.mark.parametrize(
    "number",
    ["601000041", "601 000 041", "601-000-041", "+48 601 000 041", "+48601000041", "(22) 555-12-34", "0048.601.000.041",
     "٦٠١٠٠٠٠٤١"],
)  # fmt: skip
def test_numbers_are_left_out(number: str) -> None:
    """Whatever looks like a telephone number is replaced."""
    assert scrub(f"The number {number} is wrong") == "The number … is wrong"


@pytest.mark.parametrize(
    "address", ["jan.lis@example.com", "JAN@EXAMPLE.COM", "<jan@example.com>,", "jan%40example.com"]
)
def test_addresses_are_left_out(address: str) -> None:
    """Whatever looks like an e-mail address is replaced, in a URL too."""
    assert scrub(f"Duplicate {address} here") == "Duplicate … here"


VALUES = ["Łoś-Żak", {"city": "Łódź", "deep": ["Skryta"]}, 12345, True, None, ("Ada Maria",)]


@pytest.mark.parametrize("value", ["Łoś-Żak", "ŁOŚ-ŻAK", "Łódź", "Skryta", "12345", "Ada Maria", "maria"])
def test_values_are_left_out(value: str) -> None:
    """The lead's own values are replaced, whole and word by word, in whatever case, nested ones too."""
    assert scrub(f"No: '{value}'!", VALUES) == "No: '…'!"


EVENT = {"form": "phone", "child": {"name": "Zosia Łoś"}, "all": ["łukasz", "agent not here"], "code": "A1-x"}


@pytest.mark.parametrize(
    ("said", "told"),
    [("Zosia", "…"), ("zosia łoś", "…"), ("Łukasz", "…"), ("Wrong phone", "Wrong phone"), ("A1-X", "…")],
)
def test_what_else_is_in_the_event_is_left_out(said: str, told: str) -> None:
    """Whom the event names and the lead does not is not told either; plain words of it stay."""
    assert scrub(f"{said}: no agent", ["Ada"], EVENT) == f"{told}: no agent"


def test_short_values_stay() -> None:
    """Two letters tell nobody, and are in every word; nor does a yes or no."""
    assert scrub("No, it is true", ["No", True, "it"]) == "No, it is true"


@pytest.mark.parametrize(
    "escape",
    [json.dumps, quote, quote_plus, html.escape, lambda text: "".join(f"&#{ord(c)};" for c in text)],
)
def test_escaped_values_are_left_out(escape: Callable[[str], str]) -> None:
    """A request that is echoed as it was sent, escaped for JSON, a URL or HTML, tells nothing either."""
    told = scrub(f"wrong: {escape('Łoś O’Brien')} {escape('jan@example.com')}", ["Łoś O’Brien"])
    assert not any(part in told for part in ("Łoś", "Brien", "u0141", "C5%81", "example", "&#"))


def test_plus_is_no_space_in_plain_text() -> None:
    """Only what is escaped for a URL is read as such."""
    assert scrub("1+1") == "1+1"


def test_reason_is_one_short_line() -> None:
    """A reason is one line of at most 200 characters, whatever it was made of."""
    assert scrub("a\nb\r\n\tc\u2028d\x00e \x1b[31m") == "a b c d e [31m"
    assert len(scrub("word " * 50)) == 200


def test_half_a_name_at_the_end_is_left_out() -> None:
    """A message that was cut off ends in half a word, which may be half a name."""
    message = ("Kowalski " * 40 + "x")[:300]
    assert message.endswith(" Kow")
    assert scrub(message, ["Kowalski"]).split() == ["…"] * 33


@given(st.text(), st.lists(st.text(min_size=3).filter(str.isalnum)))
def test_whatever_is_said(message: str, values: list[str]) -> None:
    """Of any message a short, printable line is left that holds none of the values."""
    told = scrub(message, values)
    assert len(told) <= 200
    assert told.isprintable()
    assert not any(value in told for value in values)
