"""``ringback serve``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ringback import log
from ringback.commands.say import fail, show, tell
from ringback.config import load
from ringback.errors import ConfigError
from ringback.web import Handle

if TYPE_CHECKING:
    from ringback.hosts.serve import Work

THREADS, THREADS_THAT_WAIT = 16, 64
NEEDS_GUNICORN = "serve: gunicorn is not installed; python -m pip install -r requirements-gcp.txt brings it"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; 0.0.0.0 is every one.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 is any free one.")
@click.option(
    "--threads", type=click.IntRange(1, 1000), help="Requests at a time; 16, or 64 where each waits for Thulium."
)
@click.option(
    "--capture",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep every request in DIR, show what is in it, and call nobody.",
)
@click.pass_obj
def serve(environ: Mapping[str, str], *, host: str, port: int, threads: int | None, capture: Path | None) -> None:
    """Run the function on this machine, and the worker that empties a SQLite queue.

    Log lines go to standard output. SIGTERM and Ctrl-C end it in order.
    """
    try:
        from ringback.hosts import serve as server  # noqa: PLC0415 - what serves is not installed where only a cloud is meant
    except ImportError:
        fail(NEEDS_GUNICORN)
    handle, work, about = open_capture(capture, environ) if capture else open_app(environ)
    try:
        listener = server.listen(host, port)
    except OSError as error:
        fail(f"{host}:{port}: {error.strerror}; choose another --host or --port")
    hello = f"Ringback listens at http://{host}:{listener.getsockname()[1]}; {about}"
    threads = threads or (THREADS if work else THREADS_THAT_WAIT)
    server.run(handle, listener, threads, work, lambda: tell(hello))


def open_app(environ: Mapping[str, str]) -> "tuple[Handle, Work | None, str]":
    """Return what answers, what is done beside, and what is said of both."""
    from ringback.hosts.local import wire  # noqa: PLC0415 - not needed where requests are only kept

    settings = load(environ)
    app, worker = wire(settings)
    log.configure()
    queue = settings.queue or "no queue: each request is answered when its leads are in Thulium"
    return app.handle, worker.run if worker else None, f"{queue}, paused" if settings.paused else queue


def open_capture(folder: Path, environ: Mapping[str, str]) -> "tuple[Handle, None, str]":
    """Return what keeps requests and shows them; a bad configuration is told, and then done without."""
    from ringback.reports.capture import Capture  # noqa: PLC0415 - not needed where events are delivered

    try:
        settings = load(environ, with_secrets=False)
    except ConfigError as error:
        tell("without the configuration, which is bad:", *error.mistakes)
        settings = None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fail(f"{folder}: {error.strerror}")
    return Capture(folder, settings, show).handle, None, f"every request is kept in {folder}, and nobody called"
