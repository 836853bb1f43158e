"""How long a fresh process takes to its first answer, at each door, and at a bare handler."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from tests.bench.size import Size
from tests.bench.table import Row, at_most

HERE = Path(__file__).parent
FUNCTIONS = HERE.parent.parent / "functions"
CONFIG = """
thulium: {url: "http://127.0.0.1:9", user: u, password: p}
log_key: an-invented-key-long-enough
sources:
  website: {verify: {scheme: token, header: X-Api-Key}, secret: "0123456789abcdef0123456789abcdef",
    map: {customer_id: id}, campaign: "00001"}
"""
REQUEST = '{"rawPath": "/", "headers": {}, "requestContext": {"http": {"method": "GET"}}}'
FRAMEWORK = (
    "import functions_framework as f; assert f.create_app('webhook', '{}').test_client().get('/').status_code == 200"
)
# What a door does to its first answer, and what a bare handler does.
DOORS = {
    "aws.py": (
        f"import aws, json; assert aws.webhook(json.loads('{REQUEST}'), None)['statusCode'] == 200",
        "import requests, marshmallow",
    ),
    "main.py": (FRAMEWORK.format(FUNCTIONS / "main.py"), FRAMEWORK.format(HERE / "bare.py")),
}


def measure(folder: Path, size: Size) -> Iterator[Row]:
    """Give a row for each door, from rounds in which they take turns."""
    (folder / "config.yaml").write_text(CONFIG)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in DOORS}
    for _ in range(size.cold_rounds):
        for name, (ours, bare) in DOORS.items():
            times[name].append((_time(ours, folder), _time(bare, folder)))
    for name, pairs in times.items():
        ours, bare = (median(each) for each in zip(*pairs, strict=True))
        ratio = median(one / other for one, other in pairs)
        yield Row(f"first answer of {name}", f"{ours:.0f} ms", f"bare {bare:.0f} ms", ratio, at_most(1.25))


def _time(code: str, folder: Path) -> float:
    """Return how long (ms) a fresh Python takes for it."""
    environ = {**os.environ, "PYTHONPATH": str(FUNCTIONS), "RINGBACK_CONFIG": str(folder / "config.yaml")}
    started = time.perf_counter()
    subprocess.run((sys.executable, "-c", code), env=environ, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1000
