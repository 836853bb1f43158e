"""The mistakes of a configuration: all of them, each with its path and the way out."""

import json
from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from ringback.grammar.fields import NOT_A_TEXT, flatten
from ringback.grammar.yaml_text import read_yaml

Path = tuple[str, ...]
UNKNOWN = "its ${NAME} is not known here, and nothing can be said without it; set NAME to any good value"
HIDDEN = frozenset({"user", "password", "secret", "token", "verify_token", "log_key", "headers"})


class Mistakes:
    """Collects mistakes by path; of several in one place the first is told."""

    def __init__(self, plain: Mapping[Path, str]) -> None:
        """Take the unquoted texts that YAML read as something else, to explain what it made of them."""
        self._plain = plain
        self._texts: dict[Path, str] = {}
        self._unsaid: set[Path] = set()

    def add(self, path: Path, text: str) -> None:
        """Add a mistake."""
        if path not in self._unsaid:
            self._texts.setdefault(path, text + self._explain(path, text))

    def add_traps(self, path: Path, flags: Collection[str]) -> None:
        """Add a mistake for each text below ``path`` of which YAML has made something else than is written there.

        A yes or no may be written in each of YAML's ways where it is one of the ``flags``.
        """
        for each in (each for each in self._plain if each[: len(path)] == path):
            value = read_yaml(self._plain[each]).data
            is_meant = value is None or (isinstance(value, bool) and each[-1] in flags)
            if not is_meant and json.dumps(value, default=str) != self._plain[each]:
                self.add(each, NOT_A_TEXT)

    def leave_out(self, path: Path) -> None:
        """Say nothing of ``path``, nor of the list that it is an item of: its value is not known here.

        So it is with the ``value`` of a secret, which is one of a list.
        """
        self._unsaid.add(path)
        while "".join(path[-1:]).isdecimal() or path[-1:] == ("value",):
            path = path[:-1]
            self._unsaid.add(path)

    def load(self, schema: Schema, data: object, path: Path) -> object:
        """Return what ``schema`` makes of ``data``, None if it has mistakes; they are added.

        Where a value that is not known here would be one, that is said instead: there is nothing to go on with.
        """
        try:
            return schema.load(data)  # type: ignore[arg-type]  # what is no mapping is one of the mistakes
        except ValidationError as error:
            for inner, text in flatten(error.messages).items():
                self._add_read((*path, *inner), text)
            return None

    def load_good(
        self, schema: Schema, data: Mapping[str, object], path: Path, required: Collection[str] = ()
    ) -> tuple[dict[str, Any], frozenset[str]]:
        """Return what the good keys of ``data`` come to, and which are bad; the mistakes are added.

        So what is wrong between good keys can be told beside a bad one; ``required`` may be missing then.
        """
        found: Any = self.load(schema, data, path)
        if found is not None:
            return found, frozenset()
        bad = frozenset(map(str, schema.validate(data)))
        good: Any = schema.load({key: value for key, value in data.items() if key not in bad}, partial=tuple(required))
        return good, bad

    def _add_read(self, path: Path, text: str) -> None:
        if path in self._unsaid:
            self._texts.setdefault(path, UNKNOWN)
        else:
            self.add(path, text)

    def list(self) -> list[str]:
        """Return a line for each, in the order of the paths."""
        return [f"{'.'.join(path) or 'the file'}: {text}" for path, text in sorted(self._texts.items())]

    def _explain(self, path: Path, text: str) -> str:
        raw = self._plain.get(path)
        if raw is None or HIDDEN.intersection(path):
            return ""
        value = read_yaml(raw).data
        meant = json.dumps(value, default=str)
        if meant == raw and not text.startswith(NOT_A_TEXT):
            return ""
        kind = "nothing" if value is None else "a yes or no" if isinstance(value, bool) else "a number"
        return f': YAML reads {raw} as {kind if meant == raw or value is None else meant}, write "{raw}"'
