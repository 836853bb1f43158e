"""``make run``: a stand-in Thulium and the function, samples of three senders, and what becomes of them.

Then both stay up for requests of your own, until Ctrl-C. With ``--once`` it ends after the samples, with 0 if
everything was as expected. With ``--thulium`` there is the stand-in alone: it prints its address and stays up.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn

from tests.sandbox.demo import choose_port, demonstrate
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.world import World

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """Somebody wants the program to end."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments say; return the process's exit status."""
    options = parse(arguments)
    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        if options.thulium:
            return stand_in(options.port or 0, options.keep)
        return demonstrate(choose_port(options.port), once=options.once)
    except Interrupted:
        return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m tests.sandbox", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the samples; 0 if all was as expected")
    parser.add_argument("--port", type=int, help="where the function (with --thulium: the stand-in) listens")
    parser.add_argument("--thulium", action="store_true", help="the stand-in alone")
    parser.add_argument("--keep", type=int, help="with --thulium: how many requests it remembers; default: all")
    return parser.parse_args(arguments)


def interrupt(*_: object) -> NoReturn:
    """End the program in order, from wherever it is, and let nothing disturb that."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise Interrupted


def stand_in(port: int, keep: int | None) -> int:
    """Run the stand-in alone, with nothing in it, until the program is ended."""
    with Sandbox(port=port, world=World(keep=keep)) as thulium:
        print(thulium.url, flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
