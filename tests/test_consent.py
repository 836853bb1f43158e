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
    *(["yes"], ["", "tak"], [["on"]], ["yes", "tak"], ["0", "1"], [False, True], '["Tak"]', "tak\u200b", "Tak,"),
    *("Wyrażam zgodę na kontakt telefoniczny w sprawie oferty", "Tak, proszę o telefon", "Zgoda na kontakt"),
    *("I agree to be called", "Yes, please call me", "Ich willige in einen Anruf ein"),
    ["Wyrażam zgodę na kontakt telefoniczny", "Wyrażam zgodę na newsletter"],
]
NO_WORDS: list[object] = [
    *(None, False, 0, "0", "", " ", "no", "nie", "Nie", "NIE", "nein", "non", "false", "False", "off", "null", "none"),
    *("x", "X", "✗", "✘", "☒", "❌", "☐", "-", "?", "unchecked", "not accepted", "I disagree", "nicht einverstanden"),
    *("tak/nie", "yes or no", "yes, but do not call", "tak nie", "yesyes", "2", 2, -1, 10, 1.0, 1.5, "01", "①", "１"),
    *([], [""], ["no"], ["nie", "0", None], {}, {"value": True}, {"yes": "yes"}, [{}]),
    "Ich habe die Datenschutzerklärung gelesen",
    *(["no", "tak"], ["yes", "no"], ["1", "0"], [["0"], ["1"]], ["tak", "x"], '["Nie"]', "[tak", '{"a": "tak"}'),
    *("Nie wyrażam zgody na kontakt telefoniczny", "Wyrażam zgodę na otrzymywanie newslettera"),
    *(
        "Tak, ale tylko e-mail",
        "Yes, contact me by e-mail",
        "I agree to the privacy policy",
        "Zgoda na kontakt mailowy",
    ),
    *("Cofam: wyrażam zgodę na kontakt telefoniczny", "{{consent}}"),
]
PLAIN_NO: list[object] = [None, False, "", "false", "0", "Nie", [], ["no"], 0]
FORBIDS: list[object] = [True, "true", "1", 1, "DND", "x", ["false", "true"], {"call": "active"}]


@pytest.mark.parametrize("value", YES_WORDS, ids=repr)
def test_yes(value: object) -> None:
    """A word of the closed list is a yes, and the text of a box that agrees to be called; of a list none is a no."""
    assert is_yes(value) is True


@pytest.mark.parametrize("value", NO_WORDS, ids=repr)
def test_no(value: object) -> None:
    """Everything else is none, and nothing too."""
    assert is_yes(value) is False


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_anything(value: Any) -> None:
    """Whatever comes is one or the other, and never an error."""
    assert is_yes(value) in (True, False)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tak, proszę o telefon", True),
        ("tak,  proszę o TELEFON!", True),
        ("Tak", False),
        (True, False),
        (["Newsletter", "Tak, proszę o telefon"], True),
        (["Tak, proszę o telefon", "Nie dzwońcie"], False),
        (["0", "1"], False),
        ("Zadzwońcie", True),
        (["Newsletter"], False),
        ([], False),
    ],
)
def test_own_yes(value: object, expected: bool) -> None:  # noqa: FBT001
    """Where a sender has texts of its own for yes, those alone are one; other boxes beside it change nothing."""
    assert is_yes(value, ["Tak, proszę o telefon", "Zadzwońcie"]) is expected


@given(st.lists(st.sampled_from(["tak", "nie", "no", "yes", "x", "", "0", "1"]), max_size=5))
def test_one_no_is_a_no(values: list[str]) -> None:
    """Of several answers none may be a no, but for a form's hidden 0 before its ticked box."""
    told = [value for value in values if value]
    expected = told == ["0", "1"] or (bool(told) and all(value in ("tak", "yes", "1") for value in told))
    assert is_yes(values) is expected


@pytest.mark.parametrize(
    ("value", "forbidden"), [*((each, False) for each in PLAIN_NO), *((each, True) for each in FORBIDS)]
)
def test_what_the_sender_itself_forbids(thulium: Sandbox, value: object, forbidden: bool) -> None:  # noqa: FBT001
    """A field by which a sender says "do not call" is heeded, whatever it says but no."""
    settings = configure(thulium, sources={"website": {"do_not_call": ["DoNotCall", "person.dnd"]}})
    (outcome, other) = deliver(
        settings,
        make_event(phone_number="601000001", DoNotCall=value),
        make_event(phone_number="601000002", person={"dnd": value}),
    )
    assert (outcome.status == "SKIPPED", other.status == "SKIPPED") == (forbidden, forbidden)
    assert not forbidden or outcome.reason == "the sender says: do not call"


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
