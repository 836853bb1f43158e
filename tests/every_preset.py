"""One configuration with every preset in it, and requests signed as their senders sign them."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ringback.grammar.preset import list_presets
from ringback.settings import Settings
from ringback.web import Request
from tests.given import LOG_KEY, load
from tests.preset_cases import PUBLIC_URL, list_schemes, make_entry, read_preset
from tests.signing import make_secret, sign


def load_all(thulium: Mapping[str, Any], fetch_from: str, own: Mapping[str, Any], **top: Any) -> Settings:
    """Return settings with a source of each preset, under the preset's name, and with sources of one's ``own``."""
    examples: dict[str, Any] = {name: read_preset(name)["example"] for name in list_presets()}
    sources = {name: make_entry(name, example, fetch_from) for name, example in examples.items()}
    for name, changes in own.items():
        sources[name] = {**sources.get(name, {}), **changes}
    whole = {"thulium": dict(thulium), "log_key": LOG_KEY, "public_url": PUBLIC_URL, "sources": sources, **top}
    names = re.findall(r"\$\{(\w+)\}", json.dumps(whole))
    return load(whole, environ={name: f"invented-{name}" for name in names})


def sign_for(preset: str, request: Request, at: datetime) -> Request:
    """Return the request as the preset's sender would send it to the source of its name."""
    scheme = list_schemes(preset)[0]
    return sign(scheme, make_secret(scheme, "key"), replace(request, path=f"/{preset}"), at, PUBLIC_URL)
