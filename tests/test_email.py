"""An e-mail address has one form, however it is typed."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.leads.email import find_addresses, is_placeholder, read_address, same_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Jan@Example.COM", "jan@example.com"),
        (" jan@example.com. ", "jan@example.com"),
        ("Jan Wrona <jan@example.com>", "jan@example.com"),
        ('"Wrona, Jan" <jan@example.com>', "jan@example.com"),
        ("mailto:jan@example.com", "jan@example.com"),
        ("MAILTO:jan@example.com?subject=Oferta", "jan@example.com"),
        ("jan@example.com; biuro@example.com", "jan@example.com"),
        ("e-mail: jan@example.com", "jan@example.com"),
        ("brak, jan@example.com", "jan@example.com"),
        ("'jan@example.com'", "jan@example.com"),
        ("o'brien@example.com", "o'brien@example.com"),
        ("jan+oferta@mail.example.com", "jan+oferta@mail.example.com"),
        ("jan@żółw.pl", "jan@xn--w-uga1v8h.pl"),
        ("jan@xn--w-uga1v8h.pl", "jan@xn--w-uga1v8h.pl"),
        ("JAN@ŻÓŁW.PL", "jan@xn--w-uga1v8h.pl"),
    ],
)
def test_one_form(text: str, address: str) -> None:
    """Names, links, lists and letters of any case are taken apart; the host is in ASCII."""
    assert read_address(text) == address
    assert read_address(address) == address


@pytest.mark.parametrize(
    "text", ["", "brak", "jan@", "@example.com", "jan@@example.com", "jan@example", "jan example.com"]
)
def test_none(text: str) -> None:
    """What is no address is refused, without being shown."""
    with pytest.raises(ValueError, match="not an e-mail address"):
        read_address(text)


@pytest.mark.parametrize("text", ["a" * 300 + "@example.com", "jan@" + "ż" * 300 + ".pl", "jan@" + "ż" * 70 + ".pl"])
def test_too_long(text: str) -> None:
    """An address that no server takes is none."""
    assert find_addresses(text) == []


def test_all_of_a_text() -> None:
    """Every address in a text is found once."""
    text = "Proszę nie dzwonić: jan@example.com, Ewa <ewa@example.com> i JAN@example.com (biuro@example.com)."
    assert find_addresses(text) == ["jan@example.com", "ewa@example.com", "biuro@example.com"]


@example("µ@0.00")
@example("µ@0.00")
@given(st.text() | st.from_regex(r"[ <(\"]*[a-zA-Z.]{1,9}@[a-z\u0105.]{1,9}\.(pl|com)[>,; ]*"))
def test_what_is_found_is_its_own_form(text: str) -> None:
    """Whatever is found reads as itself, and is the same address wherever it stands."""
    for address in find_addresses(text):
        assert read_address(address) == address
        assert same_address(f" {address.upper()} ", address)
        assert same_address(f"Jan <{address}>", address)


def test_another_address() -> None:
    """An address inside of a longer one is another one."""
    assert not same_address("xjan@example.com", "jan@example.com")
    assert not same_address("brak", "jan@example.com")


@pytest.mark.parametrize(
    "address",
    [
        "brak@brak.pl",
        "none@none.com",
        "brak@gmail.com",
        "no-email@example.com",
        "test@test.pl",
        "nie@mam.mail.brak.pl",
        "a@a.pl",
    ],
)
def test_placeholder(address: str) -> None:
    """An address typed because the field must not stay empty stands for none."""
    assert is_placeholder(address) == (not address.startswith("nie@mam"))


@pytest.mark.parametrize(
    "address", ["jan@example.com", "test@example.com", "a@example.com", "kowalski@kowalski.pl", "biuro@brak.pl"]
)
def test_address_of_a_person(address: str) -> None:
    """An address that people have is none, also of somebody whose host has their name."""
    assert not is_placeholder(address)
