"""Settings for the tests: a configuration, as YAML text or as data, is written to a file and loaded from there."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringback import config
from ringback.errors import ConfigError
from ringback.settings import Settings, Source

NOTHING: Mapping[str, str] = {}
SECRET = "invented-0123456789abcdef"
LOG_KEY = "an-invented-key-long-enough"
THULIUM = {"url": "http://127.0.0.1:9", "user": "ringback", "password": "only-for-the-sandbox"}
PROOF: dict[str, object] = {"verify": {"scheme": "token", "header": "X-Api-Key"}, "secret": SECRET}
SOURCE: dict[str, object] = {**PROOF, "map": {"customer_id": "id", "phone_number": "phone"}, "campaign": "00001"}


def make_config(source: Mapping[str, Any] = SOURCE, **top: Any) -> dict[str, Any]:
    """Return a configuration with one source, ``website``, and further keys at the top."""
    return {"thulium": THULIUM, "log_key": LOG_KEY, "sources": {"website": dict(source)}, **top}


def make_source(**changes: Any) -> dict[str, Any]:
    """Return a source with a token, a map and a campaign, with other keys in place of these or beside them."""
    return {**SOURCE, **changes}


def load(raw: str | Mapping[str, Any], environ: Mapping[str, str] = NOTHING, *, with_secrets: bool = True) -> Settings:
    """Return the settings of a configuration (text or data), read with this environment and no other."""
    text = raw if isinstance(raw, str) else yaml.safe_dump(dict(raw), allow_unicode=True, sort_keys=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(text, "utf-8", errors="surrogatepass")
        return config.load({"RINGBACK_CONFIG": str(path), **environ}, with_secrets=with_secrets)


def load_source(source: Mapping[str, Any], **top: Any) -> Source:
    """Return the one source of a configuration."""
    return load(make_config(source, **top)).sources["website"]


def find_mistakes(
    raw: str | Mapping[str, Any], environ: Mapping[str, str] = NOTHING, *, with_secrets: bool = True
) -> list[str]:
    """Return the mistakes of a configuration that has some."""
    with pytest.raises(ConfigError) as error:
        load(raw, environ, with_secrets=with_secrets)
    assert str(error.value) == "\n".join(error.value.mistakes)
    return error.value.mistakes
