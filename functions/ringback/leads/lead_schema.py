"""All that Thulium takes of a lead, as marshmallow's schema: what each field takes, and what it is read as."""

import re
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from ringback.leads.hours import read_time
from ringback.leads.phone import BadNumber, Phone, read_number, recognise_number

LARGEST_ID = 2**63 - 1
EMPTY: tuple[object, ...] = (None, "", [], {})


class WholeNumber(fields.Field[int]):
    """A positive whole number, also as text (``"441"``), never a yes or no and never a fraction."""

    smallest, largest = 1, LARGEST_ID

    def _deserialize(self, value: object, *_: object, **__: object) -> int:
        if not re.fullmatch(r"-?[0-9]{1,19}(\.0+)?", str(value).strip(), re.ASCII):
            raise ValidationError("not a whole number")
        number = int(str(value).strip().partition(".")[0])
        if not self.smallest <= number <= self.largest:
            raise ValidationError("not a whole number that Thulium could know")
        return number


class Order(WholeNumber):
    """Any whole number: Thulium says neither the range of an order nor its direction."""

    smallest = -LARGEST_ID


class Text(fields.Field[str]):
    """Text; numbers become text, several values are joined with a comma."""

    between = ", "

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        if isinstance(value, list):
            return self.between.join(str(self.deserialize(item)) for item in value if item not in EMPTY)
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str | int | float):
            raise ValidationError("not a text but an object")
        return str(value).replace("\x00", "").strip()


class FullName(Text):
    """A person's name; several values are its words."""

    between = " "


class Email(Text):
    """An e-mail address, in lower case; of several the first."""

    check = validate.Email(error="not an e-mail address")

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        first = next((item for item in value if item not in EMPTY), "") if isinstance(value, list) else value
        address = super()._deserialize(first).lower()
        self.check(address)
        return address


class PhoneNumber(fields.Field[Phone]):
    """A number that may be called, read in the schema's region; of several the first."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Phone:
        schema = get_schema(self)
        first = next((item for item in value if item not in EMPTY), "") if isinstance(value, list) else value
        read = recognise_number if schema.is_stop else read_number
        try:
            return read(first, schema.region, schema.countries)
        except BadNumber as error:
            raise ValidationError(str(error)) from None


class CallTime(fields.Field[datetime]):
    """A time, aware; local ones are of the schema's time zone."""

    def _deserialize(self, value: object, *_: object, **__: object) -> datetime:
        schema = get_schema(self)
        try:
            return value if isinstance(value, datetime) else read_time(value, schema.zone)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def get_schema(field: fields.Field[Any]) -> "LeadSchema":
    """Return the schema that a field is in."""
    schema = field.root
    if not isinstance(schema, LeadSchema):
        raise TypeError("the field belongs to a lead")
    return schema


class AddressSchema(Schema):
    """A postal address."""

    class Meta:
        """Whatever else is in it is not Thulium's."""

        unknown = EXCLUDE

    street = Text()
    building = Text()
    flat = Text()
    postcode = Text()
    city = Text()
    country = Text()


class LeadSchema(Schema):
    """All fields of a record of ``POST batch/crm_outbounds/:id/records`` and of a customer of ``POST customers``.

    Source of the names: https://api.thulium.com/docs/api, pages of these two calls. Build it once: it costs more than
    a load.
    """

    customer_id = WholeNumber()
    status_id = WholeNumber()
    dictionary_status_id = WholeNumber()
    agent_login = Text()
    next_call_date = CallTime()
    order = Order()

    full_name = FullName()
    surname = Text()
    name = Text()
    email = Email()
    phone_number = PhoneNumber()
    identifier = Text()
    note = Text()
    type = Text()
    group = Text()
    nip = Text()
    pesel = Text()
    job = Text()
    job_title = Text()
    gender = Text()
    homepage = Text()
    birthdate = Text()
    account_manager = Text()
    company_id = WholeNumber()
    vip = fields.Boolean(error_messages={"invalid": "neither yes nor no"})
    address = fields.Nested(AddressSchema)
    invoice_address = fields.Nested(AddressSchema)
    mail_drop_address = fields.Nested(AddressSchema)
    custom_fields = fields.Dict(keys=fields.String(), values=Text())
    fill_read_only_custom_fields = fields.Boolean()

    def __init__(
        self,
        region: str,
        countries: Collection[str],
        zone: ZoneInfo,
        *,
        only: AbstractSet[str] | None = None,
        is_stop: bool = False,
    ) -> None:
        """Read numbers in ``region``, take those of ``countries``, and local times as those of ``zone``.

        ``only`` names the fields that will be given (None: any): a load looks at each field that there is. Of a stop
        numbers of every country are taken: they may have been called before ``countries`` was made shorter.
        """
        super().__init__(only=only)
        self.region, self.countries, self.zone, self.is_stop = region, frozenset(countries), zone, is_stop


NAMES = frozenset(LeadSchema("PL", (), ZoneInfo("UTC")).fields)
