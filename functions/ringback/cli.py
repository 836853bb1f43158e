"""The commands of ``ringback``."""

import os
from typing import Any

import click

from ringback.commands.backup import backup, restore
from ringback.commands.check import check
from ringback.commands.events import forget, replay, trace
from ringback.commands.presets import presets
from ringback.commands.preview import preview
from ringback.commands.say import fail
from ringback.commands.secrets import secrets
from ringback.commands.serve import serve
from ringback.errors import ConfigError, RingbackError


class Commands(click.Group):
    """Commands whose expected failures are told in a line each, on standard error, with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            fail(*error.mistakes)
        except RingbackError as error:
            fail(str(error))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ringback")
@click.pass_context
def main(context: click.Context) -> None:
    """Leads from webhooks into a Thulium calling campaign.

    The configuration is functions/config.yaml, or the file that RINGBACK_CONFIG names.
    """
    context.obj = os.environ  # handed to the commands, which hand it to ``config``


for command in (check, preview, presets, secrets, serve, trace, replay, forget, backup, restore):
    main.add_command(command)
