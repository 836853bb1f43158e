"""Where a value is in an event."""

from collections.abc import Mapping
from dataclasses import replace

from marshmallow import ValidationError, fields

from ringback.expressions.expression import compile_expression
from ringback.settings import AnswerPlace, Place


class PlaceField(fields.Field[Place]):
    """Where a value is: an expression, or ``{label|ref|type|id: text}``."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Place:
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
    """Where the consent is. Of several answers of one type nobody knows which it is: then each has to be a yes."""

    def _read_answer(self, value: Mapping[str, object]) -> AnswerPlace:
        place = super()._read_answer(value)
        return replace(place, every=place.by == "type")
