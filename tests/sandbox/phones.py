"""Forms of a phone number, as simply as a call centre's database may see them (Polish numbers only)."""

import re
from collections.abc import Callable, Mapping

_NOT_A_DIGIT = re.compile(r"\D")
_NATIONAL = 9  # digits of a Polish number


def digits(text: str) -> str:
    """Return the number's digits, without a leading ``00``."""
    return _NOT_A_DIGIT.sub("", text).removeprefix("00")


def national(text: str) -> str | None:
    """Return a Polish number's nine digits; None for any other number."""
    number = digits(text)
    if len(number) == _NATIONAL + 2 and number.startswith("48"):
        return number[2:]
    return number if len(number) == _NATIONAL and not text.startswith("+") else None


def whole(text: str) -> str:
    """Return the digits with the country code, that of Poland where there is none."""
    short = national(text)
    return f"48{short}" if short else digits(text)


def key(text: str) -> str:
    """Return what all forms of one number have in common: its last nine digits."""
    return digits(text)[-_NATIONAL:]


STORED: Mapping[str, Callable[[str], str]] = {
    "given": lambda text: text,
    "national": lambda text: national(text) or text,
    "digits": whole,
    "e164": lambda text: f"+{whole(text)}",
}

ACCEPTED: Mapping[str, Callable[[str], bool]] = {
    "all": lambda _: True,
    "national": lambda text: re.fullmatch(r"\d{9}", text) is not None,
    "digits": lambda text: re.fullmatch(r"\d{4,15}", text) is not None,
}

MATCH: Mapping[str, Callable[[str, str], bool]] = {
    "exact": lambda stored, asked: stored == asked,
    "number": lambda stored, asked: whole(stored) == whole(asked),
    "suffix": lambda stored, asked: digits(stored).endswith(digits(asked)),
    "contains": lambda stored, asked: digits(asked) in digits(stored),
}
