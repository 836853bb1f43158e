"""Only what was signed counts: a captured request gets no second call."""

import base64
import hashlib
import hmac
import json
import struct
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringback.app import App
from ringback.hosts.local import open_app
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.worker import Way
from ringback.settings import Settings
from ringback.web import Request
from tests.given import LOG_KEY, find_mistakes, load, make_config, make_source
from tests.leads import configure
from tests.preset_cases import make_entry
from tests.sandbox import Sandbox
from tests.signing import sign
from tests.working import work_off

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
HOOKS = "https://hooks.example.com"
SECRET = "invented-0123456789abcdef"
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


# A plain hash that is gone on from


def extend(digest: str, length: int, more: bytes) -> tuple[bytes, str]:
    """Return what has to stand between a text of this length and ``more``, and the SHA-256 of all three.

    Made of the first one's SHA-256 alone (FIPS 180-4, 5.1.1 and 6.2.2), without the text.
    """
    padding = b"\x80" + b"\0" * ((55 - length) % 64) + struct.pack(">Q", length * 8)
    state = struct.unpack(">8I", bytes.fromhex(digest))
    whole = length + len(padding) + len(more)
    rest = more + b"\x80" + b"\0" * ((55 - whole) % 64) + struct.pack(">Q", whole * 8)
    for start in range(0, len(rest), 64):
        state = compress(state, rest[start : start + 64])
    return padding, struct.pack(">8I", *state).hex()


def list_primes(count: int) -> list[int]:
    """Return the first primes."""
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def root(number: int) -> int:
    """Return the first 32 bits behind the point of a number's cube root."""
    low, high = 0, 1 << 40
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**3 <= number << 96 else (low, middle)
    return low & 0xFFFFFFFF


CONSTANTS = [root(prime) for prime in list_primes(64)]


def turn(word: int, by: int) -> int:
    """Return a word of 32 bits, turned to the right."""
    return (word >> by | word << (32 - by)) & 0xFFFFFFFF


def compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """Return the state of SHA-256 after one more block."""
    words = list(struct.unpack(">16I", block))
    for n in range(16, 64):
        s0 = turn(words[n - 15], 7) ^ turn(words[n - 15], 18) ^ words[n - 15] >> 3
        s1 = turn(words[n - 2], 17) ^ turn(words[n - 2], 19) ^ words[n - 2] >> 10
        words.append((words[n - 16] + s0 + words[n - 7] + s1) & 0xFFFFFFFF)
    a, b, c, d, e, f, g, h = state
    for constant, word in zip(CONSTANTS, words, strict=True):
        choice = (e & f) ^ (~e & g)
        one = h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + choice + constant + word
        two = (turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
        a, b, c, d, e, f, g, h = (one + two) & 0xFFFFFFFF, a, b, c, (d + one) & 0xFFFFFFFF, e, f, g
    return tuple((old + new) & 0xFFFFFFFF for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))


CAPTURED = b'{"vid": 1, "properties": {"lastname": {"value": "Kos"}, "phone": {"value": "601000076"}}}'
ADDED = b"&vid=2&phone=601000077&lastname=Kruk"


def hash_plain(version: str, body: bytes) -> tuple[bytes, str]:
    """Return what is hashed before a body in one of the old versions, but for the secret, and the whole's hash."""
    before = b"" if version == "v1" else f"POST{HOOKS}/leads".encode()
    return before, hashlib.sha256(SECRET.encode() + before + body).hexdigest()


def old(version: str, body: bytes, digest: str, kind: Mapping[str, str]) -> Request:
    """Return a request with a hash of an old version."""
    headers = {**kind, "x-hubspot-signature": digest, "x-hubspot-signature-version": version}
    return Request("POST", "/leads", "", headers, body)


def open_hubspot(thulium: Sandbox, preset: str, **own: Any) -> App:
    """Return the function with a source of one of the presets whose sender once signed with plain hashes."""
    thulium.reset()
    thulium.add_campaign("00001")
    source = make_entry(preset, {"secret": SECRET, "fetch": {"headers": {"Authorization": "x"}}, **own})
    if preset == "hubspot-workflow":
        del source["fetch"]
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
    settings = load({"thulium": access, "log_key": LOG_KEY, "public_url": HOOKS, "sources": {"leads": source}})
    return App(settings, clock=lambda: NOW)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_attack_is_one(version: str) -> None:
    """Of one hash another one is made, of a longer text, without the secret."""
    before, digest = hash_plain(version, CAPTURED)
    padding, made = extend(digest, len(SECRET) + len(before) + len(CAPTURED), ADDED)
    assert made == hash_plain(version, CAPTURED + padding + ADDED)[1]


@pytest.mark.parametrize("version", ["v1", "v2"])
@pytest.mark.parametrize("preset", ["hubspot", "hubspot-workflow"])
@pytest.mark.parametrize("own", [{}, {"accept_old": True}], ids=["as it is", "with the old versions"])
def test_hash_that_was_extended(thulium: Sandbox, preset: str, version: str, own: dict[str, Any]) -> None:
    """A body that the sender has never signed gets no call, whichever versions of its signature are taken."""
    before, digest = hash_plain(version, CAPTURED)
    padding, made = extend(digest, len(SECRET) + len(before) + len(CAPTURED), ADDED)
    app = open_hubspot(thulium, preset, **own)
    for kind in (FORM, JSON, {}):
        assert app.handle(old(version, CAPTURED + padding + ADDED, made, kind)).status in (400, 401)
    assert thulium.calls(None) == []


@pytest.mark.parametrize(("own", "status"), [({}, 401), ({"accept_old": True}, 200), ({"accept_old": False}, 401)])
def test_old_signatures_are_taken_where_that_is_said(thulium: Sandbox, own: dict[str, Any], status: int) -> None:
    """A request cannot choose a weaker version of its signature by leaving a header out, unless the source says so."""
    app = open_hubspot(thulium, "hubspot-workflow", **own)
    assert app.handle(old("v2", CAPTURED, hash_plain("v2", CAPTURED)[1], JSON)).status == status


def test_newest_signature_decides_where_it_is_there(thulium: Sandbox) -> None:
    """Beside a bad signature of the newest version a good one of an older version counts for nothing."""
    app = open_hubspot(thulium, "hubspot-workflow", accept_old=True)
    request = old("v2", CAPTURED, hash_plain("v2", CAPTURED)[1], {**JSON, "x-hubspot-signature-v3": "bm8="})
    assert app.handle(request).status == 401


HASH = {"scheme": "hmac", "header": "X-Sig", "keyed": False}


@pytest.mark.parametrize(
    "signed", ["{secret}{body}", "{method}{secret}{body}", "{secret}.{url}.{body}.", "{secret}{body}{path}"]
)
@pytest.mark.parametrize("accepted", [False, True])
def test_hash_that_can_be_extended_is_a_mistake(signed: str, accepted: bool) -> None:  # noqa: FBT001 - a parameter
    """A plain hash with anything behind its secret is none, unless the source says that its sender can do no other."""
    source = make_source(verify={**HASH, "signed": signed}, accept_old=accepted)
    raw = make_config(source, public_url=HOOKS)
    if accepted:
        load(raw)
    else:
        (mistake,) = find_mistakes(raw)
        assert mistake.startswith("sources.website.verify: keyed: false: ")
        assert "accept_old: true" in mistake


def test_hash_with_the_secret_at_its_end() -> None:
    """A plain hash that ends with the secret can't be extended."""
    load(make_config(make_source(verify={**HASH, "signed": "{body}.{secret}"})))
    load(make_config(make_source(verify={**HASH, "signed": "{secret}{body}{secret}!"})))


TOKEN = {"scheme": "token", "query": "token"}
SIGNED: dict[str, Any] = {"scheme": "hmac", "header": "X-Sig"}
TIMED = {**SIGNED, "header": "X-Timed", "signed": "{timestamp}{body}", "timestamp": {"header": "X-Time"}}
JWS = {"scheme": "jws", "header": "X-Jws"}


@pytest.mark.parametrize(
    ("schemes", "is_good"),
    [
        ([SIGNED, TOKEN], False),
        ([TOKEN, SIGNED], False),
        ([TIMED, SIGNED], False),
        ([JWS, {"scheme": "basic"}], False),
        ([TIMED, JWS], False),
        ([SIGNED, {**HASH, "signed": "{body}{secret}"}], False),
        ([{**TOKEN, "instead": "why"}, "standard-webhooks", SIGNED], False),
        ([SIGNED, JWS], True),
        ([TOKEN, {"scheme": "token", "header": "T"}, {"scheme": "basic"}], True),
        ([TIMED, {**SIGNED, "instead": "why"}, {**TOKEN, "instead": "why"}], True),
        ([TIMED, {**JWS, "instead": "why"}, {"scheme": "basic", "instead": "why"}], True),
    ],
)
def test_weaker_scheme_takes_a_reason(schemes: list[object], is_good: bool) -> None:  # noqa: FBT001 - a column
    """A scheme that proves less than another of the list is a mistake, unless it is said why it is taken instead."""
    raw = make_config(make_source(verify=schemes))
    if is_good:
        load(raw)
    else:
        (mistake,) = find_mistakes(raw)
        assert mistake.startswith("sources.website.verify: one scheme of the list proves less than another")
        assert mistake.endswith("`instead: <the reason>`")


# One request, sent again under other names


def requeue(thulium: Sandbox, folder: Path, source: Mapping[str, Any]) -> Settings:
    """Return settings of a source whose campaign puts people back, with a queue that remembers."""
    thulium.reset()
    thulium.add_campaign("00001")
    thulium.add_customer(441, surname="Lis", phone_number="601000001")
    thulium.put_record("00001", 441, status_id=9)
    queue = f"sqlite:///{folder}/queue.db"
    return configure(
        thulium, callbacks={"on_existing": "requeue"}, sources={"website": dict(source)}, queue=queue, public_url=HOOKS
    )


def count_calls(thulium: Sandbox, settings: Settings, *requests: Request) -> int:
    """Return how often the person is put back to be called when these requests are answered and delivered."""
    app = open_app(settings)
    assert isinstance(app.queue, SqliteQueue)
    for request in requests:
        assert app.handle(request).status == 200
        work_off(app.queue, Way(app.pipeline.deliver))
    return len(thulium.calls("change"))


def sign_body(body: bytes, **headers: str) -> Request:
    """Return a request whose body alone is signed."""
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", "/website", "", {**JSON, "x-shopify-hmac-sha256": signature, **named}, body)


CUSTOMER = json.dumps({"id": 7, "first_name": "Ada", "last_name": "Lis", "phone": "601000001"}).encode()


def make_shop(**own: Any) -> dict[str, Any]:
    """Return a source of a shop, whose id of an event is in a header that it does not sign."""
    verify = {"scheme": "hmac", "header": "X-Shopify-Hmac-SHA256", "encoding": "base64"}
    ids = {"event_id": 'first(_request.headers."x-shopify-event-id", id)'}
    return {"verify": verify, "secret": SECRET, **ids, "map": {"phone_number": "phone", "surname": "last_name"}, **own}


@pytest.mark.parametrize(
    "event_id",
    [
        'first(_request.headers."x-shopify-event-id", id)',
        '_request.headers."x-shopify-event-id"',
        '_request.query.id || _request.headers."x-shopify-event-id"',
        "join('-', [to_string(id), _request.headers.\"x-shopify-event-id\"])",
    ],
)
def test_four_ids_are_one_call(thulium: Sandbox, tmp_path: Path, event_id: str) -> None:
    """One signed request, sent again with other ids that are not signed, has its person called once."""
    settings = requeue(thulium, tmp_path, make_shop(event_id=event_id))
    requests = [sign_body(CUSTOMER, x_shopify_event_id=f"e-{n}") for n in range(4)]
    requests += [replace(request, query=f"id={n}") for n, request in enumerate(requests)]
    assert count_calls(thulium, settings, *requests) == 1


def test_four_ids_beside_a_jws_are_one_call(thulium: Sandbox, tmp_path: Path) -> None:
    """So it is with a signature that has the body's hash in it."""
    verify = {"scheme": "jws", "header": "X-Jws"}
    settings = requeue(thulium, tmp_path, make_shop(verify=verify, event_id="_request.headers.id"))
    request = sign(verify, SECRET, Request("POST", "/website", "", JSON, CUSTOMER), NOW, HOOKS)
    requests = [replace(request, headers={**request.headers, "id": f"e-{n}"}) for n in range(4)]
    assert count_calls(thulium, settings, *requests) == 1


@pytest.mark.parametrize(
    "places", [{"when": "_request.query.n"}, {"campaign": [{"when": "_request.query.n", "to": "callbacks"}]}]
)
def test_rule_that_looks_at_what_is_not_signed(thulium: Sandbox, tmp_path: Path, places: dict[str, Any]) -> None:
    """Of what is not signed no more counts than what a rule makes of it: other values are no other events."""
    settings = requeue(thulium, tmp_path, make_shop(**places))
    requests = [replace(sign_body(CUSTOMER), query=f"n={n}") for n in (1, 2, 3, 4)]
    assert count_calls(thulium, settings, *requests) == 1


def test_two_people_of_one_sender_are_two_calls(thulium: Sandbox, tmp_path: Path) -> None:
    """What is signed of another event is another event, whatever id came along."""
    settings = requeue(thulium, tmp_path, make_shop())
    bodies = [CUSTOMER, CUSTOMER.replace(b'"id": 7', b'"id": 8')]
    assert count_calls(thulium, settings, *(sign_body(body, x_shopify_event_id="e-1") for body in bodies)) == 2


STANDARD = "whsec_" + base64.b64encode(b"invented-0123456789abcdef").decode()
NAMES = {
    name: {
        "scheme": "hmac", "header": f"{name}-signature", "encoding": "base64", "prefix": "v1,", "separator": " ",
        "key": "base64", "key_prefix": "whsec_", "signed": "{id}.{timestamp}.{body}", "id": f"{name}-id",
        "timestamp": {"header": f"{name}-timestamp"},
    }
    for name in ("webhook", "svix")
}  # fmt: skip
STANDARD_SOURCE = {
    "verify": [*NAMES.values()], "event_id": "_request.id", "secret": STANDARD, "map": {"phone_number": "phone"},
}  # fmt: skip


def sign_standard(name: str, event_id: str, **others: str) -> Request:
    """Return a request signed as the standard has it, under one of the two names of its headers."""
    headers = {**JSON, f"{name}-id": event_id, **{f"{other}-id": value for other, value in others.items()}}
    return sign(NAMES[name], STANDARD, Request("POST", "/website", "", headers, CUSTOMER), datetime.now(UTC), HOOKS)


@pytest.mark.parametrize(("name", "other"), [("webhook", "svix"), ("svix", "webhook")])
def test_id_of_the_scheme_that_verified(thulium: Sandbox, tmp_path: Path, name: str, other: str) -> None:
    """Beside an id that is signed another one, in the header of the other name, makes no other event."""
    settings = requeue(thulium, tmp_path, STANDARD_SOURCE)
    requests = [sign_standard(name, "msg_1", **{other: f"msg_{n}"}) for n in range(4)]
    assert count_calls(thulium, settings, *requests) == 1
    app = open_app(settings)
    assert [json.loads(app.handle(request).body)["events"] for request in requests] == [["msg_1"]] * 4


def test_other_id_that_is_signed_is_another_event(thulium: Sandbox, tmp_path: Path) -> None:
    """The same content under another id that the sender has signed is another event."""
    settings = requeue(thulium, tmp_path, STANDARD_SOURCE)
    requests = [sign_standard("svix", f"msg_{n}") for n in (1, 2, 2)]
    assert count_calls(thulium, settings, *requests) == 2


def test_id_in_a_url_that_is_signed() -> None:
    """Where the URL is signed an id in its query is signed too, and counts."""
    verify = {"scheme": "hmac", "header": "X-Sig", "signed": "{url}{body}"}
    settings = load(make_config(make_source(verify=verify, event_id="_request.query.id"), public_url=HOOKS))
    app, keys = App(settings, clock=lambda: NOW), set()
    for query in ("id=1", "id=2", "id=2"):
        signature = hmac.new(SECRET.encode(), f"{HOOKS}/website?{query}{{}}".encode(), "sha256").hexdigest()
        taken = app.pipeline.accept(Request("POST", "/website", query, {**JSON, "x-sig": signature}, b"{}"), NOW)
        keys.add(taken[1][0].key)  # type: ignore[index]  # they are events
    assert len(keys) == 2


def test_with_a_token_nothing_is_signed(thulium: Sandbox, tmp_path: Path) -> None:
    """Of a request with a token nothing is signed: an id in a header counts as it always has."""
    source = {"event_id": '_request.headers."x-id"', "map": {"phone_number": "phone"}}
    settings = requeue(thulium, tmp_path, source)
    headers = {**JSON, "x-api-key": SECRET}
    requests = [Request("POST", "/website", "", {**headers, "x-id": f"e{n}"}, CUSTOMER) for n in (1, 2, 2)]
    assert count_calls(thulium, settings, *requests) == 2
