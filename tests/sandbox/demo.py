"""The demonstration: a stand-in Thulium and the function, samples sent, and what became of each."""

import json
import secrets
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

from tests.sandbox import seeds
from tests.sandbox.function import Function, NotStarted, free_port
from tests.sandbox.samples import SAMPLES, SECRETS
from tests.sandbox.sandbox import Sandbox
from tests.sandbox.show import BOLD, DIM, HEADING, RED, Screen

CONFIG = Path(__file__).parent / "demo.yaml"
NOBODY = "/nobody"  # no source; what is posted there is refused, and the log says so
PATIENCE = 10.0  # seconds in which the log must have told of a request that is answered


def demonstrate(port: int, *, once: bool, config: Path = CONFIG) -> int:
    """Show what becomes of the samples, then stay up unless once is enough; return the process's exit status."""
    screen, log = Screen(sys.stdout), Log()
    with Sandbox() as thulium:
        seeds.documented(thulium)
        try:
            with Function(port, environ(thulium, port, config), log.take) as function:
                is_well = send(thulium, function, screen, log)
                if not once:
                    stay_up(thulium, function, screen, log)
        except NotStarted as problem:
            mistakes = [text for line in log.kept for text in line.get("mistakes", ())]
            screen.line(screen.paint("The function has not started:", RED))
            screen.line("\n".join(mistakes) or str(problem))
            return 1
    return 0 if is_well else 1


class Log:
    """The function's log: kept for when something is not as expected, later on shown."""

    def __init__(self) -> None:
        """Keep the lines at first."""
        self.kept: deque[dict[str, Any]] = deque(maxlen=100)
        self.screen: Screen | None = None
        self._told_of_nobody = threading.Event()

    def catch_up(self, function: Function) -> None:
        """Return when all that the function has logged so far is here: it is read beside the answers, and may lag."""
        self._told_of_nobody.clear()
        function.post(NOBODY, b"", {})
        self._told_of_nobody.wait(PATIENCE)

    def take(self, line: dict[str, Any]) -> None:
        """Take a line of the log."""
        if self.screen is None:
            self.kept.append(line)
        else:
            self.screen.outcome(line)
        if line.get("reason") == "unknown source":
            self._told_of_nobody.set()


def environ(thulium: Sandbox, port: int, config: Path = CONFIG) -> dict[str, str]:
    """Return the environment of the function: its configuration, and what is filled in there."""
    names = {"THULIUM_URL": thulium.url, "THULIUM_USER": thulium.user, "THULIUM_PASSWORD": thulium.password}
    own = {"RINGBACK_CONFIG": str(config), "RINGBACK_QUEUE": "none", "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    return {**names, **own, **SECRETS, "LOG_KEY": secrets.token_urlsafe(32)}


def send(thulium: Sandbox, function: Function, screen: Screen, log: Log) -> bool:
    """Send the samples and show what becomes of each; tell whether all is as it must be."""
    screen.line(f"Thulium's stand-in is at {thulium.url}, the function at {function.url}. Three senders post:\n")
    screen.line(screen.paint(HEADING, BOLD))
    is_well = True
    for sample in SAMPLES:
        url = f"{function.url}/{sample.source}"
        status, answer = function.post(f"/{sample.source}", sample.body, sample.sign(sample.body, url))
        is_well = screen.answer(sample, status, answer) and is_well
    log.catch_up(function)
    if not is_well:
        screen.line("\nNot everything is as it must be. The log:")
        for line in log.kept:
            screen.line(json.dumps(line, ensure_ascii=False))
    calls = ", ".join(f"{count} {call}" for call, count in thulium.counts.items())
    screen.line(f"\nIn campaign 00001 are now {names(thulium)}. It took these calls to Thulium: {calls}.")
    return is_well


def names(thulium: Sandbox) -> str:
    """Return who is in the campaign."""
    people = {each["customer_id"]: f"{each.get('name', '')} {each['surname']}".strip() for each in thulium.customers}
    return ", ".join(people[record["customer_id"]] for record in thulium.records("00001"))


def stay_up(thulium: Sandbox, function: Function, screen: Screen, log: Log) -> None:
    """Invite to requests of one's own, and show what becomes of them, until the program is ended."""
    log.screen = screen  # before the invitation: who follows it at once is to see an outcome too
    screen.line(screen.paint("\nYour turn (Ctrl-C ends it):", BOLD))
    screen.line(f"  curl {function.url}/landing -H 'X-Api-Key: {SECRETS['FORM_TOKEN']}' \\")
    screen.line("    -d full_name='Ola Nowak' -d tel='601 000 123'")
    screen.line(screen.paint(f"  curl '{thulium.url}/_sandbox/records?campaign_id=00001'  # what Thulium has", DIM))
    screen.line()
    threading.Event().wait()


def choose_port(wanted: int | None) -> int:
    """Return the port for the function: the one that is wanted, else 8080 if it is free, else any."""
    return wanted or free_port(8080)
