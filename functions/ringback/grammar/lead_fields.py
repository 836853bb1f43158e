"""``map:`` and ``set:``: lead fields, and where their values are or what they are."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields

from ringback.grammar.fields import NOT_A_TEXT, NOT_EMPTY, Pairs, find_nearest, flatten
from ringback.grammar.place import PlaceField
from ringback.leads.hours import read_relative
from ringback.leads.lead import ADDRESSES, CONTACTS, LEAD_FIELDS, is_lead_field, nest_fields
from ringback.leads.lead_schema import LeadSchema
from ringback.settings import Places

FLAGS = frozenset(
    name for name, field in LeadSchema("PL", [], ZoneInfo("UTC")).fields.items() if isinstance(field, fields.Boolean)
)
CUSTOM = "your own fields are custom_fields.<its name>"
ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


class PlacesField(Pairs):
    """``map:``."""

    def __init__(self, **rest: object) -> None:
        """Read places."""
        super().__init__(PlaceField(), **rest)

    def read(self, name: str, value: object) -> object:
        """Return where the field's value is. Raises ValidationError, for what is wrong with either."""
        try:
            place = self.read_places(name, value) if isinstance(value, list) else super().read(name, value)
        except ValidationError as error:
            raise ValidationError([*find_name_mistakes(name), *flatten(error.messages).values()]) from None
        check_name(name)
        return place

    def read_places(self, name: str, values: list[object]) -> Places:
        """Return several places. Raises ValidationError where no value could be told from another by its use."""
        if name not in CONTACTS:
            raise ValidationError(f"only {' and '.join(CONTACTS)} take several places; for others write first(a, b)")
        return Places(tuple(self.inner.deserialize(each) for each in NOT_EMPTY(values)))


class Constants(Pairs):
    """``set:``. What no lead can have is found when the file is read; a time may be relative: ``+15m``."""

    schema = LeadSchema("PL", [], ZoneInfo("UTC"))

    def __init__(self, **rest: object) -> None:
        """Read values as they are."""
        super().__init__(fields.Raw(), **rest)

    def read(self, name: str, value: object) -> object:
        """Return the constant as it is written: it is read with the lead's other values. Raises ValidationError."""
        check_name(name)
        if name == "phone_region":
            raise ValidationError("not a constant of a lead; write `phone_region: DE` as a key of the source")
        if not isinstance(value, str | int | float):
            raise ValidationError(f"{NOT_A_TEXT}, or write a number")
        try:
            if name == "next_call_date" and isinstance(value, str) and value.startswith("+"):
                read_relative(value, ANY_TIME)
            elif name != "phone_number":
                self.schema.load(nest_fields({name: value}))
        except ValidationError as error:
            raise ValidationError(next(iter(flatten(error.messages).values()))) from None
        except ValueError as error:
            raise ValidationError(str(error)) from None
        return value


def check_name(name: str) -> None:
    """Raise ValidationError for what is no field of a lead."""
    for mistake in find_name_mistakes(name):
        raise ValidationError(mistake)


def find_name_mistakes(name: str) -> list[str]:
    """Return what is wrong with the name of a lead's field, if anything is."""
    if is_lead_field(name):
        return []
    if name in ADDRESSES:
        return [f"not one field but several; write {name}.street, {name}.city and so on"]
    known = CUSTOM if name.startswith("custom_fields") else find_nearest(name, LEAD_FIELDS - {"phone_region"}, CUSTOM)
    return [f"not a field of a lead; {known}"]
