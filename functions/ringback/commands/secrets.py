"""``ringback secrets``."""

from collections.abc import Mapping

import click

from ringback.commands.say import show
from ringback.config import find_file, read_document
from ringback.grammar.names import list_names


@click.command()
@click.pass_obj
def secrets(environ: Mapping[str, str]) -> None:
    """List each ${NAME} of the configuration, and the function on a cloud that needs its value.

    "deliver" is one that only the function needs that delivers; "webhook" is one that both need.
    """
    names = list_names(read_document(find_file(environ)).data)
    show(f"{name} {'deliver' if is_late else 'webhook'}" for name, is_late in names.items())
