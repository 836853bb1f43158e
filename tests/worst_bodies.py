"""The worst bodies of each format, and what one costs: ``python -m tests.worst_bodies json`` measures those of one.

Each is handled in a process of its own, forked when all is loaded: what it takes is what the body takes. Prints a line
of JSON for each: its name, the source, the status, seconds of processor time, and bytes of memory above the others'.
"""

import gzip
import json
import os
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from ringback import log
from ringback.app import App
from ringback.body import FORM, JSON, TYPES, XML
from ringback.queues.sqlite import SqliteQueue
from ringback.web import MAX_BODY, MAX_VALUES, Request
from tests.given import SECRET, load, make_config

MULTIPART = "multipart/form-data; boundary=b"
NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
BOMB = bytes(200_000_000)


@dataclass(frozen=True)
class Body:
    """A body, and what its headers say of it."""

    content: bytes
    content_type: str
    encoding: str = ""


def fill(piece: bytes, start: bytes = b"", end: bytes = b"", between: bytes = b"", size: int = MAX_BODY) -> bytes:
    """Return a body of so many equal pieces as it may have."""
    count = (size - len(start) - len(end) + len(between)) // (len(piece) + len(between))
    return start + between.join([piece] * count) + end


def number(
    make: Callable[[int], bytes], start: bytes = b"", end: bytes = b"", between: bytes = b"", most: int = MAX_BODY
) -> bytes:
    """Return a body of different pieces, at most so many, as long as there is room."""
    pieces, size = list[bytes](), len(start) + len(end)
    while len(pieces) < most and size + len(piece := make(len(pieces))) + len(between) <= MAX_BODY:
        pieces.append(piece)
        size += len(piece) + len(between)
    return start + between.join(pieces) + end


def part(name: bytes, content: bytes = b"x", more: bytes = b"") -> bytes:
    """Return a part of a multipart form."""
    return b'--b\r\nContent-Disposition: form-data; name="' + name + b'"\r\n' + more + b"\r\n" + content + b"\r\n"


def encode_often() -> bytes:
    """Return JSON that was encoded again and again, as long as there is room."""
    text = "{}"
    while len(again := json.dumps(text)) <= MAX_BODY:
        text = again
    return text.encode()


def define_entities() -> bytes:
    """Return a DTD whose entities expand to gigabytes, and the document that uses them."""
    each = (b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    return b'<!DOCTYPE l [<!ENTITY a "' + b"ha" * 500 + b'">' + b"".join(each) + b"]><l>" + b"&j;" * 1000 + b"</l>"


def list_events(make: Callable[[int], object], count: int = 1000) -> bytes:
    """Return a list of events, as many as a request may have."""
    return json.dumps([make(n) for n in range(count)], ensure_ascii=False).encode()


def form(**rest: Any) -> bytes:
    """Return the body of a form tool, with an id that may be somebody's number."""
    return json.dumps({"id": "1234567", **rest}, ensure_ascii=False).encode()


SOME = MAX_VALUES - 100  # values that pass
FIELDS = [f"k{n}" for n in range(SOME // 1000 - 3)]  # of each of a thousand events
WORST: Mapping[str, Mapping[str, Callable[[], bytes]]] = {
    "json": {
        "deep": lambda: b"[" * MAX_BODY,
        "deep and closed": lambda: fill(b"[" * 30 + b"]" * 30, b"[", b"]", b","),
        "whole numbers": lambda: fill(b"1", b"[", b"]", b","),
        "fractions": lambda: fill(b"1.5", b"[", b"]", b","),
        "exponents": lambda: fill(b"1e9", b"[", b"]", b","),
        "long fractions": lambda: fill(b"0.1234567890123456789012345678901234567890", b"[", b"]", b","),
        "huge exponents": lambda: fill(b"1e99999999999", b"[", b"]", b","),
        "lists": lambda: fill(b"[]", b"[", b"]", b","),
        "objects": lambda: fill(b"{}", b"[", b"]", b","),
        "objects in objects": lambda: fill(b'{"":{"":{}}}', b"[", b"]", b","),
        "texts": lambda: fill('"ł"'.encode(), b"[", b"]", b","),
        "keys": lambda: number(lambda n: b'"%x":1' % n, b"{", b"}", b","),
        "the same key": lambda: fill(b'"":1', b"{", b"}", b","),
        "one number": lambda: b"1" * MAX_BODY,
        "one fraction": lambda: b"0." + b"1" * (MAX_BODY - 2),
        "one exponent": lambda: b"1e" + b"9" * (MAX_BODY - 2),
        "one text": lambda: b'"' + b"a" * (MAX_BODY - 2) + b'"',
        "escapes": lambda: fill(rb"\u0142", b'"', b'"'),
        "half characters": lambda: fill(rb"\ud83d", b'"', b'"'),
        "texts of half characters": lambda: fill(rb'"\ud83d"', b"[", b"]", b","),
        "backslashes": lambda: b'"' + b"\\" * (MAX_BODY - 2) + b'"',
        "quotes": lambda: b'"' * MAX_BODY,
        "blanks": lambda: b" " * (MAX_BODY - 2) + b"{}",
        "control characters": lambda: b'"' + b"\n" * (MAX_BODY - 2) + b'"',
        "nothings": lambda: fill(b"NaN", b"[", b"]", b","),
        "zeros": lambda: bytes(MAX_BODY),
        "no UTF-8": lambda: b'"' + b"\xff" * (MAX_BODY - 2) + b'"',
        "UTF-16": lambda: ("\ufeff[" + "1," * (MAX_BODY // 4 - 4) + "1]").encode("utf-16-le"),
        "half of UTF-16": lambda: ("[" + "1," * (MAX_BODY // 4 - 4) + "1]").encode("utf-16-le") + b"x",
        "encoded twice": lambda: json.dumps("[" + "{}," * 349_000 + "{}]").encode(),
        "encoded often": encode_often,
    },
    "form": {
        "fields": lambda: fill(b"a=1", between=b"&"),
        "ampersands": lambda: b"&" * MAX_BODY,
        "names": lambda: number(lambda n: b"%x=" % n, between=b"&", most=SOME),
        "levels": lambda: number(lambda n: b"%x%s=1" % (n, b"[b]" * 31), between=b"&"),
        "short levels": lambda: number(lambda n: b"%x%s=" % (n, b"[]" * 10), between=b"&"),
        "the same levels": lambda: fill(b"a" + b"[b]" * 31 + b"=", between=b"&"),
        "elements": lambda: fill(b"a[]=", between=b"&", size=SOME * 2),
        "indices": lambda: number(lambda n: b"a[%d]=" % n, between=b"&", most=SOME // 2),
        "indices backwards": lambda: number(lambda n: b"a[%d]=" % (SOME - n), between=b"&", most=SOME // 2),
        "brackets": lambda: b"a" + b"[" * (MAX_BODY // 2) + b"]" * (MAX_BODY // 2 - 1),
        "one deep name": lambda: b"a" + b"[]" * (MAX_BODY // 2 - 1),
        "one long name": lambda: b" " * (MAX_BODY - 2) + b"[]",
        "percent signs": lambda: b"a=" + b"%" * (MAX_BODY - 2),
        "bad escapes": lambda: fill(b"%zz", b"a="),
        "escapes": lambda: fill(b"%41", b"a="),
        "escapes apart": lambda: fill(b"%41a", b"a="),
        "broken letters": lambda: fill(b"%ffa", b"a="),
        "escaped names": lambda: number(lambda n: b"%%41%x=%%ff" % n, between=b"&", most=SOME),
        "pluses": lambda: b"a=" + b"+" * (MAX_BODY - 2),
        "equals signs": lambda: b"=" * MAX_BODY,
        "no UTF-8": lambda: b"a=" + b"\xff" * (MAX_BODY - 2),
        "values and objects": lambda: fill(b"a=1&a[b]=2", between=b"&", size=SOME * 2),
    },
    "multipart": {
        "parts": lambda: fill(part(b"a"), end=b"--b--\r\n"),
        "names": lambda: number(lambda n: part(b"%x" % n, b""), end=b"--b--\r\n"),
        "levels": lambda: number(lambda n: part(b"%x%s" % (n, b"[b]" * 31), b""), end=b"--b--\r\n"),
        "no end": lambda: fill(part(b"a")),
        "headers": lambda: fill(part(b"a", more=b"X:y\r\n" * 3), end=b"--b--\r\n"),
        "charsets": lambda: fill(part(b"a", more=b"Content-Type:a;charset=latin-2\r\n"), end=b"--b--\r\n"),
        "many headers": lambda: fill(b"X: y\r\n", b"--b\r\n", b"\r\nx\r\n--b--"),
        "lines": lambda: b"\r\n" * (MAX_BODY // 2),
        "lines in a part": lambda: part(b"a", fill(b"\r\n", size=MAX_BODY - 80)) + b"--b--\r\n",
        "almost boundaries": lambda: part(b"a", fill(b"\r\n--c", size=MAX_BODY - 80)) + b"--b--\r\n",
        "dashes": lambda: b"-" * MAX_BODY,
        "one long boundary": lambda: b"--" + b"b" * (MAX_BODY - 2),
        "long boundaries": lambda: fill(b"\r\n--" + b"b" * 500, b"--" + b"b" * 501 + b"\r\n"),
    },
    "xml": {
        "elements": lambda: fill(b"<b/>", b"<a>", b"</a>"),
        "elements with attributes": lambda: fill(b'<b c="d"/>', b"<a>", b"</a>"),
        "names": lambda: number(lambda n: b"<b%x/>" % n, b"<a>", b"</a>"),
        "deep": lambda: b"<a>" * (MAX_BODY // 3),
        "deep and closed": lambda: fill(b"<a>" * 30 + b"</a>" * 30, b"<a>", b"</a>"),
        "attributes": lambda: number(lambda n: b'a%x=""' % n, b"<a ", b"/>", b" "),
        "attributes of many": lambda: fill(number(lambda n: b'a%x=""' % n, b"<b ", b"/>", b" ", 999), b"<a>", b"</a>"),
        "a long namespace": lambda: fill(b"<b/>", b'<a xmlns="' + b"u" * 512_000 + b'">', b"</a>"),
        "namespaces": lambda: number(lambda n: b'xmlns:a%x="u"' % n, b"<a ", b"/>", b" "),
        "prefixes": lambda: number(lambda n: b"<b%x:c/>" % n, b"<a>", b"</a>"),
        "references": lambda: fill(b"&amp;", b"<a>", b"</a>"),
        "references of characters": lambda: fill(b"&#65;", b"<a>", b"</a>"),
        "ampersands": lambda: fill(b"&", b"<a>", b"</a>"),
        "CDATA": lambda: fill(b"<![CDATA[x]]>", b"<a>", b"</a>"),
        "open CDATA": lambda: fill(b"<![CDATA[", b"<a>", b"</a>"),
        "comments": lambda: fill(b"x<!---->", b"<a>", b"</a>"),
        "instructions": lambda: fill(b"x<?y?>", b"<a>", b"</a>"),
        "lines": lambda: fill(b"x\r\n", b"<a>", b"</a>"),
        "texts between elements": lambda: fill(b"x" * 20 + b"<b/>", b"<a>", b"</a>"),
        "one text": lambda: fill(b"x", b"<a>", b"</a>"),
        "one long name": lambda: b"<%s></%s>" % ((b"a" * (MAX_BODY // 2 - 3),) * 2),
        "one long attribute": lambda: fill(b"x", b'<a b="', b'"/>'),
        "control characters": lambda: fill(b"\x01", b"<a>", b"</a>"),
        "no UTF-8": lambda: fill(b"\xff", b"<a>", b"</a>"),
        "entities": define_entities,
        "entities at the end": lambda: b"<!--" + b" " * 1_000_000 + b"-->" + define_entities(),
        "one large entity": lambda: b'<!DOCTYPE l [<!ENTITY a "%s">]><l>%s</l>' % (b"x" * 500_000, b"&a;" * 99_999),
        "many entities": lambda: number(lambda n: b'<!ENTITY a%x "x">' % n, b"<!DOCTYPE l [", b"]><l/>"),
    },
    "gzip": {
        "a bomb": lambda: gzip.compress(BOMB),
        "a bomb in gzip": lambda: gzip.compress(gzip.compress(BOMB)),
        "objects": lambda: gzip.compress(fill(b"{}", b"[", b"]", b",")),
        "members": lambda: fill(gzip.compress(b"")),
        "half": lambda: gzip.compress(os.urandom(900_000))[:800_000],
        "no gzip": lambda: fill(b"{}", b"[", b"]", b","),
    },
    "deflate": {
        "a bomb": lambda: zlib.compress(BOMB),
        "empty blocks": lambda: fill(b"\x00\x00\x00\xff\xff"),
    },
    "events": {
        "long numbers": lambda: list_events(lambda _: {"id": "1234567", "phone": "6" * 950}),
        "long names": lambda: list_events(lambda _: {"id": "1234567", "name": "ab " * 320}),
        "long ids": lambda: list_events(lambda _: {"id": "%" * 950}),
        "many fields": lambda: list_events(lambda n: {"id": f"{n:07}", **dict.fromkeys(FIELDS, 1)}),
        "one long id": lambda: form(id="%" * 1_000_000),
        "one long number": lambda: form(phone="6" * 1_000_000),
        "one long name": lambda: form(name="a " * 500_000),
        "digits of another script": lambda: form(phone="٦" * 500_000),
        "empty answers": lambda: form(answers=[{}] * (SOME // 2)),
        "answers": lambda: form(answers=[{"label": f"{n:x}"} for n in range(SOME // 3)]),
        "answers to one question": lambda: form(
            fields=[{"id": "q", "options": [{"id": f"{n}", "text": "x"} for n in range(SOME // 7)]}],
            answers=[{"id": "q", "value": f"{n}"} for n in range(SOME // 8)],
        ),
        "options of each answer": lambda: form(
            answers=[{"id": "q", "options": [{"id": "1", "text": "a"}], "value": "1"}] * (SOME // 10)
        ),
        "an object of answers": lambda: form(data={f"{n:x}": "" for n in range(SOME)}),
    },
}
DECLARED = {"json": JSON, "form": FORM, "multipart": MULTIPART, "xml": XML}
SOURCE: Mapping[str, Any] = {
    "secret": SECRET,
    "body": list(TYPES),
    "map": {"phone_number": "phone", "name": "name", "full_name": "name", "email": "email"},
    "campaign": "00001",
}
TOKEN = {"scheme": "token", "header": "X-Api-Key"}
UNPROVEN = {  # by the name of the source: no request here has its proof
    "token in the body": {**SOURCE, "verify": {"scheme": "token", "field": "token"}},
    "signed": {**SOURCE, "verify": {"scheme": "hmac", "header": "X-Signature"}},
    "signed form": {**SOURCE, "verify": {"scheme": "hmac", "header": "X-Signature", "signed": "{url}{sorted_form}"}},
}
PROVEN = {  # each request has its proof
    "events": {
        **SOURCE,
        "verify": TOKEN,
        "event_id": "id",
        "volatile": ["a", "b.c", "[].d"],
        "empty": "null",
        "only": "!gone",
        "when": "a != `1`",
    },
    "answers": {
        **SOURCE,
        "verify": TOKEN,
        "event_id": "id",
        "consent": {"label": "Zgoda"},
        "map": {name: {"label": name} for name in ("phone_number", "name", "full_name", "email", "note")},
        "answers": {
            "items": "answers[].{id: id, ref: ref, label: label, type: type, value: value, options: options}",
            "object": "data || @",
            "fields": "fields[].{id: id, ref: ref, label: label, type: type, options: options}",
        },
    },
}
LONGEST = dict.fromkeys(UNPROVEN, 0.3) | dict.fromkeys(PROVEN, 1.0)  # seconds of processor time


@dataclass(frozen=True)
class Cost:
    """What one body has cost."""

    body: str
    source: str
    status: int
    seconds: float
    memory: int


def make_apps(folder: str) -> Mapping[str, App]:
    """Return the app of each source, each with a queue that is not open yet."""
    apps = {}
    for name, source in (UNPROVEN | PROVEN).items():
        top = {"public_url": "https://hooks.example.com", "store": "values" if name == "answers" else "event"}
        settings = load(make_config(source, log_key=SECRET, **top))
        apps[name] = App(settings, SqliteQueue(f"{folder}/{name}.db"), clock=lambda: NOW)
    return apps


def warm_up(folder: str) -> None:
    """Have all that is imported late, or made once, be there, as in a process that has answered before."""
    (Path(folder) / "warm").mkdir()
    bodies = [(b'{"id": 1}', JSON), (b"a=1", FORM), (b"<a/>", XML), (part(b"a") + b"--b--", MULTIPART)]
    for app in make_apps(f"{folder}/warm").values():
        for content, content_type in bodies:
            with redirect_stdout(StringIO()):
                app.handle(make_request(Body(content, content_type)))


def make_request(body: Body) -> Request:
    """Return a request that has the right token and a wrong signature."""
    headers = {"content-type": body.content_type, "x-api-key": SECRET, "x-signature": "0" * 64}
    encoded = {"content-encoding": body.encoding} if body.encoding else {}
    return Request("POST", "/website", "", {**headers, **encoded}, body.content)


def measure(app: App, body: Body) -> tuple[int, float, int]:
    """Return the status that a body is answered with in a process of its own, and what that has cost."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
        status = app.handle(make_request(body)).status
        seconds = time.process_time() - started
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        os.write(writing, json.dumps([status, seconds, memory]).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        status, seconds, memory = json.loads(told.read())
    os.wait()
    return status, seconds, memory


def measure_all(kind: str) -> Iterator[Cost]:
    """Yield what each body of one kind costs each source; too much is tried again, on a busy machine."""
    with tempfile.TemporaryDirectory() as folder:
        warm_up(folder)
        apps = make_apps(folder)
        for name, make in WORST[kind].items():
            body = Body(make(), DECLARED.get(kind, JSON), kind if kind in ("gzip", "deflate") else "")
            assert len(body.content) <= MAX_BODY, name
            for source, app in apps.items():
                tries = [measure(app, body)]
                while tries[-1][1] > LONGEST[source] and len(tries) < 5:
                    tries.append(measure(app, body))
                yield Cost(name, source, *min(tries, key=lambda each: each[1]))


if __name__ == "__main__":
    log.configure()
    for cost in measure_all(sys.argv[1]):
        print(json.dumps(vars(cost)), flush=True)
