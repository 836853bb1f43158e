"""What is volatile is left out of account."""

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.expressions.path import compile_path, drop_paths

EVENT = {
    "id": 1,
    "sent at": "10:00",
    "meta": {"attempt": 2, "host": "example.com"},
    "items": [{"id": 1, "seen": "a"}, {"id": 2, "seen": "b"}, "text"],
    "rows": [[1, 2], [3, 4]],
}
META = {"host": "example.com"}


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("id", {"id": ...}),
        ('"sent at"', {"sent at": ...}),
        ("meta.attempt", {"meta": META}),
        ("meta", {"meta": ...}),
        ("items[*].seen", {"items": [{"id": 1}, {"id": 2}, "text"]}),
        ("items[].seen", {"items": [{"id": 1}, {"id": 2}, "text"]}),
        ("items[0].seen", {"items": [{"id": 1}, {"id": 2, "seen": "b"}, "text"]}),
        ("items[-1]", {"items": [{"id": 1, "seen": "a"}, {"id": 2, "seen": "b"}]}),
        ("items[*]", {"items": []}),
        ("rows[*][0]", {"rows": [[2], [4]]}),
        ("rows[0][1]", {"rows": [[1], [3, 4]]}),
        ("missing.deeper", {}),
        ("id.deeper", {}),
        ("meta[0]", {}),
        ("items.seen", {}),
        ("items[9].seen", {}),
        ("_body.attempt", {}),
        ('_request.headers."x-attempt"', {}),
    ],
)
def test_what_is_at_a_path_is_dropped(text: str, changed: dict[str, object]) -> None:
    """A path's thing goes, all else stays, and a path that leads nowhere does nothing."""
    before = copy.deepcopy(EVENT)
    expected = {key: value for key, value in {**EVENT, **changed}.items() if value is not ...}
    assert drop_paths(EVENT, [compile_path(text)]) == expected
    assert before == EVENT


def test_indices_are_those_of_the_whole_list() -> None:
    """Several paths into one list do not move each other's elements."""
    paths = [compile_path(text) for text in ("rows[0][0]", "rows[0][1]", "items[0]", "items[1]", "meta.attempt", "id")]
    assert drop_paths(EVENT, paths) == {"sent at": "10:00", "meta": META, "items": ["text"], "rows": [[], [3, 4]]}


def test_paths_are_values() -> None:
    """Two paths of the same text are equal, and show their text."""
    assert compile_path("a[0].b") == compile_path("a[0].b")
    assert repr(compile_path("a[0].b")) == "Path(text='a[0].b')"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("a.", "not complete"),
        ("a || b", "simple path"),
        ("length(a)", "simple path"),
        ("lenght(a)", r"is length\(\) meant"),
        ("a[?b].c", "simple path"),
        ("a[1:2]", "simple path"),
        ("a.*", "simple path"),
        ("{a: b}", "simple path"),
        ("@", "simple path"),
        ("'a'", "simple path"),
    ],
)
def test_other_expressions_are_refused(text: str, why: str) -> None:
    """What is no simple path is refused when the configuration is read."""
    with pytest.raises(ValueError, match=why):
        compile_path(text)


@given(st.text(alphabet="ab.[]*01-\"'@", max_size=20))
def test_any_text_is_a_path_or_refused(text: str) -> None:
    """Compiling raises nothing but ValueError, and a path can be used on any event."""
    try:
        path = compile_path(text)
    except ValueError:
        return
    assert path.steps
    drop_paths({"a": [{"b": 1}], "b": None}, [path])
