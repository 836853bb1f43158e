"""A telephone number: read as people type it, refused where a dialler must not call it. Pure."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ringback.leads.digits import BadNumber, Digits, read_digits

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

__all__ = ["BadNumber", "Phone", "read_number", "recognise_number", "same_number", "search_forms"]

# By Google's names. A form is open to all, and somebody is paid for each call to any other kind.
_CALLABLE = frozenset({"FIXED_LINE", "MOBILE", "FIXED_LINE_OR_MOBILE", "VOIP", "TOLL_FREE"})
_WORLD = "001"  # the "region" of +800, +870, +882, +883, +979 and their like


@dataclass(frozen=True, repr=False)
class Phone:
    """A number that may be called.

    ``e164`` knows it everywhere (``+48601000001``). ``sent`` is how Thulium is given it: the digits that are dialled
    inside the home region (``601000001``), for a number from elsewhere the same as ``e164``.
    """

    e164: str
    sent: str


@dataclass(frozen=True, repr=False)
class _Reading:
    """What digits can mean: a number that can exist, its country (ISO 3166, or ``001``), Google's name of its kind."""

    number: "PhoneNumber"
    country: str
    kind: str


def read_number(value: object, region: str, countries: Collection[str]) -> Phone:
    """Read ``value`` (text or whole number), as one of ``region`` unless it carries a country code.

    ``region`` and ``countries``, the numbers that may be called, are ISO 3166 codes in capitals. Understood are all
    usual separators, ``+48``, ``+0048``, ``0048``, ``+48 (0)``, ``tel:+48``, digits of any script, a plus that a form
    has decoded to a leading space, and a country code with nothing before it, where no number of ``region`` begins so.

    Raises:
        BadNumber: it is none, or none to be called.
    """
    reading = _read(value, region, countries)
    if objection := _objection(reading, countries):
        raise BadNumber(objection)
    return _make_phone(reading, region)


def recognise_number(value: object, region: str, countries: Collection[str]) -> Phone:
    """Read ``value`` as ``read_number`` does, but of any country and kind: who is not called may still be asked about.

    Raises BadNumber.
    """
    return _make_phone(_read(value, region, countries), region)


def search_forms(phone: Phone, forms: Collection[str]) -> list[str]:
    """Return what to search the number by: as it is sent, then in each of ``forms`` (``e164``, ``digits``)."""
    further = {"e164": phone.e164, "digits": phone.e164.removeprefix("+")}
    return list(dict.fromkeys([phone.sent, *(further[form] for form in forms)]))


def same_number(found: object, e164: str, region: str) -> bool:
    """Say whether what Thulium has (in any writing; None or anything else is none) can be read as ``e164``."""
    try:
        digits = read_digits(found)
    except BadNumber:
        return False
    return any(_e164(reading) == e164 for reading in _readings(digits, region))


def _read(value: object, region: str, countries: Collection[str]) -> _Reading:
    digits = read_digits(value)
    reading = _choose(digits, region, countries)
    if reading is None:
        raise BadNumber(_why_none(digits, region))
    return reading


def _make_phone(reading: _Reading, region: str) -> Phone:
    return Phone(_e164(reading), _dialled_at_home(reading) if reading.country == region else _e164(reading))


def _choose(digits: Digits, region: str, countries: Collection[str]) -> _Reading | None:
    """Return the first reading whose country is called, else the first, else None: nobody has such a number."""
    first = None
    for reading in _readings(digits, region):
        if reading.country in countries:
            return reading
        first = first or reading
    return first


def _readings(digits: Digits, region: str) -> Iterator[_Reading]:
    """Yield what the digits can mean, the likeliest first."""
    with_code = "+" + digits.text.lstrip("0")
    abroad = digits.text.startswith("00")
    if digits.plus:
        ways = [with_code]
    elif digits.text.startswith("0") and not abroad:
        ways = [digits.text]
    elif abroad or digits.space or _has_own_code(with_code, region):
        ways = [with_code, digits.text]
    else:
        ways = [digits.text, with_code]
    yield from filter(None, (_parse(way, region) for way in ways))


def _has_own_code(with_code: str, region: str) -> bool:
    """Say whether ``region``'s own country code stands before a number of it.

    Where numbers have no fixed length, 49221... could be another one of Germany's, too; but people who call inside such
    a country write the 0 before it. Elsewhere (48221... in Poland) only a mobile number is sure to be one.
    """
    import phonenumbers  # noqa: PLC0415 - 40 ms, which a request without a number need not pay

    if not with_code.startswith(f"+{phonenumbers.country_code_for_region(region)}"):
        return False
    reading = _parse(with_code, region)
    has_prefix = phonenumbers.ndd_prefix_for_region(region, strip_non_digits=True) == "0"
    return reading is not None and (reading.kind == "MOBILE" or has_prefix)


def _parse(text: str, region: str) -> _Reading | None:
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    reading = _classify(number)
    if reading is None and number.italian_leading_zero:  # +48 (0)22..., or 0601... of the years when Poland had a 0
        bare = phonenumbers.PhoneNumber(country_code=number.country_code, national_number=number.national_number)
        reading = _classify(bare)
    return reading


def _classify(number: "PhoneNumber") -> _Reading | None:
    from phonenumbers import PhoneNumberType, number_type, region_code_for_number  # noqa: PLC0415 - as above

    kind = number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return None
    return _Reading(number, str(region_code_for_number(number)), PhoneNumberType.to_string(kind))


def _objection(reading: _Reading, countries: Collection[str]) -> str | None:
    if reading.country == _WORLD:
        return "a number of an international network, which is never called"
    if reading.country not in countries:
        return f"a number of {reading.country}, which is not called: add {reading.country} to `countries`"
    if reading.kind not in _CALLABLE:
        return f"a number of the kind {reading.kind}, which is never called"
    return None


def _why_none(digits: Digits, region: str) -> str:
    import phonenumbers  # noqa: PLC0415 - as above

    try:
        number = phonenumbers.parse(f"+{digits.text}" if digits.plus else digits.text, region)
    except phonenumbers.NumberParseException as error:
        return {0: "no such country code", 4: "too long"}.get(error.error_type, "too short")
    fixed_or_mobile = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    fit = phonenumbers.is_possible_number_for_type_with_reason(number, fixed_or_mobile)
    return {2: "too short", 3: "too long", 4: "too short"}.get(fit, "nobody can have this number")


def _e164(reading: _Reading) -> str:
    import phonenumbers  # noqa: PLC0415 - as above

    return str(phonenumbers.format_number(reading.number, phonenumbers.PhoneNumberFormat.E164))


def _dialled_at_home(reading: _Reading) -> str:
    """Return the digits as dialled in the number's country: Poland's nine; Germany's with the 0 before them."""
    import phonenumbers  # noqa: PLC0415 - as above

    if phonenumbers.ndd_prefix_for_region(reading.country, strip_non_digits=False) is None:
        return str(phonenumbers.national_significant_number(reading.number))
    text = phonenumbers.format_number(reading.number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return "".join(filter(str.isdecimal, text))
