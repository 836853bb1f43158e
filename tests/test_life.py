"""What the processes of one service know of each other."""

import os
import signal
import time

from ringback.hosts.life import Pulse


def test_no_process_is_taken_for_dead_while_it_beats() -> None:
    """Another process sees a beat whole, even one that is just being noted: else a healthy process would be killed."""
    pulse = Pulse(2)
    child = os.fork()
    if not child:
        while True:
            pulse.beat(1)
    try:
        until, seen = time.monotonic() + 0.5, set[bool]()
        while time.monotonic() < until:
            seen |= {pulse.is_alive(1) for _ in range(1000)}
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert seen == {True}
