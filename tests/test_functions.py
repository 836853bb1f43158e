"""The functions that expressions have beside JMESPath's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.expressions.expression import compile_expression
from ringback.expressions.functions import Functions, is_true

EVENT = {
    "none": None,
    "empty": "",
    "spaces": "  ",
    "no": False,
    "zero": 0,
    "name": "Ewa Maria  Lis",
    "one": "Lis",
    "id": 9007199254740993,
    "padded": " 17 ",
    "phones": [{"value": "601000001"}, {"value": "601000002", "primary": True}],
    "list": [],
    "text": '{"id": 9007199254740993, "names": ["Łoś"]}',
    "broken": '{"id":',
    "object": {"a": 1},
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("first(none, empty, spaces, list, missing, name)", "Ewa Maria  Lis"),
        ("first(no, name)", False),
        ("first(zero, name)", 0),
        ("first(phones[?primary].value)", "601000002"),
        ("first(phones[?fax].value, phones[].value)", ["601000001", "601000002"]),
        ("first([phones[?primary].value, phones[].value][])", "601000002"),
        ("first(list, missing.deeper)", None),
        ('first(`[null, [], {}, ""]`)', None),
        ("first(object)", {"a": 1}),
        ("list(object)[].a", [1]),
        ("list(phones)[].value", ["601000001", "601000002"]),
        ("list(missing)", []),
        ("list(empty)", [""]),
        ("json(text).id", 9007199254740993),
        ("json(text).names[0]", "Łoś"),
        ("json(broken)", None),
        ("json(missing)", None),
        ("json(object)", None),
        ("prefix('shop:', id)", "shop:9007199254740993"),
        ("prefix('shop:', padded)", "shop:17"),
        ("prefix('shop:', zero)", "shop:0"),
        ("prefix('shop:', missing)", None),
        ("prefix('shop:', spaces)", None),
        ("split(id, ':')", None),
        ("split('urn:li:inv-0001', ':')", ["urn", "li", "inv-0001"]),
        ("split(' a  b ', '')", ["a", "b"]),
        ("split_name(name)", {"name": "Ewa Maria", "surname": "Lis"}),
        ("split_name(one)", {"name": "", "surname": "Lis"}),
        ("split_name(spaces)", None),
        ("split_name(id)", None),
        ("to_number('12.5')", 12.5),
        ("to_number('+48')", 48),
        ("to_number('nan')", None),
        ("to_number('1e999')", None),
        ("to_number('x')", None),
        ("to_number(missing)", None),
    ],
)
def test_function(text: str, value: object) -> None:
    """Each function does what its line says, and takes what is missing for nothing."""
    found = compile_expression(text).search(EVENT)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "truth"),
    [(None, False), (False, False), ("", False), ([], False), ({}, False), (0, True), ("0", True), ([None], True)],
)
def test_truth(value: object, truth: object) -> None:
    """Nothing, no and what is empty is not true; everything else is, 0 and the word "no" included."""
    assert is_true(value) is truth


def test_every_function_of_ours_is_described() -> None:
    """A function that an expression can call has its line where users read of it."""
    from ringback.expressions import functions  # noqa: PLC0415 - its text is what is tested

    own = set(Functions.FUNCTION_TABLE) - set(Functions.__mro__[1].FUNCTION_TABLE)  # type: ignore[attr-defined]
    assert own == {"first", "list", "json", "prefix", "split", "split_name"}
    assert all(f"``{name}(" in str(functions.__doc__) for name in own)


@given(st.text())
def test_no_text_makes_a_function_fail(text: str) -> None:
    """Functions of ours take any text."""
    for call in ("first(@)", "list(@)", "json(@)", "prefix('x', @)", "split(@, 'x')", "split_name(@)", "to_number(@)"):
        compile_expression(call).search(text)
