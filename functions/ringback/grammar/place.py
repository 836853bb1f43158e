"""Where a value is in an event."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError, fields

from ringback.expressions.expression import compile_expression
from ringback.grammar.fields import OneOrMany, Text
from ringback.settings import AnswerPlace, Consent, Single


class PlaceField(fields.Field[Single]):
    """Where a value is: an expression, or ``{label|ref|type|id: text}``."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Single:
        if isinstance(value, Mapping):
            return self._read_answer(value)
        if not isinstance(value, str):
            raise ValidationError("not a place; write an expression like `contact.phone`, or {label: the question}")
        try:
            return compile_expression(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None

    def _read_answer(self, value: Mapping[str, object]) -> AnswerPlace:
        by, text = next(iter(value.items()), ("", ""))
        if len(value) != 1 or by not in ("label", "ref", "type", "id") or not isinstance(text, str):
            raise ValidationError(
                "write one of {label: ...}, {ref: ...}, {type: ...}, {id: ...}, with a text in quotes"
            )
        return AnswerPlace(by, text)


class ConsentField(PlaceField):
    """Where the consent is, with the texts that are a yes there (``is``). Of several answers each has to be one."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Consent:  # type: ignore[override]  # with a yes
        has_own = isinstance(value, Mapping) and "is" in value
        own: Any = OneOrMany(Text()).deserialize(value["is"]) if has_own else ()  # type: ignore[index]  # a mapping
        where = {key: item for key, item in value.items() if key != "is"} if isinstance(value, Mapping) else value
        place = super()._deserialize(where)
        return Consent(replace(place, every=True) if isinstance(place, AnswerPlace) else place, tuple(own))
