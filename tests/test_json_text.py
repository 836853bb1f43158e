"""JSON's text becomes data, and no number and no text is changed on the way."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.json_text import parse_json


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9007199254740993", 9007199254740993),
        ("18446744073709551616", 18446744073709551616),
        ("-" + "9" * 63, -int("9" * 63)),
        ("9" * 5000, "9" * 5000),
        ("0.1", 0.1),
        ("1.50", 1.5),
        ("15550000000.0", 15550000000.0),
        ("123456789012345678.5", "123456789012345678.5"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("0." + "1" * 100, "0." + "1" * 100),
        ("1e400", "1e400"),
        ("-1e-400", "-1e-400"),
        ("1e-99999999999999999999", "1e-99999999999999999999"),
    ],
)
def test_numbers_keep_their_digits(written: str, read: object) -> None:
    """A whole number stays whole; what a float would change, or is longer than any id, is kept as text."""
    value = parse_json(written)
    assert (value, type(value)) == (read, type(read))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("NaN", None),
        ('{"a": NaN, "b": [Infinity, -Infinity], "c": 41}', {"a": None, "b": [None, None], "c": 41}),
        ('{"note": "po 16\nalbo\tjutro\r\n", "b": "\x00\x1b"}', {"note": "po 16\nalbo\tjutro\r\n", "b": "\x00\x1b"}),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_templates_write(written: str, read: object) -> None:
    """What is no number is null, control characters may stand in texts, and of a key given twice the last counts."""
    assert parse_json(written) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"\ud800"', "?"),
        (r'{"\uDfff": "\ud83d \ude00"}', {"?": "? ?"}),
        (r'"\ud83d\ude00"', "😀"),
        (
            r'["\ud800", 9007199254740993, 0.1, 123456789012345678.5]',
            ["?", 9007199254740993, 0.1, "123456789012345678.5"],
        ),
        ('["\\ud800", "a\nb"]', ["?", "a\nb"]),
    ],
)
def test_half_characters_become_question_marks(written: str, read: object) -> None:
    """A lone surrogate is replaced, so that what was read can be written as UTF-8; nothing else changes by it."""
    assert parse_json(written) == read


@given(st.text())
def test_any_text_may_stand_as_it_is(text: str) -> None:
    """But for quotes and backslashes, a text needs no escapes."""
    plain = text.replace('"', "").replace("\\", "").encode("utf-8", "replace").decode()
    assert parse_json(f'{{"a": "{plain}"}}') == {"a": plain}
    assert parse_json(json.dumps({"a": plain})) == {"a": plain}
