"""What commands print is text, whatever a sender has written."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.commands.say import make_plain
from tests.configs import run, write_config

TRICKS = "\x1b]0;owned\x07\x9b31m\u202egnp.exe\u2066\u200b\u2028\ud83d"


@given(st.text() | st.sampled_from([TRICKS]))
def test_plain(text: str) -> None:
    """No character is left that a terminal would carry out, hide, or turn the text with; all others stay."""
    shown = make_plain(text)
    assert not {"Cc", "Cf", "Cs", "Zl", "Zp"} & {unicodedata.category(each) for each in shown}
    shown.encode()
    if all(unicodedata.category(each)[0] in "LMNPS" or each == " " for each in text):
        assert shown == text


@pytest.mark.parametrize("command", ["preview", "trace", "replay"])
def test_commands_print_plain_text(command: str, tmp_path: Path) -> None:
    """Neither what a request holds nor what is typed reaches the terminal as it is."""
    environ = write_config(tmp_path, queue=f"sqlite:///{tmp_path}/ringback.db")
    (tmp_path / "body.json").write_text(json.dumps({"name": f"Ada {TRICKS}", "phone": "601000001", "consent": TRICKS}))
    (tmp_path / "ringback.db").touch()
    arguments = {"preview": ("website", str(tmp_path / "body.json")), "trace": (TRICKS[:-1],), "replay": (TRICKS[:-1],)}
    result = run(command, *arguments[command], environ=environ)
    assert result.output
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2066"} & set(result.output)


def test_nothing_is_printed_past_it(root: Path) -> None:
    """Every command prints through one place."""
    modules = (root / "functions").rglob("*.py")
    printing = {path.name for path in modules if any(word in path.read_text() for word in ("click.echo", "print("))}
    assert printing == {"say.py"}
