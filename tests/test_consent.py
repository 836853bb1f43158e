"""The answer to "may we call you"."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.leads.consent import YES, is_yes
from tests.leads import configure, deliver, make_event, read_statuses
from tests.sandbox import Sandbox

YES_WORDS: list[object] = [
    *(True, 1, "1", "true", "True", "on", "yes", "YES", " y ", "checked", "accepted", "I agree", "I agree."),
    *("tak", "Tak", "TAK!", " tak ", "Zgoda", "Zgadzam się", "wyrażam zgodę", "ZGADZAM SIĘ"),
    *("ja", "Ja!", "Einverstanden", "Ich stimme zu"),
    *("oui", "Oui", "J'accepte", "j’accepte", "d’accord"),
    *("si", "Sí", "SÍ", "acepto", "De acuerdo"),
    *("zgadzam sie\N{COMBINING OGONEK}", "si\N{COMBINING ACUTE ACCENT}"),
    *(["yes"], ["no", "tak"], [["on"]]),
]
NO_WORDS: list[object] = [
    *(None, False, 0, "0", "", " ", "no", "nie", "Nie", "NIE", "nein", "non", "false", "False", "off", "null", "none"),
    *("x", "X", "✗", "✘", "☒", "❌", "☐", "-", "?", "unchecked", "not accepted", "I disagree", "nicht einverstanden"),
    *("tak/nie", "yes or no", "yes, but do not call", "tak nie", "yesyes", "2", 2, -1, 10, 1.0, 1.5, "01", "①", "１"),
    *([], [""], ["no"], ["nie", "0", None], {}, {"value": True}, {"yes": "yes"}, [{}]),
    "Ich habe die Datenschutzerklärung gelesen",
]


@pytest.mark.parametrize("value", YES_WORDS, ids=repr)
def test_yes(value: object) -> None:
    """A word of the closed list is a yes, however it is written; of a list any element."""
    assert is_yes(value) is True


@pytest.mark.parametrize("value", NO_WORDS, ids=repr)
def test_no(value: object) -> None:
    """Everything else is none, and nothing too."""
    assert is_yes(value) is False


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_anything(value: Any) -> None:
    """Whatever comes is one or the other, and never an error."""
    assert is_yes(value) in (True, False)


def test_words_are_written_as_they_are_compared() -> None:
    """Every word of the list is one."""
    assert all(map(is_yes, YES))


@pytest.mark.parametrize(("answer", "expected"), [("tak", "ADDED"), ("nie", "SKIPPED"), (None, "SKIPPED")])
def test_only_who_agreed_is_called(thulium: Sandbox, answer: str | None, expected: str) -> None:
    """Nobody is asked about a lead without consent, and the outcome says why."""
    settings = configure(thulium, sources={"website": {"consent": "consent"}})
    (outcome,) = deliver(settings, make_event(phone_number="601000001", consent=answer))
    assert outcome.status == expected
    if expected == "SKIPPED":
        assert (outcome.reason, thulium.counts) == ("no consent", {})


def test_source_that_does_not_ask(thulium: Sandbox) -> None:
    """A source without the key is not checked."""
    assert read_statuses(deliver(configure(thulium), make_event(phone_number="601000001", consent="no"))) == ["ADDED"]
