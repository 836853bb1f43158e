"""A form's answers, found by their question. What form tools differ in is said by the preset's ``answers``. Pure.

``answers`` has these keys, all of them text; the expressions are JMESPath:

- ``items``: over the event: a list of answers, each ``{id, ref, label, type, value, options}``, as far as there is such
- ``object``: over the event, where ``items`` finds no answer: an object of them, its keys being their ids, and their
  labels where ``fields`` has none
- ``key``: which keys of that object are answers: a regular expression of the whole key; what its groups named ``ref``,
  ``label`` and ``type`` hold is the answer's
- ``value``: over each of the object's values: what was answered
- ``fields``: over the event: what is known of the questions, a list of ``{id, ref, label, type, options}``, each of
  which completes the answer with its id

``options`` is a list of ``{id, text}``: where an option's id was answered, its text is the answer.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from unicodedata import normalize

from ringback.expressions.expression import Expression, compile_expression
from ringback.expressions.functions import EMPTY

BESIDE_THE_EVENT = ("_body", "_request")
DEFAULTS = {"items": "`null`", "object": "`null`", "value": "@", "fields": "`null`", "key": "(?s:.*)"}
Row = Mapping[str, Any]
Texts = Mapping[str | None, object]


@dataclass(frozen=True)
class AnswerSpec:
    """Where a form tool's answers are: a preset's ``answers``, compiled."""

    items: Expression
    object: Expression
    value: Expression
    fields: Expression
    key: re.Pattern[str]


@dataclass(frozen=True)
class Answer:
    """One answer. Of several values it is a list, a list of one is that one; what was not answered is None."""

    id: str | None
    ref: str | None
    label: str | None
    type: str | None
    value: object = field(repr=False)

    @cached_property
    def plain_label(self) -> str | None:
        """The label without what does not matter when it is looked for."""
        return None if self.label is None else _plain(self.label)


def compile_answers(spec: Mapping[str, str]) -> AnswerSpec:
    """Return a preset's ``answers`` compiled. Raises ValueError, in one line, naming the key that is wrong."""
    if unknown := spec.keys() - DEFAULTS.keys():
        raise ValueError(f"there is no key {min(unknown)}; the keys are {', '.join(DEFAULTS)}")
    if not spec.keys() & {"items", "object"}:
        raise ValueError("items or object has to say where the answers are")
    texts = {**DEFAULTS, **spec}
    try:
        pattern = re.compile(texts.pop("key"))
    except re.error as error:
        raise ValueError(f"key: not a regular expression: {error.msg}") from None
    return AnswerSpec(**{name: _compile(name, text) for name, text in texts.items()}, key=pattern)


def read_answers(spec: AnswerSpec, event: object) -> list[Answer]:
    """Return the answers that are in ``event``, in its order. Raises ExpressionFailed.

    Options are read once, however many answers their question has.
    """
    fields = {_text(row.get("id")): row for row in _find_rows(spec.fields, event)}
    rows = _find_rows(spec.items, event) or list(_find_pairs(spec, event))
    lists = {id(options): options for row in (*fields.values(), *rows) if (options := row.get("options"))}
    texts = {key: _read_options(options) for key, options in lists.items()}
    return [_make_answer(row, fields, texts) for row in rows]


def find_answer(answers: Iterable[Answer], by: str, text: str, *, every: bool = False) -> object:
    """Return the value of the answer whose ``by`` (label, ref, type or id) is ``text``, None if there is none.

    Of several the first that is not empty: forms ask the same thing in several branches. In labels case, outer and
    repeated spaces, and a star or colon around them do not matter. With ``every`` all that are there are returned, each
    in a list of its own; empty ones too if they are found by their type, since a box that is not ticked is empty.
    """
    if by == "label":
        wanted = _plain(text)
        values = [answer.value for answer in answers if answer.plain_label == wanted]
    else:
        values = [answer.value for answer in answers if getattr(answer, by) == text]
    if every:
        return [[value] for value in values if by == "type" or value not in EMPTY]
    return next((value for value in values if value not in EMPTY), None)


def _compile(name: str, text: str) -> Expression:
    try:
        return compile_expression(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _plain(label: str) -> str:
    return " ".join(normalize("NFC", label).casefold().split()).strip("*: ")


def _find_rows(expression: Expression, event: object) -> list[Row]:
    found = expression.search(event)
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


def _find_pairs(spec: AnswerSpec, event: object) -> Iterator[Row]:
    found = spec.object.search(event)
    for key, value in found.items() if isinstance(found, dict) else ():
        match = spec.key.fullmatch(key)
        if match and key not in BESIDE_THE_EVENT:
            yield {"key": key, "id": key, **match.groupdict(), "value": spec.value.search(value)}


def _make_answer(row: Row, fields: Mapping[str | None, Row], texts: Mapping[int, Texts]) -> Answer:
    name = _text(row.get("id"))
    known = fields.get(name, {}) if name is not None else {}
    whole = {**known, **{key: value for key, value in row.items() if value is not None}} if known else row
    label = row.get("key") if whole.get("label") is None else whole["label"]
    value = _choose(whole.get("value"), texts.get(id(whole.get("options")), {}))
    return Answer(name, _text(whole.get("ref")), _text(label), _text(whole.get("type")), value)


def _read_options(options: object) -> Texts:
    """Return the texts of a question's options, by their ids."""
    rows = [row for row in options if isinstance(row, dict)] if isinstance(options, list) else []
    return {_text(row["id"]): row["text"] for row in rows if _text(row.get("id")) and _text(row.get("text"))}


def _choose(value: object, texts: Texts) -> object:
    """Return the value with the texts of the options whose ids it holds."""
    if not texts and not isinstance(value, list):  # as of most answers, of which there may be many
        return value
    chosen = [texts.get(_text(item), item) for item in (value if isinstance(value, list) else [value])]
    return chosen if len(chosen) > 1 else next(iter(chosen), None)


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) else None
