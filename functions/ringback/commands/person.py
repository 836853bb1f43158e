"""How a command is told which person it is asked about: by number, address, identifier or name."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ringback.commands.say import fail
from ringback.grammar.names import PLACEHOLDER
from ringback.known import hash_question, list_digits, list_words
from ringback.leads.email import read_address
from ringback.leads.phone import BadNumber, recognise_number
from ringback.leads.readings import parse
from ringback.leads.text import clean
from ringback.mapping import hash_person
from ringback.queues.sqlite.history import Hashes
from ringback.reports.captures import forget_captures
from ringback.secret import Secret
from ringback.settings import Settings

NOT_SET = "is not set here; set it to what it is where the function runs"
_OPTIONS = (
    click.option("--phone", metavar="NUMBER", help="A telephone number, as people write it."),
    click.option("--email", metavar="ADDRESS", help="An e-mail address."),
    click.option("--identifier", metavar="TEXT", help="An identifier, as a source maps it."),
    click.option("--name", metavar="NAME", help="A name or a part of one, whole words."),
)


@dataclass(frozen=True)
class Person:
    """A person as a question describes them; all that is given has to fit."""

    phone: str | None = None
    email: str | None = None
    identifier: str | None = None
    name: str | None = None

    @property
    def is_nobody(self) -> bool:
        """Whether nothing is given."""
        return not any(vars(self).values())


def about_a_person(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options that describe a person, as its argument ``person``."""

    @functools.wraps(command)
    def run(
        *args: Any, phone: str | None, email: str | None, identifier: str | None, name: str | None, **rest: Any
    ) -> object:
        return command(*args, person=Person(phone, email, identifier, name), **rest)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


def ask_number() -> Person:
    """Return the person whose number is typed now: on the command line other users could see it."""
    return Person(phone=click.prompt("Telephone number", err=True))


def hash_number(settings: Settings, number: str) -> str:
    """Return the hash by which the log knows the person with a number, or end."""
    try:
        phone = recognise_number(number, settings.phone_region, settings.countries)
    except BadNumber as error:
        fail(f"--phone: {error}")
    return hash_person(find_key(settings), phone.e164)


def list_hashes(settings: Settings, person: Person) -> Hashes:
    """Return the hashes that the events about a person are stored under, or end."""
    key = find_key(settings)
    hashes: list[Sequence[str]] = []
    if person.phone:
        hashes.append(_hash_phone(settings, key, person.phone))
    if person.email:
        hashes.append([hash_question(key, "email", _read_email(person.email))])
    if person.identifier:
        hashes.append([hash_question(key, "identifier", _read_identifier(person.identifier))])
    return [*hashes, *([hash_question(key, "name", word)] for word in _read_words(person.name))]


def clear_captures(folder: Path, settings: Settings, person: Person) -> int:
    """Delete the requests about a person that `serve --capture` has kept in a folder, and return their number."""
    texts = [_read_email(person.email)] if person.email else []
    texts += [_read_identifier(person.identifier)] if person.identifier else []
    digits = _shorten(settings, person.phone) if person.phone else None
    return forget_captures(folder, phone=digits, texts=texts, words=_read_words(person.name))


def _shorten(settings: Settings, number: str) -> str:
    """Return the digits that a number has in whatever form it is written: those behind its country code."""
    typed = _read_digits(number)
    try:
        phone = recognise_number(number, settings.phone_region, settings.countries)
    except BadNumber:
        return typed
    reading = parse(phone.e164, settings.phone_region)
    return str(reading.number.national_number) if reading else typed


def find_key(settings: Settings) -> Secret:
    """Return the key of the log's hashes, or end."""
    if unset := PLACEHOLDER.search(settings.log_key.text):
        fail(f"log_key: {unset[0]} {NOT_SET}")
    return settings.log_key


def _hash_phone(settings: Settings, key: Secret, number: str) -> list[str]:
    """Return the hashes of a number, and of its digits as they were typed: it may be one that does not exist."""
    typed = _read_digits(number)
    try:
        phone = recognise_number(number, settings.phone_region, settings.countries)
    except BadNumber:
        return [hash_question(key, "typed", typed)]
    return [hash_question(key, "phone", phone.e164), hash_person(key, phone.e164), hash_question(key, "typed", typed)]


def _read_email(text: str) -> str:
    try:
        return read_address(text)
    except ValueError as error:
        fail(f"--email: {error}")


# What is given and says nothing ends the command: left out, it would have others' events found, and deleted.


def _read_digits(number: str) -> str:
    return list_digits(number) or fail("--phone: no digit is in it")


def _read_identifier(text: str) -> str:
    return clean(text) or fail("--identifier: nothing is in it")


def _read_words(name: str | None) -> list[str]:
    if name is None:
        return []
    return list_words(name) or fail("--name: no word of two letters or more is in it")
