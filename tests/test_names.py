"""``${NAME}`` in the configuration."""

import pytest

from ringback.errors import ConfigError
from ringback.grammar.names import fill_in, list_names, look_up_in, parse_secret

NOWHERE = look_up_in({}, pytest.fail, [])


def test_environment_comes_first() -> None:
    """A name is looked for in the environment, then in the secret; what is nowhere is None."""
    look_up = look_up_in(
        {"A": "environment", "RINGBACK_SECRET_ID": "id"}, lambda _: '{"A": "secret", "B": "secret"}', []
    )
    assert [look_up(name) for name in "ABC"] == ["environment", "secret", None]


def test_secret_is_read_late_and_once() -> None:
    """The secret is read by its id when the first name is not in the environment, and never again."""
    read: list[str] = []

    def read_secret(secret_id: str) -> str:
        read.append(secret_id)
        return "{}"

    look_up = look_up_in({"A": "a", "RINGBACK_SECRET_ID": "acme/ringback"}, read_secret, [])
    look_up("A")
    assert read == []
    look_up("B")
    look_up("C")
    assert read == ["acme/ringback"]


@pytest.mark.parametrize("environ", [{}, {"RINGBACK_SECRET_ID": ""}])
def test_nobody_is_asked_without_an_id(environ: dict[str, str]) -> None:
    """Without the name of a secret none is read."""
    assert look_up_in(environ, pytest.fail, [])("A") is None


def test_secret_holds_texts() -> None:
    """Numbers and the like become text as JSON has it; what is null is not there, and never the word."""
    text = '{"a": "x", "n": 12345, "b": true, "none": null, "o": {"k": [1]}}'
    assert parse_secret(text) == {"a": "x", "n": "12345", "b": "true", "o": '{"k": [1]}'}


@pytest.mark.parametrize("text", ["", "hunter2", "[]", '"hunter2"', "[" * 100_000], ids=range(5))
def test_secret_that_is_no_object(text: str) -> None:
    """A secret of another form is a mistake with the way out, and none of it is shown."""
    with pytest.raises(ConfigError, match=r'^RINGBACK_SECRET_ID: .* store {"NAME": "value", ...}$') as error:
        parse_secret(text)
    assert "hunter2" not in str(error.value)


def test_names_are_filled_in_everywhere() -> None:
    """Names are filled in inside texts, at any depth, several in one too; all else stays as it is."""
    look_up = look_up_in({"A": "1", "B_2": "x"}, pytest.fail, [])
    data = {"t": "${A}-${B_2}", "l": ["${A}", 5, None, True], "${A}": {"deep": "a ${A} b"}}
    assert fill_in(data, look_up) == ({"t": "1-x", "l": ["1", 5, None, True], "${A}": {"deep": "a 1 b"}}, {})


@pytest.mark.parametrize("text", ["$A", "${}", "${1A}", "{A}", "${A B}", "$${", "${A"])
def test_what_is_no_name_stays(text: str) -> None:
    """Only ``${NAME}`` is one."""
    assert fill_in(text, NOWHERE) == (text, {})


def test_missing_names_are_told_by_path() -> None:
    """What is nowhere is told, by the path of its text, which stays as it is."""
    data = {"a": ["x", "${NO}"], "b": "${NO_2}"}
    assert fill_in(data, NOWHERE) == (data, {("a", "1"): ["NO"], ("b",): ["NO_2"]})


@pytest.mark.parametrize("value", ["s3cret\n", "s3cret\r\n", "s3cret"])
def test_line_end_behind_a_value_is_left_out(value: str) -> None:
    """The line end that ``echo`` puts behind a secret is no part of it."""
    assert fill_in("${A}", look_up_in({"A": value}, pytest.fail, [])) == ("s3cret", {})


def test_names_for_delivering_alone() -> None:
    """A name is for delivering alone if it stands only in Thulium's access and in what is fetched."""
    thulium = {"url": "https://${HOST}", "user": "${USER}", "password": "${PASSWORD}-${SHARED}"}
    fetch = {"url": "https://x/{id}", "headers": {"Authorization": "Bearer ${PAGE_TOKEN}"}}
    sources = {"crm": {"secret": ["${CRM}", {"value": "${SHARED}"}], "fetch": fetch, "map": {"fetch": "${MAP}"}}}
    data = {"thulium": thulium, "log_key": "${LOG_KEY}", "sources": sources}
    names = list_names(data)
    assert list(names) == sorted(names)
    assert {name for name, is_late in names.items() if is_late} == {"HOST", "USER", "PASSWORD", "PAGE_TOKEN"}
    assert {name for name, is_late in names.items() if not is_late} == {"SHARED", "LOG_KEY", "CRM", "MAP"}
