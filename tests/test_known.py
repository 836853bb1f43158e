"""By which hashes an event about a person is found."""

from typing import Any

import pytest

from ringback.known import hash_question, hash_values, list_digits, list_words
from ringback.secret import Secret

KEY = Secret("an-invented-key-long-enough")


def ask(kind: str, text: str) -> str:
    """Return the hash of a question."""
    return hash_question(KEY, kind, text)


@pytest.mark.parametrize(
    ("values", "known"),
    [
        ({"phone_number": "601 000 001"}, [("phone", "+48601000001"), ("typed", "601000001")]),
        ({"phone_number": 601000001}, [("phone", "+48601000001"), ("typed", "601000001")]),
        ({"phone_number": "12-3"}, [("typed", "123")]),
        ({"email": ["a@example.com", "none"]}, [("email", "a@example.com")]),
        ({"identifier": [" 44 ", 5, ["", "x"]]}, [("identifier", "44"), ("identifier", "5"), ("identifier", "x")]),
        ({"full_name": "Łucja Ś", "surname": "ŁUCJA Lis"}, [("name", "lucja"), ("name", "lis")]),
        ({"phone_number": True, "identifier": {"a": "b"}, "name": None}, []),
        ({"note": "601 000 001 Anna"}, []),
    ],
)
def test_values(values: dict[str, Any], known: list[tuple[str, str]]) -> None:
    """Each text and number that a map finds is one; a value of another kind, and any other field, is none."""
    assert hash_values(KEY, values, "PL", "PL") == tuple(ask(kind, text) for kind, text in known)


def test_kinds_are_apart() -> None:
    """The same text of two kinds has two hashes, and so has one under another key."""
    assert len({ask("identifier", "601"), ask("typed", "601"), hash_question(Secret("b" * 32), "typed", "601")}) == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [("Anna  Żółć-Nowak", ["anna", "zolc", "nowak"]), ("Ł. O'Brien", ["brien"]), ("7 x", []), ("Ünal", ["unal"])],
)
def test_words(name: str, words: list[str]) -> None:
    """Words are two letters or more, in lower case, without accents."""
    assert list_words(name) == words


def test_digits() -> None:
    """Digits of any script count, and nothing else."""
    assert list_digits("+٤٨ 60-1²a") == "48601"
