"""An e-mail address in its one canonical form, by which it is searched, compared, sent and hashed. Pure."""

import re

from marshmallow import ValidationError, validate

LONGEST = 254  # characters; RFC 5321, 4.5.3.1.3, less the angle brackets of a path
LONGEST_TEXT = 4096  # characters of a field in which addresses are looked for

# What stands around an address in a list, a link or a sentence: `Jan <a@b.pl>; c@d.pl`, `mailto:a@b.pl?cc=`.
_BETWEEN = re.compile(r"""[\s<>()\[\]{}:;,"|\\/?]+""")
_is_address = validate.Email(error="not an e-mail address")

# Typed into a field that must not stay empty. The first words stand for no address at any host (brak@gmail.com), one of
# the others only where the host is such a word too (test@test.pl).
_NO_ADDRESS = """
brak none nomail noemail no-email no-mail no_email niema nie-ma nie.ma niemam nie-mam nie.mam brakmaila brak.maila
bezmaila noreply no-reply no.reply donotreply do-not-reply undefined nospam
"""
_NO_NAME = frozenset(_NO_ADDRESS.split())
_PLACEHOLDERS = """
a aa aaa abc asd asdf b email e-mail fake m mail na nie no nope null nobody qwe qwerty test testowy x xx xxx xyz
anonim anonymous nic
"""
_NO_HOST = _NO_NAME | frozenset(_PLACEHOLDERS.split())


def read_address(text: str) -> str:
    """Return the first address in a text, in its canonical form. Raises ValueError, which shows nothing of the text.

    ``Jan Wrona <Jan@Example.com>``, ``mailto:jan@example.com`` and ``jan@example.com.; biuro@example.com`` are all
    ``jan@example.com``.
    """
    found = find_addresses(text)
    if not found:
        raise ValueError("not an e-mail address")
    return found[0]


def find_addresses(text: str) -> list[str]:
    """Return all addresses in a text, in their canonical form, each once."""
    words = (word for word in _BETWEEN.split(text[:LONGEST_TEXT]) if word.count("@") == 1)
    return list(dict.fromkeys(filter(None, map(_make_canonical, words))))


def same_address(found: str, address: str) -> bool:
    """Return whether a text that Thulium has is this canonical address."""
    return found.strip().casefold() == address.casefold() or address in find_addresses(found)


def is_placeholder(address: str) -> bool:
    """Return whether an address stands for none: ``brak@brak.pl``, ``none@none.com``, ``noemail@gmail.com``."""
    name, _, host = address.partition("@")
    return name in _NO_NAME or (name in _NO_HOST and host.partition(".")[0] in _NO_HOST)


def _make_canonical(text: str) -> str | None:
    """Return the address in lower case, its host in ASCII (IDNA 2008), or None if it is none."""
    name, _, host = text.strip("'`*.!&=").lower().partition("@")
    address = f"{name}@{_encode_host(host)}" if len(text) <= LONGEST else ""
    try:
        _is_address(address)
    except ValidationError:
        return None
    return address if len(address) <= LONGEST else None


def _encode_host(host: str) -> str:
    if host.isascii():
        return host
    import idna  # noqa: PLC0415 - few addresses need it

    try:
        return idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return ""
