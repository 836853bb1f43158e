"""A telephone number: read as people type it, refused where a dialler must not call it. Pure."""

from collections.abc import Collection

from ringback.leads.digits import BadNumber, Digits, read_digits
from ringback.leads.readings import Phone, Reading, drop_ending, has_trunk_zero, list_readings

__all__ = ["BadNumber", "Phone", "read_number", "recognise_number", "same_number", "search_forms"]

# By Google's names. A form is open to all, and somebody is paid for each call to any other kind.
_CALLABLE = frozenset({"FIXED_LINE", "MOBILE", "FIXED_LINE_OR_MOBILE", "VOIP", "TOLL_FREE"})
_WORLD = "001"  # the "region" of +800, +870, +882, +883, +979 and their like


def read_number(value: object, region: str, countries: Collection[str], home: str | None = None) -> Phone:
    """Read ``value`` (text or whole number), as one of ``region`` unless it carries a country code.

    ``region`` and ``countries``, the numbers that may be called, are ISO 3166 codes in capitals; ``home`` is the region
    of the call centre, whose numbers are sent as they are dialled there (None: ``region``). Understood are all usual
    separators, ``+48``, ``+0048``, ``0048``, ``+48 (0)``, ``tel:+48``, words before the number and a remark in brackets
    behind it, digits of any script, a plus that a form has decoded to a leading space, and a country code with nothing
    before it, where no number of ``region`` begins so. No digit is left out, but a 0 that numbers of that country have
    before them: without one it would be another person's number.

    Raises:
        BadNumber: it is none, or none to be called.
    """
    reading = _read(value, region, countries)
    if objection := _objection(reading, countries):
        raise BadNumber(objection)
    return reading.to_phone(home or region)


def recognise_number(value: object, region: str, countries: Collection[str], home: str | None = None) -> Phone:
    """Read ``value`` as ``read_number`` does, but of any country and kind: a question may be about such a number.

    Raises BadNumber.
    """
    return _read(value, region, countries).to_phone(home or region)


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
    return any(reading.e164 == e164 for reading in list_readings(digits, region))


def _read(value: object, region: str, countries: Collection[str]) -> Reading:
    """Return the first reading whose country is called, else the first. Raises BadNumber."""
    digits = read_digits(drop_ending(value, region))
    readings = list(list_readings(digits, region))
    if not readings:
        raise BadNumber(_why_none(digits, region))
    return next((each for each in readings if each.country in countries), readings[0])


def _objection(reading: Reading, countries: Collection[str]) -> str | None:
    if reading.country == _WORLD:
        return "a number of an international network, which is never called"
    if reading.country not in countries:
        return f"a number of {reading.country}, which is not called: add {reading.country} to `countries`"
    if reading.kind not in _CALLABLE:
        return f"a number of the kind {reading.kind}, which is never called"
    return None


def _why_none(digits: Digits, region: str) -> str:
    import phonenumbers  # noqa: PLC0415 - 40 ms, which a request without a number need not pay

    is_foreign = digits.text.startswith("0") and not digits.text.startswith("00") and not digits.plus
    if is_foreign and not has_trunk_zero(region):
        return f"no number of {region} begins with a zero: send the country code, or name the country in phone_region"
    try:
        number = phonenumbers.parse(f"+{digits.text}" if digits.plus else digits.text, region)
    except phonenumbers.NumberParseException as error:
        return {0: "no such country code", 4: "too long"}.get(error.error_type, "too short")
    fixed_or_mobile = phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE
    fit = phonenumbers.is_possible_number_for_type_with_reason(number, fixed_or_mobile)
    return {2: "too short", 3: "too long", 4: "too short"}.get(fit, "nobody can have this number")
