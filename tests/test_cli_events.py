"""The commands that look at stored events: what became of them, again, forgotten."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from ringback.identity import hash_id
from ringback.mapping import hash_person
from ringback.outcome import Status
from ringback.queues.sqlite import SqliteQueue
from ringback.secret import Secret
from tests.configs import WHOLE, run, write_config
from tests.events import NOW, again, done, make_event
from tests.machine import Machine

SQS = "sqs:https://sqs.eu-central-1.amazonaws.com/1/leads.fifo"
ADA = hash_person(Secret(WHOLE["log_key"]), "+48601000001")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine on which nothing has happened yet."""
    return Machine(tmp_path)


def test_trace_of_an_event(machine: Machine) -> None:
    """The whole story of an event is told: received, tried, how it ended."""
    machine.deliver(done(), again(reason="Thulium answered 503"))
    assert "2026-03-02 10:00:01+01:00  ADDED     campaign 00001; 1 try" in machine.run("trace", "e1").stdout
    second = machine.run("trace", "e2").stdout
    assert "DEFERRED  Thulium answered 503; 1 try" in second
    assert "next try" in second


def test_trace_of_a_person(machine: Machine) -> None:
    """All events about the person with a number are told, in whatever form it is written."""
    machine.deliver(done(person=ADA), done(person="somebody-else"), done(Status.ALREADY_EXISTS, person=ADA))
    told = machine.run("trace", "--phone", "+48 601-000-001").stdout
    assert [line for line in told.splitlines() if line.startswith("event")] == [
        "event e1 of website",
        "event e3 of website",
    ]


@pytest.mark.parametrize("arguments", [["e9"], ["--phone", "601 000 009"]])
def test_trace_of_what_is_not_known(arguments: list[str], machine: Machine) -> None:
    """Of what is not stored that is said, with exit code 1."""
    machine.deliver(done())
    result = machine.run("trace", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("nothing is known of ")


@pytest.mark.parametrize(
    "arguments", [["trace", "e1", "--phone", "601000001"], ["forget", "--id", "e1", "--email", "ada@example.com"]]
)
def test_one_of_two_is_wanted(arguments: list[str], machine: Machine) -> None:
    """An event's id or what describes a person, not both."""
    assert machine.run(*arguments).exit_code == 2


@pytest.mark.parametrize(("queue", "told"), [(SQS, "| filter event_id"), (None, "gcloud logging read")])
def test_trace_on_a_cloud(queue: str | None, told: str, tmp_path: Path) -> None:
    """Where no SQLite queue is, the query of the log is printed."""
    environ = write_config(
        tmp_path, queue=queue, dead_letter_queue="https://sqs.eu-central-1.amazonaws.com/1/dead.fifo"
    )
    assert told in run("trace", "e1", environ=environ).stdout
    assert str(ADA) in run("trace", "--phone", "601000001", environ=environ).stdout


@pytest.mark.parametrize(("log_key", "known"), [(WHOLE["log_key"], True), ("${LOG_KEY}", False)])
def test_trace_of_an_id_that_was_not_to_be_logged(log_key: str, known: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """On a cloud an event is found by its sender's id, as it is or as its hash, where the key is at hand."""
    result = run("trace", "anna@example.com", environ=write_config(tmp_path, log_key=log_key))
    own = hash_id("anna@example.com", Secret(WHOLE["log_key"]))
    assert "anna@example.com" in result.stdout
    assert (own in result.stdout) is known
    assert result.stderr == "" if known else result.stderr.startswith("log_key: ${LOG_KEY} is not set here")


@pytest.mark.parametrize(
    ("log_key", "number", "telling"),
    [
        ("a-long-key", "12", "--phone: too short"),
        ("${LOG_KEY}", "601000001", "log_key: ${LOG_KEY} is not set here"),
    ],
)
def test_person_who_can_not_be_recognised(log_key: str, number: str, telling: str, tmp_path: Path) -> None:
    """Without the key, or with what is no number, nobody can be recognised."""
    result = run("trace", "--phone", number, environ=write_config(tmp_path, log_key=log_key))
    assert result.exit_code == 1
    assert result.stderr.startswith(telling)


def test_replay(machine: Machine) -> None:
    """What is parked, failed or invalid is put back, and counted by how it ended."""
    machine.deliver(done(), done(Status.PARKED, "old"), done(Status.PARKED, "old"), done(Status.FAILED, "No such."))
    result = machine.run("replay")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "  1  website  FAILED  No such.",
        "  2  website  PARKED  old",
        "3 to be tried again as soon as `ringback serve` runs",
    ]
    assert machine.run("replay").stdout == "0 to be tried again\n"
    assert "first try" in machine.run("trace", "e2").stdout


@pytest.mark.parametrize(
    ("arguments", "count"),
    [(["e2"], 1), (["e1"], 0), (["--source", "website"], 2), (["--source", "crm"], 0), (["--reason", "old"], 1)],
)
def test_replay_of_a_choice(arguments: list[str], count: int, machine: Machine) -> None:
    """Only what is named is put back."""
    machine.deliver(done(), done(Status.PARKED, "old"), done(Status.FAILED, "No such."))
    *told, total = machine.run("replay", *arguments).stdout.splitlines()
    assert sum(int(line.split()[0]) for line in told) == count
    assert total.startswith(f"{count} to be tried")


def test_replay_of_what_is_old(machine: Machine) -> None:
    """What was parked for its age stays, and it is said how to have it tried; what is replayed counts as new."""
    machine.deliver(done(Status.PARKED, "older than max_age"), done(Status.PARKED, "Thulium answered 503"))
    assert machine.run("replay").stdout.splitlines() == [
        "  1  website  PARKED  Thulium answered 503",
        "1 to be tried again as soon as `ringback serve` runs",
        "1 parked as older than max_age, and not tried; --even-if-old has them tried too",
    ]
    assert "PARKED" in machine.run("trace", "e1").stdout
    assert machine.run("replay", "--even-if-old").stdout.splitlines()[1:] == [
        "1 to be tried again as soon as `ringback serve` runs"
    ]
    due = SqliteQueue(str(machine.path)).take(2, NOW + timedelta(days=9999))
    assert [event.age_from > NOW for event in due] == [True, True]


@pytest.mark.parametrize(("queue", "told"), [(SQS, "redrive"), (None, "there is no queue")])
@pytest.mark.parametrize("command", [["replay"], ["forget", "--phone", "601000001"]])
def test_where_no_sqlite_queue_is(command: list[str], queue: str | None, told: str, tmp_path: Path) -> None:
    """A queue that is not SQLite is named, with its own way."""
    environ = write_config(
        tmp_path, queue=queue, dead_letter_queue="https://sqs.eu-central-1.amazonaws.com/1/dead.fifo"
    )
    result = run(*command, environ=environ)
    assert (result.exit_code, result.stdout) == (1, "")
    assert (told if command == ["replay"] else "only a SQLite queue") in result.stderr


def test_trace_of_who_waits(machine: Machine) -> None:
    """A person is found whose lead nobody has tried yet, and an event by an id that was not to be logged."""
    queue = SqliteQueue(str(machine.path))
    own = hash_id("anna@example.com", Secret(WHOLE["log_key"]))
    queue.put([make_event(1, id=own, data={"phone": "601 000 001"}), make_event(2, data={"phone": "602000001"})], NOW)
    queue.close()
    told = machine.run("trace", "--phone", "601000001").stdout
    assert told.startswith(f"event {own} of website")
    assert told.count("event ") == 1
    assert machine.run("trace", "anna@example.com").stdout == told


def test_replay_of_what_is_not_known(machine: Machine) -> None:
    """An id that nobody knows is no success: it is mistyped, or has been forgotten."""
    machine.deliver(done(Status.PARKED))
    result = machine.run("replay", "e7")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "nothing is known of e7 (events are known for 30 days)\n"


def test_replay_by_an_id_that_was_not_to_be_logged(machine: Machine) -> None:
    """An event is replayed by its sender's id too, where that is known by its hash alone."""
    queue = SqliteQueue(str(machine.path))
    queue.put([make_event(1, id=hash_id("anna@example.com", Secret(WHOLE["log_key"])))], NOW)
    queue.settle([(queue.take(1, NOW)[0], done(Status.FAILED))], NOW)
    queue.close()
    assert machine.run("replay", "anna@example.com").stdout.splitlines()[-1].startswith("1 to be tried again")


def test_trace_while_all_is_paused(tmp_path: Path) -> None:
    """Where nothing is delivered it is said why an event waits."""
    machine = Machine(tmp_path, paused=True)
    machine.deliver(again())
    assert machine.run("trace", "e1").stdout.endswith("`paused: true`: nothing is delivered\n")


def test_forget(machine: Machine) -> None:
    """All that is stored about a person is deleted, also what waits, and it is said what is not."""
    machine.deliver(done(person=ADA), done(person="somebody-else"))
    queue = SqliteQueue(str(machine.path))
    texts = ["+48 601 000 001 after 5", "602 000 001", None]
    queue.put([make_event(number, data={"phone": text}) for number, text in enumerate(texts, 3)], NOW)
    queue.close()
    result = machine.run("forget", "--phone", "601000001")
    assert result.stdout.startswith("2 forgotten\nnot found were events that are still to be fetched")
    assert [machine.run("trace", f"e{number}").exit_code for number in range(1, 6)] == [1, 0, 1, 0, 0]


def test_forget_while_somebody_reads(machine: Machine) -> None:
    """What was deleted stays in the log of the file as long as another program reads it, and that is said."""
    machine.deliver(done(person=ADA))
    with closing(sqlite3.connect(machine.path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM event").fetchall()
        told = machine.run("forget", "--phone", "601000001").stdout
    assert told.splitlines()[1].startswith("another program reads the file")


def test_file_that_is_not_there(machine: Machine) -> None:
    """A file that is not there is not made by looking for it."""
    result = machine.run("trace", "e1")
    assert result.exit_code == 1
    assert "no such file" in result.stderr
    assert not machine.path.exists()


def test_file_that_is_none_of_ours(machine: Machine) -> None:
    """A file that can't be used is one line."""
    machine.path.write_text("this is no database, though it is long enough to be looked at as one" * 20)
    result = machine.run("trace", "e1")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
