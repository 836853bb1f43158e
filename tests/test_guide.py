"""What is told of presets is enough to set a source up."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringback import config
from ringback.errors import ConfigError
from ringback.grammar.preset import list_presets, read_preset
from ringback.reports.guide import explain_sender, list_senders, write_example
from tests.configs import write_config
from tests.preset_cases import list_schemes
from tests.signing import make_secret

PRESETS = list_presets()


@pytest.mark.parametrize("name", PRESETS)
def test_example_is_good(name: str, tmp_path: Path) -> None:
    """A preset's example, pasted below `sources:` of a minimal file, has no mistake, with its secrets and without."""
    entry: dict[str, Any] = yaml.safe_load(write_example(name))
    environ = write_config(tmp_path, campaigns=None, sources=entry)
    assert name in config.load(environ, with_secrets=False).sources
    names = re.findall(r"\$\{(\w+)\}", write_example(name))
    secret = make_secret(list_schemes(name)[0], "key")
    assert name in config.load({**environ, **dict.fromkeys(names, secret)}).sources


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_explained(name: str) -> None:
    """Of a preset is told who it is, what to fill in, where the URL goes, how it behaves, and an example."""
    text = "\n".join(explain_sender(name))
    raw: Any = read_preset(name)
    assert text.startswith(f"{name}: {raw['title']}")
    assert all(key in text for key in raw["needs"])
    assert "YOUR-FUNCTION/SOURCE" in text
    assert "it waits for an answer:" in text
    assert "it sends again:" in text
    assert f"  preset: {name}\n" in text


@pytest.mark.parametrize("name", PRESETS)
def test_what_the_example_needs_at_the_top_is_told(name: str, tmp_path: Path) -> None:
    """Where the URL is signed it is said that the file needs `public_url`, and nowhere else."""
    environ = write_config(tmp_path, campaigns=None, public_url=None, sources=yaml.safe_load(write_example(name)))
    try:
        config.load(environ, with_secrets=False)
        is_needed = False
    except ConfigError as error:
        is_needed = "public_url" in str(error)
    assert ("`public_url: https://YOUR-FUNCTION`" in "\n".join(explain_sender(name))) == is_needed


def test_manners_are_told() -> None:
    """What is known of a sender is told as a fact, what is not as unknown."""
    never, unknown = "\n".join(explain_sender("woocommerce")), "\n".join(explain_sender("form"))
    assert "sends again: never" in never
    assert "waits for an answer: 5 s" in "\n".join(explain_sender("shopify"))
    assert "waits for an answer: unknown" in unknown
    assert "sends again: unknown" in unknown
    assert "sends again: up to 13 times in 2.5 hours" in "\n".join(explain_sender("formsort"))


def test_blank_inside_a_section_comes_from_the_example() -> None:
    """What is needed inside a section is not written as a key of its own."""
    assert "fetch.headers" not in write_example("meta")
    assert "Authorization" in write_example("meta")


def test_senders_are_listed() -> None:
    """Each preset has a line with its name, its sender, how it is attested and what it needs."""
    head, *rows = list_senders()
    assert head.split() == ["preset", "sender", "attested", "needs"]
    assert [row.split()[0] for row in rows] == PRESETS
    assert any(row.startswith("meta ") and row.endswith("secret, verify_token, fetch.headers") for row in rows)


def test_unknown_preset() -> None:
    """A name that is none is refused, with the nearest one."""
    with pytest.raises(ValueError, match="is `typeform` meant"):
        list(explain_sender("typeforms"))
