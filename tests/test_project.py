"""The files around the code hold together with it: doors, pins, Makefile, CI."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.programs import run

# --- the doors ---


@pytest.mark.parametrize("door", ["main.py", "aws.py"])
def test_doors_are_small(door: str, root: Path) -> None:
    """A door translates and no more, in at most 50 lines."""
    assert len((root / "functions" / door).read_text().splitlines()) <= 50


def test_every_module_is_in_the_overview(root: Path) -> None:
    """docs/code.md tells of each module and folder that somebody finds when he opens ours."""
    told = set(re.findall(r"`([a-z_]+)/?`", (root / "docs/code.md").read_text("utf-8").partition("## Rules")[0]))
    there = {path.stem for path in (root / "functions/ringback").iterdir() if path.suffix in (".py", "")}
    assert there - {"__init__", "__main__", "__pycache__"} <= told


def test_every_kind_of_line_is_told(root: Path) -> None:
    """docs/log.md has each kind of line that the code writes, and no other."""
    code = "".join(path.read_text("utf-8") for path in (root / "functions").rglob("*.py"))
    groups = "customer|thulium|webhook|config|queue|secret|internal|stop|source|counter|task|clock|process|log"
    kinds = rf"(?:{groups})\.(?!yaml)[a-z]+"
    table = (root / "docs/log.md").read_text("utf-8").partition("## What is logged")[2]
    assert set(re.findall(rf"^\| `({kinds})`", table, re.MULTILINE)) == set(re.findall(rf'"({kinds})"', code))


# --- what Google builds from ---

CONFIG = """
thulium: {url: "http://127.0.0.1:9", user: u, password: p}
log_key: an-invented-key-long-enough
sources:
  website: {verify: {scheme: hmac, header: X-Signature, encoding: hex}, secret: "0123456789abcdef0123456789abcdef",
    map: {customer_id: id}, campaign: "00001"}
"""


def test_what_google_builds_from_answers(root: Path, tmp_path: Path) -> None:
    """The folder that Google's build takes has the function and its pins at the top, and all of our code."""
    run("make", "build-gcp", cwd=root)
    folder = root / "build/gcp"
    assert (folder / "requirements.txt").read_text() == (root / "requirements-gcp.txt").read_text()
    (tmp_path / "config.yaml").write_text(CONFIG)
    start = "import functions_framework as f; print(f.create_app('webhook').test_client().get('/').text)"
    environment = {"PYTHONPATH": str(folder), "RINGBACK_CONFIG": str(tmp_path / "config.yaml")}
    assert "is up" in run(sys.executable, "-c", start, cwd=folder, **environment)


# --- pins ---


SHIPPED = ("requirements.txt", "requirements-gcp.txt", "requirements-machine.txt")


def read_pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("other", SHIPPED)
def test_what_is_tested_is_what_is_shipped(other: str, root: Path) -> None:
    """A library has the same version wherever Ringback runs, and in the tests."""
    assert read_pins(root / other).items() <= read_pins(root / "requirements-dev.txt").items()
    assert read_pins(root / "requirements.txt").items() <= read_pins(root / other).items()


@pytest.mark.parametrize(("extra", "file"), list(zip((None, "gcp", "machine"), SHIPPED, strict=True)))
def test_pins_hold_every_dependency(extra: str | None, file: str, root: Path) -> None:
    """What pyproject.toml names is pinned in the file for where it runs, and each of its extras has such a file."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    assert extras.keys() == {"gcp", "machine"}
    wanted = [*project["dependencies"], *(extras[extra] if extra else ())]
    pins = read_pins(root / file)
    assert {re.split("[>=[]", each)[0].lower() for each in wanted} <= pins.keys()


@pytest.mark.parametrize("name", ["", "-gcp", "-machine", "-dev", "-tools"])
def test_pins_have_hashes(name: str, root: Path) -> None:
    """Each pin says which files it means, so that nobody can slip in others."""
    text = (root / f"requirements{name}.txt").read_text()
    pins = re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", text, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z]", text, re.MULTILINE)) > 0


# --- make and CI ---

TARGETS = {"install", "run", "test", "check", "build", "deploy-aws", "deploy-gcp", "bench"}


def test_make_says_what_there_is(root: Path) -> None:
    """`make` alone shows each target with a line about it, and does nothing."""
    makefile = (root / "Makefile").read_text()
    shown = dict(re.findall(r"^  make ([a-z-]+) +(\S.*)$", run("make", cwd=root), re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert shown.keys() == set(phony[1].split()) >= TARGETS


@pytest.mark.parametrize(
    ("python", "words"), [("/bin/false", "needs Python 3.11"), ("./no-ensurepip", "apt install python3-venv")]
)
def test_make_says_what_is_missing(python: str, words: str, root: Path, tmp_path: Path) -> None:
    """On a machine whose Python won't do, installing says so, and what would."""
    (tmp_path / "no-ensurepip").write_text('#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; esac\n')
    (tmp_path / "no-ensurepip").chmod(0o755)
    (tmp_path / "requirements-dev.txt").touch()
    (tmp_path / "pyproject.toml").touch()
    command = ("make", "-f", str(root / "Makefile"), "install", f"PYTHON={python}")
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert words in done.stderr


def test_ci_runs_what_the_readme_says(root: Path) -> None:
    """CI tests with the very command that the README gives."""
    ci = (root / ".ci/run").read_text().splitlines()
    assert "make test" in ci
    assert "make lint types" in ci
    assert "make test" in (root / "README.md").read_text()
    assert os.access(root / ".ci/run", os.X_OK)


def test_commit_hooks_need_no_network(root: Path) -> None:
    """What runs before a commit is what is installed here."""
    repos = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())["repos"]
    assert {each["repo"] for each in repos} == {"local"}
    assert {hook["language"] for each in repos for hook in each["hooks"]} == {"system"}


@pytest.mark.parametrize("file", SHIPPED)
def test_every_pin_that_ships_is_audited(file: str, root: Path) -> None:
    """`make audit` asks about each file that something is installed from, and `make pins` writes it."""
    assert f"-r {file}" in run("make", "-n", "audit", cwd=root)
    assert re.search(rf"-o {file}$", run("make", "-n", "pins", cwd=root), re.MULTILINE)


def test_bill_of_materials(root: Path) -> None:
    """`make sbom` names each package that ships once, in the version that is pinned, with its hashes."""
    run("make", "sbom", cwd=root)
    bill = json.loads((root / "build/sbom.json").read_text())
    named = sorted(f"{each['name'].lower()}=={each['version']}" for each in bill["components"])
    pins = "".join((root / file).read_text() for file in SHIPPED)
    assert named == sorted({pin.lower() for pin in re.findall(r"^([\w.-]+==[\w.]+)", pins, re.MULTILINE)})
    assert all(each["externalReferences"][0]["hashes"] for each in bill["components"])
