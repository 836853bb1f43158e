"""Nothing personal and no secret is in what is printed, answered to errors, or shown of a value; no line is forged."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from ringback import log
from ringback.app import App
from ringback.intake import take_in
from ringback.leads.digits import read_digits
from ringback.mapping import Assignment, Mapper
from ringback.queues.message import dump_event, load_event
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqs import Message
from ringback.settings import Settings
from ringback.thulium import replies
from ringback.thulium.replies import RecordReply
from ringback.thulium.wire import Reply
from ringback.web import Request
from tests.given import SECRET, load
from tests.journeys import Direct, Sqlite
from tests.preset_cases import (
    CAMPAIGN,
    PUBLIC_URL,
    Case,
    list_schemes,
    make_entry,
    read_cases,
    serve,
    write_config,
)
from tests.sandbox import Fault, Sandbox, faults
from tests.signing import make_secret, sign

NOW = datetime(2026, 3, 2, 11, 0, 0, tzinfo=UTC)
PASSWORD = "only-for-the-sandbox"
ECHO = "No: {request}"
CALLS = ("search", "create", "customer", "update", "batch", "record", "change")
ECHOES = (
    faults.error(400, ECHO),
    faults.error(422, "{request}"),
    faults.error(500, "<b>{request}</b>\n{request}"),
    faults.html(502, "<p>{request}</p>"),
    faults.html(200, "<p>{request}</p>"),
    faults.says('{"message": "{request}", "{request}": "{request}"}', work=False),
    faults.says('["{request}"]', work=False),
    faults.says(
        '{"request_id": "{request}", "errors": [{"message": "{request}", "code": "{request}"}]}', 400, work=False
    ),
    Fault(status=429, body="{request}", headers={"Retry-After": "{request}"}),
)
LATER = {"later": {"status_id": 7}}
NOT_PERSONAL = {"identifier", "customer_id", "status_id", "order", "agent_login", "next_call_date", "type", "group"}


@pytest.fixture(scope="module")
def thulium() -> Iterator[Sandbox]:
    log.configure()
    with Sandbox() as sandbox:
        yield sandbox


class Hunt:
    """Looks for marks in texts, however they may be written there."""

    def __init__(self, marks: set[str]) -> None:
        """Take what must not be found."""
        forms = {form for mark in marks for form in (mark, quote(mark), quote_plus(mark), json.dumps(mark)[1:-1])}
        self._pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))), re.IGNORECASE)

    def look(self, text: str) -> None:
        """Fail if a mark is in the text, or in what its lines say when they are read as JSON."""
        read = "".join(f"\n{json.loads(line)}" for line in text.splitlines() if line.startswith("{"))
        assert not (found := self._pattern.search(text + read)), f"{found[0]} in {found.string[:2000]}"

    def look_at(self, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
        """Look at all that was printed, and return the lines of the log: there is nothing else."""
        printed = capsys.readouterr()
        self.look(printed.out)
        assert printed.err == ""
        return [json.loads(line) for line in printed.out.splitlines()]


def gather(value: object) -> set[str]:
    """Return the texts in a lead's value, whole and word by word."""
    if isinstance(value, Mapping):
        return {text for name, inner in value.items() if name not in NOT_PERSONAL for text in gather(inner)}
    if isinstance(value, list):
        return {text for inner in value for text in gather(inner)}
    return {text for text in (str(value), *str(value).split()) if len(text) > 3}


# --- every preset ---


def list_marked_cases() -> list[Case]:
    """Return each preset's case of a lead."""
    return [case for case in read_cases() if case.name == "lead"]


MARKED_HEADERS = {
    "cookie": "Marked-Cookie",
    "x-forwarded-for": "203.0.113.77",
    "user-agent": "Marked-Agent",
    "referer": "https://example.com/Marked-Page",
    "x-marked": "Marked-Header",
}


@pytest.mark.parametrize("case", list_marked_cases(), ids=lambda case: case.preset)
def test_every_preset(case: Case, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """What a sender tells of a person is in no line and no answer, not even when Thulium says it back in an error."""
    scheme = list_schemes(case.preset)[0]
    secret = make_secret(scheme, "key")
    hunt = Hunt({secret, PASSWORD, "Marked", "203.0.113.77", *(text for lead in case.leads for text in gather(lead))})
    request = replace(case.request, headers={**case.request.headers, **MARKED_HEADERS})
    with serve() as sender:
        sender.replies = case.fetched
        entry = make_entry(case.preset, {**case.source, "answer_within": 0.6}, sender.url)
        names = re.findall(r"\$\{(\w+)\}", config := write_config(entry, thulium.url))
        settings = load(config, {name: f"invented-{name}" for name in names})
        for call, fault in product(("search", "create"), ECHOES):
            thulium.reset()
            thulium.add_campaign(CAMPAIGN)
            thulium.refuse(None, "No number: {phone_number}, {surname}, {email}")
            thulium.fail(call, fault, times=None)
            answer = App(settings, clock=lambda: NOW).handle(sign(scheme, secret, request, NOW, PUBLIC_URL))
            hunt.look(answer.body.decode())
            assert [line for line in hunt.look_at(capsys) if line["event"].startswith("customer.")]


# --- every field of a lead ---

PERSON: dict[str, Any] = {
    "name": "Żółcisława",
    "surname": "O'Gęślą-Jaźń",
    "email": "zolcia.ges@example.com",
    "phone_number": "+48 601 000 077",
    "note": "Prosi o ciszę nocną",
    "nip": "5260250274",
    "job_title": "Ornitolożka",
    "job": "Bocian i Córki",
    "custom_fields": {"pesel": "44051401359", "schorzenie": "Alektorofobia", "d/o": "Ćma barowa"},
    "address": {"street": "Kurza Stopka", "building": "77b", "postcode": "00-950", "city": "Kaczy Dół"},
}
MARKS = {
    *gather({**PERSON, "phone_number": ""}),
    *("601000077", "601 000 077", "48601000077", "zolcia", "GET /api", "00-950"),
}
HIDDEN = Hunt({mark for mark in MARKS if mark not in ("nocną", "https")} | {SECRET, PASSWORD})


def flatten(fields: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return where each field is, as ``map`` has it."""
    places: dict[str, str] = {}
    for name, value in fields.items():
        here = f"{prefix}{name}"
        nested = isinstance(value, Mapping)
        places |= flatten(value, f"{here}.") if nested else {here: ".".join(f'"{part}"' for part in here.split("."))}
    return places


def configure(thulium: Sandbox, **changes: Any) -> Settings:
    """Return settings for a source that maps every field of the person."""
    source = {
        "verify": {"scheme": "token", "header": "X-Api-Key"},
        "secret": SECRET,
        "event_id": "id",
        "answer_within": 1,
        "map": flatten(PERSON),
        "campaign": "callbacks",
        "customer": {"update": ["phone_number", "email", "job_title", "custom_fields.pesel"]},
        **changes,
    }
    return load(
        {
            "thulium": {"url": thulium.url, "user": thulium.user, "password": PASSWORD},
            "campaigns": {"callbacks": {"id": "00001", "on_existing": "requeue", "set": {"status_id": 3}, **LATER}},
            "log_key": "an-invented-key-long-enough",
            "sources": {"website": source},
        }
    )


def prepare(who: str, thulium: Sandbox) -> None:
    """Make the person a stranger, known, or in the campaign; no batch adds anybody."""
    thulium.reset()
    thulium.add_campaign("00001")
    if who != "a stranger":
        thulium.add_customer(7, surname="Lis", phone_number="601000077")
    if who == "in the campaign":
        thulium.put_record("00001", 7)
    thulium.refuse(None, "No {surname} {name} at {phone_number} or {email}")


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(str(tmp_path / "ringback.db"))
    yield queue
    queue.close()


@pytest.mark.parametrize("who", ["a stranger", "known", "in the campaign"])
@pytest.mark.parametrize("mode", ["direct", "sqlite"])
def test_every_field_through_every_fault(
    mode: str, who: str, queue: SqliteQueue, thulium: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each field of a person, sent back by Thulium in each kind of error, stays out of the log and the answer."""
    settings = configure(thulium)
    for number, (call, fault) in enumerate(product(CALLS, ECHOES)):
        prepare(who, thulium)
        thulium.fail(call, fault, times=None)
        journey = Direct(settings) if mode == "direct" else Sqlite(settings, queue)
        HIDDEN.look(journey.send([{"id": f"e{number}", **PERSON}]).body.decode())
        assert [line for line in HIDDEN.look_at(capsys) if line["event"].startswith("customer.")]


def test_hunt_finds(thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The person of these tests is somebody who can be called; and what is hunted is found where it is."""
    prepare("a stranger", thulium)
    thulium.heal()
    answer = Direct(configure(thulium)).send([{"id": "e1", **PERSON}])
    assert json.loads(answer.body)["outcomes"][0]["status"] == "ADDED"
    assert [line for line in HIDDEN.look_at(capsys) if line["event"] == "customer.outcome"]
    for mark in ("Żółcisława", "O'G\\u0119\\u015bl\\u0105-Ja\\u017a\\u0144", "zolcia.ges%40example.com", "44051401359"):
        with pytest.raises(AssertionError):
            HIDDEN.look(f"x {mark} y")


# --- what is shown of a value, in a debugger or in a traceback ---


def test_values_do_not_show_people(thulium: Sandbox) -> None:
    """Requests, events, leads, replies and errors can be shown without showing anybody, or a secret."""
    settings = configure(thulium)
    headers = {"x-api-key": SECRET, "content-type": "application/json"}
    request = Request("POST", "/website", f"token={SECRET}", headers, json.dumps({"id": "e1", **PERSON}).encode())
    taken = take_in(request, settings, NOW)
    assert isinstance(taken, tuple)
    (event,) = taken[1]
    assignment = Mapper(settings).map(event, NOW)
    assert isinstance(assignment, Assignment)
    reply = Reply(400, {"x-who": "Kurza Stopka"}, b"Kurza Stopka 77b")
    error = replies.explain(reply)
    word = RecordReply("FAILED", None, 400, "Kurza Stopka 77b")
    shown = (request, settings, taken[0], event, load_event(dump_event(event)), assignment, assignment.lead, reply)
    digits = read_digits(PERSON["phone_number"])
    for value in (*shown, digits, assignment.lead.phone, error, word, Message(dump_event(event), "g", "k")):
        HIDDEN.look(repr(value))
        HIDDEN.look(str(value))


# --- requests that are refused ---

BAD = {
    "no signature": ({}, b'{"phone": "601 000 077"}'),
    "wrong signature": ({"x-api-key": "Marked"}, b'{"phone": "601 000 077"}'),
    "no JSON": ({"x-api-key": SECRET}, b'{"phone": "601 000 077", zolcia'),
    "bad escape": ({"x-api-key": SECRET}, b'{"x": "601 000 077 \\zolcia"}'),
    "no gzip": ({"x-api-key": SECRET, "content-encoding": "gzip"}, b'{"phone": "601 000 077"}'),
    "other encoding": ({"x-api-key": SECRET, "content-encoding": "zolcia"}, b'{"phone": "601 000 077"}'),
    "no UTF-8": ({"x-api-key": SECRET}, b"zolcia \xff 601 000 077"),
    "other type": ({"x-api-key": SECRET, "content-type": "text/zolcia"}, b"601 000 077"),
    "bad multipart": ({"x-api-key": SECRET, "content-type": "multipart/form-data; boundary=zolcia"}, b"601 000 077"),
    "bad XML": ({"x-api-key": SECRET, "content-type": "text/xml"}, b"<zolcia>601 000 077"),
    "too deep": ({"x-api-key": SECRET}, b'{"601 000 077":' * 99 + b"1" + b"}" * 99),
    "too large": ({"x-api-key": SECRET}, b"601 000 077" * 100_000),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("path", ["/website", "/zolcia", "/601000077", "/website/zolcia%0a{}"])
def test_refusals(name: str, path: str, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """A refusal names no value of what was sent: neither in its answer nor in the log, whatever the path was."""
    headers, body = BAD[name]
    request = Request("POST", path, "token=zolcia", {"content-type": "application/json", **headers}, body)
    answer = App(configure(thulium)).handle(request)
    assert 400 <= answer.status < 500
    HIDDEN.look(answer.body.decode())
    (line,) = HIDDEN.look_at(capsys)
    assert (line["event"], line["http_status"]) == ("webhook.refused", answer.status)


FAILING = [
    {"map": {**flatten(PERSON), "note": "abs(surname)"}},
    {"map": {**flatten(PERSON), "note": "sum(name)"}},
    {"map": {**flatten(PERSON), "note": "map(&abs(@), [surname])"}},
    {"map": {**flatten(PERSON), "note": "join(note, [name])"}},
    {"map": {**flatten(PERSON), "note": "address"}},
    {"map": {**flatten(PERSON), "phone_number": "surname"}},
    {"map": {**flatten(PERSON), "phone_number": "address"}},
    {"map": {**flatten(PERSON), "email": "surname"}},
    {"map": {**flatten(PERSON), "next_call_date": "surname"}},
    {"map": {**flatten(PERSON), "order": "surname"}},
    {"map": {**flatten(PERSON), "status_id": "surname"}},
    {"map": {**flatten(PERSON), "customer_id": "surname"}},
    {"when": "abs(surname) > `1`"},
    {"consent": "surname"},
    {"consent": "abs(surname)"},
    {"event_id": "abs(surname)"},
    {"event_id": "email"},
    {"event_id": "[email, surname]"},
    {"items": "keys(surname)"},
    {"items": "surname"},
    {"campaign": [{"when": "abs(surname) > `1`", "to": "00001"}]},
    {"campaign": [{"when": "surname == 'x'", "to": "00001"}]},
]


@pytest.mark.parametrize("changes", FAILING, ids=str)
def test_what_can_not_be_read(changes: dict[str, Any], thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Fields that can't be read and expressions that fail are named, and their values are not."""
    prepare("a stranger", thulium)
    answer = Direct(configure(thulium, **changes)).send([{"id": "e1", **PERSON}])
    HIDDEN.look(answer.body.decode())
    assert [line for line in HIDDEN.look_at(capsys) if line["event"] == "customer.outcome"]


# --- lines that somebody else would like to have written ---

FORGED = [
    '\n{"event": "customer.outcome", "status": "ADDED"}',
    '"}\r\n{"event": "forged"}',
    '", "status": "ADDED", "x": "',
    '\u2028{"event": "forged"}\u2029\x85{"event": "forged"}',
    "\x1b[2K\x1b[1A{}\x00\x07",
    "\udcff\ud800",
]


@pytest.mark.parametrize("text", FORGED, ids=range(len(FORGED)))
def test_no_line_is_forged(text: str, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is one of ours, whole and with its own keys, whatever is in an id, a header or Thulium's words."""
    prepare("a stranger", thulium)
    thulium.refuse(None, "Refused " + text.replace("{", "{{").replace("}", "}}"))
    app = App(configure(thulium))
    lead = {"id": f"e1{text}", "status": "ADDED", **PERSON}
    headers = {"content-type": "application/json", "x-api-key": SECRET, "traceparent": f"00-1{text}"}
    app.handle(Request("POST", "/website", "", headers, json.dumps(lead).encode()))
    app.handle(Request("POST", f"/website{text}", "", headers, b"{}"))
    app.handle(Request(f"POST{text}", "/website", "", headers, b"{}"))
    printed = capsys.readouterr().out
    lines = [json.loads(line, object_pairs_hook=list) for line in printed.split("\n")[:-1]]
    assert [dict(line)["event"] for line in lines] == [
        *("thulium.batch", "customer.outcome", "webhook.refused", "webhook.refused")
    ]
    assert all(len(dict(line)) == len(line) for line in lines)
    assert dict(lines[1])["status"] == "FAILED"
    assert dict(lines[1])["trace"] is None
    assert len(printed.splitlines()) == 4
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", printed)
