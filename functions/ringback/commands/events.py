"""``ringback trace``, ``replay`` and ``forget``."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from ringback.commands.person import (
    NOT_SET,
    Person,
    about_a_person,
    ask_number,
    clear_captures,
    hash_number,
    list_hashes,
)
from ringback.commands.say import fail, show, tell
from ringback.config import load
from ringback.grammar.names import PLACEHOLDER
from ringback.identity import hash_id
from ringback.mapping import Mapper
from ringback.outcome import TOO_OLD
from ringback.queues.sqlite import history
from ringback.queues.sqlite.database import Database
from ringback.queues.sqlite.queue import open_sqlite
from ringback.reports import cloudwatch
from ringback.reports.cloud_logging import tell_log
from ringback.reports.columns import align
from ringback.reports.log_query import SHOWN, Field, write_queries
from ringback.reports.story import count_kept, tell_story
from ringback.settings import Settings

REPLAYS = {
    "sqs": "replay: SQS's own redrive does it: aws sqs start-message-move-task --source-arn DEAD_LETTER_QUEUE "
    "--destination-arn QUEUE (the stack's output Replay has both)",
    "cloud-tasks": "replay: gcloud tasks queues resume NAME-parked, and when that queue is empty, pause it again",
    "": "replay: there is no queue, so nothing is kept; let the sender send again",
}


@click.command()
@click.argument("event_id", metavar="[ID]", required=False)
@about_a_person
@click.option(
    "--log-group", "groups", multiple=True, envvar="RINGBACK_LOG_GROUPS", help="Where CloudWatch has it. Repeatable."
)
@click.pass_obj
def trace(environ: Mapping[str, str], event_id: str | None, person: Person, groups: tuple[str, ...]) -> None:
    """Tell the story of an event, or of the events about a person; without either a number is asked for.

    From a SQLite queue it is told whole; for a cloud the query of its log is printed, or run: on AWS where --log-group
    says, on Google Cloud where gcloud is at hand.
    """
    settings = load(environ, with_secrets=False)
    if event_id and not person.is_nobody:
        raise click.UsageError("give the id of an event, or what describes a person")
    if not event_id and person.is_nobody:
        person = ask_number()
    database = open_database(settings)
    if database is None:
        ask_cloud(settings, event_id, person, groups)
        return
    if event_id:
        stories = history.trace(database, find_id(database, settings, event_id))
    else:
        stories = history.trace_person(database, list_hashes(settings, person), Mapper(settings).list_known)
    for story in stories or fail(say_unknown(settings, "this person")):
        show(tell_story(story, settings.thulium.timezone, datetime.now(UTC)))
    if settings.paused:
        show(["`paused: true`: nothing is delivered"])


@click.command()
@click.argument("event_id", metavar="[ID]", required=False)
@click.option("--source", help="Only what came from this source.")
@click.option("--reason", help="Only what has this reason, word for word.")
@click.option("--even-if-old", is_flag=True, help="Also what was parked because it was older than max_age.")
@click.pass_obj
def replay(
    environ: Mapping[str, str], event_id: str | None, source: str | None, reason: str | None, *, even_if_old: bool
) -> None:
    """Try all events again that are PARKED, FAILED or INVALID, or those that are named."""
    settings = load(environ, with_secrets=False)
    database = open_database(settings)
    if database is None:
        fail(REPLAYS[(settings.queue or "").partition(":")[0]])
    event_id = event_id and find_id(database, settings, event_id)
    kept = history.count_kept(database, event_id=event_id, source=source, reason=reason)
    left = [] if even_if_old else [each for each in kept if each.reason == TOO_OLD]
    count = history.replay(
        database, datetime.now(UTC), event_id=event_id, source=source, reason=reason, even_if_old=even_if_old
    )
    show(count_kept([each for each in kept if each not in left]))
    show([f"{count} to be tried again{' as soon as `ringback serve` runs' if count else ''}"])
    if left:
        total = sum(each.count for each in left)
        show([f"{total} parked as {TOO_OLD}, and not tried; --even-if-old has them tried too"])


@click.command()
@about_a_person
@click.option("--id", "event_id", metavar="ID", help="The id of an event.")
@click.option(
    "--captures",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Delete what `serve --capture` has kept in DIR too.",
)
@click.pass_obj
def forget(environ: Mapping[str, str], person: Person, event_id: str | None, captures: Path | None) -> None:
    """Delete all stored events about a person, also those that wait; without an option a number is asked for.

    The customer in Thulium stays.
    """
    settings = load(environ, with_secrets=False)
    if event_id and not person.is_nobody:
        raise click.UsageError("give the id of an event, or what describes a person")
    if not event_id and person.is_nobody:
        person = ask_number()
    if captures and not event_id:
        show([f"{clear_captures(captures, settings, person)} requests of {captures} deleted"])
    database = open_database(settings)
    if database is None:
        fail("forget: only a SQLite queue can be searched; the clouds' own delete what they hold after days")
    if event_id:
        count = history.forget_event(database, find_id(database, settings, event_id))
    else:
        count = history.forget(database, list_hashes(settings, person), Mapper(settings).list_known)
    show([f"{count} forgotten"])
    if not database.tidy():
        show(["another program reads the file: what was deleted is gone from the log beside it within a minute"])
    show(["not found were events that are still to be fetched, and outcomes under another log_key"])
    if not captures:
        show(["requests kept by `serve --capture` are searched with --captures DIR"])


def say_unknown(settings: Settings, what: str) -> str:
    """Return how it is told that a SQLite queue has nothing about an event or a person."""
    return f"nothing is known of {what} (events are known for {settings.retention.days} days)"


def ask_cloud(settings: Settings, event_id: str | None, person: Person, groups: Sequence[str]) -> None:
    """Show the lines of a cloud's log about an event or a person, or the query that finds them."""
    if not event_id and not person.phone:
        fail("trace: the log knows a person by the number alone: give --phone, or the id of an event")
    field: Field = "event_id" if event_id else "person"
    values = list_ids(settings, event_id) if event_id else [hash_number(settings, person.phone or "")]
    try:
        if groups:
            show(ask_cloudwatch(field, values, groups))
            return
    except cloudwatch.LogUnreachable as error:
        tell(f"{error}; ask it yourself")
    found = [tell_log(settings.queue, field, value, settings.thulium.timezone) for value in values]
    told = [line for lines in found if lines is not None for line in lines]
    if None not in found:
        show(told or fail(f"nothing is in the log of {values[0]}"))
        return
    for query in write_queries(settings.queue, field, *values):
        show([f"{query.where}:", "", query.text, ""])


def ask_cloudwatch(field: Field, values: Sequence[str], groups: Sequence[str]) -> list[str]:
    """Return a line for each line of the log, of as far back as a SQLite queue would know. Raises LogUnreachable."""
    (query,) = write_queries("sqs:", field, *values)
    now = datetime.now(UTC)
    rows = cloudwatch.run(query.text, groups, now - history.RETENTION, now)
    if not rows:
        fail(f"nothing is in the log of {values[0]}")
    columns = ("@timestamp", *SHOWN)
    return align([columns, *([row.get(name, "") for name in columns] for row in rows)])


def list_ids(settings: Settings, event_id: str) -> list[str]:
    """Return the forms of an event's id in the log: the id itself, and its hash where the key is known here."""
    if unset := PLACEHOLDER.search(settings.log_key.text):
        tell(f"log_key: {unset[0]} {NOT_SET}, or an id that is logged as a hash is not found")
        return [event_id]
    return [event_id, hash_id(event_id, settings.log_key)]


def find_id(database: Database, settings: Settings, event_id: str) -> str:
    """Return the id by which an event is stored, the sender's or its hash, or end."""
    ids = list_ids(settings, event_id)
    return next((each for each in ids if history.trace(database, each)), None) or fail(say_unknown(settings, event_id))


def open_database(settings: Settings) -> Database | None:
    """Return the SQLite queue's file, None for any other queue, or end when it is not there."""
    queue = open_sqlite(settings)
    if queue and not Path(queue.database.path).exists():
        fail(f"{queue.database.path}: no such file, so nothing has been stored; is it the folder of `ringback serve`?")
    return queue.database if queue else None
