"""Keyed hashes of numbers, addresses, identifiers and names, by which a person's events are found later. Pure.

They are stored beside an event in the queue's file, and never logged. The file without the key tells nothing; with the
key a person is found without reading any event.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from ringback.leads.contacts import find_contacts
from ringback.leads.lead import Lead
from ringback.leads.lead_schema import list_values
from ringback.leads.text import clean
from ringback.secret import Secret

NAMES = ("full_name", "name", "surname")
KNOWN_FIELDS = frozenset({*NAMES, "phone_number", "phone_region", "email", "identifier"})
LONGEST = 200  # characters of one value
MOST_WORDS = 8  # of one name
_WORDS = re.compile(r"[^\W\d_]{2,}")


def hash_lead(key: Secret, lead: Lead) -> tuple[str, ...]:
    """Return the hashes of a lead or an opt-out."""
    told = [("phone", phone.e164) for phone in lead.phones] + [("email", address) for address in lead.emails]
    told += [("identifier", identifier) for identifier in lead.list_values("identifier")]
    names = (str(lead.customer[name]) for name in NAMES if name in lead.customer)
    return _hash(key, [*told, *(("name", word) for name in names for word in list_words(name))])


def hash_values(key: Secret, values: Mapping[str, object], region: str, home: str) -> tuple[str, ...]:
    """Return the hashes of an event that has become no lead; ``values`` are those that its map finds.

    A number that is none is known by its digits, as they were typed.
    """
    phones, addresses = find_contacts([values.get("phone_number"), values.get("email")], region, home)
    told = [("phone", phone.e164) for phone in phones] + [("email", address) for address in addresses]
    told += [("identifier", clean(text)) for text in _list_texts(values.get("identifier"))]
    told += [("typed", digits) for text in _list_texts(values.get("phone_number")) if (digits := list_digits(text))]
    names = (text for name in NAMES for text in _list_texts(values.get(name)))
    return _hash(key, [*told, *(("name", word) for name in names for word in list_words(name))])


def hash_question(key: Secret, kind: str, text: str) -> str:
    """Return the hash of the events that are known by a text: a phone, email, identifier, name or typed number."""
    return key.hash(f"{kind}:{text}")[:32]


def list_words(name: str, most: int | None = MOST_WORDS) -> list[str]:
    """Return the words of a name in lower case, without accents, the first ``most`` of them."""
    letters = unicodedata.normalize("NFKD", clean(name).casefold().replace("ł", "l"))
    plain = "".join(each for each in letters if not unicodedata.combining(each))
    return _WORDS.findall(plain)[:most]


def list_digits(text: str) -> str:
    """Return the digits of a text, of whatever script."""
    return "".join(str(int(each)) for each in text if each.isdecimal())


def _hash(key: Secret, told: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(hash_question(key, kind, text) for kind, text in told if text))


def _list_texts(value: object) -> Iterator[str]:
    for each in list_values(value):
        if isinstance(each, str | int | float) and not isinstance(each, bool):
            yield str(each)[:LONGEST]
