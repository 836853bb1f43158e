"""``ringback presets``."""

import click

from ringback.commands.say import fail, show
from ringback.reports.guide import explain_sender, list_senders


@click.command()
@click.argument("name", required=False)
def presets(name: str | None) -> None:
    """List the senders that there are presets for; of one, say how a source of it is set up."""
    try:
        show(explain_sender(name) if name else list_senders())
    except ValueError as error:
        fail(f"{name}: {error}")
