"""The possible meanings of a telephone number's digits, by Google's metadata. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ringback.leads.digits import BadNumber, Digits, read_digits

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

FEW_LENGTHS = 3  # of a region whose numbers have a fixed length, but for some old or special ones
SHORTEST_WHOLE = 7  # digits without the 0 before them; shorter numbers exist, and hardly anybody has one
LONGEST_ENDING = 2  # digits behind a slash that are another ending: 123456/57


@dataclass(frozen=True, repr=False)
class Phone:
    """A telephone number.

    ``e164`` knows it everywhere (``+48601000001``). ``sent`` is how Thulium is given it: the digits that are dialled
    inside the home region (``601000001``), for a number from elsewhere the same as ``e164``.
    """

    e164: str
    sent: str


@dataclass(frozen=True, repr=False)
class Reading:
    """One meaning of digits: a number that can exist, its country (ISO 3166, or ``001``), Google's name of its kind."""

    number: "PhoneNumber"
    country: str
    kind: str

    @property
    def e164(self) -> str:
        """Return the number as it is known everywhere."""
        import phonenumbers  # noqa: PLC0415 - 40 ms, which a request without a number need not pay

        return str(phonenumbers.format_number(self.number, phonenumbers.PhoneNumberFormat.E164))

    def to_phone(self, home: str) -> Phone:
        """Return the number, as it is sent where ``home`` is the region of the call centre."""
        return Phone(self.e164, self._dialled_at_home() if self.country == home else self.e164)

    def _dialled_at_home(self) -> str:
        """Return the digits as dialled in the number's country: Poland's nine; Germany's with the 0 before them."""
        import phonenumbers  # noqa: PLC0415 - as above

        if phonenumbers.ndd_prefix_for_region(self.country, strip_non_digits=False) is None:
            return str(phonenumbers.national_significant_number(self.number))
        text = phonenumbers.format_number(self.number, phonenumbers.PhoneNumberFormat.NATIONAL)
        return "".join(filter(str.isdecimal, text))


def list_readings(digits: Digits, region: str) -> Iterator[Reading]:
    """Yield the meanings of the digits, the likeliest first."""
    with_code = "+" + digits.text.lstrip("0")
    abroad = digits.text.startswith("00")
    if digits.plus or abroad:
        ways = [with_code]
    elif digits.text.startswith("0"):
        ways = [digits.text]
    elif digits.space or _has_own_code(with_code, region):
        ways = [with_code, digits.text]
    else:
        ways = [digits.text, with_code]
    yield from filter(None, (parse(way, region, with_zero=digits.plus or abroad) for way in ways))


@lru_cache(maxsize=1024)  # a number is read several times on its event's way, and that takes as long as storing it
def parse(text: str, region: str, *, with_zero: bool = False) -> Reading | None:
    """Return the number that a text of digits is, after a plus with its country code; None if it is none.

    ``with_zero``: a 0 that the country does not have may stand before the number, as in ``+48 (0)22...``. Without a
    country code before it such a number is another country's: 050 123 45 67 is a Ukrainian's.
    """
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    reading = _classify(number)
    if reading is None and number.italian_leading_zero and with_zero:
        bare = phonenumbers.PhoneNumber(country_code=number.country_code, national_number=number.national_number)
        reading = _classify(bare)
    return reading


def has_trunk_zero(region: str) -> bool:
    """Return whether a region's numbers are dialled with a 0 before them at home."""
    import phonenumbers  # noqa: PLC0415 - as above

    return bool(phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) == "0")


def drop_ending(value: object, region: str) -> object:
    """Return a number without the other ending that a slash puts behind it: ``0711 123456/57`` is 0711 123456.

    Only where a region's numbers have no fixed length can a part of one be a number too. Raises BadNumber where more
    than an ending stands behind the slash: it may be another number, or the rest of this one.
    """
    if not isinstance(value, str) or value.count("/") not in range(1, 5) or _has_fixed_length(region):
        return value
    parts = value.split("/")
    heads = ("/".join(parts[:n]) for n in range(1, len(parts)))
    head = next((head for head in heads if _is_whole(head, region)), value)
    if sum(map(str.isdecimal, value[len(head) :])) > LONGEST_ENDING:
        raise BadNumber("a slash behind a whole number: send one number")
    return head


def _has_own_code(with_code: str, region: str) -> bool:
    """Say whether ``region``'s own country code stands before a number of it.

    Where numbers have no fixed length, 49221... could be another one of Germany's, too; but people who call inside such
    a country write the 0 before it. Elsewhere (48221... in Poland) only a mobile number is sure to be one.
    """
    import phonenumbers  # noqa: PLC0415 - as above

    if not with_code.startswith(f"+{phonenumbers.country_code_for_region(region)}"):
        return False
    reading = parse(with_code, region)
    return reading is not None and (reading.kind == "MOBILE" or has_trunk_zero(region))


def _classify(number: "PhoneNumber") -> Reading | None:
    from phonenumbers import PhoneNumberType, number_type, region_code_for_number  # noqa: PLC0415 - as above

    kind = number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return None
    return Reading(number, str(region_code_for_number(number)), PhoneNumberType.to_string(kind))


def _has_fixed_length(region: str) -> bool:
    import phonenumbers  # noqa: PLC0415 - as above

    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region, None)
    lines = metadata.fixed_line if metadata else None
    return lines is None or len(lines.possible_length) <= FEW_LENGTHS


def _is_whole(text: str, region: str) -> bool:
    """Return whether a part of a number is a number by itself, and long enough for one that people have."""
    try:
        readings = list(list_readings(read_digits(text), region))
    except BadNumber:
        return False
    return any(len(str(reading.number.national_number)) >= SHORTEST_WHOLE for reading in readings)
