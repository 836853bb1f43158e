"""What an object does when its process forks, for as long as the object lives."""

import os
from collections.abc import Callable
from functools import partial
from weakref import WeakMethod

Method = Callable[[], object]


def before_forks(method: Method) -> None:
    """Have an object's method called before each fork."""
    os.register_at_fork(before=partial(_call, WeakMethod(method)))


def after_forks(method: Method, *, in_parent: bool = True) -> None:
    """Have an object's method called after each fork, in the child and, unless told not to, in the parent."""
    call = partial(_call, WeakMethod(method))
    os.register_at_fork(after_in_child=call)
    if in_parent:
        os.register_at_fork(after_in_parent=call)


def _call(known: WeakMethod[Method]) -> None:
    if method := known():
        method()
