"""docs/adding-a-sender.md does what it says: its files are written and its commands run, from top to bottom."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BLOCK = re.compile(r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = '#!/bin/sh\nexec {python} -c "from ringback.cli import main; main()" "$@"\n'


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    """The document."""
    return (root / "docs/adding-a-sender.md").read_text("utf-8")


@pytest.fixture(scope="module")
def workplace(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, with the command ``ringback`` in ``bin``."""
    path = tmp_path_factory.mktemp("workplace")
    for folder in ("functions", "tests"):
        shutil.copytree(root / folder, path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", path)
    command = path / "bin/ringback"
    command.parent.mkdir()
    command.write_text(COMMAND.format(python=sys.executable))
    command.chmod(0o755)
    return path


def run(commands: str, workplace: Path) -> str:
    """Return what commands of a shell print; where one fails that is the failure."""
    places = [str(workplace / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    environment = {**os.environ, "PATH": os.pathsep.join(places), "PYTHONPATH": str(workplace / "functions")}
    done = subprocess.run(
        ["/bin/sh", "-ec", commands], cwd=workplace, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def follow(page: str, workplace: Path) -> Iterator[str]:
    """Write the page's files and run its commands, in their order; yield what each of the commands prints."""
    for block in BLOCK.finditer(page):
        if block["file"]:
            path = workplace / block["file"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block["text"], "utf-8")
        else:
            assert block["kind"] == "sh"
            yield run(block["text"], workplace)


def test_steps_lead_to_a_preset(page: str, workplace: Path) -> None:
    """Who follows the page sees a lead, whom nobody may call, and in the end a preset that stands every attack."""
    preview, tests = follow(page, workplace)
    assert "the configuration is good" in preview
    assert "+48601000001" in preview or "601000001" in preview
    assert "no consent" in preview
    assert re.search(r"\b[0-9]{2} passed", tests)
    assert "failed" not in tests


def test_first_configuration_is_good(page: str, workplace: Path) -> None:
    """What is written to look with passes ``check`` as it stands."""
    first = next(block for block in BLOCK.finditer(page) if block["file"] == "acorn.yaml")
    (workplace / "first.yaml").write_text(first["text"], "utf-8")
    assert "the configuration is good" in run("RINGBACK_CONFIG=first.yaml ringback check", workplace)


def test_kinds_of_proof_are_schemes(page: str, root: Path) -> None:
    """Each scheme that the page tells a header by is one that the configuration takes."""
    from ringback.grammar.verification import SCHEMES  # noqa: PLC0415 - the copy's own is for the commands

    rows = re.findall(r"^\|.*$", page, re.MULTILINE)
    kinds = [kind for row in rows for kind in re.findall(r"\{scheme: ([a-z-]+)", row)]
    assert {"hmac", "basic", "token", "standard-webhooks"} == set(kinds)
    assert set(kinds) <= SCHEMES.keys()
