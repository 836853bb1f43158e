"""XML elements with attributes, where a lead's values are read."""

from typing import Any

import pytest

from ringback.leads.consent import forbids_call, is_yes
from ringback.leads.element import text_of
from ringback.mapping import Assignment, Mapper
from tests.given import load, make_config
from tests.given import make_source as given_source
from tests.leads import NOW, make_event


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"@type": "fax", "#text": "22 123 45 68"}, "22 123 45 68"),
        ([{"@a": "b", "#text": "x"}, "y", None], ["x", "y", None]),
        ({"@a": "b"}, {"@a": "b"}),
        ({"a": {"#text": "x"}}, {"a": {"#text": "x"}}),
        ("x", "x"),
        (None, None),
    ],
)
def test_text_of_an_element_with_attributes(value: object, text: object) -> None:
    """Such an element stands for its text where a text is wanted, also in a list; anything else for itself."""
    assert text_of(value) == text


def read_customer(data: dict[str, Any], source: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the customer that is made of an event."""
    settings = load(make_config(given_source(**(source or {}))))
    result = Mapper(settings).map(make_event(**data), NOW)
    assert isinstance(result, Assignment)
    return dict(result.lead.customer)


def part(kind: str, text: str) -> dict[str, str]:
    """Return a part of a name."""
    return {"@part": kind, "#text": text}


PARTS = {"map": {"phone_number": "phone", "full_name": "who", "email": "mail", "note": "said"}}


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        ([part("last", "Lis"), part("first", "Ada")], ("Ada", "Lis")),
        ([part("last", "Lis"), part("middle", "Zofia"), part("first", "Ada")], ("Ada Zofia", "Lis")),
        ([part("full", "Ada Lis")], ("Ada", "Lis")),
        (part("full", "Ada Lis"), ("Ada", "Lis")),
        (["Ada", "Lis"], ("Ada", "Lis")),
    ],
)
def test_parts_of_a_name(who: object, expected: tuple[str, str]) -> None:
    """The parts of a name stand in the order in which it is written, whatever their order in the body."""
    customer = read_customer({"who": who, "phone": "601000001"}, PARTS)
    assert (customer["name"], customer["surname"]) == expected


def test_fax_is_not_called() -> None:
    """Of several numbers that of a fax is not called, and of a number the text alone counts."""
    phones = [{"@type": "Fax", "#text": "22 123 45 68"}, {"@type": "voice", "#text": "22 123 45 67"}]
    assert read_customer({"phone": phones}, PARTS)["phone_number"] == "221234567"


def test_attributes_beside_other_values() -> None:
    """An address and a text with attributes are read as those without."""
    data = {"phone": "601000001", "mail": {"@a": "1", "#text": "Ada@Example.com"}, "said": [{"@a": "1", "#text": "Hi"}]}
    customer = read_customer(data, PARTS)
    assert (customer["email"], customer["note"]) == ("ada@example.com", "Hi")


def test_answers_with_attributes() -> None:
    """A yes and a "do not call" with attributes count as those without."""
    assert is_yes({"@a": "1", "#text": "tak"})
    assert not is_yes({"@a": "1", "#text": "nie"})
    assert forbids_call({"@a": "1", "#text": "true"})
    assert not forbids_call([{"@a": "1", "#text": "false"}])
