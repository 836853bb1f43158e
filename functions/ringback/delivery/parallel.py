"""The same work on many items, some at a time: it is waiting for Thulium that takes the time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def run_each(
    do: Callable[[Item], Result],
    items: Sequence[Item],
    threads: int,
    waits: Callable[[Item], bool] = lambda _: True,
    may_wait: Callable[[Item], bool] = lambda _: False,
) -> list[Result]:
    """Return what ``do`` makes of each item, in their order, ``threads`` at a time. Raises what it raises.

    Items for which there is nothing to wait for, as ``waits`` says, are done by this thread: another would only cost.
    Of the others those that ``may_wait`` are begun last.
    """
    waiting = sorted((n for n, item in enumerate(items) if waits(item)), key=lambda n: may_wait(items[n]))
    if len(waiting) <= 1:
        return [do(item) for item in items]
    with ThreadPoolExecutor(min(threads, len(waiting))) as pool:
        under_way = {n: pool.submit(do, items[n]) for n in waiting}
        return [under_way[n].result() if n in under_way else do(item) for n, item in enumerate(items)]
