"""A burst through SQLite: none lost, few batch calls; and the memory that it takes."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.bench.leads import count_outcomes, known, read_outcomes, write_config, write_request, write_requests
from tests.bench.load import press
from tests.bench.process import Program, serve_handler, serve_ringback, serve_thulium
from tests.bench.size import Size
from tests.bench.table import Row, at_least, at_most
from tests.sandbox import Remote

HERE = Path(__file__).parent
EACH = 100  # events in a request, and records in a batch call
CALL = 0.05  # seconds that each of Thulium's calls takes
CONNECTIONS = 4
PATIENCE = 600.0  # seconds without another outcome


def measure(folder: Path, size: Size) -> Iterator[Row]:
    """Give the rows."""
    events = size.burst * EACH
    config = folder / "burst.yaml"
    with serve_thulium(events) as thulium:
        remote = Remote(thulium.url)
        remote.slow(CALL)
        with serve_ringback(write_config(config, thulium.url, f"sqlite:///{folder}/burst.db")) as program:
            started = time.monotonic()
            early = _burst(program, 1, size.burst // 4)
            late = _burst(program, 1 + size.burst // 4, size.burst - size.burst // 4)
            took = time.monotonic() - started
            words = Counter(str(line["status"]) for _, line in read_outcomes(program))
        calls = remote.counts["batch"]
    added = f"{words['ADDED']} ADDED of {events} in {took:.0f} s"
    yield Row("burst: all that was answered with 200 is ADDED", added, "", words["ADDED"] / events, at_least(1))
    yield Row("burst: batch calls", f"{calls}", f"least possible {size.burst}", calls / size.burst, at_most(1.2))
    bare = _measure_bare()
    yield Row("memory after the burst", f"{late:.0f} MB", f"bare {bare:.0f} MB", late / bare, at_most(1.5))
    texts = f"{late:.0f} MB", f"after a quarter {early:.0f} MB"
    yield Row("memory: does it grow", *texts, late / early, at_most(1.1))


def _burst(program: Program, first: int, requests: int) -> float:
    """Send requests as fast as they are taken, wait until all is delivered, and return the memory (MB) by then."""
    before = count_outcomes(program)
    starts = range((first - 1) * EACH + 1, (first - 1 + requests) * EACH + 1, EACH)
    bodies = [write_request([known(start + n) for n in range(EACH)]) for start in starts]
    load = press(program.port, bodies, CONNECTIONS)
    if load.bad:
        raise RuntimeError(f"{load.bad} requests were refused")
    told, since = before, time.monotonic()
    while told < before + requests * EACH and time.monotonic() - since < PATIENCE:
        time.sleep(0.2)
        if told != (told := count_outcomes(program)):
            since = time.monotonic()
    return program.memory()


def _measure_bare() -> float:
    with serve_handler(HERE / "bare.py") as bare:
        press(bare.port, write_requests(range(2000)), CONNECTIONS)
        return bare.memory()
