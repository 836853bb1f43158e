"""``sources:`` of the configuration -> checked sources: preset and own keys merged, campaigns resolved."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

from ringback.expressions.expression import Expression
from ringback.expressions.path import Path, compile_path
from ringback.grammar.fields import Parsed, find_nearest, flatten
from ringback.grammar.mistakes import Mistakes
from ringback.grammar.mistakes import Path as Keys
from ringback.grammar.preset import ABOUT, merge, read_preset
from ringback.grammar.source import SourceSchema
from ringback.settings import AnswerPlace, Campaign, Place, Route, Source
from ringback.verification.scheme import Scheme, Token, needs_url
from ringback.verification.signature import secret_problem

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")

BAD_PRESET = ""  # stands for one that can't be read

Raw = Mapping[str, object]


class SourceReader:
    """Reads sources by what the rest of the file says: campaigns, address, the status of those who said stop."""

    def __init__(self, mistakes: Mistakes, campaigns: Mapping[str, Campaign | None], public_url: str) -> None:
        """Take what sources refer to; all mistakes go to ``mistakes``.

        ``campaigns`` has those with a name, None for one with mistakes of its own, and those that are only an id.
        """
        self._mistakes = mistakes
        self._named = campaigns.keys()
        self._campaigns = {name: each for name, each in campaigns.items() if each}
        self._public_url = public_url
        self._schema = SourceSchema()

    def read(self, name: str, raw: object, path: Keys) -> Source | None:
        """Return the source, None if it has mistakes."""
        if not NAME.fullmatch(name):
            self._mistakes.add(path, "not a name for a URL; use letters, digits, - and _")
        if not isinstance(raw, Mapping):
            self._mistakes.add(path, "not a mapping; write `key: value` pairs")
            return None
        merged = self._merge_preset(raw, path)
        plain = {key: value for key, value in merged.items() if key != "preset" and (key in raw or key not in ABOUT)}
        data: Any = self._mistakes.load(self._schema, plain, path)
        self._check_needs(merged, path)
        self._check_campaigns(merged, path)
        if data is None or merged.get("preset") == BAD_PRESET:
            return None
        source = self._build(name, merged, data)
        for where, text in find_contradictions(source, self._public_url):
            self._mistakes.add((*path, where), text)
        return source

    def _merge_preset(self, raw: Raw, path: Keys) -> Raw:
        if "preset" not in raw:
            return raw
        try:
            return merge(Parsed(read_preset).deserialize(raw["preset"]), raw)  # type: ignore[arg-type]  # what it reads
        except ValidationError as error:
            self._mistakes.add((*path, "preset"), flatten(error.messages)[()])
        return {"verify": "none", **raw, "preset": BAD_PRESET}  # what the preset would have said is no mistake

    def _check_needs(self, merged: Raw, path: Keys) -> None:
        needs = merged.get("needs")
        for key, where in needs.items() if isinstance(needs, Mapping) else ():
            steps = str(key).split(".")
            is_idle = key == "secret" and merged.get("verify") == "none"
            if not is_idle and not has_key(merged, steps):
                self._mistakes.add((*path, *steps), f"missing: {where}")

    def _build(self, name: str, merged: Raw, data: dict[str, Any]) -> Source:
        routes = data.pop("campaign")
        lists = ("verify", "handshake", "methods", "volatile")
        preset, retries = merged.get("preset"), data.pop("retries")
        return Source(
            name=name,
            preset=str(preset) if preset else None,
            secrets=tuple(data.pop("secret")),
            proofs=tuple(find_proofs(data["verify"])),
            only=tuple(data.pop("every")),
            routes=tuple(Route(route["when"], to) for route in routes for to in self._resolve(route["to"])),
            retries=None if retries is None else retries not in (False, "never"),
            **{**data, **{key: tuple(data[key]) for key in lists}},
        )

    def _check_campaigns(self, merged: Raw, path: Keys) -> None:
        for where, to in list_campaigns(merged):
            if to == "*" and merged.get("action") != "stop":
                self._mistakes.add((*path, *where), "a lead goes into one campaign; * is for `action: stop`")
            elif isinstance(to, str) and to not in self._named and not self._resolve(to):
                self._mistakes.add((*path, *where), f"no such campaign; {find_nearest(to, self._named)}")

    def _resolve(self, to: str) -> list[Campaign]:
        """Return the campaigns that a word names: one, all for ``*``, none if there is no such."""
        return [each for name, each in self._campaigns.items() if to in (name, "*")]


def find_bare_ids(sources: Iterable[object], campaigns: Mapping[str, Campaign | None]) -> list[str]:
    """Return the ids by which sources name campaigns that have no name in the file."""
    words = (to for raw in sources if isinstance(raw, Mapping) for _, to in list_campaigns(raw))
    return sorted({to for to in words if isinstance(to, str) and re.fullmatch("[0-9]{5}", to)} - campaigns.keys())


def find_proofs(schemes: Sequence[Scheme]) -> Iterator[Path]:
    """Yield where a body has the token that proves who sent it."""
    for scheme in schemes:
        if isinstance(scheme, Token) and isinstance(scheme.field, Expression):
            yield compile_path(scheme.field.text)


def has_key(raw: object, steps: Sequence[str]) -> bool:
    """Return whether a mapping has a key, or one inside another: ``fetch``, ``headers``."""
    inner = raw
    for step in steps:
        if not isinstance(inner, Mapping) or step not in inner:
            return False
        inner = inner[step]
    return True


def list_campaigns(merged: Raw) -> Iterator[tuple[Keys, object]]:
    """Yield the words by which a source names its campaigns, and where, whatever else is wrong with it."""
    written = merged.get("campaign")
    if not isinstance(written, list):
        yield ("campaign",), written
        return
    for n, route in enumerate(written):
        is_long = isinstance(route, Mapping)
        yield ("campaign", str(n), *("to",) * is_long), route.get("to") if is_long else route


def find_contradictions(source: Source, public_url: str) -> Iterator[tuple[str, str]]:
    """Yield the key and the text of each mistake between keys of a source that are good alone."""
    yield from find_secret_mistakes(source)
    if any(map(needs_url, source.verify)) and not public_url:
        yield (
            "verify",
            "the URL is part of what is signed: write at the top `public_url: https://...`, as senders call it",
        )
    if source.action == "lead" and any(route.when is None for route in source.routes[:-1]):
        yield "campaign", "one before the last takes all leads; give it a `when`, or leave out those after it"
    if not source.map and not source.set:
        yield "map", "missing; say where the lead's fields are in the event"
    if source.answers is None and any(isinstance(place, AnswerPlace) for place in find_places(source)):
        yield "map", "{label: ...} is for senders whose answers are known; this is none, write an expression"
    for route in source.routes:
        yield from find_route_mistakes(source, route.to)


def find_secret_mistakes(source: Source) -> Iterator[tuple[str, str]]:
    """Yield why a source's secrets can't be what its first scheme takes."""
    if source.verify and not source.secrets:
        yield "secret", "missing; without one nobody could be told from anybody"
    problems = (secret_problem(source.verify[0], secret) for secret in source.secrets if source.verify)
    yield from (("secret", f"it {problem}") for problem in problems if problem)


def find_places(source: Source) -> list[Place]:
    """Return all places where a source looks for values."""
    return [*source.map.values(), *([source.consent] if source.consent else [])]


def find_route_mistakes(source: Source, campaign: Campaign) -> Iterator[tuple[str, str]]:
    """Yield what a source and one of its campaigns lack together."""
    if source.action == "stop" and not campaign.stop:
        yield "campaign", f"campaign {campaign.name} has no `stop: {{status_id: ...}}`, nor is there one at the top"
    given = {*campaign.set, *source.set, *source.map}
    statuses = {"status_id", "dictionary_status_id"} & given
    if source.action == "lead" and campaign.on_existing == "requeue" and not statuses:
        yield "campaign", f"campaign {campaign.name} requeues, which takes a status: give it `set: {{status_id: ...}}`"
    if len(statuses) > 1:
        yield "set", "both status_id and dictionary_status_id are given; Thulium takes one"
