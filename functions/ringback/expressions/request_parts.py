"""What an expression reads of the request around an event: only that is kept with the event. Pure."""

from collections.abc import Iterator
from typing import Any

ROOT = "_request"
NAMED = ("headers", "query")  # each part of it has a name of its own
WHOLE = ("id", "received_at")
NOT_WHOLE = (
    "of `_request` only what is named is kept with an event: write `_request.query.page`, "
    '`_request.headers."x-topic"`, `_request.received_at` or `_request.id`'
)

Part = tuple[str, ...]


def list_parts(tree: Any) -> Iterator[Part]:
    """Yield what a tree reads of the request: ``("headers", "x-topic")``, ``("query", "page")``, ``("id",)``.

    Raises ValueError, in one line, where it reads all headers, the whole query, or what its tree does not name.
    """
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        steps = [child for child in node["children"] if isinstance(child, dict) and child["type"] != "current"]
        if node["type"] == "subexpression":
            if _name(steps[0]) == ROOT:
                yield _find_part(*map(_name, steps[1:3]))
            steps = [step for step in steps if step["type"] != "field"]
        elif _name(node) == ROOT:
            raise ValueError(NOT_WHOLE)
        waiting.extend(steps)


def _name(node: Any) -> str | None:
    return node["value"] if node["type"] == "field" else None


def _find_part(kind: str | None, name: str | None = None) -> Part:
    if kind in WHOLE:
        return (kind,)
    if kind in NAMED and name is not None:
        return kind, name
    raise ValueError(NOT_WHOLE)
