"""A written telephone number, reduced to its digits; text that is no number is refused. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from ringback.leads.remarks import strip_remarks
from ringback.leads.text import decode_entities

_LONGEST = 64  # characters; a number takes 15 digits at most
_LONGEST_TEXT = 256  # characters, with the words that stand around a number
_DECIMAL = re.compile(r".*\d{5}\.\d\s*")
_BETWEEN = "./·_'\N{MINUS SIGN}"  # a spreadsheet's ' stands before the plus
_BETWEEN_KINDS = frozenset({"Zs", "Pd", "Ps", "Pe", "Cf"})  # spaces, dashes, brackets, and what is not seen


class BadNumber(ValueError):
    """This is no number that may be called. The text says why, in plain words, and holds nothing of the number."""


@dataclass(frozen=True, repr=False)
class Digits:
    """The digits of a number (ASCII), whether a plus stood before them, or a space that may have been one."""

    text: str
    plus: bool
    space: bool


def read_digits(value: object) -> Digits:
    """Read text or a whole number; separators and what is not seen (text direction, soft hyphens) are dropped.

    So are words before a number and a remark in brackets behind it (see ``remarks``).

    Raises:
        BadNumber: letters or signs that no number has, or nothing. An extension is refused rather than dropped:
            without it, all of a company's people would be one customer, and one's stop would be everybody's.
    """
    text = _text(value)
    kept = "".join(map(_keep, text.strip()))
    digits = kept.lstrip("+")
    if not digits:
        raise BadNumber("empty")
    if "+" in digits:
        raise BadNumber("a plus in the middle: send one number")
    return Digits(digits, plus=kept != digits, space=text.startswith(" "))


def _text(value: object) -> str:
    if isinstance(value, float) and value.is_integer():  # a JSON number, exact where a telephone number may be
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int | None):
        raise BadNumber("neither text nor a whole number")
    if isinstance(value, int) and value.bit_length() > _LONGEST:
        raise BadNumber("too long")
    text = "" if value is None else decode_entities(str(value)[: _LONGEST_TEXT + 1])
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = strip_remarks(text) if len(text) <= _LONGEST_TEXT else text
    if len(text) > _LONGEST:
        raise BadNumber("too long")
    if _DECIMAL.fullmatch(text):  # a table's "601000001.0": with one digit more it would be somebody else's
        raise BadNumber("a decimal number: send it as text")
    return text


def _keep(char: str) -> str:
    if char.isdecimal():
        return str(int(char))
    if char in "+\N{FULLWIDTH PLUS SIGN}":
        return "+"
    if char in _BETWEEN or unicodedata.category(char) in _BETWEEN_KINDS:
        return ""
    if char.isalpha():
        raise BadNumber("letters in it: send the number alone, without words or an extension")
    raise BadNumber("a character in it that is in no number")
