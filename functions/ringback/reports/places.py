"""What is in an event, as lines that can be pasted into a source's ``map:``. Pure."""

import json
import re
from collections.abc import Callable, Iterator, Mapping

from ringback.expressions.answers import Answer, AnswerSpec, read_answers
from ringback.expressions.expression import ExpressionFailed
from ringback.expressions.functions import EMPTY
from ringback.reports.columns import align

MOST = 60  # values that are shown of one event
LONGEST = 60  # characters that are shown of one value

Found = tuple[str, object]


def list_places(event: object, spec: AnswerSpec | None, is_number: Callable[[str], bool]) -> list[str]:
    """Return a line for each value in an event: a lead field, where the value is, and the value as a comment.

    Of a form tool (``spec``) these are its answers by their question, of any other sender expressions. What looks like
    an e-mail address, or is a telephone number by ``is_number``, stands behind its lead field, all else behind
    ``FIELD``.
    """
    found = list(_find_answers(event, spec) if spec else ()) or list(_find_values(event, ""))
    rows = [(f"{_guess_field(value, is_number)}: {place}", f"# {_shorten(value)}") for place, value in found[:MOST]]
    rest = [f"# and {len(found) - MOST} more"] if len(found) > MOST else []
    return [*align(rows), *rest]


def _find_answers(event: object, spec: AnswerSpec) -> Iterator[Found]:
    try:
        answers = read_answers(spec, event)
    except ExpressionFailed:
        return
    for answer in answers:
        place = _name_place(answer)
        if place and answer.value not in EMPTY:
            yield place, answer.value


def _name_place(answer: Answer) -> str | None:
    ways = ((by, getattr(answer, by)) for by in ("label", "ref", "id", "type"))
    return next((f"{{{by}: {_quote(text)}}}" for by, text in ways if text), None)


def _find_values(value: object, path: str) -> Iterator[Found]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _find_values(inner, f"{path}.{_name_key(key)}" if path else _name_key(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _find_values(inner, f"{path}[{index}]")
    elif value not in EMPTY:
        yield _write(path or "@"), value


def _name_key(key: str) -> str:
    return key if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", key) else json.dumps(key, ensure_ascii=False)


def _write(expression: str) -> str:
    """Return an expression as YAML takes it: in quotes where it has quotes of its own, or begins unlike a word."""
    return expression if re.fullmatch(r"[A-Za-z_][\w.\[\]]*", expression) else "'" + expression.replace("'", "''") + "'"


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _guess_field(value: object, is_number: Callable[[str], bool]) -> str:
    if not isinstance(value, str):
        return "FIELD"
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        return "email"
    return "phone_number" if is_number(value) else "FIELD"


def _shorten(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
