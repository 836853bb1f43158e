"""How many events a second are accepted, and what each costs: against the bare handler, and the script to beat."""

import signal
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from statistics import median

from tests.bench.leads import SECRET, count_outcomes, write_config, write_requests
from tests.bench.load import Load, press
from tests.bench.process import Program, serve_handler, serve_ringback, serve_thulium
from tests.bench.size import Size
from tests.bench.table import Row, at_least, at_most

HERE = Path(__file__).parent
MOST = 3000  # requests a second that are written beforehand; none of the programs answers as many
CONNECTIONS = (1, 16, 64)
AT = 16  # connections at which the processor time is compared


@dataclass(frozen=True)
class Run:
    """One run: what the load came to, and the processor time (ms) of an event."""

    load: Load
    cost: float
    thulium: float


def measure(folder: Path, size: Size) -> Iterator[Row]:
    """Give the rows."""
    file = folder / "accepting.db"
    with ExitStack() as stack:
        thulium = stack.enter_context(serve_thulium(size.customers))
        script = {"THULIUM_URL": thulium.url, "THULIUM_USER": "ringback", "SECRET": SECRET}
        queued = serve_ringback(write_config(folder / "queued.yaml", thulium.url, f"sqlite:///{file}"))
        programs = {
            "bare": serve_handler(HERE / "bare.py"),
            "queued": queued,
            "direct": serve_ringback(write_config(folder / "direct.yaml", thulium.url)),
            "script": serve_handler(HERE / "script.py", THULIUM_PASSWORD="only-for-the-sandbox", **script),
        }
        for program in programs.values():
            stack.enter_context(program)
        runs = _take_turns(programs, thulium, size)
        queued.end(signal.SIGKILL)
    yield from _describe(runs)
    answered = sum(run.load.good for (name, _), some in runs.items() for run in some if name == "queued")
    stored = _count(file)
    yield Row("stored, of what was answered with 200; then kill -9", f"{stored}", f"{answered}", stored / answered,
              at_least(1))  # fmt: skip


def _take_turns(programs: dict[str, Program], thulium: Program, size: Size) -> dict[tuple[str, int], list[Run]]:
    numbers = count(1)
    runs: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for _ in range(size.rounds):
        for connections in CONNECTIONS:
            for name, program in programs.items():
                if name in ("bare", "queued") or connections == AT:
                    requests = write_requests(islice(numbers, int(MOST * size.seconds)))
                    run = _run(program, thulium, requests, connections, size.seconds, waits=name == "queued")
                    runs[name, connections].append(run)
    return runs


def _run(
    program: Program, thulium: Program, requests: list[bytes], connections: int, seconds: float, *, waits: bool
) -> Run:
    """Load one program; one that answers before all is done is waited for."""
    before, at_thulium, told = program.cpu(), thulium.cpu(), count_outcomes(program)
    load = press(program.port, requests, connections, seconds)
    share = (thulium.cpu() - at_thulium) / load.seconds
    while waits and count_outcomes(program) < told + load.good:
        time.sleep(0.1)
    return Run(load, (program.cpu() - before) * 1000 / load.good, share)


def _count(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])


def _describe(runs: dict[tuple[str, int], list[Run]]) -> Iterator[Row]:
    for connections in CONNECTIONS:
        ours, bare = runs["queued", connections], runs["bare", connections]
        ratio = median(one.load.rate / other.load.rate for one, other in zip(ours, bare, strict=True))
        yield Row(f"accepted into SQLite, {connections} connections", _tell(ours), _tell(bare), ratio, at_least(0.6))
    script = runs["script", AT]
    for name, what, limits in (
        ("queued", "through SQLite", (at_least(1), at_most(1))),
        ("direct", "without a queue", (None, None)),
    ):
        ours = runs[name, AT]
        ratio = median(one.load.rate / other.load.rate for one, other in zip(ours, script, strict=True))
        yield Row(f"against the script, {what}", _tell(ours), "script " + _tell(script), ratio, limits[0])
        cost, other = median(run.cost for run in ours), median(run.cost for run in script)
        texts = f"{cost:.2f} ms", f"script {other:.2f} ms"
        yield Row(f"processor time of an event to ADDED, {what}", *texts, cost / other, limits[1])
    yield from _show_bounds(runs)


def _tell(runs: list[Run]) -> str:
    rate, p50, p99 = (median(getattr(run.load, name) for run in runs) for name in ("rate", "p50", "p99"))
    return f"{rate:.0f}/s, {p50:.1f} and {p99:.0f} ms"


def _show_bounds(runs: dict[tuple[str, int], list[Run]]) -> Iterator[Row]:
    """Give what shows that nothing but the programs was the bound."""
    every = [run for some in runs.values() for run in some]
    bad = sum(run.load.bad for run in every)
    yield Row("answers other than 200", f"{bad}", "", bad, at_most(0))
    yield Row("busy: the sender of the load", "share of a core", "", max(run.load.busy for run in every), at_most(0.5))
    yield Row("busy: the stand-in Thulium", "share of a core", "", max(run.thulium for run in every), at_most(0.5))
