"""Paths to what is left out of account when two deliveries of an event are compared. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ringback.expressions.syntax import parse_tree

EACH = None

Step = str | int | None


@dataclass(frozen=True)
class Path:
    """A simple path. Its steps are names, indices, and ``EACH`` for ``[*]`` or ``[]``: each element of a list."""

    text: str
    steps: tuple[Step, ...] = field(repr=False)


def compile_path(text: str) -> Path:
    """Return the compiled path. Raises ValueError, in one line, for bad syntax and for expressions that are no path."""
    return Path(text, tuple(_list_steps(parse_tree(text))))


def drop_paths(data: object, paths: Iterable[Path]) -> object:
    """Return ``data`` without what is at the paths. ``data`` stays as it is; what no path touches is shared with it.

    A path that leads nowhere does nothing, as one into ``_body`` or ``_request``, which stand beside the event.
    """
    return _drop(data, [path.steps for path in paths])


def _list_steps(node: Any) -> Iterator[Step]:
    kind = node["type"]
    if kind in ("field", "index"):
        yield node["value"]
    elif kind == "projection":
        yield from _list_steps(node["children"][0])
        yield EACH
        yield from _list_steps(node["children"][1])
    elif kind in ("identity", "flatten", "subexpression", "index_expression"):
        for child in node["children"]:
            yield from _list_steps(child)
    else:
        raise ValueError("only a simple path can stand here: names and dots, [0] and [*]")


def _drop(value: object, ways: list[tuple[Step, ...]]) -> object:
    if not ways:
        return value
    if isinstance(value, dict):
        following = {key: [way[1:] for way in ways if way[0] == key] for key in value}
        return {key: _drop(value[key], rest) for key, rest in following.items() if () not in rest}
    if isinstance(value, list):
        names = [(EACH, index, index - len(value)) for index in range(len(value))]
        lists = [[way[1:] for way in ways if way[0] in name] for name in names]
        return [_drop(item, rest) for item, rest in zip(value, lists, strict=True) if () not in rest]
    return value
