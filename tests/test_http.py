"""What a sender is answered, at both doors: the contract's table, row by row."""

import gzip
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback import log
from ringback.app import App
from ringback.errors import ConfigError
from ringback.web import MAX_BODY, Request
from tests.doors import DOORS, Answer, Door, open_door
from tests.given import LOG_KEY, PROOF, SECRET, load, make_config, make_source
from tests.sandbox import Sandbox, faults, seeds

PROVEN = {"X-Api-Key": SECRET}
LEAD = b'{"id": 441, "phone": "601 000 041"}'
Open = Callable[..., Door]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """A stand-in Thulium for all tests."""
    with Sandbox() as started:
        yield started


@pytest.fixture
def thulium(sandbox: Sandbox) -> Sandbox:
    """The stand-in with the documentation's customers and campaign."""
    sandbox.reset()
    seeds.documented(sandbox)
    return sandbox


@pytest.fixture(params=DOORS)
def opened(request: pytest.FixtureRequest, thulium: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """The function that opens a door, for sources other than ``website`` or with other keys at the top."""

    def open_with(
        sources: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None, **top: Any
    ) -> Door:
        access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
        config = {
            "thulium": access,
            "log_key": LOG_KEY,
            "sources": {"website": make_source(), **(sources or {})},
            **top,
        }
        return open_door(request.param, config, tmp_path, monkeypatch, **(environ or {}))

    return open_with


@pytest.fixture
def door(opened: Open) -> Door:
    """A door with one source, ``website``, that has a token."""
    return opened()


def content(answer: Answer) -> Any:
    """Return what an answer says: one line of JSON, declared as such."""
    assert answer.headers["content-type"] == "application/json"
    assert answer.body.endswith(b"\n")
    assert answer.body.count(b"\n") == 1
    return json.loads(answer.body)


def statuses(answer: Answer) -> list[str]:
    """Return the outcomes of an answer."""
    return [outcome["status"] for outcome in content(answer)["outcomes"]]


def expect_refusal(answer: Answer, status: int) -> None:
    """Assert that a request was refused so, in one line that says why."""
    assert answer.status == status
    said = content(answer)
    assert said.keys() == {"error"}
    assert said["error"]
    assert "\n" not in said["error"]


def expect_retry(answer: Answer) -> int:
    """Assert that the sender is asked to send it again, and return after how many seconds."""
    assert answer.status == 503
    assert re.fullmatch("[0-9]+", answer.headers["retry-after"])
    seconds = int(answer.headers["retry-after"])
    assert 30 <= seconds <= 3600
    return seconds


# --- the documentation's own example ---

DOCUMENTED = {"records": [
    {"customer_id": 441, "status_id": 3},
    {"customer_id": 445, "status_id": 1},
    {"customer_id": 448, "status_id": 1},
]}  # fmt: skip
REPLY = (
    b'{"441":{"http_status":201,"record_id":111,"status":"ADDED"},'
    b'"445":{"http_status":400,"record_id":100,"status":"ALREADY_EXISTS"},'
    b'"448":{"http_status":400,"status":"FAILED","message":"Customer not found."}}'
)
RECORDS = {**PROOF, "items": "records", "event_id": "customer_id", "campaign": "00001",
           "map": {"customer_id": "customer_id", "status_id": "status_id"}}  # fmt: skip


@pytest.mark.parametrize("way", ["as the stand-in answers", "as it is printed"])
def test_documented_example(opened: Open, thulium: Sandbox, way: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The documented request goes out as it is documented, and the documented reply ends in its three outcomes."""
    if way == "as it is printed":
        thulium.fail("batch", faults.says(REPLY.decode(), work=False))
    answer = opened({"records": RECORDS}).post("/records", json.dumps(DOCUMENTED).encode(), PROVEN)
    [call] = thulium.calls("batch")
    assert (call.method, call.path) == ("POST", "/api/batch/crm_outbounds/00001/records")
    assert call.body == json.dumps(DOCUMENTED, separators=(",", ":")).encode()
    assert answer.status == 200
    assert [list(outcome.values()) for outcome in content(answer)["outcomes"]] == [
        ["441", "ADDED", "00001", 441, 111, None],
        ["445", "ALREADY_EXISTS", "00001", 445, 100, None],
        ["448", "FAILED", "00001", 448, None, "Customer not found."],
    ]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    outcomes = [line for line in lines if line["event"] == "customer.outcome"]
    assert [(line["customer_id"], line["status"], line["http_status"]) for line in outcomes] == [
        (441, "ADDED", 201), (445, "ALREADY_EXISTS", 400), (448, "FAILED", 400),
    ]  # fmt: skip


# --- every lead has its outcome ---


def test_outcomes(door: Door) -> None:
    """When every lead has its outcome the answer is 200, with the outcomes byte for byte."""
    answer = door.post("/website", b'{"id": 441}', PROVEN)
    assert answer.status == 200
    event_id = content(answer)["outcomes"][0]["event_id"]
    assert (
        answer.body
        == (
            f'{{"outcomes":[{{"event_id":"{event_id}","status":"ADDED","campaign_id":"00001",'
            '"customer_id":441,"record_id":111,"message":null}]}\n'
        ).encode()
    )


def test_open_source_tells_little(opened: Open) -> None:
    """A sender that nobody vouches for hears of its event and the status, and of nobody's ids."""
    website = make_source(verify="none", event_id="event")
    door = opened({"website": website})
    assert door.post("/website", b'{"id": 441, "event": 7}').body == (
        b'{"outcomes":[{"event_id":"7","status":"ADDED"}]}\n'
    )
    answer = door.post("/website", b'{"id": "x", "event": 8}')
    assert (answer.status, answer.body) == (422, b'{"outcomes":[{"event_id":"8","status":"INVALID"}]}\n')


def test_some_invalid(opened: Open) -> None:
    """One good lead among bad ones makes 200, and each says for itself what became of it."""
    door = opened({"website": make_source(items="leads")})
    answer = door.post("/website", b'{"leads": [{"id": "x"}, {"id": 441}, {"id": 448}]}', PROVEN)
    assert (answer.status, statuses(answer)) == (200, ["INVALID", "ADDED", "FAILED"])
    assert content(answer)["outcomes"][0]["fields"] == {"customer_id": "not a whole number"}


@pytest.mark.parametrize(("on_invalid", "status"), [({}, 422), ({"on_invalid": 422}, 422), ({"on_invalid": 200}, 200)])
def test_all_invalid(opened: Open, on_invalid: dict[str, int], status: int) -> None:
    """Where every event is INVALID the sender is told so with 422, but for one that punishes 4xx."""
    door = opened({"website": make_source(items="leads", **on_invalid)})
    answer = door.post("/website", b'{"leads": [{"id": "x"}, {"id": -5}]}', PROVEN)
    assert (answer.status, statuses(answer)) == (status, ["INVALID", "INVALID"])
    assert all(outcome["fields"].keys() == {"customer_id"} for outcome in content(answer)["outcomes"])


def test_skipped(opened: Open) -> None:
    """A lead that a rule keeps out has its outcome, with the reason."""
    answer = opened({"website": make_source(consent="ok")}).post("/website", LEAD, PROVEN)
    assert answer.status == 200
    assert content(answer)["outcomes"][0]["message"] == "no consent"


# --- send it again ---


def test_deferred(door: Door, thulium: Sandbox) -> None:
    """When Thulium is down all the sender's patience long, it is asked to send it again."""
    thulium.fail("batch", faults.error(503, retry_after="120"), times=None)
    answer = door.post("/website", LEAD, PROVEN)
    assert 119 <= expect_retry(answer) <= 121
    assert statuses(answer) == ["DEFERRED"]


@pytest.mark.parametrize(("asked", "least", "most"), [("1000000", 3600, 3600), ("40", 39, 41)])
def test_retry_after_is_bounded(door: Door, thulium: Sandbox, asked: str, least: int, most: int) -> None:
    """What Thulium asks for is passed on, within an hour."""
    thulium.fail("batch", faults.error(503, retry_after=asked), times=None)
    assert least <= expect_retry(door.post("/website", LEAD, PROVEN)) <= most


def test_some_deferred(opened: Open, thulium: Sandbox) -> None:
    """One lead that is deferred makes 503 for all: sent again, the others are ALREADY_EXISTS."""
    thulium.fail("batch", faults.Fault(work=True, leave_out=(448,)), times=None)
    door = opened({"website": make_source(items="leads", answer_within=1)})
    answer = door.post("/website", b'{"leads": [{"id": 441}, {"id": 448}]}', PROVEN)
    assert expect_retry(answer) == 30
    assert statuses(answer) == ["ADDED", "DEFERRED"]


def test_refused_password(door: Door, thulium: Sandbox) -> None:
    """A password that Thulium refuses is for a person to mend: the sender is asked to come back."""
    thulium.set_password(thulium.password + "x")
    answer = door.post("/website", LEAD, PROVEN)
    assert expect_retry(answer) >= 59
    assert statuses(answer) == ["DEFERRED"]


def test_short_outage_is_sat_out(door: Door, thulium: Sandbox) -> None:
    """A 503 once, and then no more, ends in ADDED while the sender waits."""
    thulium.fail("batch", faults.error(503), times=1)
    answer = door.post("/website", LEAD, PROVEN)
    assert (answer.status, statuses(answer)) == (200, ["ADDED"])
    assert thulium.counts["batch"] == 2


@pytest.mark.parametrize("fault", [faults.hang(), faults.Fault(work=True, wire="drip-body", pace=0.05)])
def test_answer_comes_in_time(opened: Open, thulium: Sandbox, fault: faults.Fault) -> None:
    """However long Thulium keeps us waiting, the sender is answered within its patience."""
    thulium.fail("*", fault, times=None)
    door = opened({"website": make_source(answer_within=1)})
    took = []
    for _ in range(3):  # a busy machine may spoil a try
        started = time.monotonic()
        expect_retry(door.post("/website", LEAD, PROVEN))
        took.append(time.monotonic() - started)
        if took[-1] < 1:
            return
    raise AssertionError(took)


def test_bad_configuration(opened: Open, request: pytest.FixtureRequest) -> None:
    """With a bad configuration AWS's door asks the sender to come back; Google's does not open."""
    bad = {"website": make_source(campaign="nobody")}
    if "google" in request.node.name:
        with pytest.raises(ConfigError):
            opened(bad)
        return
    door = opened(bad)
    answer = door.post("/website", LEAD, PROVEN)
    expect_retry(answer)
    assert content(answer) == {"error": "the configuration is bad; its mistakes are in the log"}


# --- nothing to do ---


@pytest.mark.parametrize("body", [b'{"leads": []}', b'{"leads": [], "x": 1}'])
def test_nothing_to_do(opened: Open, thulium: Sandbox, body: bytes) -> None:
    """A body without an event is a success, and nobody is asked."""
    door = opened({"website": make_source(items="leads")})
    assert door.post("/website", body, PROVEN) == Answer(
        200, door.post("/website", body, PROVEN).headers, b'{"outcomes":[]}\n'
    )
    assert thulium.calls(None) == []


def test_no_lead_at_all(opened: Open) -> None:
    """So is one that holds nothing but what is no lead by the preset's word."""
    door = opened({"website": make_source(only="kind == 'lead'")})
    assert content(door.post("/website", b'{"kind": "ping"}', PROVEN)) == {"outcomes": []}


def test_head(door: Door) -> None:
    """A HEAD is answered 200 by every source, and 401 where there is none."""
    assert door.send("HEAD", "/website").status == 200
    assert door.send("HEAD", "/nobody").status == 401
    assert door.send("HEAD", "/").status == 200


def test_handshake(opened: Open) -> None:
    """What a sender asks before it sends is answered, without any proof."""
    verify = {"kind": "echo-query", "query": "challenge"}
    door = opened({"website": make_source(handshake=[verify, "answer-empty-post"])})
    answer = door.send("GET", "/website?challenge=abc%2F1")
    assert (answer.status, answer.body) == (200, b"abc/1")
    assert content(door.send("POST", "/website")) == {"outcomes": []}
    expect_refusal(door.send("GET", "/website"), 405)


def test_reply_in_the_senders_form(opened: Open, thulium: Sandbox) -> None:
    """A success is put as the sender wants to hear it; an error is not."""
    door = opened({"website": make_source(reply="soap-ack", answer_within=1)})
    answer = door.post("/website", LEAD, PROVEN)
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/xml")
    assert b"<Ack>true</Ack>" in answer.body
    expect_refusal(door.post("/website", LEAD), 401)
    thulium.fail("batch", faults.error(503), times=None)
    expect_retry(door.post("/website", LEAD, PROVEN))


@pytest.mark.parametrize(
    ("reply", "type_", "body"),
    [
        ("empty", None, b""),
        ({"text": "Dziękujemy"}, "text/plain; charset=utf-8", "Dziękujemy".encode()),
        ({"text": "<Response/>", "type": "text/xml"}, "text/xml", b"<Response/>"),
    ],
)
def test_reply_that_is_passed_on(opened: Open, thulium: Sandbox, reply: object, type_: str | None, body: bytes) -> None:
    """Where a sender texts the answer to the person, it is what the source says, whatever became of the event."""
    door = opened({"website": make_source(reply=reply, when="phone", answer_within=1)})
    for sent in (LEAD, b'{"id": 441}', b"[]"):
        answer = door.post("/website", sent, PROVEN)
        assert (answer.status, answer.headers.get("content-type"), answer.body) == (200, type_, body)
    expect_refusal(door.post("/website", LEAD), 401)


def test_root(door: Door) -> None:
    """``GET /`` says in one line that it is up, and no more."""
    answer = door.send("GET", "/")
    assert (answer.status, answer.body) == (200, b"Ringback is up.\n")
    expect_refusal(door.send("POST", "/", LEAD, PROVEN), 401)


# --- refused ---


@pytest.mark.parametrize("headers", [{}, {"X-Api-Key": ""}, {"X-Api-Key": "wrong"}, {"X-Api-Key": SECRET + "x"},
                                     {"X-Api-Key": "ą"}, {"Authorization": SECRET}])  # fmt: skip
def test_bad_signature(
    door: Door, thulium: Sandbox, headers: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the secret nothing of the body is acted upon; that somebody tried is in the log."""
    sent = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    expect_refusal(door.post("/website", LEAD, sent), 401)
    assert thulium.calls(None) == []
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (line["event"], line["source"], line["http_status"]) == ("webhook.refused", "website", 401)
    assert line["reason"]


@pytest.mark.parametrize("target", ["/nobody", "/website/x", "/WEBSITE", "/w%65bsite", "/..%2Fwebsite"])
def test_unknown_source(door: Door, thulium: Sandbox, target: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A path that is no source is 401 like a wrong secret: a 404 makes some senders switch a hook off for good."""
    expect_refusal(door.post(target, LEAD, PROVEN), 401)
    assert thulium.calls(None) == []
    assert json.loads(capsys.readouterr().out)["source"] is None


def test_token_in_the_url(opened: Open) -> None:
    """A source with ``token`` wants it in the URL, beside what else it verifies."""
    door = opened({"website": make_source(token="url-token-0123456789")})
    expect_refusal(door.post("/website", LEAD, PROVEN), 401)
    expect_refusal(door.post("/website?token=wrong", LEAD, PROVEN), 401)
    expect_refusal(door.post("/website?token=url-token-0123456789", LEAD), 401)
    assert door.post("/website?token=url-token-0123456789", LEAD, PROVEN).status == 200


def test_rotated_token_in_the_url(opened: Open) -> None:
    """While the URL's token is being changed the new one and the old one pass, and no third."""
    door = opened({"website": make_source(token=["new-token-0123456789", "old-token-0123456789"])})
    for token, status in (("new-token-0123456789", 200), ("old-token-0123456789", 200), ("other", 401)):
        assert door.post(f"/website?token={token}", LEAD, PROVEN).status == status


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_wrong_method(opened: Open, method: str) -> None:
    """Another method than the source's is 405, with those that it takes."""
    answer = opened().send(method, "/website", b"", PROVEN)
    expect_refusal(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_methods_of_a_source(opened: Open) -> None:
    """A source may take others; what a GET says is its query."""
    door = opened({"website": make_source(methods=["GET", "PUT"])})
    assert statuses(door.send("GET", "/website?id=441", b"", PROVEN)) == ["ADDED"]
    assert statuses(door.send("PUT", "/website", LEAD, {**PROVEN, "Content-Type": "application/json"})) == [
        "ALREADY_EXISTS"
    ]
    assert door.post("/website", LEAD, PROVEN).headers["allow"] == "GET, PUT"


@pytest.mark.parametrize("body", [b"", b"  ", b"{", b"nonsense", b"\xff", b"\x00", b"{'a': 1}"])
def test_unreadable_body(door: Door, body: bytes) -> None:
    """A body that can't be read is 400."""
    expect_refusal(door.post("/website", body, PROVEN), 400)


def test_compressed_body(door: Door) -> None:
    """A compressed body comes through each door as it was sent, and is inflated within the size that any may have."""
    headers = {**PROVEN, "Content-Type": "application/json", "Content-Encoding": "gzip"}
    assert statuses(door.send("POST", "/website", gzip.compress(LEAD), headers)) == ["ADDED"]
    expect_refusal(door.send("POST", "/website", gzip.compress(LEAD.ljust(MAX_BODY + 1)), headers), 413)
    expect_refusal(door.send("POST", "/website", LEAD, {**headers, "Content-Encoding": "br"}), 415)


@pytest.mark.parametrize("size", [MAX_BODY + 1, MAX_BODY + 2, 3_000_000])
def test_too_large(door: Door, thulium: Sandbox, size: int) -> None:
    """A body of more than a megabyte is 413, for whoever sends it; one of that size is read."""
    expect_refusal(door.post("/website", LEAD.ljust(size), PROVEN), 413)
    expect_refusal(door.post("/website", LEAD.ljust(size)), 413)
    assert thulium.calls(None) == []
    assert door.post("/website", LEAD.ljust(MAX_BODY), PROVEN).status == 200


def test_too_deep(door: Door) -> None:
    """So is one that is deeper than is read."""
    expect_refusal(door.post("/website", b"[" * 10_000 + b"]" * 10_000, PROVEN), 413)


@pytest.mark.parametrize("content_type", ["", "text/plain", "image/png", "application/octet-stream", "json", ";", "ą"])
def test_content_type(door: Door, content_type: str) -> None:
    """A body of a type that is not read is 415."""
    headers = {**PROVEN, "Content-Type": content_type.encode().decode("latin-1")}
    expect_refusal(door.send("POST", "/website", LEAD, headers), 415)


def test_assumed_content_type(opened: Open) -> None:
    """A source may have its type assumed, where none is named or one that is not read."""
    door = opened({"website": make_source(body="application/json")})
    assert statuses(door.send("POST", "/website", LEAD, {**PROVEN, "Content-Type": "text/plain"})) == ["ADDED"]


# --- the order of checks ---

LARGE = LEAD.ljust(MAX_BODY + 1)
WRONG_TYPE = {"Content-Type": "text/plain"}


@pytest.mark.parametrize(
    ("method", "target", "body", "headers", "status"),
    [
        ("PUT", "/nobody", LARGE, WRONG_TYPE, 401),  # path
        ("PUT", "/website", LARGE, WRONG_TYPE, 413),  # size
        ("PUT", "/website", b"{", WRONG_TYPE, 405),  # method
        ("GET", "/website?challenge=x", b"", WRONG_TYPE, 200),  # handshake
        ("POST", "/website", b"{", WRONG_TYPE, 401),  # signature
        ("POST", "/website", b"{", {**PROVEN, **WRONG_TYPE}, 415),  # content type
        ("POST", "/website", b"{", {**PROVEN, "Content-Type": "application/json"}, 400),  # body
    ],
)
def test_order_of_checks(
    opened: Open, method: str, target: str, body: bytes, *, headers: dict[str, str], status: int
) -> None:
    """Path, size, method, handshake, signature, content type, body: the first that fails is what is said."""
    door = opened({"website": make_source(handshake={"kind": "echo-query", "query": "challenge"})})
    assert door.send(method, target, body, headers).status == status


# --- whatever is sent ---

HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=20)
TYPES = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/xml", "x"]
)
BODIES = st.binary(max_size=200) | st.sampled_from(
    [b'{"id": 441}', b"[]", b"[1, null, {}]", b"null", b'"\\ud800"', b"id=441&id=442", b"<a><b/></a>", b"--x--",
     b"1e999", b'{"id": {"id": []}, "phone": [[]]}', b'{"_request": 1, "_body": 2}']
)  # fmt: skip


@pytest.mark.parametrize("kind", ["google", "function url"])
@pytest.mark.parametrize("secret", [{}, PROVEN], ids=["forged", "proven"])
def test_garbage_is_never_our_fault(
    kind: str, secret: dict[str, str], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever anybody sends, with or without the secret, is answered and is never an error of ours."""
    sandbox.reset()
    seeds.documented(sandbox)
    access = {"url": sandbox.url, "user": sandbox.user, "password": sandbox.password}
    website = make_source(items="leads || @", only="!gone", event_id="event")
    door = open_door(
        kind, {"thulium": access, "log_key": LOG_KEY, "sources": {"website": website}}, tmp_path, monkeypatch
    )

    @given(st.sampled_from(["POST", "GET", "PUT", "HEAD"]), BODIES, TYPES, HEADER, st.text("a%?&=/ą+;", max_size=9))
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
    def send(method: str, body: bytes, content_type: str, header: str, query: str) -> None:
        target = "/website?" + query.encode().decode("latin-1")
        answer = door.send(method, target, body, {**secret, "Content-Type": content_type, "X-Odd": header})
        assert answer.status < 500
        assert answer.status == 200 or method == "HEAD" or content(answer)

    send()


def test_body_that_breaks_off(capsys: pytest.CaptureFixture[str]) -> None:
    """Half a body is 400 and said in the log; where the path is no source it is 401 all the same."""
    log.configure()
    app = App(load(make_config()))
    for path, status in (("/website", 400), ("/nobody", 401)):
        answer = app.handle(Request("POST", path, "", {}, is_whole=False))
        assert answer.status == status
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["reason"] for line in lines] == ["the body breaks off", "unknown source"]
