"""``ringback backup`` and ``restore``."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from ringback.commands.say import fail, show
from ringback.config import load
from ringback.queues.sqlite import open_sqlite
from ringback.queues.sqlite.backup import back_up
from ringback.queues.sqlite.backup import restore as bring_back

NO_FILE = "there is no SQLite queue, so there is no file to copy; the clouds keep their queues themselves"
FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


@click.command()
@FILE
@click.pass_obj
def backup(environ: Mapping[str, str], file: Path) -> None:
    """Copy the SQLite queue into FILE, whole and in order, while `ringback serve` runs; only you may read it."""
    back_up(find_queue(environ), file)
    show([f"copied into {file}"])


@click.command()
@FILE
@click.confirmation_option(prompt="All that has come in or was done since that copy is lost to the queue. Go on?")
@click.pass_obj
def restore(environ: Mapping[str, str], file: Path) -> None:
    """Bring the copy in FILE back, also while `ringback serve` runs.

    The present queue is copied beside it first. Events that waited when the copy was made are delivered again:
    those that were called since are ALREADY_EXISTS, where the campaign says `on_existing: keep`.
    """
    kept = bring_back(find_queue(environ), file, datetime.now(UTC))
    show([f"{file} is brought back; what was there before is in {kept}"])


def find_queue(environ: Mapping[str, str]) -> str:
    """Return the path of the queue's file, or end."""
    queue = open_sqlite(load(environ, with_secrets=False))
    return queue.database.path if queue else fail(NO_FILE)
