"""The fields that the configuration's schemas are made of: each says what is wrong, and the way out."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from ringback.secret import Secret

NOT_A_TEXT = "not a text; put it in quotes"
NOT_EMPTY = validate.Length(min=1, error="empty; name at least one")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
PLAIN_WORDS = {
    "Missing data for required field.": "missing; docs/configuration.md says what belongs there",
    "Field may not be null.": "empty; give it a value, or leave the key out",
    "Not a valid mapping type.": "not a mapping; write `key: value` pairs",
    "Invalid input type.": "not a mapping; write `key: value` pairs",
    "Not a valid list.": "not a list",
    "Not a valid boolean.": "neither true nor false",
}
"""marshmallow's texts in ours."""


def find_nearest(name: object, known: Collection[str], otherwise: str = "") -> str:
    """Return a question that names the known word nearest to ``name``, else ``otherwise``, or the list of all."""
    import difflib  # noqa: PLC0415 - only who makes mistakes needs it

    words = {word.lower(): word for word in known}
    near = difflib.get_close_matches(str(name).lower(), words, n=1, cutoff=0.58)  # as near as phone to phone_number
    if near:
        return f"is `{words[near[0]]}` meant?"
    if otherwise:
        return otherwise
    return f"there are: {', '.join(sorted(known))}" if known else "there are none"


class Strict(Schema):
    """A schema that names unknown keys beside all other mistakes, each with the nearest known one."""

    class Meta:
        """Unknown keys are found by ``refuse_unknown``: marshmallow's own message has no way out."""

        unknown = EXCLUDE

    def on_bind_field(self, _: str, field: fields.Field[Any]) -> None:
        """Take no null, not even where None is what a key left out comes to: its value was forgotten."""
        field.allow_none = False

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def refuse_unknown(self, _: object, original: object, **__: object) -> None:
        """Raise ValidationError with each key that is not in the grammar."""
        keys = original if isinstance(original, Mapping) else ()
        known = {str(field.data_key or name) for name, field in self.fields.items()}
        texts = (key for key in keys if isinstance(key, str))  # of any other kind of key its YAML is wrong
        wrong = {key: [f"unknown key; {find_nearest(key, known)}"] for key in texts if key not in known}
        if wrong:
            raise ValidationError(wrong)


class Text(fields.Field[str]):
    """A text that is not empty, of a closed list where one is given."""

    def __init__(self, choices: Collection[str] = (), **rest: object) -> None:
        """Take only ``choices``, if there are any."""
        super().__init__(**rest)  # type: ignore[arg-type]
        self.choices = tuple(choices)

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        if not isinstance(value, str):
            raise ValidationError(NOT_A_TEXT)
        if not value.strip():
            raise ValidationError("empty; give it a value, or leave the key out")
        if self.choices and value not in self.choices:
            raise ValidationError(f"not known; {find_nearest(value, self.choices)}")
        return value


class SecretText(Text):
    """A secret: it is kept in a wrapper that shows nothing."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Secret:  # type: ignore[override]
        return Secret(super()._deserialize(value))


class Day(fields.Field[date]):
    """A day, as YAML reads it or as text."""

    def _deserialize(self, value: object, *_: object, **__: object) -> date:
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 - a day is in no zone
        except ValueError:
            raise ValidationError("not a day; write it as year-month-day: 2027-01-31") from None


class Number(fields.Field[float]):
    """A number within bounds, whole if ``whole``; also as text, since what fills in a ``${NAME}`` is text."""

    def __init__(self, least: float, most: float, *, whole: bool = False, **rest: object) -> None:
        """Take what is from ``least`` to ``most``."""
        super().__init__(**rest)  # type: ignore[arg-type]
        self.least, self.most, self.whole = least, most, whole

    def _deserialize(self, value: object, *_: object, **__: object) -> float:
        text = str(value)
        pattern = "[0-9]{1,15}" if self.whole else r"[0-9]{1,15}(\.[0-9]{1,15})?"
        if not re.fullmatch(pattern, text) or not self.least <= float(text) <= self.most:
            kind = "whole number" if self.whole else "number"
            raise ValidationError(f"not a {kind} from {self.least} to {self.most}")
        return int(text) if self.whole else float(text)


class Duration(fields.Field[timedelta]):
    """A time span: ``90s``, ``15m``, ``24h``, ``30d``."""

    def _deserialize(self, value: object, *_: object, **__: object) -> timedelta:
        found = re.fullmatch(r"([0-9]{1,6})([smhd])", value) if isinstance(value, str) else None
        if not found or not int(found[1]):
            raise ValidationError("not a time span; write a whole number and s, m, h or d: 24h")
        return timedelta(seconds=int(found[1]) * SECONDS[found[2]])


class Parsed(fields.Field[object]):
    """A text that ``parse`` turns into something; its ValueError is the mistake."""

    def __init__(self, parse: Callable[[str], object], **rest: object) -> None:
        """Keep the parser."""
        super().__init__(**rest)  # type: ignore[arg-type]
        self.parse = parse

    def _deserialize(self, value: object, *_: object, **__: object) -> object:
        if not isinstance(value, str):
            raise ValidationError(NOT_A_TEXT)
        try:
            return self.parse(value)
        except ValueError as error:
            raise ValidationError(str(error)) from None


class OneOrMany(fields.List[Any]):
    """A list; a value alone is a list of one."""

    def _deserialize(self, value: object, *args: object, **rest: object) -> list[object]:
        if isinstance(value, list):
            return super()._deserialize(value, *args, **rest)
        return [self.inner.deserialize(value)]


class Pairs(fields.Field[Mapping[str, object]]):
    """A mapping of names to what ``inner`` makes of each value."""

    def __init__(self, inner: fields.Field[Any], **rest: object) -> None:
        """Keep the field that reads the values."""
        super().__init__(**rest)  # type: ignore[arg-type]
        self.inner = inner

    def _deserialize(self, value: object, *_: object, **__: object) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            raise ValidationError("not a mapping; write `name: value` pairs")
        good: dict[str, object] = {}
        bad: dict[str, object] = {}
        for name, item in value.items():
            try:
                good[str(name)] = self.read(str(name), item)
            except ValidationError as error:
                bad[str(name)] = error.messages
        if bad:
            raise ValidationError(bad)
        return good

    def read(self, _: str, value: object) -> object:
        """Return what a name's value is. Raises ValidationError."""
        return self.inner.deserialize(value)


class Kind(fields.Field[object]):
    """One of several schemas, which the value's own word under ``key`` names; the word alone is its short form."""

    def __init__(self, key: str, schemas: Mapping[str, Schema], **rest: object) -> None:
        """Keep the schemas by their word."""
        super().__init__(**rest)  # type: ignore[arg-type]
        self.key, self.schemas = key, schemas

    def _deserialize(self, value: object, *_: object, **__: object) -> object:
        given = {self.key: value} if isinstance(value, str) else value
        word = given.get(self.key) if isinstance(given, Mapping) else None
        if not isinstance(given, Mapping) or not isinstance(word, str):
            raise ValidationError(f"write {{{self.key}: ...}}; {find_nearest('', self.schemas)}")
        if word not in self.schemas:
            raise ValidationError({self.key: [f"not known; {find_nearest(word, self.schemas)}"]})
        return self.schemas[word].load({name: item for name, item in given.items() if name != self.key})


def flatten(messages: object, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], str]:
    """Return marshmallow's nested messages as path to text, in plain words."""
    if isinstance(messages, Mapping):
        parts = (flatten(inner, path if key == "_schema" else (*path, str(key))) for key, inner in messages.items())
        return {place: text for part in parts for place, text in part.items()}
    texts = messages if isinstance(messages, list) else [messages]
    return {path: "; ".join(PLAIN_WORDS.get(str(text), str(text)) for text in texts)}
