"""Whatever people's data stands in whichever place of a request, no line of the log holds a piece of it."""

import io
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import closing, redirect_stdout
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback import log
from ringback.app import App
from ringback.group import make_grouping
from ringback.pipeline import Pipeline
from ringback.queues.cloud_tasks import CloudTasksQueue
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.worker import Way
from ringback.queues.sqs import SqsQueue
from ringback.settings import Settings
from ringback.web import Request
from tests.amazon import Amazon
from tests.cloud_tasks import CloudTasks
from tests.given import SECRET, load
from tests.sandbox import Sandbox
from tests.working import work_off

KEYS = ("an-invented-key-long-enough", "another-invented-key-of-the-log")
FIELDS = (
    "name",
    "surname",
    "phone_number",
    "email",
    "identifier",
    "customer_id",
    "note",
    "next_call_date",
    "status_id",
)
LABELS = ("custom_fields.Miasto", "nip", "job")
SOURCE: dict[str, Any] = {
    "verify": {"scheme": "token", "header": "X-Own-Key"},
    "secret": SECRET,
    "answers": {"items": "answers", "fields": "questions"},
    "event_id": 'first(id, _request.headers."x-id", _request.query.id)',
    "map": {
        **{name: name for name in FIELDS},
        **{name: {"label": name} for name in LABELS},
        "job_title": "_request.query.job",
        "homepage": '_request.headers."x-page"',
    },
    "when": "!(_request.query.gone)",
    "campaign": [{"when": "_request.headers.\"x-to\" == 'b'", "to": "callbacks"}, {"to": "callbacks"}],
    "answer_within": 3,
}


def configure(thulium: Sandbox, key: str, **changes: Any) -> Settings:
    """Return settings under a key of the log."""
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
    campaign = {"id": "00001", "set": {"status_id": 3}, "later": {"status_id": 7}}
    sources = {"website": {**SOURCE, **changes}}
    return load({"thulium": access, "log_key": key, "campaigns": {"callbacks": campaign}, "sources": sources})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    log.configure()
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def configured(sandbox: Sandbox) -> list[Settings]:
    """The settings under each of the keys."""
    return [configure(sandbox, key) for key in KEYS]


# --- people ---


@dataclass(frozen=True)
class Person:
    """Somebody, with what must not be seen of them: words in small letters without accents, and runs of digits."""

    written: tuple[object, ...]
    words: frozenset[str]
    runs: frozenset[str]


def plain(text: str) -> str:
    """Return a text in small letters, without accents."""
    bare = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
    return "".join(char for char in bare if not unicodedata.combining(char))


def cut(digits: str, length: int = 4) -> set[str]:
    """Return each run of so many digits, but for those of the campaign's id."""
    return {digits[n : n + length] for n in range(len(digits) - length + 1)} - {"0000", "0001", "1000"}


NAMES = ("Żółcisława", "Kowalewska", "GĘŚLĄ-JAŹŃ", "Łukasiewicz", "wiśniewski", "Abbadabba")
STREETS = ("ul. Kurza 17/4, 12-345 Wąchock", "Aleja Krótka 9m3")
SPELLINGS = (
    "{0}", "+48{0}", "48{0}", "0048{0}", "0{0}", "+48 {1} {2} {3}", "{1}-{2}-{3}", "(+48) {1} {2} {3}", "{1}.{2}.{3}",
    "tel. {1} {2} {3}", "{0}.0", "49{0}", "{0}1700000000", "000000000000{0}00000000000", "a{0}b", "0000000048{0}abc",
)  # fmt: skip


@st.composite
def people(draw: st.DrawFn) -> Person:
    """Draw a person, whose data is written in one of the ways in which people and machines write it."""
    name = draw(st.sampled_from(NAMES) | st.text("ąbcćdeęfhłókmńprśż", min_size=5, max_size=12))
    street = draw(st.sampled_from(STREETS))
    number = draw(st.sampled_from(["511", "661", "721", "884"])) + draw(st.text("123456789", min_size=6, max_size=6))
    born = draw(st.dates(date(1930, 1, 1), date(1999, 12, 28)))
    pesel = f"{born:%y%m%d}{draw(st.integers(10000, 99999))}"
    parts = number, number[:3], number[3:6], number[6:]
    numbers = [form.format(*parts) for form in SPELLINGS]
    numbers.append("".join(chr(ord(digit) + 0xFEE0) for digit in number))
    texts = [name, name.upper(), plain(name), f"{name}.{number}", f"{plain(name)}-{pesel}", f"{plain(name)}1", street]
    dates = [
        pesel,
        f"{born:%Y%m%d}",
        f"{born:%d.%m.%Y}",
        born.isoformat(),
        f"{born:%d%m%Y}",
        f"{pesel[:6]}-{pesel[6:]}",
    ]
    words = {word for text in (name, street) for word in re.findall(r"[a-z]{4,}", plain(text))}
    runs = cut(number) | cut(pesel, 6) | cut(f"{born:%Y%m%d}", 6) | cut(f"{born:%d%m%Y}", 6)
    mail = f"{plain(name)}@example.com"
    return Person((*numbers, int(number), pesel, int(pesel), *texts, *dates, mail), frozenset(words), frozenset(runs))


PREFIXES = ("", "evt_", "lead-", "wf/", "customer:", "u-", "Jan-", "urn:uuid:", "e")
PLACES = (
    *(f"body.{name}" for name in ("id", *FIELDS, "extra")),
    *(f"label.{name}" for name in (*LABELS, "other")),
    *("header.x-id", "header.x-page", "header.x-to", "header.user-agent", "header.cookie"),
    *("header.traceparent", "header.x-cloud-trace-context", "header.x-amzn-trace-id"),
    *("query.id", "query.job", "query.gone", "query.other", "key", "question"),
)
TRACES = {
    "traceparent": "00-{:0>32}-0000000000000001-01",
    "x-cloud-trace-context": "{:0>32}/1",
    "x-amzn-trace-id": "Root=1-67891233-{:0>24}",
}


@st.composite
def requests(draw: st.DrawFn) -> tuple[Request, Person]:
    """Draw a request with a person's data in some of its places."""
    person = draw(people())
    data = st.sampled_from(person.written)
    ids = st.builds("{}{}".format, st.sampled_from(PREFIXES), data)
    places = draw(st.dictionaries(st.sampled_from(PLACES), data | ids, max_size=8))
    body: dict[str, Any] = {"phone_number": "661 222 333", "answers": [], "questions": []}
    headers = {"x-own-key": SECRET, "content-type": "application/json"}
    query = {}
    for place, value in places.items():
        part, _, name = place.partition(".")
        if part == "body":
            body[name] = value
        elif part == "label":
            body["answers"].append({"id": name, "label": name, "value": value})
        elif part == "header":
            headers[name] = to_header(TRACES.get(name, "{}").format(str(value)))
        elif part == "query":
            query[name] = str(value)
        elif part == "key":
            body[str(value)] = {str(value): value}
        else:
            body["questions"].append({"id": str(value), "label": str(value)})
            body["answers"].append({"id": str(value), "value": value})
    target = urlencode(query)
    return Request("POST", "/website", target, headers, json.dumps(body, ensure_ascii=False).encode()), person


def to_header(text: str) -> str:
    """Return a text as a header has it: each of its bytes as a character."""
    return text.encode().decode("latin-1")


# --- what is said of them ---

NOT_LOOKED_AT = ("message", "received_at", "received_last", "known_until", "started_at", "due_at", "told_at")
HASH = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b")


OUR_OWN = "8601 (2026-11-03t10:00:00+01:00)"  # the example in a reason


def hunt(text: str, person: Person, request: Request) -> None:
    """Fail if a piece of a person is in what was logged or answered, beside hashes, which are not in the request."""
    sent = f"{request.query} {request.headers} {request.body.decode()}"
    bare = HASH.sub(lambda found: found[0] if found[0] in sent else "", plain(text)).replace(OUR_OWN, "")
    assert not [word for word in person.words if word in bare], text
    digits = re.sub(r"[\s().-]", "", bare)
    assert not [run for run in person.runs if run in digits], text


def read_lines(printed: str) -> list[dict[str, Any]]:
    """Return the lines of the log, without what is of the clock."""
    lines = [json.loads(line) for line in printed.splitlines()]
    return [{key: value for key, value in line.items() if key not in ("time", "duration_ms")} for line in lines]


def go(app: App, request: Request, queue: SqliteQueue | None = None) -> tuple[str, list[dict[str, Any]]]:
    """Have a request answered, and its events delivered; return the answer and the log."""
    with redirect_stdout(io.StringIO()) as printed:
        answer = app.handle(request)
        if queue:
            work_off(queue, Way(Pipeline(app.settings).deliver))
    return answer.body.decode(), read_lines(printed.getvalue())


def read_rows(queue: SqliteQueue) -> list[Mapping[str, Any]]:
    """Return all that a queue's file has, but for the events themselves and for times."""
    rows = [dict(row) for row in queue.database.read("SELECT * FROM event", {})]
    return [{name: value for name, value in row.items() if name not in NOT_LOOKED_AT} for row in rows]


@settings(deadline=None, max_examples=50)
@given(requests())
def test_no_piece_in_the_log_or_a_key(
    sandbox: Sandbox, configured: list[Settings], drawn: tuple[Request, Person]
) -> None:
    """Names, numbers and addresses are in no line, no answer and no key, wherever they came; keys take the key."""
    request, person = drawn
    sandbox.reset()
    sandbox.add_campaign("00001")
    answer, lines = go(App(configured[0]), request)
    assert [line for line in lines if line["event"].startswith("customer.")]
    hunt(f"{answer} {json.dumps(lines, ensure_ascii=False)}", person, request)
    known: list[set[str]] = []
    with TemporaryDirectory() as folder:
        for n, each in enumerate(configured):
            with closing(SqliteQueue(f"{folder}/{n}.db")) as queue:
                answer, lines = go(App(each, queue), request, queue)
                rows = read_rows(queue)
            hunt(f"{answer} {json.dumps([lines, rows], ensure_ascii=False)}", person, request)
            known.append({str(row[name]) for row in rows for name in ("key", "id", "person") if row[name]})
    assert all(each in f"{request.query} {request.headers} {request.body.decode()}" for each in known[0] & known[1])


# --- what is stored ---

LEADS: tuple[Mapping[str, str], ...] = (
    {"phone_number": "+48 601 222 333"},
    {"id": "601222333", "phone_number": "601 222 333"},
    {"id": "Kowalewska", "email": "kowalewska@example.com"},
    {"identifier": "44051401359"},
)


def send_all(app: App) -> None:
    """Post each of the leads."""
    for body in LEADS:
        headers = {"x-own-key": SECRET, "content-type": "application/json"}
        answer = app.handle(Request("POST", "/website", "", headers, json.dumps(body).encode()))
        assert answer.status == 200


def test_groups_of_sqs_are_keyed(thulium: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a message's group and its id nothing can be worked out without the key of the log."""
    with Amazon() as amazon:
        for name, value in amazon.environ.items():
            monkeypatch.setenv(name, value)
        known = []
        for n, key in enumerate(KEYS):
            url, own = amazon.make_queue(f"leads{n}"), configure(thulium, key)
            send_all(App(own, SqsQueue(url, amazon.make_queue(f"letters{n}"), make_grouping(own))))
            got = amazon.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"])
            told = [message["Attributes"] for message in got["Messages"]]
            known.append({each["MessageGroupId"] for each in told} | {each["MessageDeduplicationId"] for each in told})
    assert [len(each) for each in known] == [7, 7]
    assert not known[0] & known[1]


def test_names_of_tasks_are_keyed(thulium: Sandbox) -> None:
    """Of a task's name nothing can be worked out without the key of the log."""
    known = []
    for key in KEYS:
        with CloudTasks() as cloud:
            queue = CloudTasksQueue("projects/a/locations/b/queues/c", "https://example.com", "a@b.c", cloud.address)
            send_all(App(configure(thulium, key), queue))
            known.append({task.name for task in cloud.tasks})
    assert [len(each) for each in known] == [4, 4]
    assert not known[0] & known[1]


@pytest.mark.parametrize("where", ["headers", "query"])
def test_large_request_with_many_events(where: str, thulium: Sandbox, tmp_path: Path) -> None:
    """What 1,000 events are stored with is a small multiple of what was sent, however large headers and query are."""
    leads = [{"id": n, "phone_number": f"661{n:06}"} for n in range(1000)]
    large = "x" * 31_000
    headers = {
        "x-own-key": SECRET,
        "content-type": "application/json",
        **({"x-note": large} if where == "headers" else {}),
    }
    query = f"note={large}" if where == "query" else ""
    request = Request("POST", "/website", query, headers, json.dumps(leads, separators=(",", ":")).encode())
    with closing(SqliteQueue(str(tmp_path / "queue.db"))) as queue:
        assert App(configure(thulium, KEYS[0]), queue).handle(request).status == 200
        ((count, stored),) = queue.database.read("SELECT count(*), sum(length(message)) FROM event", {})
    assert count == 1000
    assert stored < 6 * (len(request.body) + len(large))


def test_large_header_that_is_read(thulium: Sandbox, tmp_path: Path) -> None:
    """Where a rule reads what is so large, nothing is stored for so many events, and for one it is."""
    with closing(SqliteQueue(str(tmp_path / "queue.db"))) as queue:
        app = App(configure(thulium, KEYS[0]), queue)
        headers = {"x-own-key": SECRET, "content-type": "application/json", "x-page": "x" * 31_000}
        for body, status in ((b"[" + b"{}," * 999 + b"{}]", 413), (b"[{}]", 200)):
            assert app.handle(Request("POST", "/website", "", headers, body)).status == status
        ((count, stored),) = queue.database.read("SELECT count(*), sum(length(message)) FROM event", {})
    assert count == 1
    assert stored < 32_000
