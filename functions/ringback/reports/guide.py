"""The senders that there are presets for, as text for people: how a source of each is set up. Pure."""

from collections.abc import Iterator, Mapping

import yaml

from ringback.grammar.preset import list_presets, read_preset
from ringback.grammar.source import SENDERS_PATIENCE
from ringback.reports.columns import align

EVIDENCE = {
    "vendor": "its vendor's documentation",
    "recorded": "requests of it that were recorded",
    "described": "what others tell of it: look at a real request first, with `ringback serve --capture DIR`",
}
CAMPAIGN = "00001"  # in the examples
WIDTH = 100  # characters of a line of YAML

Raw = Mapping[str, object]


def list_senders() -> list[str]:
    """Return the presets: name, sender, how well it is attested, the keys that a source of it has to give."""
    presets = {name: read_preset(name) for name in list_presets()}
    rows = [
        (name, str(raw.get("title", "")), str(raw.get("evidence", "")), ", ".join(_needs(raw)))
        for name, raw in presets.items()
    ]
    return align([("preset", "sender", "attested", "needs"), *rows])


def explain_sender(name: str) -> Iterator[str]:
    """Yield the lines about one preset. Raises ValueError for a name that is none."""
    raw = read_preset(name)
    yield f"{name}: {raw.get('title', '')}"
    yield ""
    yield "to be set up there"
    yield from _wrap(str(raw.get("setup", "")))
    yield ""
    yield "to be filled in here"
    yield from align([(key, text) for key, text in _needs(raw).items()], indent=2)
    yield ""
    yield from _tell_manners(raw)
    yield ""
    is_url_signed = "url}" in str(raw.get("verify"))
    besides = "; at the top goes `public_url: https://YOUR-FUNCTION`" if is_url_signed else ""
    yield f"an example, for `sources:`{besides}"
    yield from (f"  {line}" for line in write_example(name).splitlines())


def write_example(name: str) -> str:
    """Return an example of a source, as YAML below ``sources:``. Raises ValueError for a name that is none."""
    raw = read_preset(name)
    example = raw.get("example")
    entry: dict[str, object] = {"preset": name}
    for key in _needs(raw):
        if "." not in key:
            entry[key] = f"${{{name}_{key}}}".upper().replace("-", "_")
    entry |= {**(example if isinstance(example, Mapping) else {}), "campaign": CAMPAIGN}
    return yaml.safe_dump({name: entry}, allow_unicode=True, sort_keys=False, width=WIDTH)


def _needs(raw: Raw) -> dict[str, str]:
    needs = raw.get("needs")
    return {str(key): str(text) for key, text in needs.items()} if isinstance(needs, Mapping) else {}


def _tell_manners(raw: Raw) -> Iterator[str]:
    patience = raw.get("answer_within")
    yield (
        f"it waits for an answer: {patience} s"
        if patience
        else f"it waits for an answer: unknown, {SENDERS_PATIENCE} s are taken"
    )
    retries = raw.get("retries")
    if retries is False:
        yield "it sends again: never, so give it a `queue`, or its leads are lost when Thulium is down"
    else:
        yield f"it sends again: {'unknown' if retries is None else retries}"
    yield f"known from: {EVIDENCE.get(str(raw.get('evidence')), 'nobody says')}"


def _wrap(text: str) -> list[str]:
    import textwrap  # noqa: PLC0415 - only here

    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
