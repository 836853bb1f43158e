import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from ringback.queues import QueueFailed
from ringback.queues.together import Together


def start(count: int, do: Callable[[int], None]) -> list[threading.Thread]:
    """Start so many threads, each with its number."""
    threads = [threading.Thread(target=do, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads


def join(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


class Work:
    """Notes with which items it is called; the first call waits until it is let go, and raises what it is given."""

    def __init__(self, failure: BaseException | None = None) -> None:
        self.calls: list[list[int]] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.failure = failure

    def __call__(self, items: list[int]) -> None:
        self.calls.append(items)
        if len(self.calls) == 1:
            self.begun.set()
            assert self.go.wait(10)
            if self.failure:
                raise self.failure


def run_with_company(work: Work, failures: dict[int, BaseException]) -> None:
    """Start item 0, then let items 1 to 19 wait for it; ``failures`` collects what their threads are told."""
    together = Together(work)

    def run(number: int) -> None:
        try:
            together.run(number)
        except BaseException as error:  # noqa: BLE001 - the interruption too is looked at
            failures[number] = error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ringback.queues.together._PATIENCE", 9)
        first = start(1, run)
        assert work.begun.wait(10)
        others = start(20, lambda number: run(number) if number else None)
        while len(together._waiting) < 19:
            time.sleep(0.001)
        started = time.monotonic()
        work.go.set()
        join(first + others)
    assert time.monotonic() - started < 5, "somebody was not woken"


def test_those_who_wait_share_one_call() -> None:
    """While one call is made all others gather, and the next call is made for all of them."""
    work, failures = Work(), dict[int, BaseException]()
    run_with_company(work, failures)
    assert work.calls[0] == [0]
    assert sorted(work.calls[1]) == list(range(1, 20))
    assert len(work.calls) == 2
    assert failures == {}


def test_failure_reaches_all_it_concerns() -> None:
    """When the work fails, it has failed for those in that call, and for nobody else."""
    failures: dict[int, BaseException] = {}
    run_with_company(Work(QueueFailed("disk full")), failures)
    assert {number: str(error) for number, error in failures.items()} == {0: "disk full"}


def test_failure_is_shared() -> None:
    """All for whom a call was made are told that it has failed."""

    class FailsLater(Work):
        def __call__(self, items: list[int]) -> None:
            super().__call__(items)
            if len(items) > 1:
                raise QueueFailed("disk full")

    failures: dict[int, BaseException] = {}
    run_with_company(FailsLater(), failures)
    assert sorted(failures) == list(range(1, 20))
    assert {type(error) for error in failures.values()} == {QueueFailed}


def test_interruption_stops_nobody_else() -> None:
    """A thread that is interrupted at work leaves the others able to go on."""
    failures: dict[int, BaseException] = {}
    run_with_company(Work(KeyboardInterrupt()), failures)
    assert {number: type(error) for number, error in failures.items()} == {0: KeyboardInterrupt}


def test_interruption_is_no_success() -> None:
    """Those for whom an interrupted thread was at work are told that it was not done."""

    class Interrupted(Work):
        def __call__(self, items: list[int]) -> None:
            super().__call__(items)
            if len(items) > 1:
                raise KeyboardInterrupt

    failures: dict[int, BaseException] = {}
    run_with_company(Interrupted(), failures)
    assert sorted(failures) == list(range(1, 20))
    kinds = [type(error) for error in failures.values()]
    assert kinds.count(KeyboardInterrupt) == 1
    assert kinds.count(QueueFailed) == 18


def test_thread_that_nobody_wakes_looks_for_itself() -> None:
    """Should whoever was at work vanish without a word, the next finds out within a second or so."""
    calls: list[list[str]] = []
    together: Together[str] = Together(calls.append)
    together._busy = True
    (waiting,) = start(1, lambda _: together.run("x"))
    while not together._waiting:
        time.sleep(0.001)
    together._busy = False
    join([waiting])
    assert calls == [["x"]]


FORK = """
import os, threading
from ringback.queues.together import Together
begun, forked, calls = threading.Event(), threading.Event(), []
def work(items):
    calls.extend(items)
    if items == ["first"]:
        begun.set()
        forked.wait()
together = Together(work)
threads = [threading.Thread(target=together.run, args=(item,)) for item in ("first", "second")]
threads[0].start()
begun.wait()
threads[1].start()
while not together._waiting:
    pass
child = os.fork()
if child:
    forked.set()
    [thread.join() for thread in threads]
    assert os.waitpid(child, 0)[1] == 0
    assert calls == ["first", "second"]
else:
    together.run("third")
    assert calls == ["first", "third"]
"""


def test_fork_leaves_the_child_free() -> None:
    """The child of a fork neither waits for threads that only its parent has, nor does what they wait for."""
    subprocess.run([sys.executable, "-c", FORK], check=True, timeout=10)


@pytest.mark.parametrize("threads", [1, 16])
def test_nothing_is_left_out_or_done_twice(threads: int) -> None:
    """However threads meet, each item is in exactly one call, and the call is over when its thread goes on."""
    done: list[tuple[int, int]] = []
    together: Together[tuple[int, int]] = Together(done.extend)

    def run(number: int) -> None:
        for count in range(50):
            together.run((number, count))
            assert (number, count) in done

    join(start(threads, run))
    assert sorted(done) == [(number, count) for number in range(threads) for count in range(50)]
