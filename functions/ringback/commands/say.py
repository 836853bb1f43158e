"""How commands speak and end."""

from collections.abc import Iterable
from typing import NoReturn

import click


def show(lines: Iterable[str]) -> None:
    """Print lines."""
    for line in lines:
        click.echo(line)


def fail(*lines: str) -> NoReturn:
    """Say on standard error what is wrong, and end with exit code 1."""
    for line in lines:
        click.echo(line, err=True)
    raise SystemExit(1)
