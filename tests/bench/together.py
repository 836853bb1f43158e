"""New people: searches and creations that overlap, against one after the other. In this process."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from ringback.config import load
from ringback.intake import take_in
from ringback.pipeline import Pipeline
from ringback.settings import Settings
from tests.bench.leads import make_request, person, write_config
from tests.bench.process import serve_thulium
from tests.bench.size import Size
from tests.bench.table import Row, at_least
from tests.sandbox import Remote

CALL = 0.05  # seconds that each of Thulium's calls takes


def measure(folder: Path, size: Size) -> Iterator[Row]:
    """Give the row."""
    with serve_thulium(0) as thulium:
        Remote(thulium.url).slow(CALL)
        settings = load({"RINGBACK_CONFIG": str(write_config(folder / "together.yaml", thulium.url))})
        alone = replace(settings, thulium=replace(settings.thulium, parallel=1))
        pipelines = Pipeline(settings), Pipeline(alone)
        times = [
            [_create(pipeline, settings, round_ * 1000 + 100 * n, size.people) for n, pipeline in enumerate(pipelines)]
            for round_ in range(1 + size.rounds // 3)
        ]
    together, after_another = (median(each) for each in zip(*times, strict=True))
    texts = f"{together:.2f} s", f"one after the other {after_another:.2f} s"
    yield Row(f"{size.people} new people, as many times as fast", *texts, after_another / together, at_least(6))


def _create(pipeline: Pipeline, settings: Settings, first: int, people: int) -> float:
    now = datetime.now(UTC)
    request = make_request([person(first + n) for n in range(people)])
    events = take_in(request, settings, now)[1]  # type: ignore[index]  # it is not refused
    started = time.perf_counter()
    verdicts = pipeline.deliver(events, now)
    took = time.perf_counter() - started
    if {verdict.outcome.status for verdict in verdicts} != {"ADDED"}:
        raise RuntimeError(f"not added: {verdicts[0].outcome}")
    return took
