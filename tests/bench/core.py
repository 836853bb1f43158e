"""Verifying and mapping alone, on one core: events a second, and whether the cost stays in proportion."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from ringback.config import load
from ringback.intake import take_in
from ringback.mapping import Assignment, Mapper
from ringback.settings import Settings
from ringback.web import Request
from tests.bench.leads import known, make_request, write_config
from tests.bench.size import Size
from tests.bench.table import Row, at_least, at_most

FEW, MANY = 10, 500  # events in a request
NARROW, WIDE = 100, 1000  # further fields in an event


def measure(folder: Path, size: Size) -> Iterator[Row]:
    """Give the rows."""
    settings = load({"RINGBACK_CONFIG": str(write_config(folder / "core.yaml", "http://127.0.0.1:9"))})
    cases = {
        "one": _cut(size.mapped, 1),
        "few": _cut(size.mapped, min(FEW, size.mapped)),
        "many": _cut(size.mapped, min(MANY, size.mapped)),
        "narrow": [_widen(NARROW)] * max(1, size.mapped // 20),
        "wide": [_widen(WIDE)] * max(1, size.mapped // 200),
    }
    rounds = [{name: _cost(settings, requests) for name, requests in cases.items()} for _ in range(1 + size.rounds)][1:]
    cost = {name: median(each[name] for each in rounds) for name in cases}
    texts = f"{cost['one']:.0f} us an event", "one event a request"
    yield Row("verified and mapped, thousands a second", *texts, 1000 / cost["one"], at_least(3))
    texts = f"{cost['many']:.0f} us an event", f"{FEW} a request: {cost['few']:.0f} us"
    yield Row(f"cost of an event, {MANY} a request", *texts, cost["many"] / cost["few"], at_most(1.2))
    narrow, wide = ((cost[name] - cost["one"]) / fields for name, fields in (("narrow", NARROW), ("wide", WIDE)))
    texts = f"{wide:.2f} us a field", f"of {NARROW}: {narrow:.2f} us"
    yield Row(f"cost of a field, of {WIDE} in an event", *texts, wide / narrow, at_most(1.2))


def _cut(events: int, each: int) -> list[Request]:
    return [make_request([known(start + n) for n in range(each)]) for start in range(1, events + 1, each)]


def _widen(fields: int) -> Request:
    return make_request([{**known(1), **{f"field_{n}": f"value {n}" for n in range(fields)}}])


def _cost(settings: Settings, requests: Sequence[Request]) -> float:
    """Return the processor time (us) of an event; of several parts the median, since other programs disturb."""
    mapper, now, parts = Mapper(settings), datetime.now(UTC), min(5, len(requests))
    times = []
    for part in range(parts):
        started, events = time.process_time(), 0
        for request in requests[part::parts]:
            events += _map_all(mapper, settings, request, now)
        times.append((time.process_time() - started) * 1e6 / events)
    return median(times)


def _map_all(mapper: Mapper, settings: Settings, request: Request, now: datetime) -> int:
    taken = take_in(request, settings, now)
    if not isinstance(taken, tuple) or not all(isinstance(mapper.map(event, now), Assignment) for event in taken[1]):
        raise RuntimeError("not mapped")
    return len(taken[1])
