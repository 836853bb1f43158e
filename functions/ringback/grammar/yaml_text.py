"""YAML text -> data, with what YAML itself keeps quiet about: keys given twice, and what it makes of unquoted text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

Path = tuple[str, ...]
Loader = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # the C parser, where PyYAML was built with it, is ten times faster


@dataclass(frozen=True)
class Document:
    """A YAML document: its ``data``, its own ``mistakes``, and the ``plain`` texts that YAML read as something else."""

    data: object = field(repr=False)
    mistakes: dict[Path, str] = field(default_factory=dict)
    plain: dict[Path, str] = field(default_factory=dict, repr=False)


def read_yaml(text: str) -> Document:
    """Return the document in ``text``. Raises ValueError, in one line with the place, for what is no YAML."""
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(None)
        mistakes: dict[Path, str] = {}
        plain: dict[Path, str] = {}
        for path, inner in _walk(node, ()):
            if isinstance(inner, yaml.MappingNode):
                mistakes |= _check_keys(path, inner)
            elif isinstance(inner, yaml.ScalarNode) and not inner.style and not inner.tag.endswith(":str"):
                plain[path] = inner.value
        return Document(loader.construct_document(node), mistakes, plain)
    except Exception as error:  # noqa: BLE001 - for a value that does not fit its tag the library raises what it likes
        raise ValueError(_explain(error)) from None


def _walk(node: yaml.Node, path: Path) -> Iterator[tuple[Path, yaml.Node]]:
    yield path, node
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(value, (*path, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*path, str(index)))


def _check_keys(path: Path, node: yaml.MappingNode) -> dict[Path, str]:
    seen: dict[str, int] = {}
    wrong: dict[Path, str] = {}
    for key, _ in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            wrong[*path, name] = f"given twice, in lines {seen[name]} and {line}; keep one of them"
        seen.setdefault(name, line)
        if not key.tag.endswith((":str", ":merge")):
            wrong[*path, name] = f"YAML does not read this key in line {line} as text; put it in quotes"
    return wrong


def _explain(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it can't be read"
    problem = re.sub(r"'[^']{2,}'", "...", problem)  # an alias, say: to YAML a password that begins with * is one
    place = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    hint = '; text with {, }, [, ], :, # or * in it stands in quotes: "${NAME}"' if mark else ""
    return f"no YAML: {problem}{place}{hint}"
