"""A country is known by its two letters and by its names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.grammar.words import REGIONS
from ringback.leads.country import read_country


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("PL", "PL"),
        (" pl ", "PL"),
        ("Poland", "PL"),
        ("POLSKA", "PL"),
        ("Deutschland", "DE"),
        ("Niemcy", "DE"),
        ("Україна", "UA"),
        ("Česko", "CZ"),
        ("Cesko", "CZ"),
        ("Czech Republic", "CZ"),
        ("United  Kingdom", "GB"),
        ("UK", "GB"),
        ("Côte d'Ivoire", "CI"),
        ("Norge", "NO"),
        ("no", "NO"),
    ],
)
def test_country(text: str, code: str) -> None:
    """Its letters, its English, its Polish and its own names, in any case and without accents too."""
    assert read_country(text) == code


@pytest.mark.parametrize("text", ["", "Atlantis", "P", "POL1", "Europa", "48", "ZZ"])
def test_no_country(text: str) -> None:
    """What is no country is none."""
    assert read_country(text) is None


@given(st.text())
def test_whatever_comes(text: str) -> None:
    """Whatever comes is a region that numbers can be read in, or none."""
    assert read_country(text) in {None, *REGIONS.split()}


def test_every_region_has_a_name() -> None:
    """Each region that a configuration may name is known by its letters."""
    assert all(read_country(region) == region for region in REGIONS.split())
