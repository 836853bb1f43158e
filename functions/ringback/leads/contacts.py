"""Every telephone number and e-mail address in an opt-out: nothing that can be read is left out. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from ringback.leads.digits import BadNumber, read_digits
from ringback.leads.email import find_addresses, is_placeholder
from ringback.leads.phone import recognise_number
from ringback.leads.readings import Phone, list_readings, parse
from ringback.leads.text import clean

LONGEST = 4096  # characters of a value that are looked at
MOST = 50  # numbers, and as many addresses, of one opt-out
MOST_TRIED = 200  # groups of digits of one text that are looked at
FEWEST_DIGITS, MOST_DIGITS = 7, 17  # of a number, with 00 and a country code
MOST_GROUPS = 7  # of a number's digits: +48 (0) 22 123 45 67

_UNREADABLE = "\N{REPLACEMENT CHARACTER}"  # of a body in another encoding: a blank or a dash that was no UTF-8
_BETWEEN = re.compile(r"[^\d+()./\-\s_·]+")  # no number goes over it: letters, commas, semicolons, quotes
_GROUP = re.compile(r"(?:\+\s*)?\(?\+?\d+")


def find_contacts(value: object, region: str, home: str) -> tuple[list[Phone], list[str]]:
    """Return the numbers and the addresses in a value of any kind: text, a number, a list, an object.

    ``601 000 001 lub 602-000-002, jan@example.com - proszę nie dzwonić`` has two numbers and an address. Numbers are of
    every country and kind, since a number may have been called before it was refused. A number that reads as one of
    ``region`` with a 0 that its numbers do not have is taken too: an opt-out has to reach whichever person is meant.
    """
    phones: dict[Phone, None] = {}
    addresses: dict[str, None] = {}
    for text in _list_texts(value):
        plain = clean(text[:LONGEST].replace(_UNREADABLE, " "), keep_lines=True)
        found = [each for each in find_addresses(plain) if not is_placeholder(each)]
        addresses |= dict.fromkeys(found)
        phones |= dict.fromkeys(_find_numbers(_without_addresses(plain), region, home))
    return list(phones)[:MOST], list(addresses)[:MOST]


def _list_texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _list_texts(item)
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)


def _without_addresses(text: str) -> str:
    """Return a text without its addresses: 601000001@example.com names no number."""
    return " ".join(" , " if "@" in word else word for word in text.split(" "))


def _find_numbers(text: str, region: str, home: str) -> Iterator[Phone]:
    try:
        yield recognise_number(text, region, (), home)
    except BadNumber:
        runs = (_GROUP.findall(line) for run in _BETWEEN.split(text) for line in run.split("\n"))
        candidates = (each for number, run in enumerate(runs) for each in _list_candidates(number, run))
        yield from _choose(islice(candidates, MOST_TRIED), region, home)


def _list_candidates(run: int, groups: Sequence[str]) -> Iterator[tuple[int, int, int, str]]:
    """Yield the possible numbers in a run of groups of digits, and their groups: from the left, long ones first.

    A plus begins a number. One that is written digit by digit stands alone in its field, and has been read as a whole.
    """
    for start in range(len(groups)):
        for end in range(min(len(groups), start + MOST_GROUPS), start, -1):
            text = "".join(groups[start:end]).strip()
            if FEWEST_DIGITS <= sum(map(str.isdecimal, text)) <= MOST_DIGITS and "+" not in text[1:]:
                yield run, start, end, text


def _choose(candidates: Iterable[tuple[int, int, int, str]], region: str, home: str) -> Iterator[Phone]:
    """Yield the candidates that are numbers; a group that one of them has taken belongs to no other one."""
    taken = (0, 0)
    for run, start, end, text in candidates:
        if (run, start) >= taken and (phone := _read_exactly(text, region, home)):
            taken = (run, end)
            yield phone


def _read_exactly(text: str, region: str, home: str) -> Phone | None:
    """Return the number that a text is as it stands: no country code is supposed where none is marked."""
    digits = read_digits(text)
    is_marked = digits.plus or digits.text.startswith("00")
    reading = next(list_readings(digits, region), None) if is_marked else parse(digits.text, region, with_zero=True)
    return reading.to_phone(home) if reading else None
