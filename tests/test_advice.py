"""What may be regretted in a configuration is told, each with its path."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ringback import config
from ringback.grammar.advice import Weight, advise, list_sources
from ringback.grammar.preset import read_preset
from ringback.settings import Settings
from tests.configs import SECRET, make_source, read_config, write_config

QUEUE = "sqlite:///queue.db"
NOW = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def tell(settings: Settings) -> list[str]:
    """Return the advice as lines."""
    return [f"{path}: {text}" for path, text, _ in advise(settings, NOW)]


def test_nothing_to_say(tmp_path: Path) -> None:
    """A source that is known, proven, asked and queued is worth no word."""
    source = make_source(preset="typeform", consent={"label": "ok"})
    assert tell(read_config(tmp_path, queue=QUEUE, sources={"website": source})) == []


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ({"consent": None}, "sources.website: no `consent`"),
        ({"retries": False}, "sources.website: form never sends again: without a queue its leads are lost"),
        ({"retries": "never"}, "sources.website: form never sends again"),
        ({"retries": False, "preset": None, "verify": "basic", "secret": "user:long-password"}, "website never sends"),
        ({"answer_within": 1.25}, "sources.website: form waits 1.25 s for an answer"),
        ({"evidence": "described"}, "sources.website: what is known of form is neither"),
        ({"verify": "none", "secret": None, "preset": None}, "sources.website.verify: none"),
        ({"secret": ["an-invented-secret-long-enough", "shorter"]}, "sources.website.secret: shorter than 16"),
        ({"consent": {"type": "acceptance"}}, "sources.website: `consent` is looked for by its type"),
        ({"map": {"full_name": "name"}}, "sources.website: no lead can be made: one needs"),
        ({"token": "shorter"}, "sources.website.token: shorter than 16"),
    ],
)
def test_what_is_worth_knowing_of_a_source(source: dict[str, Any], line: str, tmp_path: Path) -> None:
    """Each thing that may be regretted has a line with the source's path, and the way out."""
    good = read_config(tmp_path, sources={"website": make_source(evidence="vendor")})
    bad = read_config(tmp_path, sources={"website": make_source(**{"evidence": "vendor", **source})})
    assert not tell(good)
    assert [line in told for told in tell(bad)] == [True]


OPEN = {"preset": None, "map": {"phone_number": "tel"}}
SIGNED = {"scheme": "hmac", "header": "X-Sig"}
TIMED = {**SIGNED, "signed": "{timestamp}{body}", "timestamp": {"header": "X-Time"}}
URL_SIGNED = {**TIMED, "signed": "{timestamp}{url}{body}"}
REQUEUE = {"callbacks": {"id": "00001", "set": {"status_id": 3}, "on_existing": "requeue"}}


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        (SIGNED, True),
        ({"scheme": "jws", "header": "X-Jws"}, True),
        ([{**TIMED}, {**SIGNED, "header": "X-Old", "instead": "why"}], True),
        (TIMED, False),
        ("standard-webhooks", False),
        ({"scheme": "token", "header": "X-Key"}, False),
        ({"scheme": "basic"}, False),
    ],
)
def test_requeue_of_what_can_be_sent_again(verify: object, said: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column
    """Where a campaign requeues, a signature that says nothing of its time is told of: it is good for ever."""
    secret = "dXNlcjppbnZlbnRlZC1sb25nLWVub3VnaA==" if verify == "standard-webhooks" else "user:invented-long-enough"
    source = make_source(evidence="vendor", **{**OPEN, "verify": verify, "secret": secret})
    told = tell(read_config(tmp_path, campaigns=REQUEUE, queue=QUEUE, sources={"website": source}))
    assert [
        line.startswith("sources.website.campaign: requeues, and the signature has no timestamp") for line in told
    ] == ([True] if said else [])
    assert tell(read_config(tmp_path, queue=QUEUE, sources={"website": source})) == []


@pytest.mark.parametrize(
    ("verify", "place", "said"),
    [
        (SIGNED, "_request.query.tel", True),
        (SIGNED, '_request.headers."x-tel"', True),
        (SIGNED, "first(tel, _request.query.tel)", True),
        (SIGNED, "tel", False),
        (URL_SIGNED, "_request.query.tel", False),
        (URL_SIGNED, '_request.headers."x-tel"', True),
        ({"scheme": "token", "query": "token"}, "_request.query.tel", False),
    ],
)
def test_person_in_what_is_not_signed(verify: object, place: str, said: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column
    """The person to be called should stand in what the sender signs; the rest of a lead may stand anywhere."""
    own = {**OPEN, "verify": verify, "secret": SECRET, "map": {"phone_number": place, "note": "_request.query.note"}}
    told = tell(read_config(tmp_path, queue=QUEUE, sources={"website": make_source(evidence="vendor", **own)}))
    assert [line.startswith("sources.website.map.phone_number: is read from a part") for line in told] == [True] * said


END = {"v1": "2027-03-01"}


@pytest.mark.parametrize(
    ("now", "weight"),
    [
        ("2026-11-28T23:59:59", None),
        ("2026-11-29T00:00:00", Weight.ADVICE),
        ("2027-02-28T23:59:59", Weight.ADVICE),
        ("2027-03-01T00:00:00", Weight.MISTAKE),
        ("2028-01-01T00:00:00", Weight.MISTAKE),
    ],
)
@pytest.mark.parametrize(
    ("fetch", "is_asked"),
    [
        ({"url": "https://api.example.com/v1/{id}"}, True),
        ({"url": "https://api.example.com/{id}", "headers": {"API-Version": "v1"}}, True),
        ({"url": "https://api.example.com/v11/v1x/{id}", "headers": {"API-Version": "v10"}}, False),
        (None, False),
    ],
)
def test_version_that_ends(
    fetch: dict[str, Any] | None,
    is_asked: bool,  # noqa: FBT001 - a column of the table
    now: str,
    weight: Weight | None,
    tmp_path: Path,
) -> None:
    """The end of a version that is fetched with is told three months before, and is a mistake from its day on."""
    source = make_source(evidence="vendor", **OPEN, verify=TIMED, ends=END, fetch=fetch)
    settings = read_config(tmp_path, queue=QUEUE, sources={"website": source})
    notes = list(advise(settings, datetime.fromisoformat(f"{now}+00:00")))
    assert [note.weight for note in notes] == ([weight] if is_asked and weight else [])
    text = "from 2027-03-01 on the sender's API refuses version v1; write a newer one"
    assert all(note[:2] == ("sources.website.fetch", text) for note in notes)


@pytest.mark.parametrize(
    ("preset", "fetch", "weight"),
    [
        ("linkedin", {"headers": {"Authorization": "Bearer x", "LinkedIn-Version": "202601"}}, Weight.ADVICE),
        ("linkedin", {"headers": {"Authorization": "Bearer x", "LinkedIn-Version": "202511"}}, Weight.MISTAKE),
        ("linkedin", {}, None),
        ("meta", {"url": "https://graph.facebook.com/v23.0/{leadgen_id}"}, Weight.MISTAKE),
        ("meta", {"url": "https://graph.facebook.com/v25.0/{leadgen_id}"}, Weight.ADVICE),
        ("meta", {}, None),
    ],
)
def test_versions_of_presets(preset: str, fetch: dict[str, Any], weight: Weight | None, tmp_path: Path) -> None:
    """What a preset and its example fetch with goes on for months; of older versions it is known until when."""
    example: Any = read_preset(preset)["example"]
    words = {"secret": SECRET, "verify_token": SECRET, "campaign": "callbacks", "set": {"phone_number": "601000001"}}
    source = {"preset": preset, **words, **example, "fetch": {**example["fetch"], **fetch}}
    environ = write_config(tmp_path, queue=QUEUE, sources={"leads": source})
    settings = config.load({**environ, "LINKEDIN_TOKEN": "x", "META_PAGE_TOKEN": "x"})
    now = NOW if fetch else NOW + timedelta(days=90)
    notes = [note for note in advise(settings, now) if note.path == "sources.leads.fetch"]
    assert [note.weight for note in notes] == ([weight] if weight else [])


def test_queue_keeps_what_a_sender_never_sends_again(tmp_path: Path) -> None:
    """With a queue on this machine neither a sender that never sends again nor a hasty one is worth a word."""
    source = make_source(evidence="vendor", retries=False, answer_within=1)
    assert tell(read_config(tmp_path, queue=QUEUE, sources={"website": source})) == []


def test_requeue_without_a_queue(tmp_path: Path) -> None:
    """A campaign that requeues is told of as long as no queue remembers redeliveries."""
    campaigns = {"callbacks": {"id": "00001", "set": {"status_id": 3}, "on_existing": "requeue"}}
    sources = {"website": make_source(evidence="vendor")}
    (line,) = tell(read_config(tmp_path, campaigns=campaigns, sources=sources))
    assert "redelivery" in line
    assert tell(read_config(tmp_path, campaigns=campaigns, sources=sources, queue=QUEUE)) == []


BOTH = {"status_id": 3, "dictionary_status_id": 2}
MAPPED = {"phone_number": "phone", "dictionary_status_id": "status"}


@pytest.mark.parametrize(
    ("campaign", "source", "paths"),
    [
        ({"set": BOTH}, {}, ["campaigns.callbacks.set"]),
        ({"later": BOTH}, {}, ["campaigns.callbacks.later"]),
        ({"stop": BOTH}, {}, ["campaigns.callbacks.stop"]),
        ({"set": BOTH, "stop": BOTH}, {}, ["campaigns.callbacks.set", "campaigns.callbacks.stop"]),
        ({"set": {"note": "x"}}, {"set": BOTH}, ["sources.website.set"]),
        ({"set": {"status_id": 3}}, {"set": {"dictionary_status_id": 2}}, ["sources.website.set"]),
        ({"set": {"status_id": 3}}, {"map": MAPPED}, ["sources.website.map"]),
        ({}, {"map": MAPPED, "set": {"status_id": 3}}, ["sources.website.set"]),
        ({"set": {"status_id": 3}, "later": {"dictionary_status_id": 2}}, {"set": {"status_id": 4}}, []),
        ({"stop": {"status_id": 6}}, {"set": BOTH, "action": "stop"}, []),
    ],
)
def test_two_statuses(campaign: dict[str, Any], source: dict[str, Any], paths: list[str], tmp_path: Path) -> None:
    """Two ids of a status are told where they come together, since Thulium does not say which of them counts."""
    campaigns = {"callbacks": {"id": "00001", **campaign}}
    sources = {"website": make_source(evidence="vendor", **source)}
    notes = tell(read_config(tmp_path, campaigns=campaigns, sources=sources))
    expected = "status_id and dictionary_status_id are both given; Thulium documents no order of precedence: keep one"
    assert notes == [f"{path}: {expected}" for path in paths]


def test_stop_needs_no_consent(tmp_path: Path) -> None:
    """Nobody has to say yes to be called no more."""
    source = make_source(evidence="vendor", consent=None, action="stop")
    stop = {"dictionary_status_id": 9}
    assert tell(read_config(tmp_path, stop=stop, sources={"website": source})) == []


def test_stop_that_keeps_no_strangers(tmp_path: Path) -> None:
    """Whose stop is not kept is called when a lead of theirs comes."""
    source = make_source(action="stop", evidence="vendor", customer={"on_missing": "fail"})
    (line,) = tell(read_config(tmp_path, stop={"dictionary_status_id": 3}, sources={"website": source}))
    assert line.startswith("sources.website: `on_missing: fail`: nothing is kept of a stranger's stop")


def test_hook_that_comes_for_what_another_source_creates(tmp_path: Path) -> None:
    """A source that hears of all new customers is told of beside one that creates some, and of no other."""
    hook = make_source(evidence="vendor", preset="thulium", secret="user:long-password", consent="_body.ok", map=None)
    creating, finding = make_source(evidence="vendor"), make_source(evidence="vendor", customer={"on_missing": "fail"})
    (line,) = tell(read_config(tmp_path, sources={"hook": hook, "form": creating}))
    assert line.startswith("sources.hook: it also comes for the customers that form creates")
    assert tell(read_config(tmp_path, sources={"hook": hook, "form": finding})) == []
    assert tell(read_config(tmp_path, sources={"hook": hook})) == []


def test_short_log_key(tmp_path: Path) -> None:
    """A short key does not hide numbers."""
    settings = read_config(tmp_path, log_key="shorter", sources={"website": make_source(evidence="vendor")})
    (line,) = tell(settings)
    assert line.startswith("log_key: short")


def test_secret_that_is_not_known_here_is_not_short(tmp_path: Path) -> None:
    """Where nobody has the secrets, nothing is said of their length."""
    environ = write_config(
        tmp_path, log_key="${A}", sources={"website": make_source(evidence="vendor", secret="${B}", token="${C}")}
    )
    assert tell(config.load(environ, with_secrets=False)) == []


def test_sources_are_listed(tmp_path: Path) -> None:
    """A row tells where a source is received, its preset, its campaigns, its limits, and the kind of the queue."""
    own = make_source(preset=None, verify="basic", secret="user:password", campaign=["00007"])
    routed = make_source(campaign=[{"when": "a", "to": "callbacks"}, "00002"])
    rows = list(list_sources(read_config(tmp_path, queue=QUEUE, sources={"crm": own, "website": routed})))
    assert rows[1:] == [
        ("POST /crm", "-", "00007", "-", "sqlite"),
        ("POST /website", "form", "callbacks (00001), 00002", "300 an hour, 2000 a day", "sqlite"),
    ]
    assert list(list_sources(read_config(tmp_path)))[1][-1] == "none"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"preset": "form"}, True),
        ({"preset": "wpforms"}, True),
        ({"preset": "form", "customer": {"new_number": "separate"}}, False),
        ({"preset": "zapier"}, False),
        ({"preset": "form", "public": False}, False),
        ({"preset": "form", "map": {"phone_number": "phone"}}, False),
        ({"preset": "form", "action": "stop", "campaign": "optouts"}, False),
    ],
)
def test_address_typed_into_a_public_form(source: dict[str, Any], said: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A form in which anyone may type a customer's address is told of, and how to keep such people apart."""
    email = {"map": {"phone_number": "phone", "email": "mail"}}
    campaigns = {"callbacks": {"id": "00001"}, "optouts": {"id": "00002", "stop": {"status_id": 6}}}
    settings = read_config(tmp_path, campaigns=campaigns, sources={"website": make_source(**{**email, **source})})
    assert ("`customer: {new_number: separate}`" in "\n".join(tell(settings))) is said


@pytest.mark.parametrize(
    ("queue", "counts", "told"),
    [
        ("sqlite:///q.db", "", "50 an hour"),
        ("none", "", "50 an hour (each process)"),
        ("sqs:https://sqs.example.com/q.fifo", "", "50 an hour (each process)"),
        ("sqs:https://sqs.example.com/q.fifo", "counts", "50 an hour"),
        ("cloud-tasks:projects/a/locations/b/queues/c", "projects/a/databases/d", "50 an hour"),
    ],
)
def test_limits_are_told(queue: str, counts: str, told: str, tmp_path: Path) -> None:
    """Beside the limits it is told where each process counts alone, so that several together let through more."""
    environ = write_config(tmp_path, sources={"website": make_source(limits={"per_hour": 50})})
    place = {
        "RINGBACK_QUEUE": queue,
        "RINGBACK_DEAD_LETTER_QUEUE": "https://sqs.example.com/d",
        "RINGBACK_COUNTS": counts,
    }
    assert list(list_sources(config.load({**environ, **place})))[1][3] == told


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"limits": False}, True),
        ({"preset": None, "verify": "none", "secret": None, "limits": False}, True),
        ({"limits": {"per_day": 9}}, False),
        ({}, False),
        ({"preset": "typeform", "consent": {"label": "ok"}, "limits": False}, False),
    ],
)
def test_limits_that_are_switched_off(source: dict[str, Any], said: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column
    """A source that anyone with its URL may use without any limit is told of."""
    told = tell(read_config(tmp_path, queue=QUEUE, sources={"website": make_source(evidence="vendor", **source)}))
    assert [line for line in told if ".limits: switched off" in line] == [line for line in told if ".limits:" in line]
    assert any(".limits: switched off" in line for line in told) is said
