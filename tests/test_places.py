"""What is in an event is shown so that it can be pasted."""

import pytest
import yaml

from ringback.expressions.answers import compile_answers
from ringback.expressions.expression import compile_expression
from ringback.reports.places import LONGEST, MOST, list_places

FORM = compile_answers({"items": "answers"})


def is_number(text: str) -> bool:
    """Return whether a text is taken for a telephone number here."""
    return text.startswith("601")


def show(event: object) -> list[str]:
    """Return what is shown of an event of a sender that is no form tool."""
    return list_places(event, None, is_number)


@pytest.mark.parametrize(
    "event",
    [
        {"name": "Ada"},
        {"person": {"phones": ["", {"number": "601 000 001"}]}},
        {"first name": "Ada"},
        {"Imię": {"it's": "Ada"}},
        {'say "hi"': "Ada"},
        {"1st": "Ada"},
        ["Ada"],
        "Ada",
    ],
)
def test_place_finds_the_value_that_it_was_shown_for(event: object) -> None:
    """Each line is YAML of a lead field, and the place in it leads to the value in the comment behind it."""
    (line,) = show(event)
    ((_, place),) = yaml.safe_load(line).items()
    assert compile_expression(place).search(event) == line.partition("# ")[2]


def test_letters_are_shown_as_they_are() -> None:
    """What is not English is shown as people write it."""
    assert show({"Imię": ["Łucja"]}) == ["FIELD: '\"Imię\"[0]'  # Łucja"]


def test_lead_field_is_guessed() -> None:
    """E-mail addresses and numbers stand behind their lead field, all else behind a word that is none."""
    event = {"a": "ada@example.pl", "b": "601 000 001", "c": "2026-01-02", "d": 601000001, "e": "write to me @home"}
    assert [line.partition(":")[0] for line in show(event)] == ["email", "phone_number", "FIELD", "FIELD", "FIELD"]


def test_answers_by_their_question() -> None:
    """A form tool's answers are shown by the label, else by what else is known of the question; empty ones are not."""
    answers = [
        {"label": 'Do you "agree"?', "ref": "r", "value": ["yes", "no"]},
        {"ref": "phone-1", "type": "phone", "value": "601 000 001"},
        {"id": 7, "type": "text", "value": "x"},
        {"type": "date", "value": "2026-01-02"},
        {"value": "nobody asked"},
        {"label": "empty", "value": ""},
    ]
    lines = list_places({"answers": answers}, FORM, is_number)
    assert [yaml.safe_load(line) for line in lines] == [
        {"FIELD": {"label": 'Do you "agree"?'}},
        {"phone_number": {"ref": "phone-1"}},
        {"FIELD": {"id": "7"}},
        {"FIELD": {"type": "date"}},
    ]
    assert lines[0].endswith('# ["yes", "no"]')


@pytest.mark.parametrize("spec", [FORM, compile_answers({"items": "length(answers)"})])
def test_form_without_answers(spec: object) -> None:
    """Where no answers are found, or they can't be looked for, all values are shown."""
    assert list_places({"a": "b", "answers": True}, spec, is_number)[0] == "FIELD: a        # b"  # type: ignore[arg-type]


def test_long_values_and_events_are_cut() -> None:
    """A value is one line of bounded length, and so many of them are shown at most."""
    (line,) = show({"a": "b\n\x1b[31m" + "x" * 1000})
    assert "\x1b" not in line
    assert len(line.partition("# ")[2]) == LONGEST
    lines = show({f"f{n}": n for n in range(MOST + 5)})
    assert len(lines) == MOST + 1
    assert lines[-1] == "# and 5 more"
