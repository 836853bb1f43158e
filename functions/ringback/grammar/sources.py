"""``sources:`` of the configuration -> checked sources: preset and own keys merged, campaigns resolved."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from ringback.expressions.expression import Expression
from ringback.expressions.path import Path, compile_path
from ringback.grammar.contradictions import find_contradictions, find_dates, tell_missing_later
from ringback.grammar.fields import Parsed, find_nearest, flatten
from ringback.grammar.lead_fields import FLAGS
from ringback.grammar.mistakes import Mistakes
from ringback.grammar.mistakes import Path as Keys
from ringback.grammar.preset import ABOUT, is_stop, listed, merge, read_preset
from ringback.grammar.source import SourceSchema
from ringback.grammar.words import is_bare_id
from ringback.limits import DEFAULT, UNLIMITED
from ringback.settings import Campaign, Route, Source
from ringback.verification.scheme import Basic, Scheme, Token

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")

BAD_PRESET = ""  # stands for one that can't be read
LEFT_TO_PRESET = frozenset({"verify", "secret", "answers", "map", "action"})  # what such a one may have said
REQUIRED = ("verify", "campaign")

Raw = Mapping[str, object]


class SourceReader:
    """Reads sources by what the rest of the file says: campaigns, address, the status of opt-outs."""

    def __init__(
        self,
        mistakes: Mistakes,
        campaigns: Mapping[str, Campaign | None],
        bare: Mapping[str, Campaign],
        public_url: str,
        countries: AbstractSet[str] | None,
    ) -> None:
        """Take what sources refer to; all mistakes go to ``mistakes``.

        ``campaigns`` has those with a name, None for one with mistakes of its own; ``bare`` those that are only an id.
        ``countries`` are those whose numbers may be called, None if that is not known.
        """
        self._mistakes = mistakes
        self._bare = bare.keys()
        self._named = campaigns.keys() | bare.keys()
        self._campaigns = {name: each for name, each in {**campaigns, **bare}.items() if each}
        self._public_url = public_url
        self._countries = countries
        self._schema = SourceSchema()

    def read(self, name: str, raw: object, path: Keys) -> Source | None:
        """Return the source, None if some of its keys are bad by themselves, or a campaign that it names is."""
        if not NAME.fullmatch(name):
            self._mistakes.add(path, "not a name for a URL; use letters, digits, - and _")
        if not isinstance(raw, Mapping):
            self._mistakes.add(path, "not a mapping; write `key: value` pairs")
            return None
        merged = self._merge_preset(raw, path)
        plain = {key: value for key, value in merged.items() if key in raw or key not in ABOUT}
        data, bad = self._load(plain, path)
        self._mistakes.add_traps((*path, "set"), FLAGS)
        self._check_needs(merged, path)
        self._check_campaigns(merged, path)
        source = self._build(name, data)
        found: dict[str, dict[str, None]] = {}
        for where, text in find_contradictions(source, self._public_url, self._countries, bad):
            found.setdefault(where, {})[text] = None
        for where, texts in found.items():
            self._mistakes.add((*path, where), "; ".join(texts))
        if not bad & {"campaign", "action", "set", "map"}:
            self._check_later(source, path)
        has_all = all(self._resolve(str(to)) for _, to in list_campaigns(merged))
        return source if has_all and not bad else None

    def _check_later(self, source: Source, path: Keys) -> None:
        """Add a mistake for each campaign that lacks a ``later``, although the source puts calls off."""
        dated_by = find_dates(source)
        for campaign in (route.to for route in source.routes if dated_by and not route.to.later):
            if campaign.name in self._bare:
                way_out = "name the campaign under `campaigns:`, write that name here, and give it"
                text = f"{campaign.id} has no `later`: {tell_missing_later(dated_by, way_out)}"
                self._mistakes.add((*path, "campaign"), text)
            else:
                self._mistakes.add(("campaigns", campaign.name, "later"), f"missing: {tell_missing_later(dated_by)}")

    def _load(self, plain: Raw, path: Keys) -> tuple[dict[str, Any], frozenset[str]]:
        """Return what the good keys come to, and the keys of which nothing is known; the mistakes are added."""
        data, bad = self._mistakes.load_good(self._schema, plain, path, REQUIRED)
        if plain.get("preset") == BAD_PRESET:
            bad |= LEFT_TO_PRESET
        proof = [Basic()] if "verify" in bad and plain.get("verify") else []  # whatever it is, it takes a secret
        return {"verify": proof, "campaign": [], **data}, bad

    def _merge_preset(self, raw: Raw, path: Keys) -> Raw:
        if "preset" not in raw:
            return raw
        try:
            base: Any = Parsed(read_preset).deserialize(raw["preset"])
        except ValidationError as error:
            self._mistakes.add((*path, "preset"), flatten(error.messages)[()])
            return {"verify": "none", **raw, "preset": BAD_PRESET}  # what the preset would have said is no mistake
        merged = merge(base, raw)
        if "only" in base and raw.get("only") is None and is_stop(merged) and "answers" not in merged:
            leads = " && ".join(map(str, listed(base["only"])))
            text = f"missing: which events are opt-outs, as in \"_body.type == 'unsubscribe'\"; for leads it is {leads}"
            self._mistakes.add((*path, "only"), text)
        return merged

    def _check_needs(self, merged: Raw, path: Keys) -> None:
        needs = merged.get("needs")
        for key, where in needs.items() if isinstance(needs, Mapping) else ():
            steps = str(key).split(".")
            is_taken_away = len(steps) > 1 and steps[0] not in merged
            is_idle = key == "secret" and merged.get("verify") == "none"
            if not is_taken_away and not is_idle and not has_key(merged, steps):
                self._mistakes.add((*path, *steps), f"missing: {where}")

    def _build(self, name: str, data: dict[str, Any]) -> Source:
        routes = data.pop("campaign")
        lists = ("handshake", "methods", "body", "empty", "volatile", "when", "do_not_call")
        retries, proof, old, limits = data.pop("retries"), data.pop("verify"), data.pop("old"), data.pop("limits")
        source = Source(
            name=name,
            secrets=tuple(data.pop("secret")),
            tokens=tuple(data.pop("token")),
            verify_tokens=tuple(data.pop("verify_token")),
            verify=tuple(proof + old if proof and data["accept_old"] else proof),
            proofs=tuple(find_proofs(proof)),
            only=tuple(data.pop("every")),
            routes=tuple(Route(route["when"], to) for route in routes for to in self._resolve(route["to"])),
            retries=None if retries is None else retries not in (False, "never"),
            limits=limits or UNLIMITED,
            **{**data, **{key: tuple(data[key]) for key in lists}},
        )
        is_bounded = limits is None and source.action == "lead" and source.is_proven_by_url
        return replace(source, limits=DEFAULT) if is_bounded else source

    def _check_campaigns(self, merged: Raw, path: Keys) -> None:
        for where, to in list_campaigns(merged):
            if to == "*" and not is_stop(merged):
                self._mistakes.add((*path, *where), "a lead goes into one campaign; * is for `action: stop`")
            elif len(names := self._find_names(str(to))) > 1 and not is_stop(merged):
                self._mistakes.add((*path, *where), f"that id is {' and '.join(names)} here; write which")
            elif isinstance(to, str) and to not in self._named and not (to == "*" and self._named):
                self._mistakes.add((*path, *where), f"no such campaign; {find_nearest(to, self._named)}")

    def _find_names(self, campaign_id: str) -> list[str]:
        """Return the names that an id has in the file."""
        return [name for name, each in self._campaigns.items() if each.id == campaign_id != name]

    def _resolve(self, to: str) -> list[Campaign]:
        """Return the campaigns that a word names: one, all for ``*``, none if there is no such."""
        return [each for name, each in self._campaigns.items() if to in (name, "*")]


def find_bare_ids(sources: Iterable[object], campaigns: Mapping[str, Campaign | None]) -> list[str]:
    """Return the ids by which sources name campaigns that have no name in the file."""
    words = (to for raw in sources if isinstance(raw, Mapping) for _, to in list_campaigns(raw))
    return sorted({to for to in words if isinstance(to, str) and is_bare_id(to)} - campaigns.keys())


def find_proofs(schemes: Sequence[Scheme]) -> Iterator[Path]:
    """Yield where a body has the token that proves its sender."""
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
        if isinstance(route, Mapping):
            yield ("campaign", str(n), "to"), route.get("to")
        else:
            yield ("campaign", str(n)), route
