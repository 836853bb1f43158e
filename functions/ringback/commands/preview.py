"""``ringback preview``."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from ringback.body import guess_type
from ringback.commands.say import fail, show, tell
from ringback.config import load
from ringback.errors import ConfigError, RefusedRequest
from ringback.grammar.fields import find_nearest
from ringback.reports.kept_request import load_request
from ringback.reports.preview import walk
from ringback.settings import Settings, Source
from ringback.web import MAX_BODY, Request

LARGEST = MAX_BODY + 64 * 1024  # bytes of a file that are read: a body and its headers


@click.command()
@click.argument("source")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="May be given several times.")
@click.option("--query", default="", help="What stands behind the question mark of the URL.")
@click.pass_obj
def preview(environ: Mapping[str, str], source: str, file: Path, headers: tuple[str, ...], query: str) -> None:
    """Walk a request body up to the lead: show what would go to Thulium, or which field is at fault and why.

    Makes no calls, and asks for no signature and no secret. FILE is a body, a request that `serve --capture` has kept,
    or - for standard input. The exit code is 1 if there is an event of which no lead can be made.
    """
    settings = load_for(source, environ)
    chosen = find_source(settings, source)
    request = make_request(chosen, read_file(file), headers, query)
    try:
        result = walk(request, chosen, settings, datetime.now(UTC))
    except RefusedRequest as error:
        fail(f"{file}: {error} (it would be answered {error.status})")
    show(result.lines)
    raise SystemExit(not result.is_good)


def load_for(source: str, environ: Mapping[str, str]) -> Settings:
    """Return the settings. Mistakes that leave the keys of the source good are printed on standard error.

    Raises ConfigError for any other.
    """
    try:
        return load(environ, with_secrets=False)
    except ConfigError as error:
        if error.settings is None or source not in error.settings.sources:
            raise
        tell(*error.mistakes)
        return error.settings


def find_source(settings: Settings, name: str) -> Source:
    """Return the source of a name, or end."""
    if name not in settings.sources:
        fail(f"sources: there is no {name}; {find_nearest(name, settings.sources)}")
    return settings.sources[name]


def read_file(path: Path) -> bytes:
    """Return a file's content, or end."""
    try:
        with click.open_file(str(path), "rb") as file:
            content: bytes = file.read(LARGEST)
            return content
    except OSError as error:
        fail(f"{path}: {error.strerror}")


def make_request(source: Source, content: bytes, headers: Iterable[str], query: str) -> Request:
    """Return the request that was kept, or that a sender would have made with this body; what is given wins."""
    pairs = (header.partition(":") for header in headers)
    given = {name.strip().lower(): value.strip() for name, _, value in pairs}
    kept = load_request(content)
    if kept:
        return Request(kept.method, f"/{source.name}", query or kept.query, {**kept.headers, **given}, kept.body)
    method = "GET" if "GET" in source.methods and query and not content else source.methods[0]
    guessed = {} if source.body else {"content-type": guess_type(content)}
    return Request(method, f"/{source.name}", query, {**guessed, **given}, content)
