"""YAML, and what it keeps quiet about."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.grammar.yaml_text import Document, read_yaml


@pytest.mark.parametrize("text", ["", "# nothing", "---\n", "\n\n"])
def test_nothing_is_nothing(text: str) -> None:
    """An empty document is None."""
    assert read_yaml(text).data is None


def test_data_is_as_yaml_has_it() -> None:
    """A document's data is what YAML reads."""
    text = 'a: {b: [1, "2", null]}\nc: zażółć'
    assert read_yaml(text).data == {"a": {"b": [1, "2", None]}, "c": "zażółć"}


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("a: 1\nb: 2\na: 3", ("a",), "given twice, in lines 1 and 3; keep one of them"),
        ("x:\n- {k: 1, k: 2}", ("x", "0", "k"), "given twice, in lines 2 and 2; keep one of them"),
        ("on: 1", ("on",), "YAML does not read this key in line 1 as text; put it in quotes"),
        ("x:\n  00001: a", ("x", "00001"), "YAML does not read this key in line 2 as text; put it in quotes"),
    ],
)
def test_keys_that_yaml_would_not_mention(text: str, path: tuple[str, ...], said: str) -> None:
    """A key given twice, of which YAML keeps the last, and a key that is no text, are mistakes with their place."""
    assert read_yaml(text).mistakes == {path: said}


def test_anchors_and_merges_are_plain_yaml() -> None:
    """Parts that are written once and used twice are no mistake."""
    document = read_yaml("a: &a {x: '1'}\nb: {<<: *a, y: '2'}")
    assert document == Document({"a": {"x": "1"}, "b": {"x": "1", "y": "2"}})


@pytest.mark.parametrize("plain", ["00001", "NO", "9:00", "0700", "1.10", "~", "2026-01-02"])
def test_plain_text_that_is_read_as_something_else_is_kept(plain: str) -> None:
    """What was written is known, so that it can be explained what YAML made of it."""
    assert read_yaml(f"a: [{plain}]").plain == {("a", "0"): plain}


@pytest.mark.parametrize("text", ['a: "00001"', "a: 'NO'", "a: text", "a: 0900", "a: 09:00"])
def test_text_is_no_trap(text: str) -> None:
    """Quoted text, and plain text that YAML reads as text, is not among them."""
    assert read_yaml(text).plain == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: {secret: ${X}}",
            'in line 1, column 14; text with {, }, [, ], :, # or * in it stands in quotes: "${NAME}"',
        ),
        ("a:\n\tb: 1", "in line 2, column 1"),
        ("--- a\n--- b", "another document in line 2"),
        ("? [a]\n: 1", "in line 1"),
        ("a: !!python/object:os.system x", "in line 1"),
        ("a: !!int ''", "it can't be read"),
        ("a: !!bool x", "it can't be read"),
        ("a: 2026-13-45", "it can't be read"),
        ("a: &a [*a]", "it can't be read"),
        ("a: \x00", "it can't be read"),
        ("a: " + "9" * 5000, "it can't be read"),
    ],
    ids=range(11),
)
def test_what_is_no_yaml(text: str, said: str) -> None:
    """What can't be read is a ValueError of one line, with the place where there is one."""
    with pytest.raises(ValueError, match=r"^no YAML: ") as error:
        read_yaml(text)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("password", ["*hunter2", "!hunter2", "&hunter2 *hunter3"])
def test_errors_show_no_password(password: str) -> None:
    """An unquoted password that to YAML is an alias or a tag is not in the error."""
    with pytest.raises(ValueError, match="in line 1") as error:
        read_yaml(f"password: {password}")
    assert "hunter" not in str(error.value)


@given(st.text() | st.text("{}[]:-,#&*!|>'\"%@`? \n\tab01~<."))
def test_whatever_is_read(text: str) -> None:
    """Any text is a document or a ValueError, and nothing else."""
    with suppress(ValueError):
        read_yaml(text)
