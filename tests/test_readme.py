"""What the documents say is so: their configurations load, their commands exist, and every key is described."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from ringback import config
from ringback.grammar.campaign import CampaignSchema, ThuliumSchema, TopSchema
from ringback.grammar.source import CustomerSchema, FetchSchema, SourceSchema
from ringback.grammar.verification import HmacSchema, TokenSchema
from tests.given import load, make_config, make_source

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
CONFIGURATION = (ROOT / "docs/configuration.md").read_text("utf-8")
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
SCHEMAS = [TopSchema, ThuliumSchema, CampaignSchema, SourceSchema, CustomerSchema, FetchSchema, HmacSchema, TokenSchema]
REST = """
thulium: {url: https://acme.thulium.com, user: "${THULIUM_USER}", password: "${THULIUM_PASSWORD}"}
log_key: ${LOG_KEY}
campaigns: {callbacks: {id: "00001"}}
sources: {form: {preset: form, secret: "${FORM_TOKEN}", map: {phone_number: phone}, campaign: callbacks}}
"""


def find_blocks(text: str) -> list[str]:
    """Return the YAML in a document that has sections of a configuration."""
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    return [block for block in blocks if re.match(r"(thulium|campaigns|sources):", block)]


@pytest.mark.parametrize("block", [*find_blocks(README), *find_blocks(CONFIGURATION)])
def test_configuration_loads(block: str, tmp_path: Path) -> None:
    """Each example of a configuration is a good one."""
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(REST), **yaml.safe_load(block)}), "utf-8")
    assert config.load({"RINGBACK_CONFIG": str(path)}, with_secrets=False).sources


def find_fragments(text: str) -> list[str]:
    """Return the keys of a source that a document shows by themselves, each in every way that it shows."""
    blocks = re.findall(r"```yaml\n((?:verify|handshake):.*?)```", text, re.DOTALL)
    return [fragment for block in blocks for fragment in re.split(r"^(?=\w)", block, flags=re.MULTILINE) if fragment]


@pytest.mark.parametrize("fragment", find_fragments(CONFIGURATION))
def test_fragment_loads(fragment: str) -> None:
    """Each key of a source that is shown by itself is a good one."""
    source = make_source(**{"secret": "${SECRET}", **yaml.safe_load(fragment)})
    assert load(make_config(source, public_url="https://hooks.acme.com"), with_secrets=False).sources


def test_first_command_comes_early() -> None:
    """A newcomer finds the command that runs it before line 30."""
    assert README.splitlines().index("make run") < 30


@pytest.mark.parametrize("target", sorted(set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.MULTILINE))))
def test_make_target_exists(target: str) -> None:
    """Every make target that the README names exists."""
    run = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_key_is_described(schema: type) -> None:
    """Every key of the configuration is described."""
    keys = [field.data_key or name for name, field in schema().fields.items()]
    assert [key for key in keys if not re.search(rf"\b{key}\b", CONFIGURATION)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    """Every link to another document leads to one."""
    links = re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []
