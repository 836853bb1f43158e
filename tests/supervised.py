"""``python -m tests.supervised WORK...``: works under a supervisor, each a function of this module.

Each process writes its id into a file of the work's name in the folder TEST_FOLDER, and a further word when it ends in
order. The supervisor loses patience soon: a process without a beat is replaced after 0.6 seconds,
and a work that fails is begun anew after 0.2.
"""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path

from ringback import log
from ringback.hosts import supervisor
from ringback.hosts.life import Life
from ringback.hosts.supervisor import Supervisor, Work

FOLDER = Path(os.environ.get("TEST_FOLDER", ""))
SILENCE = 0.6  # seconds
LEAST_LIFE = 0.2  # seconds
FLOOD = 100  # lines

fork = os.fork


def write(name: str, word: object) -> None:
    """Add a line to the file of a work."""
    with (FOLDER / name).open("a") as file:
        file.write(f"{word}\n")


def begin(name: str) -> None:
    """Say that this process does a work, and whether another one is still at it."""
    lock = os.open(FOLDER / f"{name}.lock", os.O_CREAT | os.O_RDWR)  # open as long as the process is there
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        write(name, "twice")
    write(name, os.getpid())


def last(name: str, life: Life) -> None:
    """Beat until it is told to end."""
    while not life.stop.is_set():
        life.beat()
        (FOLDER / f"{name}.beat").touch()
        time.sleep(0.02)
    write(name, "ended")


def steady(life: Life) -> None:
    """Do as it is told."""
    begin("steady")
    last("steady", life)


def other(life: Life) -> None:
    """Do as it is told."""
    begin("other")
    last("other", life)


def failing(_: Life) -> None:
    """Fail at once, with a text that is personal."""
    begin("failing")
    raise LookupError("jan@example.com")


def watching(life: Life) -> None:
    """Wait until the first work is not at work."""
    begin("watching")
    while life.is_alive(0):
        life.beat()
        time.sleep(0.02)
    write("watching", "alone")
    last("watching", life)


def stubborn(life: Life) -> None:
    """Beat, and never end."""
    begin("stubborn")
    while True:
        life.beat()
        time.sleep(0.02)


def flooding(life: Life) -> None:
    """Write more than a pipe takes."""
    begin("flooding")
    for number in range(FLOOD):
        log.write("INFO", "x" * 1000, "test.flood", number=number)
    last("flooding", life)


def hurried(life: Life) -> None:
    """Do as it is told, under a supervisor that is told to end as soon as it is ready."""
    begin("hurried")
    last("hurried", life)


def scarce(life: Life) -> None:
    """Do as it is told, under a supervisor that could not start it at first."""
    begin("scarce")
    last("scarce", life)


def fail_to_fork() -> int:
    """Fail as where there are too many processes; it works the next time."""
    os.fork = fork
    raise BlockingIOError


def main(names: list[str]) -> None:
    """Have the works done."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # as some programs leave it to those that they start
    supervisor.LONGEST_STOP = 0.5
    supervisor.LEAST_LIFE = LEAST_LIFE
    log.configure()
    if "scarce" in names:
        os.fork = fail_to_fork
    works = [Work(name, globals()[name]) for name in names]
    Supervisor(works, SILENCE).run(lambda: ready(names))


def ready(names: list[str]) -> None:
    """Say that all have been started."""
    print("ready", file=sys.stderr, flush=True)
    if "hurried" in names:
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1:])
