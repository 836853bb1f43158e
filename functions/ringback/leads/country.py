"""A country as people and form tools write it -> its ISO 3166 code. Pure, but for the list that is read once."""

import unicodedata
from functools import cache
from importlib.resources import files

import yaml


def read_country(text: str) -> str | None:
    """Return the two letters of a country, None for a text that is none.

    Two letters are taken in any case; a name is known in English, in Polish and in the country's own languages,
    whatever its case and accents: ``de``, ``Germany``, ``Niemcy`` and ``Deutschland`` are all ``DE``.
    """
    return _list_names().get(_plain(text))


@cache
def _list_names() -> dict[str, str]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("ringback.leads").joinpath("countries.yaml").read_text("utf-8")
    countries: dict[str, list[str]] = yaml.load(text, loader)  # noqa: S506 - both loaders are safe
    return {_plain(name): code for code, names in countries.items() for name in (code, *names)}


def _plain(text: str) -> str:
    """Return a name without case, accents and what else its spellings differ in."""
    letters = unicodedata.normalize("NFKD", text.casefold()).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join("".join(each for each in letters if not unicodedata.combining(each)).split())
