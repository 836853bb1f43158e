"""Presets: what is true of every source of one sender, in the grammar of a source."""

from collections.abc import Mapping
from pathlib import Path

from ringback.grammar.fields import find_nearest
from ringback.grammar.yaml_text import read_yaml

FOLDER = Path(__file__).parent.parent / "presets"
MERGED = ("map", "set", "fetch", "customer", "needs")  # key by key; all else is replaced whole
ABOUT = ("title", "setup", "example", "needs")  # for people: what a sender is called, and how a source of it is set up

Raw = Mapping[str, object]


def list_presets() -> list[str]:
    """Return the names of the presets, in their order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_preset(name: str) -> dict[str, object]:
    """Return a preset as it is written, merged with the one that it extends (``preset:``). Raises ValueError."""
    if name not in list_presets():
        raise ValueError(f"there is no such preset; {find_nearest(name, list_presets())}")
    raw = read_yaml((FOLDER / f"{name}.yaml").read_text("utf-8")).data
    own = dict(raw) if isinstance(raw, Mapping) else {}
    base = own.pop("preset", None)
    return merge(read_preset(str(base)), own) if base else own


def merge(base: Raw, own: Raw) -> dict[str, object]:
    """Return ``base`` with what ``own`` says instead; ``map``, ``set``, ``fetch`` and ``customer`` key by key.

    ``~`` takes away what ``base`` has. ``only`` is kept beside the own one: what is no lead for a sender is none for
    anybody; but a source of opt-outs says for itself which events those are. So are ``when``, which is there for what
    only a completed event tells, and ``do_not_call``.
    """
    merged = _overlay(base, own)
    for key in MERGED:
        one, other = base.get(key), own.get(key)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            merged[key] = _overlay(one, other)
    if "only" in base and "only" in own and not is_stop(merged):
        merged["only"] = [*listed(own["only"]), *listed(base["only"])]  # all hold; the own ones keep their numbers
    for key in ("when", "do_not_call"):
        if key in base and own.get(key):
            merged[key] = [*listed(own[key]), *listed(base[key])]
    return merged


def is_stop(merged: Raw) -> bool:
    """Return whether a source is one of opt-outs."""
    return merged.get("action") == "stop"


def _overlay(base: Raw, own: Raw) -> dict[str, object]:
    return {key: value for key, value in {**base, **own}.items() if value is not None or key not in base}


def listed(value: object) -> list[object]:
    """Return one or several as a list."""
    return value if isinstance(value, list) else [value]
