"""Every preset holds for its sender: what it sends becomes leads, and nobody else can send it anything."""

import ast
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ringback import config
from ringback.app import App
from ringback.body import name_type
from ringback.delivery.fetch import complete
from ringback.errors import BadSignature, ConfigError
from ringback.event import Event
from ringback.grammar.preset import list_presets
from ringback.identity import hash_id
from ringback.intake import take_in
from ringback.mapping import Assignment, Mapper
from ringback.outcome import Outcome
from ringback.secret import Secret
from ringback.settings import Settings
from ringback.thulium.wire import Wire
from ringback.web import Request, Response
from tests.given import LOG_KEY
from tests.preset_cases import (
    CAMPAIGN,
    PUBLIC_URL,
    SOURCE,
    Answerer,
    Case,
    list_schemes,
    make_entry,
    read_cases,
    read_preset,
    serve,
    write_config,
)
from tests.sandbox import Sandbox
from tests.signing import make_secret, put, sign

NOW = datetime(2026, 3, 2, 11, 0, 0, tzinfo=UTC)
CASES = read_cases()
Entry = Mapping[str, Any]
CALLABLE = {"phone_number", "customer_id"}  # a lead has one of them, or nobody can be called


@pytest.fixture(scope="module")
def thulium() -> Iterator[Sandbox]:
    """A stand-in Thulium for all cases."""
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def sender() -> Iterator[Answerer]:
    """Where thin events are completed from."""
    with serve() as answerer:
        yield answerer


@pytest.fixture(scope="module")
def load(thulium: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Entry], Settings]:
    """Return the function from a source's entry to settings."""
    path = tmp_path_factory.mktemp("presets") / "config.yaml"

    @cache
    def read(text: str) -> Settings:
        path.write_text(text, "utf-8")
        names = re.findall(r"\$\{(\w+)\}", text)
        return config.load({"RINGBACK_CONFIG": str(path), **{name: f"invented-{name}" for name in names}})

    return lambda entry: read(write_config(entry, thulium.url))


Load = Callable[[Entry], Settings]


# What people read


@pytest.mark.parametrize("preset", list_presets())
def test_preset_says_what_people_need(preset: str) -> None:
    """A preset says what it is, where the URL goes, where each blank is found, and how well it is attested."""
    raw: Any = read_preset(preset)
    assert all(isinstance(raw[key], str) and raw[key].strip() for key in ("title", "setup"))
    assert "https://YOUR-FUNCTION/SOURCE" in raw["setup"]
    assert raw["needs"]
    assert all(isinstance(text, str) and text for text in raw["needs"].values())
    assert raw["evidence"] in ("vendor", "recorded", "described")


@pytest.mark.parametrize("preset", list_presets())
def test_example_is_a_source(preset: str, load: Load) -> None:
    """A preset's example, its blanks filled in, is a source without a mistake that says who is to be called."""
    settings = load(make_entry(preset, read_preset(preset)["example"]))  # type: ignore[arg-type] # YAML of ours
    assert CALLABLE & settings.sources[SOURCE].map.keys()


@pytest.mark.parametrize("preset", list_presets())
def test_preset_has_its_cases(preset: str) -> None:
    """A preset has cases of a lead, of a body where something is missing, and of what is no lead if there is such."""
    own = [case for case in CASES if case.preset == preset]
    assert {"lead", "missing"} <= {case.name for case in own}
    assert "only" not in read_preset(preset) or any(case.signed and not case.events for case in own)


@pytest.mark.parametrize("preset", list_presets())
def test_preset_names_the_types_of_its_bodies(preset: str) -> None:
    """Each preset says what its sender sends, and whatever else comes under its name is not parsed."""
    types: Any = read_preset(preset)["body"]
    cases = [case for case in CASES if case.preset == preset and case.signed and case.request.method == "POST"]
    sent = {name_type(case.request.headers["content-type"]) for case in cases if case.leads} - {None}
    assert sent <= set(types if isinstance(types, list) else [types])


@pytest.mark.parametrize("preset", list_presets())
def test_identifiers_carry_the_senders_name(preset: str) -> None:
    """Two senders' numbers never meet: an identifier that a preset maps begins with the preset's name or its base's."""
    for case in (case for case in CASES if case.preset == preset and "map" not in case.source):
        for lead in case.leads:
            if isinstance(lead, Mapping) and "identifier" in lead:
                name, _, number = lead["identifier"].partition(":")
                assert preset.startswith(name)
                assert number


# What senders send


def sign_case(case: Case, at: datetime = NOW) -> Request:
    """Return a case's request as its sender sends it."""
    scheme = list_schemes(case.preset)[0]
    if not case.signed:
        return case.request
    return sign(scheme, make_secret(scheme, "key"), case.request, at, PUBLIC_URL)


def load_case(case: Case, load: Load, sender: Answerer) -> Settings:
    """Return a case's settings, its sender having what the case says."""
    sender.replies, sender.asked = case.fetched, {}
    in_a_hurry = {"answer_within": 1.5} if "DEFERRED" in case.leads else {}  # else it is tried again all the time
    return load(make_entry(case.preset, {**case.source, **in_a_hurry}, sender.url))


def describe(result: Assignment | Outcome) -> object:
    """Return a lead's fields, or an outcome, as cases have them."""
    if isinstance(result, Outcome):
        return {"INVALID": sorted(result.fields)} if result.fields else str(result.status)
    lead = result.lead
    own: dict[str, object] = {**lead.customer, **lead.record}
    if lead.customer_id:
        own["customer_id"] = lead.customer_id
    return own


def walk(event: Event, settings: Settings, wire: Wire) -> object:
    """Return what an event comes to before anybody asks Thulium."""
    fetch = settings.sources[SOURCE].fetch
    fetched = complete(event, fetch, wire, 5) if fetch else event
    return describe(fetched if isinstance(fetched, Outcome) else Mapper(settings).map(fetched, NOW))


def find_own_id(event: Event, ids: list[Any]) -> str | None:
    """Return which of the sender's ids an event has, as it is or as its hash; None if it has none."""
    own = {name: each for each in ids if each for name in (each, hash_id(each, Secret(LOG_KEY)))}
    return own[event.id] if event.identified else None


@pytest.mark.parametrize("case", [case for case in CASES if case.events], ids=str)
def test_events_become_leads(case: Case, load: Load, sender: Answerer) -> None:
    """What a sender sends has these events, and they become these leads, field by field."""
    settings = load_case(case, load, sender)
    taken = take_in(sign_case(case), settings, NOW)
    assert isinstance(taken, tuple)
    wire = Wire()
    assert [find_own_id(event, case.events) for event in taken[1]] == case.events
    assert [walk(event, settings, wire) for event in taken[1]] == case.leads
    for path, reply in case.fetched.items():
        assert reply.get("asked", {}).items() <= sender.asked[path].items()


def expect_status(case: Case, on_invalid: int) -> int:
    """Return the status of the answer to a case."""
    if "DEFERRED" in case.leads:
        return 503
    is_bad = [expect_outcome(lead) == "INVALID" for lead in case.leads]
    return on_invalid if is_bad and all(is_bad) else 200


def expect_outcome(lead: object) -> str:
    """Return the outcome of a lead that Thulium is asked for: whom nobody can call can't be created."""
    if isinstance(lead, str):
        return lead
    assert isinstance(lead, Mapping)
    return "ADDED" if CALLABLE & lead.keys() else "INVALID"


def read_outcomes(response: Response) -> list[str]:
    """Return the statuses in an answer."""
    return [outcome["status"] for outcome in json.loads(response.body)["outcomes"]]


@pytest.mark.parametrize("case", [case for case in CASES if case.events], ids=str)
def test_leads_get_into_the_campaign(case: Case, load: Load, sender: Answerer, thulium: Sandbox) -> None:
    """Every lead is added, whatever becomes of its neighbours; the sender is answered as it likes it."""
    settings = load_case(case, load, sender)
    thulium.reset()
    thulium.add_campaign(CAMPAIGN)
    for lead in case.leads:
        if "customer_id" in lead:
            thulium.add_customer(lead["customer_id"])
    response = App(settings, clock=lambda: NOW).handle(sign_case(case))
    assert response.status == expect_status(case, settings.sources[SOURCE].on_invalid)
    if case.answer:
        check_answer(response, case.answer)
    else:
        assert read_outcomes(response) == [expect_outcome(lead) for lead in case.leads]


def check_answer(response: Response, answer: Mapping[str, Any]) -> None:
    """Assert that an answer is as a case has it."""
    assert response.status == answer.get("status", 200)
    assert response.headers["Content-Type"].startswith(answer.get("type", "application/json"))
    if "json" in answer:
        assert json.loads(response.body) == answer["json"]
    assert answer.get("body", "") in response.body.decode()


@pytest.mark.parametrize("case", [case for case in CASES if not case.events], ids=str)
def test_what_is_no_lead_is_answered(case: Case, load: Load, sender: Answerer, thulium: Sandbox) -> None:
    """Pings, tests, deletions and their kin are answered with a success, and Thulium hears nothing of them."""
    settings = load_case(case, load, sender)
    before = len(thulium.calls(None))
    response = App(settings, clock=lambda: NOW).handle(sign_case(case))
    assert len(thulium.calls(None)) == before
    check_answer(response, case.answer or {"json": {"outcomes": []}})


# What nobody else may send


SCHEMES = [(preset, number) for preset in list_presets() for number in range(len(list_schemes(preset)))]
LEAD = {case.preset: case for case in CASES if case.name == "lead"}
each_scheme = pytest.mark.parametrize(("preset", "number"), SCHEMES)
each_signature = pytest.mark.parametrize(
    ("preset", "number"), [each for each in SCHEMES if list_schemes(each[0])[each[1]]["scheme"] in ("hmac", "jws")]
)
each_stamp = pytest.mark.parametrize(
    ("preset", "number"), [each for each in SCHEMES if "timestamp" in list_schemes(each[0])[each[1]]]
)


class Attempt:
    """A preset's case ``lead``, to be sent with one of the preset's schemes, rightly or wrongly."""

    def __init__(self, preset: str, number: int, load: Load) -> None:
        """Take what is sent from the preset's case."""
        self.case = LEAD[preset]
        self.scheme = list_schemes(preset)[number]
        self.load = load

    def sign(self, secret: str = "key", at: datetime = NOW) -> Request:
        """Return the request signed with a secret, which is known by its name."""
        return sign(self.scheme, self.secret(secret), self.case.request, at, PUBLIC_URL)

    def sign_all_but_the_proof(self) -> Request:
        """Return the request with the headers that belong to a signature, which is to be put over the right one."""
        return self.case.request if self.scheme["scheme"] == "token" else self.sign()

    def secret(self, name: str) -> str:
        """Return a secret by its name."""
        return make_secret(self.scheme, name)

    def settings(self, *secrets: str) -> Settings:
        """Return settings with these secrets."""
        own = {**self.case.source, "secret": [self.secret(name) for name in secrets or ["key"]]}
        return self.load(make_entry(self.case.preset, own))

    def passes(self, request: Request, *secrets: str) -> bool:
        """Return whether the request gets in, as more than a handshake, and all its events with it."""
        try:
            taken = take_in(request, self.settings(*secrets), NOW)
        except BadSignature:
            return False
        return isinstance(taken, tuple) and len(taken[1]) == len(self.case.events)


@each_scheme
def test_only_who_has_the_secret_gets_in(preset: str, number: int, load: Load) -> None:
    """Signed passes; unsigned, signed with another key, and signed with none do not."""
    attempt = Attempt(preset, number, load)
    assert attempt.passes(attempt.sign())
    assert not attempt.passes(attempt.case.request)
    assert not attempt.passes(attempt.sign("other"))
    assert not attempt.passes(put(attempt.scheme, attempt.sign_all_but_the_proof(), ""))


@each_scheme
def test_proof_does_not_stay_in_the_event(preset: str, number: int, load: Load) -> None:
    """What proves who sent a request is gone once that is known: events are stored, and preview shows them."""
    attempt = Attempt(preset, number, load)
    taken = take_in(attempt.sign(), attempt.settings(), NOW)
    assert isinstance(taken, tuple)
    assert attempt.secret("key") not in repr([(event.data, event.request) for event in taken[1]])


@each_scheme
def test_secret_is_rotated(preset: str, number: int, load: Load) -> None:
    """While a secret is being rotated both the new and the old one pass, and no third."""
    attempt = Attempt(preset, number, load)
    passed = {name: attempt.passes(attempt.sign(name), "new", "old") for name in ("new", "old", "other")}
    assert passed == {"new": True, "old": True, "other": False}


@each_signature
def test_tampered_request_is_refused(preset: str, number: int, load: Load) -> None:
    """What is signed can't be changed on the way: a body, and a URL where it is signed."""
    attempt = Attempt(preset, number, load)
    signed = attempt.sign()
    assert not attempt.passes(replace(signed, body=signed.body + b" "))
    assert not attempt.passes(replace(signed, body=b""))
    if "url}" in attempt.scheme.get("signed", ""):
        assert not attempt.passes(replace(signed, query="x=1"))


@each_stamp
def test_stale_request_is_refused(preset: str, number: int, load: Load) -> None:
    """Where the time is signed a request passes for as long as the sender means it to, and no longer, nor too early."""
    attempt = Attempt(preset, number, load)
    tolerance = timedelta(seconds=attempt.scheme["timestamp"].get("tolerance", 300))
    second = timedelta(seconds=1)
    times = (-tolerance - second, -tolerance + second, tolerance - second, tolerance + second)
    assert [attempt.passes(attempt.sign(at=NOW + time)) for time in times] == [False, True, True, False]


GARBAGE = ("x", "ą\udcff", "\x00", "A" * 9000, "=", ",;=", "t=,v1=", "t=1,v1=ą", "Basic ą", "a.b.c", "..", "sha256=")


@each_scheme
def test_garbage_is_refused(preset: str, number: int, load: Load) -> None:
    """Whatever stands where the proof should be, a header of no encoding or of kilobytes, is a refusal and no error."""
    attempt = Attempt(preset, number, load)
    texts = GARBAGE if "header" in attempt.scheme else [text.encode("utf-8", "replace").decode() for text in GARBAGE]
    proofs = [*texts, *(attempt.scheme.get("prefix", "") + text for text in texts)]
    request = attempt.sign_all_but_the_proof()
    assert [proof for proof in proofs if attempt.passes(put(attempt.scheme, request, proof))] == []


@each_scheme
def test_forged_request_costs_no_call(preset: str, number: int, load: Load, thulium: Sandbox) -> None:
    """Who does not have the secret is answered 401, and Thulium hears nothing of it."""
    attempt = Attempt(preset, number, load)
    app = App(attempt.settings(), clock=lambda: NOW)
    before = len(thulium.calls(None))
    answers = [app.handle(request).status for request in (attempt.sign("other"), attempt.case.request)]
    assert (answers, len(thulium.calls(None))) == ([401, 401], before)


@pytest.mark.parametrize("secret", ["", "  ", [], ["", "good-enough-0123456789"], None], ids=repr)
@pytest.mark.parametrize("preset", list_presets())
def test_empty_secret_is_a_mistake(preset: str, secret: object, load: Load) -> None:
    """A source whose secret is empty does not start: it would let everybody in, or nobody."""
    with pytest.raises(ConfigError) as error:
        load(make_entry(preset, {**read_preset(preset)["example"], "secret": secret}))  # type: ignore[dict-item] # as above
    assert any(mistake.startswith(f"sources.{SOURCE}.secret") for mistake in error.value.mistakes)


# How it is built

# Names that are also words, the one whom all leads are brought to, and a standard.
NO_SENDERS = ("form", "make", "meta", "close", "thulium", "standard-webhooks")


def test_no_senders_name_is_in_the_code(root: Path) -> None:
    """Senders differ in data: no text in the code but a docstring has the name of one."""
    names = "|".join(re.escape(name).replace(r"\-", "[-_ ]?") for name in list_presets() if name not in NO_SENDERS)
    found = [
        (path.name, text)
        for path in (root / "functions/ringback").rglob("*.py")
        for text in read_texts(path)
        if re.search(rf"\b({names})", text, re.IGNORECASE)
    ]
    assert found == []


def read_texts(path: Path) -> list[str]:
    """Return the texts in a module's code: all string constants that do not stand alone as a docstring does."""
    tree = ast.parse(path.read_text("utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in alone)
    return [node.value for node in constants if isinstance(node.value, str)]
