"""What is wrong with an expression is found when the configuration is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.expressions.expression import compile_expression
from ringback.expressions.syntax import parse_tree


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "the expression is empty"),
        ("  ", "the expression is not complete"),
        ("customer.", "the expression is not complete"),
        ("a ==", "the expression is not complete"),
        ("phones[0", "the expression is not complete"),
        ("first(a", "the expression is not complete"),
        ("(" * 5000, "the expression is nested too deeply"),
        ("a b", "'b' is not expected at character 3"),
        ("a)", r"'\)' is not expected at character 2"),
        ("{a: }", "'}' is not expected at character 5"),
        ("score > 10", "10 is not expected at character 9; a number stands in backquotes: `10`"),
        ("score > 0", "0 is not expected at character 9; a number stands in backquotes: `0`"),
        ("a && consent == true", "true alone is the name of a field; the value stands in backquotes: `true`"),
        ("a[?null != b]", "null alone is the name of a field; the value stands in backquotes: `null`"),
        ("a = 'x'", "Unknown token '=' at character 3; == compares"),
        (
            "your-name",
            "Unknown token '-' at character 5; a name with other characters than A-Z, a-z, 0-9 and _",
        ),
        ("Imię", "Unknown token ę at character 4; a name with other characters than A-Z, a-z, 0-9 and _"),
        ("a == 'x", "Unclosed ' delimiter at character 6"),
        ('"a', 'Unclosed " delimiter at character 1'),
        ('a == `"\n', "Unclosed ` delimiter at character 6"),
        (r'"\x"', r"Invalid \\escape at character 1"),
        ('a == `"\n"x`', 'Bad token " "x at character 6'),
        ("prefx(a, b)", r"there is no function prefx\(\); is prefix\(\) meant\?"),
        ("a[?xyzzy(b)]", r"there is no function xyzzy\(\)"),
        ("a.{b: lenght(c)}", r"there is no function lenght\(\); is length\(\) meant\?"),
        ("join(a)", r"join\(\) takes 2 argument\(s\), and is given 1"),
        ("split_name(a, b)", r"split_name\(\) takes 1 argument\(s\), and is given 2"),
        ("first()", r"first\(\) takes 1 or more argument\(s\), and is given 0"),
        ("sort_by(a, b)", r"sort_by\(\) takes an expression marked with & as argument 2"),
        ("first(a, &b)", r"first\(\) takes a value, without & as argument 2"),
        ("&a", "what is marked with & can only be an argument of a function"),
        ("[a, &b]", "what is marked with & can only be an argument of a function"),
    ],
)
def test_mistake_is_named(text: str, why: str) -> None:
    """A mistake is told in one line: what is wrong, and where or how to mend it."""
    with pytest.raises(ValueError, match=f"^{why}") as caught:
        parse_tree(text)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sort_by(people, &age)[0].name", "Ola"),
        ("people[?age > `30`].name | [0]", "Jan"),
        ("people[1:].name", ["Ola"]),
        ("people[?name == `Ola`].age", [28]),
        ("merge(people[0], {age: `1`}).age", 1),
        ("map(&name, people)", ["Jan", "Ola"]),
        ('"przełożony"', "Łoś"),
        ("@.people | length(@)", 2),
    ],
)
def test_good_expression_is_taken(text: str, value: object) -> None:
    """All of JMESPath can be used, text in backquotes without inner quotes included."""
    event = {"people": [{"name": "Jan", "age": 41}, {"name": "Ola", "age": 28}], "przełożony": "Łoś"}
    assert compile_expression(text).search(event) == value


@given(st.text() | st.text(alphabet="ab.[]*?()&|<=>!,:{}@'\"`\\-0 \n", max_size=30))
def test_any_text_compiles_or_has_its_mistake_in_one_line(text: str) -> None:
    """Compiling raises nothing but ValueError, with a message of one line."""
    try:
        compile_expression(text)
    except ValueError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - either way is right
