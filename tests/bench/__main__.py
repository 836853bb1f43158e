"""Measure, and print the table. ``python -m tests.bench`` takes the names of parts; without any, all are measured.

RINGBACK_BENCH_EVENTS says of how many events the burst is; the memory's row is meant for 200000.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tests.bench import accepting, burst, cold, core, together, waiting
from tests.bench.size import QUICK, Size
from tests.bench.table import HEADING, Row, summarize

PARTS: Mapping[str, Callable[[Path, Size], Iterator[Row]]] = {
    "cold": cold.measure,
    "core": core.measure,
    "accepting": accepting.measure,
    "waiting": waiting.measure,
    "together": together.measure,
    "burst": burst.measure,
}


def main(arguments: Sequence[str] | None = None) -> list[Row]:
    """Measure the parts that are named, print each row as it is there, and return them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="see that it runs; the figures mean nothing")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"there is no part {min(unknown)}; there are {', '.join(PARTS)}")
    size = QUICK if options.quick else Size()
    if events := os.environ.get("RINGBACK_BENCH_EVENTS"):
        size = replace(size, burst=int(events) // burst.EACH)
    rows: list[Row] = []
    print(HEADING, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in options.parts or PARTS:
            for row in PARTS[name](Path(folder), size):
                print(row, flush=True)
                rows.append(row)
    print(f"\n{summarize(rows)}")
    return rows


if __name__ == "__main__":
    main()
