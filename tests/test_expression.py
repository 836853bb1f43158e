"""Expressions say where a value is."""

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.errors import RingbackError
from ringback.expressions.expression import ExpressionFailed, compile_expression

EVENT = {"name": "Łucja Sowa", "tags": ["a", None], "age": 41, "none": None, "when": "x"}


def test_expressions_are_values() -> None:
    """Two expressions of the same text are equal, can be keys, and show their text."""
    one, other = compile_expression("a.b"), compile_expression("a.b")
    assert one == other
    assert len({one, other, compile_expression("a.c")}) == 2
    assert repr(one) == "Expression(text='a.b')"
    assert one.text == "a.b"


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("a.b", set()),
        ("_request.query.page", {("query", "page")}),
        ('_request.headers."x-topic"', {("headers", "x-topic")}),
        ("@._request.query.a", {("query", "a")}),
        ("(_request).query.a || _request.query.b.c", {("query", "a"), ("query", "b")}),
        ("items[?n == _request.query.n].{a: a, b: _request.headers.b}", {("query", "n"), ("headers", "b")}),
        ("first(_request.id, _request.received_at)", {("id",), ("received_at",)}),
        ("a | _request.query.b", {("query", "b")}),
        ("_request.query.a.to_string(@)", {("query", "a")}),
        ("@", set()),
        ("'_request'", set()),
        ("a._request.b", set()),
    ],
)
def test_what_is_read_of_the_request(text: str, reads: set[tuple[str, ...]]) -> None:
    """An expression knows each header and parameter that it names: those are kept with an event."""
    assert compile_expression(text).reads == reads


@pytest.mark.parametrize(
    "text",
    [
        *("_request", "_request.headers", "_request.query", "_request.query.*", "_request.*", "_request.other"),
        *("keys(_request.query)", "_request.[headers.a]", "_request | query.a", "_request.query | a"),
        *("{a: _request}.a.query.b", "[_request][0].query.a", "_request.query.[a, b]", "_request.to_string(@)"),
        *("map(&_request, a)", "a[?_request]", "_request.query.values(@)", "_request[0]", '"_request".headers'),
    ],
)
def test_whole_request(text: str) -> None:
    """All headers, or the whole query, can't be read, since they are not kept; and it is said what to write instead."""
    with pytest.raises(ValueError, match="only what is named is kept"):
        compile_expression(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("join(' ', none)", "join() takes array of string, and is given null"),
        ("join(' ', tags)", "join() takes array of string, and is given null"),
        ("contains(none, 'a')", "contains() takes array or string, and is given null"),
        ("length(age)", "length() takes string or array or object, and is given number"),
        ("sort_by(tags, &@)", "sort_by() takes string, and is given null"),
        ("prefix('x', tags)", "prefix() takes string or number or null, and is given array"),
        ("prefix('x', `true`)", "prefix() takes string or number or null, and is given boolean"),
        ("name > age", "can't be worked out on these values (TypeError)"),
        ("tags[::0]", "can't be worked out on these values (ValueError)"),
        ("avg([`1" + "0" * 400 + "`])", "can't be worked out on these values (OverflowError)"),
    ],
)
def test_failure_says_what_failed_and_shows_no_value(text: str, why: str) -> None:
    """An expression that can't be worked out on an event fails by its own error, which shows nothing of the event."""
    with pytest.raises(ExpressionFailed) as caught:
        compile_expression(text).search(EVENT)
    assert isinstance(caught.value, RingbackError)
    assert (caught.value.text, str(caught.value)) == (text, why)
    assert "Sowa" not in str(caught.value)


def test_too_deep_data_fails_as_anything_else() -> None:
    """Data that is deeper than Python can compare makes the expression fail, not the process."""
    deep: list[object] = []
    other: list[object] = []
    for _ in range(100_000):
        deep, other = [deep], [other]
    with pytest.raises(ExpressionFailed, match="RecursionError"):
        compile_expression("[0] == [1]").search([deep, other])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
TEXTS = (
    "a[].b | [0]",
    "join(' ', a)",
    "a > b",
    "avg(a)",
    "first(a.*, b[])",
    "sort_by(a, &b)",
    "to_string(@)",
    "ceil(a)",
)


@settings(max_examples=50)
@given(JSON_VALUES, st.sampled_from(TEXTS))
def test_searching_raises_nothing_but_its_own_error(data: object, text: str) -> None:
    """Whatever an event holds, an expression has a value on it or fails by its own error."""
    try:
        compile_expression(text).search(data)
    except ExpressionFailed as error:
        assert error.text == text  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("items[*].[a, a, a, a, a, a][]", "elements"),
        ("@" + " | [@, @]" * 20 + "[]" * 20, "elements"),
        ("[items, items, items][].a | [?@ == '1']", "elements"),
        ("map(&*.[@, @, @][], items)[]", "elements"),
        ("@" + " | [@, @]" * 30 + " | to_string(@)", "characters"),
        ("@" + " | {a: @, b: @}" * 12 + " | to_string(@)", "characters"),
    ],
)
def test_costly_expressions_have_a_bound(text: str, why: str) -> None:
    """An expression that makes lists of too many elements, or makes too long a text, fails, and says which."""
    expression = compile_expression(text)
    data = {"items": [{"a": str(number)} for number in range(40_000)]}
    with pytest.raises(ExpressionFailed, match=why) as caught:
        expression.search(data)
    assert caught.value.text == text


def test_text_of_a_value_is_the_librarys() -> None:
    """`to_string` writes JSON as the library does."""
    values: list[object] = [{"a": [1, None, "ł"]}, "x", 5, [], None]
    for value in values:
        assert compile_expression("to_string(@)").search(value) == jmespath.search("to_string(@)", value)


def test_largest_event_is_read() -> None:
    """A question is found among as many answers as an event may have."""
    data = {"items": [{"a": str(number)} for number in range(20_000)]}
    assert compile_expression("items[?a == '19999'].a | [0]").search(data) == "19999"
