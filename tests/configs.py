"""Configurations for the tests of the commands."""

import os
from pathlib import Path
from typing import Any

import yaml
from click.testing import CliRunner, Result

from ringback import config
from ringback.cli import main
from ringback.settings import Settings

SECRET = "an-invented-secret-long-enough"
SOURCE = {
    "preset": "form",
    "secret": SECRET,
    "consent": "consent",
    "map": {"full_name": "name", "phone_number": "phone"},
    "campaign": "callbacks",
}
WHOLE: dict[str, Any] = {
    "thulium": {"url": "https://acme.thulium.com", "user": "ringback", "password": "only-for-the-sandbox"},
    "public_url": "https://hooks.example.com",
    "log_key": "an-invented-key-long-enough",
    "campaigns": {"callbacks": {"id": "00001", "set": {"status_id": 3}}},
    "sources": {"website": SOURCE},
}


def make_source(**changes: Any) -> dict[str, Any]:
    """Return a source of a form, some keys changed; None takes one away."""
    return {key: value for key, value in {**SOURCE, **changes}.items() if value is not None}


def write_config(folder: Path, **changes: Any) -> dict[str, str]:
    """Write a configuration, some keys changed (None: taken away), and return the environment that names it."""
    path = folder / "config.yaml"
    whole = {key: value for key, value in {**WHOLE, **changes}.items() if value is not None}
    path.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), "utf-8")
    return {"RINGBACK_CONFIG": str(path)}


def read_config(folder: Path, **changes: Any) -> Settings:
    """Return the settings of a configuration, some keys changed."""
    return config.load(write_config(folder, **changes))


def run(*arguments: str, environ: dict[str, str] | None = None, given: bytes | None = None) -> Result:
    """Run a command in this process; the environment is ``environ`` and nothing else."""
    nothing = dict.fromkeys((name for name in os.environ if name not in ("PATH", "HOME")), None)
    result = CliRunner().invoke(main, arguments, env={**nothing, **(environ or {})}, input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result
