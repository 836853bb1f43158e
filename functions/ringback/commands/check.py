"""``ringback check``."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import click

from ringback.commands.say import fail, show
from ringback.config import find_file, load
from ringback.grammar.advice import Note, Weight, advise, list_sources
from ringback.leads.phone import BadNumber, read_number
from ringback.reports.columns import align
from ringback.reports.online import Online
from ringback.reports.probe import Probe, Recorder
from ringback.reports.statuses import WRONG
from ringback.settings import Settings
from ringback.thulium.api import Thulium
from ringback.thulium.wire import Wire

ASK = """
At {url} this makes two customers with your number, puts one of them into campaign {campaign} with a status under
which nobody is called, for a moment also with a call in ten years, and removes them again."""


@click.command()
@click.option("--without-secrets", is_flag=True, help="Take names that are not in the environment for good: for CI.")
@click.option("--strict", is_flag=True, help="Take for a mistake what is only advised against: short secrets.")
@click.option("--online", is_flag=True, help="Look at Thulium too: campaigns, statuses, agents. Changes nothing.")
@click.option("--probe", metavar="CAMPAIGN", help="Try what Thulium's documentation leaves open; asks first.")
@click.pass_obj
def check(environ: Mapping[str, str], *, without_secrets: bool, strict: bool, online: bool, probe: str | None) -> None:
    """Read the configuration whole and name every mistake; exit code 1 if there is one."""
    if without_secrets and (online or probe):
        raise click.UsageError("Thulium can't be asked without secrets")
    settings = load(environ, with_secrets=not without_secrets)
    notes = list(advise(settings, datetime.now(UTC)))
    bad = [note for note in notes if note.weight is Weight.MISTAKE or (strict and note.weight is Weight.STRICT)]
    show([f"the configuration {'has mistakes' if bad else 'is good'}: {find_file(environ)}", ""])
    show(align(list_sources(settings)))
    show_notes("mistakes", bad)
    show_notes("worth knowing", [note for note in notes if note not in bad])
    is_good = look_online(settings) if online else True
    if probe:
        try_out(settings, probe)
    raise SystemExit(bool(bad) or not is_good)


def show_notes(title: str, notes: Sequence[Note]) -> None:
    """Print notes under a title, if there are any."""
    show(["", title, *(f"  {note.path}: {note.text}" for note in notes)] if notes else [])


def look_online(settings: Settings) -> bool:
    """Print what Thulium says of the configuration, and return whether none of it is wrong."""
    found = list(Online(settings, Thulium(settings.thulium, Wire())).look())
    show(["", "at Thulium", *align([(each.word, each.what, each.text) for each in found], indent=2)])
    return all(each.word is not WRONG for each in found)


def try_out(settings: Settings, name: str) -> None:
    """Ask, then print what Thulium does where its documentation leaves it open."""
    campaign = settings.campaigns[name].id if name in settings.campaigns else name
    show(ASK.format(url=settings.thulium.url, campaign=campaign).split("\n"))
    click.confirm("Go on?", abort=True)
    try:
        phone = read_number(click.prompt("Your number"), settings.phone_region, settings.countries)
    except BadNumber as error:
        fail(f"that number: {error}")
    recorder = Recorder()
    thulium, mark = Thulium(settings.thulium, recorder), secrets.token_hex(4)
    probe = Probe(thulium, recorder, campaign, phone, mark, zone=settings.thulium.timezone)
    show([""])
    try:
        for answer in probe.run():
            show([f"  {answer.question}: {answer.text}"])
    finally:
        show([f"  {probe.remove()}"])
