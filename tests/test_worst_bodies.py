"""No body costs more than it should, before its sender is known or after."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worst_bodies import LONGEST, PROVEN, UNPROVEN, WORST, Cost

MEMORY = 64 * 1024 * 1024  # bytes above the process at rest
ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory of a process is counted otherwise")
@pytest.mark.parametrize("kind", WORST)
def test_no_body_costs_much(kind: str) -> None:
    """A body takes 0.3 s of processor time at most from a stranger, 1 s from a sender, and 64 MB; it is no 5xx."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # it is measured
    told = subprocess.run(
        (sys.executable, "-m", "tests.worst_bodies", kind),
        cwd=ROOT, env={**environment, "PYTHONPATH": "functions"}, stdout=subprocess.PIPE, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    costs = [Cost(**json.loads(line)) for line in told]
    assert len(costs) == len(WORST[kind]) * len(LONGEST)
    assert [cost for cost in costs if cost.source in UNPROVEN and cost.status != 401] == []
    assert [cost for cost in costs if cost.source in PROVEN and cost.status not in (200, 400, 413)] == []
    assert [cost for cost in costs if cost.seconds > LONGEST[cost.source] or cost.memory > MEMORY] == []
