"""`trace` and `forget` for a person: by number, address, identifier or name, and in captured requests too."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ringback.reports.kept_request import dump_request
from ringback.web import Request
from tests.configs import make_source
from tests.machine import Machine

MAP = {"full_name": "name", "phone_number": "phone", "email": "mail", "identifier": "pesel"}
ANNA = {"name": "Anna Żółć-Nowak", "phone": "+48 601 000 001", "mail": "Anna@Example.com", "pesel": "44 05"}
JAN = {"name": "Jan Nowak", "phone": "602 000 002", "mail": "jan@example.com", "pesel": "4405"}
TYPED = {"name": "Ewa Lis", "phone": "12 345", "mail": "no address"}  # a number that nobody can have
GERMAN = {"name": "Uwe Maus", "phone": "+49 221 1234567"}
BERLIN = {"phone": "030 123456", "country": "DE"}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine that has an event about each person, not tried yet."""
    there = Machine(tmp_path, countries=["PL", "DE"], sources={"website": make_source(map=MAP)})
    there.store(ANNA, JAN, TYPED, GERMAN)
    return there


def find(machine: Machine, *arguments: str, given: str = "") -> list[str]:
    """Return the ids of the events that `trace` tells of."""
    told = machine.run("trace", *arguments, given=given).stdout
    return [line.split()[1] for line in told.splitlines() if line.startswith("event ")]


QUESTIONS: list[tuple[list[str], list[str]]] = [
    (["--phone", "601 000 001"], ["e1"]),
    (["--phone", "0048601000001"], ["e1"]),
    (["--phone", "12-345"], ["e3"]),
    (["--phone", "+492211234567"], ["e4"]),
    (["--email", "anna@example.com"], ["e1"]),
    (["--identifier", "44 05"], ["e1"]),
    (["--identifier", "4405"], ["e2"]),
    (["--name", "nowak"], ["e1", "e2"]),
    (["--name", "ZOLC anna"], ["e1"]),
    (["--name", "Anna Nowak", "--phone", "602000002"], []),
    (["--name", "Nowak", "--phone", "602000002"], ["e2"]),
    (["--name", "Now"], []),
    (["--email", "anna@example.com", "--identifier", "4405"], []),
]


@pytest.mark.parametrize(("arguments", "ids"), QUESTIONS)
def test_trace(arguments: list[str], ids: list[str], machine: Machine) -> None:
    """A person's events are found by all that is given, in whatever form it is written, and no others are."""
    assert find(machine, *arguments) == ids


@pytest.mark.parametrize(("arguments", "ids"), QUESTIONS)
def test_forget(arguments: list[str], ids: list[str], machine: Machine) -> None:
    """The same events are deleted, and no others are."""
    assert machine.run("forget", *arguments).stdout.startswith(f"{len(ids)} forgotten\n")
    left = [each for each in ("e1", "e2", "e3", "e4") if machine.run("trace", each).exit_code == 0]
    assert left == [each for each in ("e1", "e2", "e3", "e4") if each not in ids]


def test_number_is_asked_for(machine: Machine) -> None:
    """Without an option the number is read from standard input: on a command line other users could see it."""
    assert find(machine, given="601000001\n") == ["e1"]
    result = machine.run("forget", given="601000001\n")
    assert result.stdout.startswith("1 forgotten\n")
    assert find(machine, "--phone", "601000001") == []


def test_nothing_is_typed(machine: Machine) -> None:
    """Where standard input ends before a number came, nothing is deleted."""
    assert machine.run("forget").exit_code == 1
    assert find(machine, "--name", "nowak") == ["e1", "e2"]


def test_forget_by_id(machine: Machine) -> None:
    """An event is deleted by its id; one that is not known is said to be so."""
    assert machine.run("forget", "--id", "e2").stdout.startswith("1 forgotten\n")
    result = machine.run("forget", "--id", "e2")
    assert (result.exit_code, result.stderr) == (1, "nothing is known of e2 (events are known for 30 days)\n")


NONSENSE = [
    (["--phone", "none"], "--phone: no digit is in it"),
    (["--email", "anna"], "--email: "),
    (["--identifier", " \u200b"], "--identifier: nothing is in it"),
    (["--name", "?"], "--name: no word of two letters or more is in it"),
    (["--name", "Ł", "--phone", "601000001"], "--name: no word of two letters or more is in it"),
]


@pytest.mark.parametrize("command", [["trace"], ["forget"], ["forget", "--captures", "{folder}"]])
@pytest.mark.parametrize(("arguments", "telling"), NONSENSE)
def test_what_says_nothing(
    command: list[str], arguments: list[str], telling: str, machine: Machine, tmp_path: Path
) -> None:
    """What describes no person ends the command, and nothing is deleted: less to look for would be more to find."""
    keep(tmp_path, ANNA)
    result = machine.run(*(word.format(folder=tmp_path) for word in command), *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(telling)
    assert len(list(tmp_path.glob("*.http"))) == 1
    assert find(machine, "--phone", "601000001") == ["e1"]


@pytest.mark.parametrize("command", ["trace", "forget"])
def test_without_the_key(command: str, tmp_path: Path) -> None:
    """Where the key of the hashes is not set a person can't be found, and that is said."""
    machine = Machine(tmp_path, log_key="${LOG_KEY}")
    machine.store(ANNA)
    result = machine.run(command, "--name", "Anna")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("log_key: ${LOG_KEY} is not set here")


def test_cloud_knows_a_person_by_the_number_alone(tmp_path: Path) -> None:
    """On a cloud the log can be asked for a number or an id, and that is said when a name is given."""
    machine = Machine(tmp_path)
    machine.environ["RINGBACK_QUEUE"] = "none"
    result = machine.run("trace", "--name", "Anna")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "give --phone, or the id of an event" in result.stderr


# --- captured requests ---


def keep(folder: Path, content: object, **changes: Any) -> Path:
    """Keep a request as `serve --capture` does: JSON, or the bytes that are given."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = Request(**{"method": "POST", "path": "/website", "body": body, **changes})
    path = folder / f"{len(list(folder.iterdir()))}.http"
    path.write_bytes(dump_request(request))
    return path


def forget_all(machine: Machine, folder: Path, *arguments: str) -> int:
    """Return how many captured requests `forget` says it has deleted."""
    told = machine.run("forget", "--captures", str(folder), *arguments).stdout
    return int(told.partition(f" requests of {folder} deleted\n")[0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for captured requests."""
    (path := tmp_path / "kept").mkdir()
    return path


@pytest.mark.parametrize(
    "arguments",
    [["--phone", "601000001"], ["--email", "anna@example.com"], ["--identifier", "44 05"], ["--name", "Żółć"],
     ["--name", "anna", "--phone", "+48601000001"]],
)  # fmt: skip
def test_captures(arguments: list[str], machine: Machine, folder: Path) -> None:
    """Requests about the person are deleted with the person's events; others and other files stay."""
    keep(folder, ANNA)
    other = keep(folder, GERMAN)
    (folder / "notes.txt").write_text("601 000 001 anna@example.com 44 05 Żółć")
    assert forget_all(machine, folder, *arguments) == 1
    assert sorted(file.name for file in folder.iterdir()) == [other.name, "notes.txt"]
    assert find(machine, "--phone", "601000001") == []


FORMS: list[tuple[object, dict[str, Any]]] = [
    (ANNA, {}),
    (json.dumps(ANNA, ensure_ascii=False).encode(), {}),
    (b"name=Anna+%C5%BB%C3%B3%C5%82%C4%87&phone=%2B48+601%2F000-001", {}),
    (b"", {"method": "GET", "query": "name=%C5%BB%C3%B3%C5%82%C4%87&phone=601000001"}),
    (b"<lead><n>&#379;&#243;&#322;&#263;</n><p>601&#160;000&#160;001</p></lead>", {}),
    ("name=Żółć;phone=601–000–001".encode("utf-16"), {}),
    ("name=Żółć;phone=601 000 001".encode("iso-8859-2"), {"headers": {"content-type": "text/plain; charset=latin2"}}),
    (gzip.compress(json.dumps(ANNA).encode()), {"headers": {"content-encoding": "gzip"}}),
    ("Żółć 601000001".encode(), {"headers": {"content-encoding": "gzip"}}),  # says so, and is not
]


@pytest.mark.parametrize(("content", "changes"), FORMS)
def test_captures_of_any_form(content: object, changes: dict[str, Any], machine: Machine, folder: Path) -> None:
    """A person is found in a form, a query, JSON, XML, in any charset that is read, packed or not."""
    keep(folder, content, **changes)
    assert forget_all(machine, folder, "--phone", "602 000 002") == 0
    assert forget_all(machine, folder, "--phone", "48601000001", "--name", "zolc") == 1


def test_capture_that_is_no_request_any_more(machine: Machine, folder: Path) -> None:
    """A kept file that was edited is searched all the same."""
    (folder / "edited.http").write_text("the one with 601 000 001")
    assert forget_all(machine, folder, "--phone", "601000001") == 1


@pytest.mark.parametrize("number", ["+49 30 123456", "0049 30 123456"])
def test_captured_number_of_another_country(number: str, machine: Machine, folder: Path) -> None:
    """A number is found as it is dialled in its own country too."""
    keep(folder, BERLIN)
    assert forget_all(machine, folder, "--phone", number) == 1


def test_captured_number_that_is_none(machine: Machine, folder: Path) -> None:
    """A number that nobody can have is found by its digits."""
    keep(folder, {"phone": "12 345 67 89 01 23 45 67"})
    assert forget_all(machine, folder, "--phone", "1234567890 1234567") == 1


def test_captures_where_the_queue_is_not_ours(folder: Path, tmp_path: Path) -> None:
    """Without a SQLite queue captured requests are deleted all the same, and it is said that no event was."""
    machine = Machine(tmp_path)
    machine.environ["RINGBACK_QUEUE"] = "none"
    keep(folder, ANNA)
    result = machine.run("forget", "--captures", str(folder), "--phone", "601000001")
    assert (result.exit_code, list(folder.iterdir())) == (1, [])
    assert "only a SQLite queue" in result.stderr
