"""All that Thulium takes of a lead, as marshmallow's schema: what each field takes, and what it is read as."""

import re
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from ringback.leads.element import drop_faxes, order_names, text_of
from ringback.leads.email import LONGEST_TEXT, find_addresses, is_placeholder
from ringback.leads.hours import read_time
from ringback.leads.phone import BadNumber, Phone, read_number, recognise_number
from ringback.leads.text import clean, drop_unfilled, is_unfilled

LARGEST_ID = 2**63 - 1
EMPTY: tuple[object, ...] = (None, "", [], {})
NOWHERE = "ZZ"  # a region that has no numbers: read are those alone that have their country code
UNKNOWN_COUNTRY = "its country is not known: send two letters (PL) for phone_region, or the country code before it"


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
    """Text, cleaned; numbers become text, several values are joined. ``longest`` is in characters.

    A name and an identifier may be as long as other systems let them be; Thulium documents no limit for its card.
    """

    between = ", "

    def __init__(self, longest: int = 1000, *, keep_lines: bool = False) -> None:
        """Take what is not longer; ``keep_lines`` lets text have several lines."""
        super().__init__()
        self.longest, self.keep_lines = longest, keep_lines

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        text = clean(self._join(value), keep_lines=self.keep_lines)
        if len(text) > self.longest:
            raise ValidationError(f"longer than {self.longest} characters")
        return text

    def _join(self, value: object) -> str:
        value = text_of(value)
        if isinstance(value, list):
            return self.between.join(self._join(item) for item in value if not is_empty(item))
        if isinstance(value, bool):
            return "true" if value else "false"
        if not isinstance(value, str | int | float):
            raise ValidationError("not a text but an object")
        return str(value)


class Name(Text):
    """A person's name or a part of one; several values are its words, unfilled placeholders are none."""

    between = " "

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        return drop_unfilled(super()._deserialize(order_names(value)))


class Email(fields.Field[str]):
    """An e-mail address in its canonical form; of several values, or addresses in one, the first that is one."""

    def _deserialize(self, value: object, *_: object, **__: object) -> str:
        texts = [each for each in list_values(value) if isinstance(each, str)]
        found = [address for text in texts for address in find_addresses(clean(text[:LONGEST_TEXT]))]
        person = next((address for address in found if not is_placeholder(address)), None)
        if person is None:
            raise ValidationError("a placeholder, no person's address" if found else "not an e-mail address")
        return person


@dataclass(frozen=True)
class Regional:
    """A number as it was sent, and the region it is read in; "" if its country was named and is not known."""

    value: object
    region: str


class PhoneNumber(fields.Field[Phone]):
    """A number that may be called; of several values the first that is one."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Phone:
        schema = get_schema(self)
        given = value if isinstance(value, Regional) else Regional(value, schema.region)
        objections = []
        for each in list_values(drop_faxes(given.value)):
            try:
                return read_number(each, given.region or NOWHERE, schema.countries, schema.home)
            except BadNumber as error:
                objections.append(str(error) if given.region else UNKNOWN_COUNTRY)
        raise ValidationError(objections[:1] or ["empty"])


def recognise_first(value: object, region: str, countries: Collection[str], home: str) -> Phone | None:
    """Return the first number in a value that can be called, else the first that is one at all; None without any.

    ``region`` is "" where its country is not known.
    """
    recognised = None
    for each in list_values(drop_faxes(value)):
        for read in (read_number, recognise_number):
            with suppress(BadNumber):
                phone = read(each, region or NOWHERE, countries, home)
                if read is read_number:
                    return phone
                recognised = recognised or phone
    return recognised


def is_empty(value: object) -> bool:
    """Return whether there is nothing in a value: blanks, an unfilled placeholder, a list of what is empty."""
    value = text_of(value)
    if isinstance(value, list):
        return all(map(is_empty, value))
    if isinstance(value, str):
        return not value.strip() or is_unfilled(value)
    return value in EMPTY


def list_values(value: object) -> list[object]:
    """Return a value, or those of a list at whatever depth, without what is empty."""
    if isinstance(value, list):
        return [inner for item in value for inner in list_values(item)]
    value = text_of(value)
    return [] if is_empty(value) else [value]


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
    agent_login = Text(100)
    next_call_date = CallTime()
    order = Order()

    full_name = Name(200)
    surname = Name(100)
    name = Name(100)
    email = Email()
    phone_number = PhoneNumber()
    identifier = Text(255)
    note = Text(10_000, keep_lines=True)
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

    def __init__(  # noqa: PLR0913 - all that leads of different sources differ in
        self,
        region: str,
        countries: Collection[str],
        zone: ZoneInfo,
        *,
        home: str | None = None,
        only: AbstractSet[str] | None = None,
        is_stop: bool = False,
    ) -> None:
        """Read numbers in ``region``, take those of ``countries``, and local times as those of ``zone``.

        ``home`` is the region of the call centre (None: ``region``), ``only`` names the fields that will be given
        (None: any): a load looks at each field that there is. An opt-out (``is_stop``) is read more generously.
        """
        super().__init__(only=only)
        self.region, self.home, self.countries, self.zone = region, home or region, frozenset(countries), zone
        self.is_stop = is_stop


NAMES = frozenset(LeadSchema("PL", (), ZoneInfo("UTC")).fields)
