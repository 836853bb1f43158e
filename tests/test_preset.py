"""Presets, and how a source is laid over one."""

from pathlib import Path

import pytest
import yaml

from ringback.grammar.preset import FOLDER, list_presets, merge, read_preset
from tests.given import SECRET, find_mistakes, load_source, make_config


def test_presets_are_the_files() -> None:
    """Each file in the folder is a preset."""
    assert list_presets() == sorted(path.stem for path in Path(FOLDER).iterdir())


def test_preset_may_extend_another() -> None:
    """A preset that names another is laid over it, and does not keep the name."""
    extending = [name for name in list_presets() if "preset" in yaml.safe_load((FOLDER / f"{name}.yaml").read_text())]
    assert extending
    for name in extending:
        own = yaml.safe_load((FOLDER / f"{name}.yaml").read_text())
        assert read_preset(name) == merge(read_preset(own.pop("preset")), own)


def test_unknown_preset() -> None:
    """A preset that there is not is a mistake that names the nearest."""
    with pytest.raises(ValueError, match=r"there is no such preset; is `typeform` meant\?"):
        read_preset("Typeforms")


@pytest.mark.parametrize("key", ["map", "set", "fetch", "customer", "needs"])
def test_key_by_key(key: str) -> None:
    """These are merged key by key, and ``~`` takes one away."""
    base = {key: {"kept": "base", "changed": "base", "dropped": "base"}, "other": "base"}
    own = {key: {"changed": "own", "dropped": None, "added": "own"}}
    assert merge(base, own) == {key: {"kept": "base", "changed": "own", "added": "own"}, "other": "base"}


@pytest.mark.parametrize("key", ["verify", "answers", "methods", "event_id"])
def test_all_else_is_replaced(key: str) -> None:
    """Every other key of the source replaces the preset's whole, and ``~`` takes it away."""
    assert merge({key: {"a": 1}}, {key: {"b": 2}}) == {key: {"b": 2}}
    assert merge({key: {"a": 1}}, {key: None}) == {}


@pytest.mark.parametrize("key", ["map", "fetch"])
def test_whole_section_is_taken_away_or_replaced(key: str) -> None:
    """What is no mapping replaces the whole section."""
    assert merge({key: {"a": 1}}, {key: None}) == {}
    assert merge({key: {"a": 1}}, {key: "x"}) == {key: "x"}


def test_empty_key_stays_a_mistake() -> None:
    """``~`` takes away what the preset has; anywhere else it is a key whose value was forgotten."""
    merged = merge({"map": {"email": "e"}}, {"consent": None, "map": {"phone_number": None}})
    assert merged == {"consent": None, "map": {"email": "e", "phone_number": None}}


def test_only_is_kept() -> None:
    """What is no lead for a sender is none for anybody: ``only`` holds beside the source's own."""
    assert merge({"only": "a"}, {}) == {"only": "a"}
    assert merge({"only": "a"}, {"only": "b"}) == {"only": ["b", "a"]}
    assert merge({"only": ["a", "b"]}, {"only": ["c"]}) == {"only": ["c", "a", "b"]}
    assert merge({}, {"only": "b"}) == {"only": "b"}


TYPEFORM = {"preset": "typeform", "secret": SECRET, "map": {"phone_number": {"type": "phone_number"}}}


def test_source_has_what_its_preset_says() -> None:
    """A source's own keys are laid over its preset's; the source knows the preset's name."""
    source = load_source({**TYPEFORM, "campaign": "00001", "when": "score > `1`", "answer_within": 5})
    assert source.preset == "typeform"
    assert source.items.text == "form_response || `{}`"
    assert [only.text for only in source.only]
    assert [when.text for when in source.when] == ["score > `1`"]
    assert source.answer_within == 5


def test_what_a_preset_needs_is_asked_for() -> None:
    """A blank that is not filled in is a mistake that says where to find it."""
    mistakes = find_mistakes(make_config({"preset": "typeform", "map": {"email": "e"}, "campaign": "00001"}))
    assert mistakes[0].startswith("sources.website.secret: missing: the secret of the form's webhook")


def test_source_that_verifies_nothing_needs_no_secret() -> None:
    """Who says `verify: none` in so many words is not asked for a secret that nothing would use."""
    source = {"preset": "typeform", "verify": "none", "map": {"email": "e"}, "campaign": "00001"}
    assert load_source(source).secrets == ()


@pytest.mark.parametrize("key", ["title", "setup", "example", "needs"])
def test_what_presets_say_to_people_is_no_key_of_a_source(key: str) -> None:
    """A source that has one of a preset's keys for people has a key that does nothing."""
    mistakes = find_mistakes(make_config({**TYPEFORM, "campaign": "00001", key: {}}))
    assert [mistake for mistake in mistakes if mistake.startswith(f"sources.website.{key}: unknown key; ")]


@pytest.mark.parametrize("key", ["consent", "when", "secret"])
def test_forgotten_value(key: str) -> None:
    """A key without a value that no preset has is not taken for one that was left out."""
    mistakes = find_mistakes(make_config({**TYPEFORM, "campaign": "00001", key: None}))
    assert mistakes == [f"sources.website.{key}: empty; give it a value, or leave the key out"]


@pytest.mark.parametrize(
    ("preset", "said"),
    [
        (["typeform"], "not a text; put it in quotes"),
        (5, 'not a text; put it in quotes: YAML reads 5 as a number, write "5"'),
        (None, "empty; give it a value, or leave the key out"),
        ("typform", "there is no such preset; is `typeform` meant?"),
        ("../config", "there is no such preset; there are: activecampaign, "),
    ],
    ids=range(5),
)
def test_preset_that_can_not_be_read(preset: object, said: str) -> None:
    """A preset that there is not is a mistake; what it would have said is none of its own."""
    [mistake] = find_mistakes(make_config({**TYPEFORM, "preset": preset, "campaign": "00001"}))
    assert mistake.startswith(f"sources.website.preset: {said}")
