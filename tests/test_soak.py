"""Two services on one file in all kinds of trouble; `make soak` is the same with 20,000 events."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox import Sandbox
from tests.soak import Soak

EVENTS = int(os.environ.get("RINGBACK_SOAK", "0"))
SHARE = EVENTS // 7

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a server's processes are found in /proc")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder that is a disk of its own, where that may be made, which takes root."""
    made = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=400m", "none", tmp_path), capture_output=True, check=False
    )
    yield tmp_path
    if made.returncode == 0:
        subprocess.run(("umount", "-l", tmp_path), check=True)


@pytest.mark.parametrize("count", [1, 2], ids=["one service", "two services on one file"])
def test_killed_while_thulium_fails(count: int, tmp_path: Path, thulium: Sandbox) -> None:
    """However often processes are killed, and whatever fails: nothing is lost, and no one is called twice."""
    soak = Soak(tmp_path, thulium, seed=count, count=count)
    with soak.running():
        soak.kill(100)
    assert soak.finish()["ADDED"] > 50


def test_pause_and_wrong_clock(tmp_path: Path, thulium: Sandbox) -> None:
    """A service that is stopped and goes on, and a clock that is hours or a month ahead, change nothing."""
    soak = Soak(tmp_path, thulium, seed=3)
    with soak.running():
        soak.pause(40, 1)
        soak.set_clock(60, 0.5)
    assert soak.finish()["ADDED"] > 50


@pytest.mark.skipif(not EVENTS, reason="only by `make soak`: a quarter of an hour")
@pytest.mark.timeout(1800)
def test_soak(disk: Path, thulium: Sandbox, record_property: object) -> None:
    """All troubles in turn."""
    soak = Soak(disk, thulium, seed=EVENTS)
    with soak.running():
        soak.fail(SHARE)
        soak.kill(SHARE)
        soak.pause(SHARE)
        soak.set_clock(SHARE)
        soak.cut_off(SHARE)
        if disk.is_mount():
            soak.fill_disk(SHARE)
        soak.send(EVENTS - len(soak.crowd.answered))
    print(len(soak.crowd.answered), soak.finish(), thulium.counts)
