"""Whatever is sent, by anybody: no error of ours, one line of JSON, and nothing that grows."""

import gzip
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback import log
from ringback.app import App
from ringback.grammar.preset import list_presets
from ringback.web import MAX_BODY, Request, Response
from tests.every_preset import load_all, sign_for
from tests.given import LOG_KEY, SECRET
from tests.preset_cases import serve
from tests.sandbox import Sandbox
from tests.served import Served

NOW = datetime(2026, 3, 2, 11, 0, 0, tzinfo=UTC)
JSON, FORM, XML = "application/json", "application/x-www-form-urlencoded", "text/xml"
MULTIPART = "multipart/form-data; boundary=b"
LEAD_FIELDS = (
    *("customer_id", "status_id", "agent_login", "next_call_date", "order"),
    *("surname", "name", "full_name", "email", "phone_number", "identifier", "note", "type", "group", "nip"),
    *("job_title", "custom_fields.budget"),
)
OPEN: dict[str, Any] = {
    "verify": "none",
    "answer_within": 5,
    "items": "items || @",
    "event_id": "id",
    "when": "score != `10`",
    "consent": "agreed",
    "map": {name: f'"{name}"' for name in LEAD_FIELDS},
    "campaign": [{"when": "lang == 'de'", "to": "00002"}, {"to": "00001"}],
}
CAMPAIGNS = {name: {"id": name, "later": {"status_id": 7}} for name in ("00001", "00002")}
PLAIN = {"secret": SECRET, "map": {"customer_id": "id"}, "campaign": "00001"}
SIGNED = {
    "scheme": "hmac",
    "header": "X-Signature",
    "encoding": "base64",
    "signed": "{timestamp}.{url}.{body}",
    "timestamp": {"header": "X-Time", "unit": "s", "tolerance": 300},
}
OWN = {
    "open": OPEN,
    "signed": {**PLAIN, "verify": SIGNED},
    "jws": {**PLAIN, "verify": {"scheme": "jws", "header": "X-Jws"}},
    "basic": {**PLAIN, "verify": {"scheme": "basic"}, "secret": f"user:{SECRET}"},
}
SOURCES = [*list_presets(), *OWN]


@pytest.fixture(scope="module")
def app() -> Iterator[App]:
    """An app with every preset, and with sources of other kinds."""
    log.configure()
    with Sandbox() as thulium, serve() as sender:
        thulium.add_campaign("00001")
        thulium.add_campaign("00002")
        access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
        yield App(load_all(access, sender.url, OWN, campaigns=CAMPAIGNS), clock=lambda: NOW)


def check(response: Response, printed: str) -> None:
    """It is no error of ours, and one line of JSON, unless it is what a handshake asked to be echoed."""
    assert response.status < 500
    kind = response.headers.get("Content-Type", "")
    assert kind.startswith(("application/json", "text/plain"))
    if kind == JSON:
        assert response.body.endswith(b"\n")
        assert response.body.count(b"\n") == 1
        assert isinstance(json.loads(response.body), dict)
    lines = [json.loads(line) for line in printed.splitlines()]
    assert [line for line in lines if line["event"] in ("internal.error", "queue.failed")] == []


def bomb(parts: int) -> bytes:
    return b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n' * parts + b"--b--\r\n"


LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)
PICKED = {
    "nothing": (b"", JSON),
    "blanks": (b" \n\t", JSON),
    "half": (b'{"id": 1', JSON),
    "deep list": (b"[" * 500_000, JSON),
    "deep and closed": (b"[" * 20_000 + b"]" * 20_000, JSON),
    "deep object": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, JSON),
    "wide list": (b"[" + b"1," * 500_000 + b"1]", JSON),
    "wide list of objects": (b"[" + b"{}," * 300_000 + b"{}]", JSON),
    "wide object": (b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b"}", JSON),
    "many leads": (b"[" + b",".join(b'{"id":"%d","agreed":1,"order":"x"}' % n for n in range(3000)) + b"]", JSON),
    "huge number": (b'{"id":1' + b"0" * 5000 + b',"agreed":1,"customer_id":1' + b"0" * 5000 + b"}", JSON),
    "huge exponent": (b'{"id":1e999999999,"agreed":1,"order":1e400,"customer_id":-1e400}', JSON),
    "tiny": (b'{"id":1e-999999999,"agreed":1,"order":-0.0}', JSON),
    "NaN": (b'{"id":NaN}', JSON),
    "Infinity": (b'{"id":-Infinity}', JSON),
    "no UTF-8": (b'{"id":"\xff\xfe\x80"}', JSON),
    "UTF-16": ('{"id":1}'.encode("utf-16"), JSON),
    "byte order mark": (b'\xef\xbb\xbf{"id":1,"agreed":1}', JSON),
    "lone surrogates": (b'{"id":"\\ud800","agreed":"1","surname":"\\udfff","phone_number":"\\ud83d601000001"}', JSON),
    "zero bytes": (b'{"id":"\\u0000","agreed":1,"surname":"\\u0000","phone_number":"601000001\\u0000"}', JSON),
    "line ends": (b'{"id":"a\\r\\nb","agreed":1,"agent_login":"a\\nb","email":"a\\n@example.com"}', JSON),
    "keys twice": (b'{"id":1,"id":2,"":3,"":4}', JSON),
    "odd keys": ('{"_request":{"headers":1},"_body":2,"__class__":3,"ł\\u0000":4}'.encode(), JSON),
    "null": (b"null", JSON),
    "text": (b'"text"', JSON),
    "number": (b"42", JSON),
    "list of nothings": (b'[null,1,"",[],{}]', JSON),
    "form bomb": (b"a=1&" * 260_000, FORM),
    "form of ampersands": (b"&" * MAX_BODY, FORM),
    "deep form": (b"a" + b"[b]" * 100_000 + b"=1", FORM),
    "many levels": (b"&".join(b"a%s=1" % (b"[b]" * 30) for _ in range(5000)), FORM),
    "form of brackets": (b"a" + b"[" * 300_000 + b"]" * 300_000 + b"=1", FORM),
    "indices": (b"a[999999999999]=1&a[-1]=2&a[]=3&a=4&a[b]=5&a[0][]=6", FORM),
    "broken percents": (b"a=%&b=%zz&%ff=%fe&c=%00&=&=1&phone_number=%ed%a0%80", FORM),
    "long number": (b"id=1&agreed=1&phone_number=" + b"6" * 900_000, FORM),
    "long field": (b"id=1&agreed=1&surname=" + b"\xc5\x82" * 400_000, FORM),
    "many blanks": (b"id=1&agreed=1&full_name=" + b"+" * 900_000 + b"x", FORM),
    "long address": (b"id=1&agreed=1&email=" + b"a@" * 400_000, FORM),
    "long date": (b"id=1&agreed=1&next_call_date=" + b"9" * 900_000, FORM),
    "multipart bomb": (bomb(18_000), MULTIPART),
    "multipart without an end": (bomb(3)[:-7], MULTIPART),
    "multipart without a boundary": (bomb(3), "multipart/form-data"),
    "multipart of one byte lines": (b"\r\n" * 500_000, MULTIPART),
    "multipart with long headers": (b"--b\r\n" + b"X: y\r\n" * 100_000 + b"\r\nx\r\n--b--", MULTIPART),
    "boundary that is no text": (bomb(3), "multipart/form-data; boundary=\udcff"),
    "boundary of kilobytes": (bomb(3), "multipart/form-data; boundary=" + "b" * 9000),
    "entities": (LAUGHS + b"]><l>&j;</l>", XML),
    "file entity": (b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><l>&a;</l>', XML),
    "remote DTD": (b'<!DOCTYPE l SYSTEM "http://127.0.0.1:9/x"><l/>', XML),
    "deep XML": (b"<a>" * 200_000, XML),
    "deep and closed XML": (b"<a>" * 100_000 + b"</a>" * 100_000, XML),
    "wide XML": (b"<a>" + b"<b/>" * 250_000 + b"</a>", XML),
    "attributes": (b"<a " + b" ".join(b'a%d="1"' % n for n in range(80_000)) + b"/>", XML),
    "XML of a codec": (b'<?xml version="1.0" encoding="unicode_escape"?><a>\\x41</a>', XML),
    "gzip": (gzip.compress(b'{"id":1}'), JSON),
    "bomb in gzip": (gzip.compress(bytes(100_000_000)), JSON),
    "too large": (b"[" + b" " * MAX_BODY + b"]", JSON),
    "odd type": (b'{"id":1}', "application/json; charset=utf-7; \x00=\udcff"),
    "no type": (b'{"id":1}', ""),
    "type of kilobytes": (b'{"id":1}', "a/" + "b" * 60_000),
    "type of semicolons": (b'{"id":1}', ";" * 60_000),
}


@pytest.mark.parametrize("name", PICKED)
def test_picked_bodies(name: str, app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody's body does harm, not even one that is rightly signed, whichever source it is sent to."""
    body, kind = PICKED[name]
    encoded = {"content-encoding": "gzip"} if "gzip" in name else {}
    request = Request("POST", "/open", "", {"content-type": kind, **encoded}, body)
    check(app.handle(request), capsys.readouterr().out)
    for preset in ("form", "meta", "salesforce"):
        check(app.handle(sign_for(preset, request, NOW)), capsys.readouterr().out)


PROOFS = (
    *(
        "",
        "ł",
        "\udcff",
        "\x00",
        "a" * 9000,
        "=",
        ",",
        "sha256=",
        "t=,v1=",
        "t=1,v1=ą",
        "Basic",
        "Basic ą",
        "Basic Og==",
    ),
    *("Basic Og==", "Bearer", "a.b.c", "..", "9" * 5000, "-1", "1e400", "١٢٣", "NaN", "\r\nX: y"),
)


@pytest.mark.parametrize("source", [source for source in SOURCES if source != "open"])
def test_odd_proofs(source: str, app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever the headers of a signature hold, it is refused, and nobody is asked anything."""
    names = {"x-signature", "x-time", "x-jws", "authorization", "x-api-key", "webhook-id", "webhook-timestamp"}
    names |= {str(getattr(scheme, "header", "")).lower() for scheme in app.settings.sources[source].verify}
    for text in PROOFS:
        headers = {**dict.fromkeys(names, text), "content-type": JSON}
        response = app.handle(Request("POST", f"/{source}", "token=" + text, headers, b'{"id":1}'))
        assert response.status == 401
        check(response, capsys.readouterr().out)


PATHS = (
    *("", "//", "/open/", "/open/x", "/../open", "/%6fpen", "/op\x00en", "/\udcff", "/open?x", "/OPEN"),
    "/" + "a" * 99_999,
)
METHODS = ("", "GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "post", "POST\r\n", "\udcff", "X" * 9999)


@pytest.mark.parametrize("method", METHODS, ids=range(len(METHODS)))
def test_odd_paths_and_methods(method: str, app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """No path and no method is an error of ours."""
    for path in (*PATHS, *(f"/{source}" for source in SOURCES)):
        response = app.handle(Request(method, path, "a=%ff&a;b=&&=", {"content-type": JSON}, b'{"id":1}'))
        check(response, capsys.readouterr().out)


# --- what nobody would think of ---

TEXTS = st.text(st.characters(), max_size=20) | st.text("0123456789+-.:@ TZ", max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
EVENTS = st.fixed_dictionaries(
    {"agreed": st.just("yes")}, optional=dict.fromkeys(("id", "score", "lang", "items", *LEAD_FIELDS), VALUES)
)
KINDS = st.sampled_from([JSON, FORM, MULTIPART, XML, "application/vnd.x+json", ""]) | TEXTS
NAMES = st.sampled_from(["x-signature", "x-time", "authorization", "traceparent", "content-type", "cookie"]) | TEXTS
ANYTHING = st.builds(
    Request,
    st.sampled_from(["POST", "GET", "HEAD"]) | TEXTS,
    st.sampled_from([f"/{source}" for source in SOURCES]) | TEXTS,
    TEXTS,
    st.dictionaries(NAMES, TEXTS | KINDS, max_size=4),
    st.binary(max_size=200),
)
often = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)


@often
@given(request=ANYTHING)
def test_any_request(request: Request, app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Any request at all is answered."""
    check(app.handle(request), capsys.readouterr().out)


@often
@given(event=EVENTS)
def test_any_event(event: dict[str, object], app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Any JSON in any field of a lead comes to an outcome."""
    body = json.dumps(event).encode()
    check(app.handle(Request("POST", "/open", "", {"content-type": JSON}, body)), capsys.readouterr().out)


@often
@given(
    preset=st.sampled_from(list_presets()),
    kind=KINDS,
    body=VALUES.map(lambda it: json.dumps(it).encode()) | st.binary(),
)
def test_any_signed_body(preset: str, kind: str, body: bytes, app: App, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a sender signs is answered."""
    request = sign_for(preset, Request("POST", "/", "", {"content-type": kind}, body), NOW)
    check(app.handle(request), capsys.readouterr().out)


# --- a real process ---

LARGEST = 200 * 1024 * 1024  # bytes that it may have in memory at any time
GROWTH = 20 * 1024 * 1024  # bytes that it may have more when it has seen everything twice more

LONGEST_HEADER = 8000  # bytes; the server itself refuses longer ones, in its own words


def in_chunks(body: bytes) -> Iterator[bytes]:
    return (body[start : start + 65536] for start in range(0, len(body), 65536))


def is_fine(answer: tuple[int, bytes]) -> bool:
    """Whether it is an answer in one line of JSON that says whose fault it is."""
    status, body = answer
    return 200 <= status < 500 and body.count(b"\n") == 1 and isinstance(json.loads(body), dict)


def pour(served: Served) -> list[str]:
    """Send everything, large bodies with and without their length said; return what was answered badly."""
    large = bytes(30_000_000)
    sent: dict[str, tuple[Any, str]] = {
        **PICKED,
        "30 MB": (large, JSON),
        "30 MB in chunks": (in_chunks(large), JSON),
        "bomb in chunks": (in_chunks(bomb(18_000)), MULTIPART),
    }
    answers = {name: served.post("/open", body, {"Content-Type": kind}) for name, (body, kind) in sent.items()
               if kind.isascii() and kind.isprintable() and len(kind) < LONGEST_HEADER}  # fmt: skip
    return [name for name, answer in answers.items() if not is_fine(answer)]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the memory of a process is read from /proc")
def test_process_lives_and_does_not_grow(tmp_path: Path) -> None:
    """After all of it, and thirty megabytes, several times over, the same process answers and is as large as before."""
    with Sandbox() as thulium:
        thulium.add_campaign("00001")
        access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
        whole = {"thulium": access, "log_key": LOG_KEY, "campaigns": CAMPAIGNS, "sources": {"open": OPEN}}
        with Served(tmp_path, whole) as served:
            assert pour(served) == []
            before = served.measure_memory()
            assert [pour(served) for _ in range(2)] == [[], []]
            after = served.measure_memory()
            assert after < LARGEST
            assert after - before < GROWTH
            assert served.process.poll() is None
            body = b'{"id": "last", "agreed": "yes", "phone_number": "601000001"}'
            assert b'"ADDED"' in served.post("/open", body, {"Content-Type": JSON})[1]
    assert b"internal.error" not in (tmp_path / "log").read_bytes()
