"""``${NAME}`` in the configuration: filled in from the environment, then from a JSON secret."""

import json
import re
from collections.abc import Callable, Mapping

from ringback.errors import ConfigError

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

Path = tuple[str, ...]
Lookup = Callable[[str], str | None]


def look_up_in(environ: Mapping[str, str], read_secret: Callable[[str], str], failed: list[str]) -> Lookup:
    """Return a function from name to value, None for what is nowhere.

    The secret named by ``RINGBACK_SECRET_ID`` is read when the first name is not in the environment, and once. Why it
    can't be read goes to ``failed``; it is then as if it were empty.
    """
    secret: dict[str, str] | None = None

    def look_up(name: str) -> str | None:
        nonlocal secret
        if name in environ:
            return environ[name]
        if secret is None:
            secret_id = environ.get("RINGBACK_SECRET_ID")
            try:
                secret = parse_secret(read_secret(secret_id)) if secret_id else {}
            except ConfigError as error:
                secret = {}
                failed.extend(error.mistakes)
        return secret.get(name)

    return look_up


def parse_secret(text: str) -> dict[str, str]:
    """Return a secret's names and values, without those that are null. Raises ConfigError when it is no JSON object."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise ConfigError(['RINGBACK_SECRET_ID: the secret is no JSON object; store {"NAME": "value", ...}'])
    given = {name: value for name, value in data.items() if value is not None}
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}


def is_for_delivery(path: Path) -> bool:
    """Return whether only delivering reads the text at this place: Thulium's access, and what is fetched."""
    return path[:1] == ("thulium",) or (path[:1] == ("sources",) and path[2:3] == ("fetch",))


def list_names(data: object) -> dict[str, bool]:
    """Return each name that a configuration has filled in, and whether it is for delivering alone."""
    _, places = fill_in(data, lambda _: None)
    found = [(name, is_for_delivery(path)) for path, names in places.items() for name in names]
    needed = {name for name, is_late in found if not is_late}
    return {name: name not in needed for name in sorted(dict(found))}


def fill_in(data: object, look_up: Lookup) -> tuple[object, dict[Path, list[str]]]:
    """Return ``data`` with all ``${NAME}`` filled in, and the names that are nowhere, by the path of their text.

    Line ends behind a value are left out, as a shell does: they come from how it was stored.
    """
    missing: dict[Path, list[str]] = {}

    def fill(value: object, path: Path) -> object:
        if isinstance(value, dict):
            return {key: fill(item, (*path, str(key))) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item, (*path, str(n))) for n, item in enumerate(value)]
        return PLACEHOLDER.sub(lambda found: take(found[1], path), value) if isinstance(value, str) else value

    def take(name: str, path: Path) -> str:
        value = look_up(name)
        if value is None:
            missing.setdefault(path, []).append(name)
            return f"${{{name}}}"
        return value.rstrip("\r\n")

    return fill(data, ()), missing
