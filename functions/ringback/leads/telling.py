"""Whether an id may stand in the log: a machine has made it, and no number of a person is in it. Pure."""

import re
from collections.abc import Iterable
from itertools import pairwise

from ringback.leads.digits import BadNumber
from ringback.leads.phone import recognise_number

DATE_DIGITS, PESEL_DIGITS = 8, 11
LONGEST_NUMBER = 12  # digits; longer ones are numbers of accounts and cards, too
SHORTEST_CALLED = 7  # digits of a telephone number
SHORTEST_RUN, LONGEST_RUN = 4, 7  # digits in a row: fewer tell nothing, so many in common are no chance

# What senders put before an id (`evt_1`, `wf-123`). A closed list: any other word may be a name.
_WORDS = """
act action activity answer appt booking call callback campaign case chat contact conv conversation cus customer deal del
delivery email enquiry entry ev event evt form gid hook id inquiry inv invitee job lead log message mess msg note notif
notification obj object op opp opportunity order org payment rec record ref reg registration req request res resp
response row run seq session sub submission subscription survey task test ticket tok token transaction txn update urn
uuid visit webhook wf wh whevt workflow
"""
WORDS = frozenset(_WORDS.split())
_PREFIX = re.compile(r"([A-Za-z]+)(?:[-_:./#]|(?=[0-9]))")

_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)  # RFC 9562
# Of 2004 to 2039: https://github.com/ulid/spec
_ULID = re.compile("(?=.*[A-Z])01[0-9A-HJKMNP-TV-Z]{24}", re.IGNORECASE | re.ASCII)
_HEX = re.compile("[0-9a-f]{16,64}", re.IGNORECASE | re.ASCII)

_DAY, _MONTH, _YEAR = "(?:0[1-9]|[12][0-9]|3[01])", "(?:0[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_DATE = re.compile(f"{_YEAR}{_MONTH}{_DAY}|{_DAY}{_MONTH}{_YEAR}|{_MONTH}{_DAY}{_YEAR}")
# The number that each person has in Poland begins with the date of birth, whose month tells the century too:
# https://www.gov.pl/web/gov/czym-jest-numer-pesel
_PESEL = re.compile(f"[0-9]{{2}}(?:[02468][1-9]|[13579][0-2]){_DAY}[0-9]{{5}}")


def find_core(text: str, region: str) -> str | None:
    """Return the machine-made part of an id: all of it, but for known words before it (``evt_1``: ``1``). Else None.

    It is a UUID, a ULID, hexadecimal digits, or a number that is harmless in ``region``: never a word that a person has
    typed. So no name is in it, nor an address.
    """
    rest = _drop_prefix(text)
    return next((each for each in (text, rest, _drop_prefix(rest)) if _is_machine_made(each, region)), None)


def is_random(core: str) -> bool:
    """Return whether an id has a form that no number has: a UUID with its dashes, or a ULID."""
    return bool(_UUID.fullmatch(core) or _ULID.fullmatch(core))


def is_random_hex(text: str) -> bool:
    """Return whether a text is 16 to 64 hexadecimal digits, letters and digits in turn as in no word or number.

    In a random one they change with every second digit, so every sixth is asked for; a number that is filled up with
    zeros has one change, or two.
    """
    changes = sum(one.isalpha() != other.isalpha() for one, other in pairwise(text))
    return bool(_HEX.fullmatch(text)) and 6 * changes >= len(text)


def is_harmless(number: str, region: str) -> bool:
    """Return whether a number (its digits) is no more than an id: it can't be called, and holds no date of birth.

    It may be read as a number of ``region``, or of any country with its code before it.
    """
    if not number.isascii() or len(number) > LONGEST_NUMBER or _has_birthday(number):
        return False
    return not _can_be_called(number.lstrip("0"), region)


def shares_digits(core: str, values: Iterable[object]) -> bool:
    """Return whether an id and one of the values have digits in common, however the value is written.

    Of a number with four to seven digits all of them count, of a longer one any seven in a row: ``48601000001`` and
    ``601 000 001`` share some, whichever is the id. Among letters fewer than seven are there by chance.
    """
    runs = re.findall(f"[0-9]{{{SHORTEST_RUN if core.isdecimal() else LONGEST_RUN},}}", core)
    parts = [run[start : start + LONGEST_RUN] for run in runs for start in range(max(1, len(run) - LONGEST_RUN + 1))]
    return any(part in digits for digits in map(_read_digits, values) for part in parts)


def _is_machine_made(text: str, region: str) -> bool:
    return is_harmless(text, region) if text.isdecimal() else is_random(text) or is_random_hex(text)


def _drop_prefix(text: str) -> str:
    found = _PREFIX.match(text)
    is_known = found is not None and (found[1].lower() in WORDS or len(found[1]) == 1)
    return text[found.end() :] if found and is_known else text


def _has_birthday(number: str) -> bool:
    """Return whether a number is a date or begins with one. As a JSON number it has lost the zeros before it."""
    if len(number) <= DATE_DIGITS:
        return bool(_DATE.fullmatch(number.zfill(DATE_DIGITS)))
    return bool(_PESEL.fullmatch(number.zfill(PESEL_DIGITS)))


def _can_be_called(number: str, region: str) -> bool:
    if len(number) < SHORTEST_CALLED:
        return False
    try:
        return bool(recognise_number(number, region, ()))
    except BadNumber:
        return False


def _read_digits(value: object) -> str:
    """Return all digits of a value, as ASCII whatever script they are in."""
    digits = "".join(re.findall(r"\d+", str(value)))
    return digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)
