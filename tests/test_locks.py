"""One person at a time."""

import threading
import time
from itertools import permutations

import pytest

from ringback.delivery.locks import Locks
from ringback.errors import CallFailed

SOON = 10.0


def test_one_at_a_time() -> None:
    """However many want a lock, one has it."""
    locks, inside, most = Locks(), [0], [0]

    def work() -> None:
        for _ in range(20):
            with locks.hold(["ada"], time.monotonic() + SOON):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]


def test_nobody_waits_for_each_other() -> None:
    """Whoever wants several locks gets them, in whatever order they are named, and named twice too."""
    locks, done = Locks(), []

    def work(names: tuple[object, ...]) -> None:
        for _ in range(20):
            with locks.hold([*names, names[0]], time.monotonic() + SOON):
                time.sleep(0)
        done.append(names)

    threads = [threading.Thread(target=work, args=(names,)) for names in permutations(["ada", 7, ("email", "a@b.c")])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 6


def test_strangers_do_not_wait() -> None:
    """Different names are different locks."""
    locks = Locks()
    with locks.hold(["ada"], 0), locks.hold(["jan"], 0):
        pass


def test_waiting_ends_at_the_deadline() -> None:
    """Whoever holds a lock may have more time than the one who waits, and nobody answers late for that."""
    locks, start = Locks(), time.monotonic()
    with (
        locks.hold(["ada"], start + SOON),
        pytest.raises(CallFailed, match="no time left"),
        locks.hold(["ada"], start + 0.05),
    ):
        pass
    assert 0.05 <= time.monotonic() - start < SOON
    with locks.hold(["ada"], 0):
        pass


def test_nothing_is_kept() -> None:
    """A lock that nobody holds or awaits is dropped, also after an error, also when it was awaited in vain."""
    locks = Locks()
    with pytest.raises(CallFailed), locks.hold(["ada", "jan"], 0):  # noqa: PT012 - what is raised inside
        assert len(locks._locks) == 2
        with locks.hold(["ada"], 0):
            pass
    assert locks._locks == {}
