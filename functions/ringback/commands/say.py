"""How commands speak and end. All that they print goes through here, and is plain text by then."""

import unicodedata
from collections.abc import Iterable
from typing import NoReturn

import click

# Control characters, format characters (among them those that turn the direction of text), half characters, private use
# and line ends: what a sender writes must not set a terminal's title, or hide a part of a line.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def show(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        click.echo(make_plain(line))


def tell(*lines: str) -> None:
    """Print lines on standard error."""
    for line in lines:
        click.echo(make_plain(line), err=True)


def fail(*lines: str) -> NoReturn:
    """Say on standard error what is wrong, and end with exit code 1."""
    tell(*lines)
    raise SystemExit(1)


def make_plain(line: str) -> str:
    r"""Return a line with every character escaped that a terminal would carry out or not show: ``\x1b``, ``\u202e``."""
    if line.isascii() and line.isprintable():
        return line
    return "".join(repr(each)[1:-1] if unicodedata.category(each) in _UNSEEN else each for each in line)
