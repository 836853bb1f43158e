"""Imports point one way: from the doors inwards, to values that know nobody."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FUNCTIONS = Path(__file__).parent.parent / "functions"
MODULES = {
    ".".join(path.relative_to(FUNCTIONS).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(FUNCTIONS.rglob("*.py"))
}


def find_imports(path: Path, *, inner: bool) -> Iterator[str]:
    """Yield the modules that a file imports at its top; with ``inner`` those that it imports in functions too."""
    yield from list_imports(ast.parse(path.read_text("utf-8")).body, inner=inner)


def list_imports(body: list[ast.stmt], *, inner: bool) -> Iterator[str]:
    """Yield the modules that statements import, but for what only type checkers read."""
    for node in body:
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                continue
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                whole = [f"{module}.{alias.name}" for alias in names]
                yield from (name if name in MODULES else module for name in whole)
            case ast.FunctionDef() if not inner:
                continue
            case _:
                parts = ("body", "orelse", "finalbody", "handlers", "cases")
                for part in parts:
                    yield from list_imports(getattr(node, part, []), inner=inner)


def own(name: str, *, inner: bool = False) -> set[str]:
    """Return our modules that one of ours imports, without the package's name."""
    found = find_imports(MODULES[name], inner=inner)
    return {each.removeprefix("ringback.") for each in found if each.startswith("ringback")}


def foreign(name: str, *, inner: bool) -> set[str]:
    """Return the packages that one of ours imports."""
    return {each for each in find_imports(MODULES[name], inner=inner) if not each.startswith("ringback")}


def uses(name: str, packages: tuple[str, ...], *, inner: bool) -> bool:
    """Return whether a module imports one of the packages, or a part of one."""
    return any(
        each == package or each.startswith(f"{package}.") for each in foreign(name, inner=inner) for package in packages
    )


VALUES = {"web", "outcome", "messages", "event", "errors", "limits", "secret"}
DOORS = {"main", "aws", "ringback.hosts.asgi"}
# What decides, and does nothing: it may be asked without a network, a disk, a clock or an environment.
CORE = {
    "body",
    "encoding",
    "form",
    "identity",
    "json_text",
    "known",
    "lookup",
    "mapping",
    "settings",
    "delivery.backoff",
    "grammar.yaml_text",
    "thulium.url",
    "xml_text",
} | {
    name.removeprefix("ringback.")
    for name in MODULES
    if name.startswith(("ringback.expressions", "ringback.leads", "ringback.verification"))
}
DEEDS = (
    "requests", "urllib3", "socket", "ssl", "http.client", "sqlite3", "boto3", "botocore", "google", "os", "pathlib",
    "subprocess", "threading", "time", "logging", "click", "flask",
)  # fmt: skip


def test_there_are_modules() -> None:
    """The rules below are about something."""
    assert {f"ringback.{name}" for name in VALUES | CORE} <= MODULES.keys()
    assert MODULES.keys() >= DOORS
    assert own("ringback.app") >= {"config", "pipeline"}


@pytest.mark.parametrize("name", sorted(VALUES))
def test_values_know_nobody(name: str) -> None:
    """A value imports other values at most."""
    assert own(f"ringback.{name}", inner=True) <= VALUES


@pytest.mark.parametrize("name", sorted(CORE))
def test_core_does_nothing(name: str) -> None:
    """What decides imports values and what decides, and nothing that acts."""
    assert own(f"ringback.{name}", inner=True) <= VALUES | CORE
    assert not uses(f"ringback.{name}", DEEDS, inner=True)


@pytest.mark.parametrize("name", sorted(DOORS))
def test_doors_know_no_leads(name: str) -> None:
    """A door translates: it knows who answers, and the two values that cross, and has no more than 50 lines."""
    assert own(name, inner=True) <= {"app", "hosts.keeper", "hosts.payload", "hosts.reading", "hosts.task", "web"}
    if name != "ringback.hosts.asgi":
        assert len(MODULES[name].read_text("utf-8").splitlines()) <= 50


def test_queues_have_no_rules() -> None:
    """A queue reads and settles: it knows events and verdicts, and nobody who decides about them."""
    queues = [name for name in MODULES if name.startswith("ringback.queues")]
    for name in queues:
        known = {each for each in own(name, inner=True) if not each.startswith("queues")}
        assert known <= VALUES | {"aws_error", "bounded", "clock", "log", "delivery.backoff", "settings"}, name


def test_nobody_goes_round_in_circles() -> None:
    """No module imports one that imports it, at whatever remove."""
    above: dict[str, int] = {}
    waiting = {name: {f"ringback.{each}" for each in own(name)} & MODULES.keys() for name in MODULES}
    while waiting:
        ready = [name for name, needed in waiting.items() if needed <= above.keys()]
        assert ready, f"these import each other: {sorted(waiting)}"
        for name in ready:
            above[name] = len(above)
            del waiting[name]
    assert max(above[name] for name in ("aws", "main")) > above["ringback.pipeline"]


# From the inside outwards.
LAYERS = (
    VALUES,
    {"aws_error", "bounded", "clock", "encoding", "form", "json_text", "leads", "log", "log_writer", "verification"}
    | {"xml_text"},
    {"body", "expressions", "thulium"},
    {"refusals", "settings"},
    {"aws_secret", "grammar", "identity", "known", "lookup"},
    {"intake", "mapping"},
    {"config", "delivery", "group"},
    {"pipeline", "queues"},
    {"app", "direct", "shared"},
    {"hosts"},
    {"reports"},
    {"cli", "commands"},
    {"__main__", "aws", "main"},
)


def find_layer(name: str) -> int:
    """Return the layer of a module of ours, by the first part of its name."""
    part = name.removeprefix("ringback.").partition(".")[0]
    return next(n for n, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("name", sorted(MODULES.keys() - {"ringback"}))
def test_imports_point_inwards(name: str) -> None:
    """A module knows what is in its own layer and further in, and nothing further out."""
    assert all(find_layer(each) <= find_layer(name) for each in own(name, inner=True))


def test_only_the_wire_knows_how_to_call() -> None:
    """HTTP to others goes through one place."""
    calling = {name for name in MODULES if uses(name, ("requests", "urllib3", "http.client"), inner=True)}
    assert calling == {"ringback.thulium.wire", "ringback.thulium.transport", "ringback.thulium.mishap"}


def test_only_doors_look_at_the_environment() -> None:
    """The environment of the process is handed over by whoever starts it, and read by the configuration."""
    looking = {name for name, path in MODULES.items() if "environ" in attributes_of_os(path)}
    assert looking == {"main", "aws", "ringback.cli"}


def attributes_of_os(path: Path) -> set[str]:
    """Return what a file takes from ``os`` that is the environment."""
    tree = ast.parse(path.read_text("utf-8"))
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    names = {node.attr for node in nodes if isinstance(node.value, ast.Name) and node.value.id == "os"}
    names |= {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "os"
        for alias in node.names
    }
    return {"environ"} if names & {"environ", "getenv", "environb"} else set()


HEAVY = ("boto3", "botocore", "google", "grpc", "phonenumbers", "multipart", "requests")


def test_heavy_packages_are_imported_where_they_are_needed() -> None:
    """What only one cloud, one body format or a call needs is imported by the function that needs it."""
    assert [name for name in MODULES if uses(name, HEAVY, inner=False)] == []
    assert {package for package in HEAVY if any(uses(name, (package,), inner=True) for name in MODULES)} == set(HEAVY)


NAMESPACES = ("google", "google.cloud")  # every Python starts with these where a package of theirs is installed


@pytest.mark.parametrize(("module", "least"), [("ringback.app", "marshmallow"), ("aws", "marshmallow")])
def test_door_that_is_opened_brings_nothing_heavy(module: str, least: str) -> None:
    """A cold start imports nothing that the first answer may do without."""
    told = subprocess.run(
        (sys.executable, "-c", f"import sys, {module}; print(*sys.modules)"),
        cwd=FUNCTIONS, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert least in told
    late = (*HEAVY, "urllib3", "click", "flask", "pythonjsonlogger")
    assert [name for name in told if name.partition(".")[0] in late and name not in NAMESPACES] == []
