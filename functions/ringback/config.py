"""The configuration file and the environment (read here and in ``grammar``) -> checked settings."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from ringback.aws_secret import read_secret
from ringback.errors import ConfigError
from ringback.grammar.campaign import CampaignSchema, GlobalStopSchema, ThuliumSchema, TopSchema
from ringback.grammar.contradictions import find_campaign_contradictions
from ringback.grammar.lead_fields import FLAGS
from ringback.grammar.mistakes import Mistakes
from ringback.grammar.names import fill_in, is_for_delivery, look_up_in
from ringback.grammar.queue_choice import choose_queue, find_queue_mistakes, only_accepts
from ringback.grammar.sources import SourceReader, find_bare_ids
from ringback.grammar.yaml_text import Document, read_yaml
from ringback.settings import Campaign, Settings, Source, ThuliumSettings

DEFAULT_FILE = Path(__file__).parent.parent / "config.yaml"
STAND_INS = {("thulium", "url"): "https://thulium.invalid", ("public_url",): "https://ringback.invalid"}


def load(
    environ: Mapping[str, str], *, with_secrets: bool = True, read_secret: Callable[[str], str] = read_secret
) -> Settings:
    """Return the settings of the file that ``RINGBACK_CONFIG`` names, else of the one beside the doors.

    Without secrets what is not in the environment is taken to be right: for a check where nobody has the secrets. A
    function that only accepts events may lack what delivering takes, such as Thulium's password.
    ``read_secret`` gives the text of the secret that ``RINGBACK_SECRET_ID`` names, and is asked at most once.
    Raises ConfigError with every mistake in the file.
    """
    failed: list[str] = []
    look_up = look_up_in(environ, read_secret if with_secrets else lambda _: "{}", failed)
    document = read_document(find_file(environ))
    mistakes = Mistakes(document.plain)
    data, missing = fill_in(document.data, look_up)
    delivers = not only_accepts(data, environ)
    note_missing(
        data, missing, mistakes, lambda path: with_secrets and not failed and (delivers or not is_for_delivery(path))
    )
    for path, text in document.mistakes.items():
        mistakes.add(path, text)
    settings = Reader(mistakes, environ).read(data)
    if failed or mistakes.list() or settings is None:
        raise ConfigError([*failed, *mistakes.list()], None if failed or document.mistakes else settings)
    return settings


def find_file(environ: Mapping[str, str]) -> Path:
    """Return the path of the configuration."""
    return Path(environ.get("RINGBACK_CONFIG") or DEFAULT_FILE)


def read_document(path: Path) -> Document:
    """Return the file's content. Raises ConfigError when it can't be read or is no YAML."""
    try:
        return read_yaml(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: {error.strerror}; RINGBACK_CONFIG names the file"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: not UTF-8; save it in that encoding"]) from None
    except ValueError as error:
        raise ConfigError([f"{path}: {error}"]) from None


def note_missing(
    data: object,
    missing: Mapping[tuple[str, ...], list[str]],
    mistakes: Mistakes,
    is_needed: Callable[[tuple[str, ...]], bool],
) -> None:
    """Add each ``${NAME}`` that is nowhere to the mistakes, if it is needed at its path; else go on without."""
    for path, names in missing.items():
        if is_needed(path):
            told = ", ".join(f"${{{name}}}" for name in dict.fromkeys(names))
            mistakes.add(path, f"{told} is set neither in the environment nor in the secret; set it")
        elif path in STAND_INS:
            put(data, path, STAND_INS[path])
        mistakes.leave_out(path)


def put(data: Any, path: tuple[str, ...], value: object) -> None:
    """Set what is at ``path`` of nested mappings."""
    for key in path[:-1]:
        data = data[key]
    data[path[-1]] = value


class Reader:
    """Reads the sections of the file one by one, so that every mistake is found at once."""

    def __init__(self, mistakes: Mistakes, environ: Mapping[str, str]) -> None:
        """Every mistake goes to ``mistakes``."""
        self._mistakes = mistakes
        self._environ = environ
        self._unsound: set[str] = set()  # campaigns of which some keys are bad, by name

    def read(self, data: object) -> Settings | None:
        """Return the settings, None if something is so wrong that there are none."""
        top: Any = self._mistakes.load(TopSchema(), data, ())
        raw = data if isinstance(data, Mapping) else {}
        thulium: Any = self._mistakes.load(ThuliumSchema(), raw["thulium"], ("thulium",)) if "thulium" in raw else None
        stop = read_stop(raw)
        campaigns = self._share_stops(dict(self._read_campaigns(raw.get("campaigns"), stop)), stop)
        sources = self._read_sections(raw.get("sources"), "sources")
        bare = name_bare(find_bare_ids(sources.values(), campaigns), campaigns, stop)
        countries = top and list_countries(top)
        reader = SourceReader(self._mistakes, campaigns, bare, str(raw.get("public_url") or ""), countries)
        read = {name: reader.read(name, each, ("sources", name)) for name, each in sources.items()}
        chosen = choose_queue(raw, self._environ)
        for where, text in find_queue_mistakes(chosen, self._environ, is_paused=raw.get("paused") is True):
            self._mistakes.add((where,), text)
        if top is None or thulium is None:
            return None
        return build(
            {**top, **chosen, "stop": stop},
            thulium,
            {name: each for name, each in campaigns.items() if each},
            {name: each for name, each in read.items() if each and self._is_sound(each)},
        )

    def _is_sound(self, source: Source) -> bool:
        """Return whether all keys of a source's campaigns are good: without them its leads would be shown wrongly."""
        return not any(route.to.name in self._unsound for route in source.routes)

    def _read_sections(self, raw: object, name: str) -> dict[str, object]:
        if raw is not None and not isinstance(raw, Mapping):
            self._mistakes.add((name,), "not a mapping; write `name:` and what belongs to it below")
        return {str(key): value for key, value in raw.items()} if isinstance(raw, Mapping) else {}

    def _read_campaigns(self, raw: object, stop: int | None) -> Iterator[tuple[str, Campaign | None]]:
        """Yield the campaigns, of those with mistakes what is good of them; None where nothing can be said with it."""
        schema = CampaignSchema()
        for name, each in self._read_sections(raw, "campaigns").items():
            path = ("campaigns", name)
            if not isinstance(each, Mapping):
                self._mistakes.add(path, "not a mapping; write `key: value` pairs")
                yield name, None
                continue
            data, bad = self._mistakes.load_good(schema, each, path, ["id"])
            self._mistakes.add_traps((*path, "set"), FLAGS)
            if bad:
                self._unsound.add(name)
            if bad & {"set", "stop", "on_existing", "later"}:
                yield name, None
                continue
            own = data["stop"] or ({"dictionary_status_id": stop} if stop else {})
            rest = {"requeue_from": frozenset(data["requeue_from"]), "stop": own}
            campaign = Campaign(**{"id": "", **data, **rest}, name=name)
            for key, text in find_campaign_contradictions(campaign):
                self._mistakes.add((*path, key), text)
            yield name, campaign

    def _share_stops(self, campaigns: dict[str, Campaign | None], stop: int | None) -> dict[str, Campaign | None]:
        """Return the campaigns, with one stop for all of one id: it marks an opt-out under each name."""
        stops: dict[str, Mapping[str, int]] = {}
        top = {"dictionary_status_id": stop}
        own = {name: each for name, each in campaigns.items() if each and each.id and each.stop not in ({}, top)}
        for name, each in own.items():
            if stops.setdefault(each.id, each.stop) != each.stop:
                text = f"{each.id} has another one, under another name: give it the same"
                self._mistakes.add(("campaigns", name, "stop"), text)
        return {
            name: replace(each, stop=stops[each.id]) if each and each.id in stops else each
            for name, each in campaigns.items()
        }


def name_bare(ids: Iterable[str], campaigns: Mapping[str, Campaign | None], stop: int | None) -> dict[str, Campaign]:
    """Return the campaigns that sources name by their id: with the rules of the one that has it, else without any."""
    status = {"dictionary_status_id": stop} if stop else {}
    named = {each.id: each for each in campaigns.values() if each}
    return {each: named.get(each) or Campaign(each, each, {}, "keep", frozenset(), None, {}, status) for each in ids}


def read_stop(raw: Mapping[str, Any]) -> int | None:
    """Return the dictionary status of opt-outs, if the top has a good one."""
    try:
        data: Any = GlobalStopSchema().load(raw.get("stop"))  # type: ignore[arg-type]  # as in Mistakes.load
    except ValidationError:
        return None
    return int(data["dictionary_status_id"])


def build(
    top: dict[str, Any],
    thulium: ThuliumSettings,
    campaigns: Mapping[str, Campaign],
    sources: Mapping[str, Source],
) -> Settings:
    """Return the settings, made of their parts."""
    rest = {**top, "thulium": thulium, "campaigns": campaigns, "sources": sources}
    rest["countries"] = list_countries(top)
    return Settings(**rest)


def list_countries(top: Mapping[str, Any]) -> frozenset[str]:
    """Return the countries whose numbers may be called."""
    return frozenset(top["countries"] or [top["phone_region"]])
