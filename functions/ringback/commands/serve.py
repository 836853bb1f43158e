"""``ringback serve``."""

import gc
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING

import click

from ringback import log
from ringback.commands.say import fail, show, tell
from ringback.config import load
from ringback.errors import ConfigError
from ringback.web import Request, Response

if TYPE_CHECKING:
    from ringback.hosts.supervisor import Work

NEEDS_UVICORN = "serve: uvicorn is not installed; python -m pip install -r requirements-machine.txt brings it"
Works = Callable[[socket], "Sequence[Work]"]


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; 0.0.0.0 is every one.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0 is any free one.")
@click.option(
    "--capture",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep every request in DIR, show what is in it, and call nobody.",
)
@click.pass_obj
def serve(environ: Mapping[str, str], *, host: str, port: int, capture: Path | None) -> None:
    """Run the function on this machine, and the process that empties a SQLite queue.

    Log lines go to standard output. SIGTERM and Ctrl-C end it in order.
    """
    try:
        from ringback.hosts.server import listen  # noqa: PLC0415 - not installed where only a cloud is meant
        from ringback.hosts.supervisor import Supervisor  # noqa: PLC0415 - as above
    except ImportError:
        fail(NEEDS_UVICORN)
    works, about = open_capture(capture, environ) if capture else open_app(environ)
    try:
        listener = listen(host, port)
    except OSError as error:
        fail(f"{host}:{port}: {error.strerror}; choose another --host or --port")
    hello = f"Ringback listens at http://{host}:{listener.getsockname()[1]}; {about}"
    supervisor = Supervisor(works(listener))
    gc.collect()
    gc.freeze()  # what is there by now stays shared by the processes: looking for garbage would write to all of it
    supervisor.run(lambda: tell(hello))


def open_app(environ: Mapping[str, str]) -> tuple[Works, str]:
    """Return the processes' works, which need a socket, and a text that describes them."""
    from ringback.hosts import local  # noqa: PLC0415 - not needed where requests are only kept

    settings = load(environ)
    app = local.open_app(settings)
    log.configure()
    queue = settings.queue or "no queue: each request is answered when its leads are in Thulium"
    return partial(local.list_works, app), f"{queue}, paused" if settings.paused else queue


def open_capture(folder: Path, environ: Mapping[str, str]) -> tuple[Works, str]:
    """Return the work of keeping requests and showing them; a bad configuration is told, and then done without."""
    from ringback.hosts.server import serve as answer  # noqa: PLC0415 - as above
    from ringback.hosts.supervisor import Work  # noqa: PLC0415 - as above
    from ringback.reports.capture import Capture  # noqa: PLC0415 - not needed where events are delivered

    try:
        settings = load(environ, with_secrets=False)
    except ConfigError as error:
        tell("without the configuration, which is bad:", *error.mistakes)
        settings = None
    try:
        make_private(folder)
    except OSError as error:
        fail(f"{folder}: {error.strerror}")
    kept = Capture(folder, settings, show)

    async def handle(request: Request) -> Response:
        return kept.handle(request)

    def list_works(listener: socket) -> "Sequence[Work]":
        return [Work("answering", lambda life: answer(handle, listener, life))]

    return list_works, f"every request is kept in {folder}, and no one is called"


def make_private(folder: Path) -> None:
    """Make a folder that its owner alone may look into, or make an old one so; end if that would shut others out."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.stat()
    if about.st_uid != os.getuid():
        fail(f"{folder}: it is another user's; name a folder of your own, or one that is still to be made")
    if not about.st_mode & 0o077:
        return
    if any(file.suffix != ".http" for file in folder.iterdir()):
        fail(f"{folder}: other users may look into it, and it holds other files; name an empty folder, or a new one")
    folder.chmod(0o700)
