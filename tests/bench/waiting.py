"""From webhook to ADDED, with nothing else to do, when each of Thulium's calls takes 50 ms."""

import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import median

from tests.bench.leads import SOURCE, Lead, count_outcomes, known, person, read_outcomes, write_body, write_config
from tests.bench.process import Program, serve_ringback, serve_thulium
from tests.bench.size import Size
from tests.bench.table import Row, at_most
from tests.sandbox import Remote

CALL = 50.0  # ms that each of Thulium's calls takes
OWN = 20.0  # ms that we may add
QUEUED = 50.0  # ms that the queue may add to that
KINDS: dict[str, tuple[int, Callable[[int], Lead]]] = {
    "an event with customer_id": (1, known),
    "a known person": (1001, person),
    "a new person": (100_001, person),
}


def measure(folder: Path, size: Size) -> Iterator[Row]:
    """Give the rows."""
    for queue, what, limit in ((f"sqlite:///{folder}/waiting.db", "SQLite", OWN + QUEUED), ("none", "direct", OWN)):
        with serve_thulium(2000) as thulium:
            remote = Remote(thulium.url)
            remote.slow(CALL / 1000)
            config = write_config(folder / "waiting.yaml", thulium.url, queue)
            with serve_ringback(config) as program:
                for name, (first, make) in KINDS.items():
                    took, calls = _time(program, remote, make, first, size.samples)
                    over = took - calls * CALL
                    texts = f"{took:.0f} ms", f"{calls:.0f} calls of {CALL:.0f} ms"
                    yield Row(f"to ADDED, {what}: {name}, ms over", *texts, over, at_most(limit))


def _time(
    program: Program, remote: Remote, make: Callable[[int], Lead], first: int, samples: int
) -> tuple[float, float]:
    """Return the median time (ms) to the outcome, and the calls that one takes. The first connects, and is left out."""
    numbers = count(first)
    _deliver(program, make(next(numbers)))
    remote.forget()
    times = [_deliver(program, make(next(numbers))) for _ in range(samples)]
    return median(times) * 1000, sum(remote.counts.values()) / samples


def _deliver(program: Program, lead: Lead) -> float:
    told = count_outcomes(program)
    body, headers = write_body([lead])
    connection = HTTPConnection("127.0.0.1", program.port, timeout=30)
    connection.connect()
    started = time.monotonic()
    connection.request("POST", f"/{SOURCE}", body, headers)
    answer = connection.getresponse().read()
    connection.close()
    while count_outcomes(program) == told:
        time.sleep(0.001)
    at, outcome = read_outcomes(program)[-1]
    if outcome["status"] != "ADDED":
        raise RuntimeError(f"{outcome}: {answer!r}")
    return at - started
