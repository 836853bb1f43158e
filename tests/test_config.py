"""The configuration, whole."""

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import phonenumbers
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from ringback import config
from ringback.errors import ConfigError
from ringback.grammar.campaign import NO_LOG_KEY
from ringback.grammar.source import NO_PROOF
from ringback.grammar.words import REGIONS
from ringback.settings import CloudTasks, Settings
from tests import given as example
from tests.given import SECRET, SOURCE, THULIUM, find_mistakes, load, make_config, make_source

# --- everything at once ---

CONTRACT = """
thulium:
  url: https://acme.thulium.com      # https only, but for localhost
  user: ${THULIUM_USER}
  password: ${THULIUM_PASSWORD}
  timeout: 10                        # seconds one call may take, within what the request has left
  batch_size: 100                    # records in one batch call at most
  timezone: Europe/Warsaw            # Thulium states none: of next_call_date
phone_region: PL                     # numbers without a country code are read as this region's
countries: [PL]                      # numbers that may be called; default: phone_region alone
public_url: https://hooks.acme.com   # what senders call; needed where the URL is signed
queue: sqlite:///ringback.db
dead_letter_queue: ${DLQ_URL}        # for sqs: where PARKED, FAILED and INVALID go
max_age: 24h                         # what could not be delivered for so long is parked, not called
log_key: ${LOG_KEY}                  # keys the hash by which a person is recognised in the log

campaigns:                           # rules live with the campaign; a source may also give a bare id
  callbacks:
    id: "00001"
    set: {status_id: 3}              # constants for the record
    on_existing: keep                # keep | requeue
    call_hours: "Mon-Fri 09:00-19:00, Sat 10:00-14:00"
    later: {status_id: 7}            # instead of the status in `set`, where the call lies in the future
  german: {id: "00002", set: {agent_login: h.meier}, later: {dictionary_status_id: 12, agent_login: h.meier}}
  others: {id: "00003", later: {status_id: 7}}

sources:
  website:                           # POST /website
    preset: typeform
    secret: ${TYPEFORM_SECRET}       # one, or a list while it is being rotated
    consent: {label: "Zgoda na kontakt"}
    map:                             # lead field: where it is in the event
      full_name: {label: "Imię i nazwisko"}
      phone_number: {type: phone_number}
    campaign: callbacks
  crm:                               # a sender without a preset
    verify: {scheme: token, header: X-Api-Key}
    secret: ${CRM_TOKEN}
    items: contacts                  # where the events are in the body; default: the body is one event
    event_id: id
    when: "lead_score > `10`"        # other events are SKIPPED
    map: {customer_id: thulium_id, next_call_date: call_at, phone_number: tel}
    set: {note: "from the CRM"}
    campaign:                        # the first that matches; none matching is INVALID, so that no lead vanishes
      - {when: "country == 'DE'", to: german}
      - {to: others}
"""
NAMES = ("THULIUM_USER", "THULIUM_PASSWORD", "DLQ_URL", "LOG_KEY", "TYPEFORM_SECRET", "CRM_TOKEN")
ENVIRON = {name: f"value-of-{name}" for name in NAMES}


def test_contract_is_read_as_it_is_written() -> None:
    """The documented configuration comes to what its comments say."""
    got = load(CONTRACT, ENVIRON)
    thulium = got.thulium
    assert (thulium.url, thulium.user.text) == ("https://acme.thulium.com", "value-of-THULIUM_USER")
    assert (thulium.password.text, thulium.timeout, thulium.batch_size) == ("value-of-THULIUM_PASSWORD", 10, 100)
    assert thulium.timezone == ZoneInfo("Europe/Warsaw")
    assert (got.phone_region, got.countries, got.public_url) == ("PL", frozenset({"PL"}), "https://hooks.acme.com")
    assert (got.queue, got.dead_letter_queue) == ("sqlite:///ringback.db", "value-of-DLQ_URL")
    assert (got.max_age, got.log_key.text) == (timedelta(hours=24), "value-of-LOG_KEY")
    assert [(name, each.id, each.set, each.later) for name, each in got.campaigns.items()] == [
        ("callbacks", "00001", {"status_id": 3}, {"status_id": 7}),
        ("german", "00002", {"agent_login": "h.meier"}, {"dictionary_status_id": 12, "agent_login": "h.meier"}),
        ("others", "00003", {}, {"status_id": 7}),
    ]
    assert list(got.sources) == ["website", "crm"]
    assert [(route.when and route.when.text, route.to.id) for route in got.sources["crm"].routes] == [
        ("country == 'DE'", "00002"), (None, "00003"),
    ]  # fmt: skip


def test_defaults() -> None:
    """What is left out has the contract's defaults."""
    got = load(make_config())
    assert (got.thulium.timeout, got.thulium.batch_size, got.thulium.timezone.key) == (10, 100, "Europe/Warsaw")
    assert (got.phone_region, got.countries, got.public_url) == ("PL", frozenset({"PL"}), "")
    assert (got.queue, got.dead_letter_queue, got.stop) == (None,) * 3
    assert (got.max_age, got.paused, got.campaigns) == (timedelta(hours=24), False, {})
    assert load(make_config(phone_region="DE")).countries == {"DE"}
    campaign = load(make_config(campaigns={"a": {"id": "00001"}})).campaigns["a"]
    assert (campaign.name, campaign.on_existing, campaign.call_hours, campaign.stop) == ("a", "keep", None, {})


def test_example_that_is_shipped(root: Path) -> None:
    """The configuration beside the doors is good, without secrets too; it is the one when no other is named."""
    text = (root / "functions/config.yaml").read_text("utf-8")
    load(text, with_secrets=False)
    environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), SECRET)
    assert config.load({**environ, "THULIUM_URL": "https://acme.thulium.com"}).sources


TEN = r"""
thulium:
  url: http://acme.thulium.com
  user: ringback
  pasword: hunter2
  batch_size: many
phone_region: NO
max_age: 24
campaigns:
  callbacks: {id: 00001, call_hours: 9:00}
  other: {id: "00002", on_existing: requeu}
sources:
  website:
    preset: typform
    secret: ${NOBODY_HAS_IT}
    campaign: calbacks
  crm:
    secret: hunter2
    map: {phone: tel}
    when: "score = 1"
    campaign: other
    campaign: "00001"
"""


def test_every_mistake_is_told_at_once() -> None:
    """However many mistakes a file has, all are told: a line each, with its path, what is wrong, and the way out."""
    assert find_mistakes(TEN) == [
        'campaigns.callbacks.call_hours: not a text; put it in quotes: YAML reads 9:00 as 540, write "9:00"',
        'campaigns.callbacks.id: not a text; put it in quotes: YAML reads 00001 as 1, write "00001"',
        "campaigns.other.on_existing: not known; is `requeue` meant?",
        f"log_key: {NO_LOG_KEY.format()}",
        "max_age: not a time span; write a whole number and s, m, h or d: 24h",
        'phone_region: not a text; put it in quotes: YAML reads NO as false, write "NO"',
        "sources.crm.campaign: given twice, in lines 21 and 22; keep one of them",
        "sources.crm.map.phone: not a field of a lead; is `phone_number` meant?",
        f"sources.crm.verify: {NO_PROOF.format()}",
        "sources.crm.when: Unknown token '=' at character 7; == compares",
        "sources.website.campaign: no such campaign; is `callbacks` meant?",
        "sources.website.preset: there is no such preset; is `typeform` meant?",
        "sources.website.secret: ${NOBODY_HAS_IT} is set neither in the environment nor in the secret; set it",
        "thulium.batch_size: not a whole number from 1 to 1000",
        "thulium.password: missing; docs/configuration.md says what belongs there",
        "thulium.pasword: unknown key; is `password` meant?",
        "thulium.url: not https; only localhost may be called without",
    ]


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ({"thulium": None}, "thulium: empty; give it a value, or leave the key out"),
        ({"thulium": "https://x"}, "thulium: not a mapping; write `key: value` pairs"),
        ({"thulium": {**THULIUM, "url": "https://acme.thulium.com/api"}}, "thulium.url: more than a server's address"),
        ({"thulium": {**THULIUM, "url": 5}}, "thulium.url: not a text; put it in quotes"),
        ({"thulium": {**THULIUM, "password": 12345}}, "thulium.password: not a text; put it in quotes"),
        ({"thulium": {**THULIUM, "password": ""}}, "thulium.password: empty; give it a value"),
        ({"thulium": {**THULIUM, "timeout": 0}}, "thulium.timeout: not a number from 0.1 to 120"),
        ({"thulium": {**THULIUM, "timeout": float("nan")}}, "thulium.timeout: not a number from 0.1 to 120"),
        ({"thulium": {**THULIUM, "batch_size": 1.5}}, "thulium.batch_size: not a whole number from 1 to 1000"),
        ({"thulium": {**THULIUM, "timezone": "Warsaw"}}, "thulium.timezone: no time zone; write one like "),
        ({"thulium": {**THULIUM, "timezone": "../x"}}, "thulium.timezone: no time zone"),
        ({"thulium": {**THULIUM, "timezone": "Europe"}}, "thulium.timezone: no time zone"),
        ({"thulium": {**THULIUM, "phone_forms": ["e165"]}}, "thulium.phone_forms.0: not known; is `e164` meant?"),
        ({"phone_region": "UK"}, "phone_region: not a country; write its two letters: PL, DE, GB"),
        ({"phone_region": "pl"}, "phone_region: not a country"),
        ({"countries": ["PL", "POL"]}, "countries.1: not a country"),
        ({"countries": []}, "countries: empty; name at least one"),
        ({"public_url": "hooks.example.com"}, "public_url: not a server's address; write https://host"),
        ({"max_age": "0h"}, "max_age: not a time span"),
        ({"max_age": "1w"}, "max_age: not a time span"),
        ({"paused": "maybe"}, "paused: neither true nor false"),
        ({"paused": True}, "paused: nothing keeps what comes in meanwhile; name a `queue` too"),
        ({"log_key": 5}, "log_key: not a text; put it in quotes"),
        ({"log_key": None}, "log_key: empty; give it a value, or leave the key out"),
        ({"stop": {}}, "stop.dictionary_status_id: missing"),
        ({"stop": {"dictionary_status_id": "x"}}, "stop.dictionary_status_id: not a whole number from 1 to 2147483647"),
        ({"stop": 5}, "stop: not a mapping; write `key: value` pairs"),
        ({"queue": 5}, "queue: not a text; put it in quotes"),
        ({"queue": "redis://x"}, "queue: no such queue; write sqlite:///file.db, sqs:<url>, cloud-tasks:<name>, or "),
        ({"queue": "sqlite:///"}, "queue: no such queue"),
        ({"queue": "sqlite:/x"}, "queue: no such queue"),
        ({"queue": "sqlite:///:memory:"}, "queue: memory keeps nothing"),
        ({"queue": "sqs:"}, "queue: no such queue"),
        ({"queue": "sqs:https://x"}, "dead_letter_queue: an sqs queue needs one, for what a person has to look at"),
        ({"queue": "cloud-tasks:leads"}, "queue: not its full name; write cloud-tasks:projects/<project>/locations/"),
        ({"sources": None}, "sources: empty; give it a value, or leave the key out"),
        ({"sources": ["website"]}, "sources: not a mapping; write `name:` and what belongs to it below"),
        ({"campaigns": ["one"]}, "campaigns: not a mapping; write `name:` and what belongs to it below"),
        ({"campaigns": {"a": None}}, "campaigns.a: not a mapping; write `key: value` pairs"),
        ({"campaigns": {"a": {}}}, "campaigns.a.id: missing"),
        ({"campaigns": {"a": {"id": "1"}}}, "campaigns.a.id: not a campaign id; Thulium's are five characters in "),
        ({"campaigns": {"a": {"id": "00001", "call_hours": "9-5"}}}, "campaigns.a.call_hours: '9-5' has no days"),
        ({"campaigns": {"a": {"id": "00001", "set": {"note": ["x"]}}}}, "campaigns.a.set.note: not a text"),
        ({"campaigns": {"a": {"id": "00001", "later": {"agent_login": "h.meier"}}}},
         "campaigns.a.later: no status; write {status_id: N}, N being one of the kind CALL_NO_SOONER_THAN"),
        ({"campaigns": {"a": {"id": "00001", "later": {"status_id": 7, "agent_login": 5}}}},
         "campaigns.a.later.agent_login: not a text; put it in quotes"),
        ({"campaigns": {"a": {"id": "00001", "requeue_from": "CALLED"}}},
         "campaigns.a.requeue_from: not known; is `CALL` meant?"),
        ({"sorces": {}}, "sorces: unknown key; is `sources` meant?"),
    ],
    ids=range(47),
)  # fmt: skip
def test_mistakes(top: dict[str, Any], said: str) -> None:
    """Every mistake is told in its own place, once, with the way out."""
    mistakes = find_mistakes({**make_config(), **top})
    assert [mistake.startswith(said) for mistake in mistakes] == [True], mistakes


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("", ["the file: not a mapping; write `key: value` pairs"]),
        ("[]", ["the file: not a mapping; write `key: value` pairs"]),
        ("text", ["the file: not a mapping; write `key: value` pairs"]),
        (
            "{}",
            [
                f"log_key: {NO_LOG_KEY.format()}",
                "sources: missing; docs/configuration.md says what belongs there",
                "thulium: missing; docs/configuration.md says what belongs there",
            ],
        ),
    ],
)
def test_file_that_says_nothing(text: str, mistakes: list[str]) -> None:
    """What is no configuration at all is told as such."""
    assert find_mistakes(text) == mistakes


@pytest.mark.parametrize(
    ("plain", "meant"),
    [("00001", "1"), ("NO", "false"), ("9:00", "540"), ("0700", "448"), ("1_0", "10"), ("1", "a number"),
     ("true", "a yes or no")],
)  # fmt: skip
def test_traps_of_yaml_are_explained(plain: str, meant: str) -> None:
    """Where YAML has made something else of a text, it is said what, and how to write it."""
    text = yaml.safe_dump(make_config(make_source(campaign="CAMPAIGN"))).replace("CAMPAIGN", plain)
    assert find_mistakes(text) == [
        f'sources.website.campaign: not a text; put it in quotes: YAML reads {plain} as {meant}, write "{plain}"'
    ]


def test_time_without_colon_is_no_hours() -> None:
    """``0900`` stays text in YAML, and is no call hours."""
    text = yaml.safe_dump(make_config(campaigns={"a": {"id": "00001", "call_hours": "HOURS"}})).replace("HOURS", "0900")
    assert find_mistakes(text) == ["campaigns.a.call_hours: '0900' has no days; write `Mon-Fri 0900`"]


def test_key_that_is_no_text() -> None:
    """A key that YAML does not read as text is told once, where it is."""
    text = yaml.safe_dump(make_config()) + "campaigns: {00001: {id: '00001'}}\n"
    [mistake] = find_mistakes(text)
    assert mistake.startswith("campaigns.00001: YAML does not read this key in line ")
    [mistake] = find_mistakes(yaml.safe_dump(make_config()) + "on: 1\n")
    assert mistake.startswith("on: YAML does not read this key")


@given(st.text() | st.text("{}[]:-,#&*!|>'\"%@`? \nabthuliumsources01~.$"))
@settings(max_examples=100, deadline=None)
def test_whatever_is_written(text: str) -> None:
    """Any text is settings or a ConfigError, and nothing else."""
    with suppress(ConfigError):
        load(text)


PATHS = [
    ("thulium",), ("thulium", "url"), ("thulium", "timezone"), ("campaigns",), ("campaigns", "callbacks", "stop"),
    ("campaigns", "callbacks", "set"), ("sources",), ("sources", "crm"), ("sources", "crm", "verify"),
    ("sources", "crm", "verify", "scheme"), ("sources", "crm", "secret"), ("sources", "crm", "map"),
    ("sources", "crm", "campaign"), ("sources", "crm", "customer"), ("sources", "crm", "fetch"),
    ("sources", "crm", "answers"), ("sources", "crm", "handshake"), ("sources", "website", "preset"),
    ("sources", "website", "map"), ("sources", "website", "only"), ("sources", "website", "needs"), ("queue",),
    ("stop",), ("countries",), ("public_url",), ("sources", "crm", "consent"), ("sources", "crm", "set"),
    ("sources", "crm", "body"), ("sources", "crm", "volatile"), ("sources", "crm", "methods"),
]  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["*", "00001", "@", "none"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(["to", "scheme", "id"]), inner)
    ),
    max_leaves=5,
)


@given(st.sampled_from(PATHS), VALUES)
@settings(max_examples=80, deadline=None)
def test_whatever_stands_in_a_place(path: tuple[str, ...], value: object) -> None:
    """Any value anywhere makes settings or a ConfigError, and nothing else."""
    data = yaml.safe_load(CONTRACT)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with suppress(ConfigError):
        load(data, ENVIRON)


# --- the file ---


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is told with its name, and with what names another."""
    with pytest.raises(ConfigError, match=r"nowhere.yaml: No such file or directory; RINGBACK_CONFIG names the file"):
        config.load({"RINGBACK_CONFIG": str(tmp_path / "nowhere.yaml")})


@pytest.mark.parametrize("content", [b"a: \xff", b"a: {b: ${C}}"])
def test_file_that_is_no_yaml(tmp_path: Path, content: bytes) -> None:
    """A file that is no YAML, or no text, is told with its name."""
    (tmp_path / "c.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"c\.yaml: "):
        config.load({"RINGBACK_CONFIG": str(tmp_path / "c.yaml")})


# --- the queue ---

TASKS = "cloud-tasks:projects/p/locations/l/queues/q"
LETTERS = {"RINGBACK_DEAD_LETTER_QUEUE": "https://sqs.example.com/dead.fifo"}


@pytest.mark.parametrize(
    ("written", "environ", "queue"),
    [
        (None, {}, None),
        ("none", {}, None),
        ("sqlite:///a.db", {}, "sqlite:///a.db"),
        ("sqlite:////var/a.db", {}, "sqlite:////var/a.db"),
        ("sqs:https://sqs.example.com/q.fifo", LETTERS, "sqs:https://sqs.example.com/q.fifo"),
        (TASKS, {}, TASKS),
        ("sqlite:///a.db", {"RINGBACK_QUEUE": "sqs:x", **LETTERS}, "sqs:x"),
        ("sqlite:///a.db", {"RINGBACK_QUEUE": "none"}, None),
        ("sqlite:///a.db", {"RINGBACK_QUEUE": ""}, "sqlite:///a.db"),
        (None, {"RINGBACK_QUEUE": "sqlite:///b.db"}, "sqlite:///b.db"),
        ("sqlite:///a.db", {"RINGBACK_QUEUE": TASKS, "K_SERVICE": "x"}, TASKS),
    ],
)
def test_queue(written: str | None, environ: dict[str, str], queue: str | None) -> None:
    """The queue is the environment's, else the file's, else none."""
    top = {"queue": written} if written else {}
    assert load({**make_config(), **top}, environ).queue == queue


def test_what_only_the_deployment_knows() -> None:
    """Where dead letters go, and how Cloud Tasks delivers, is said by the environment of the deployment."""
    got = load(make_config(dead_letter_queue="https://file"), {**LETTERS, "RINGBACK_DELIVER_URL": "https://x/deliver"})
    assert got.dead_letter_queue == "https://sqs.example.com/dead.fifo"
    assert got.cloud_tasks == CloudTasks(False, "https://x/deliver", None, None, None)  # noqa: FBT003 - as they stand
    assert load(make_config(dead_letter_queue="https://file")).dead_letter_queue == "https://file"


@pytest.mark.parametrize("name", ["AWS_LAMBDA_FUNCTION_NAME", "K_SERVICE"])
def test_sqlite_is_refused_where_its_file_would_be_lost(name: str) -> None:
    """On Lambda and on Cloud Run a SQLite queue would lose leads: it is refused."""
    said = "the disk is not kept here, and its leads would be lost; take the cloud's own queue"
    assert find_mistakes(make_config(queue="sqlite:///a.db"), {name: "x"}) == [f"queue: {said}"]
    environ = {name: "x", "RINGBACK_QUEUE": "sqlite:///a.db"}
    assert find_mistakes(make_config(), environ) == [f"RINGBACK_QUEUE: {said}"]


# --- secrets ---


def test_environment_wins_over_the_secret() -> None:
    """Names are filled in from the environment, then from the secret that the environment names."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        boto3.client("secretsmanager").create_secret(Name="acme", SecretString='{"A": "secret", "B": "secret"}')
        thulium = {**THULIUM, "user": "${A}", "password": "${B}"}
        got = load({**make_config(), "thulium": thulium}, {"A": "environment", "RINGBACK_SECRET_ID": "acme"}).thulium
    assert (got.user.text, got.password.text) == ("environment", "secret")


def test_secret_that_can_not_be_read() -> None:
    """A secret that can't be read is a mistake with the way out."""
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        mistakes = find_mistakes(make_config(make_source(secret="${A}")), {"RINGBACK_SECRET_ID": "nobody"})
    [mistake] = mistakes
    assert mistake.startswith(
        "RINGBACK_SECRET_ID: the secret nobody can't be read (ResourceNotFoundException); look at its name"
    )


def test_nobody_is_asked_for_a_secret_that_is_not_needed(tmp_path: Path) -> None:
    """The secret is read when a name is not in the environment, and not before."""
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(make_config(make_source(secret="${A}"))))
    environ = {"RINGBACK_CONFIG": str(path), "RINGBACK_SECRET_ID": "acme"}
    config.load({**environ, "A": SECRET}, read_secret=pytest.fail)
    config.load(environ, read_secret=lambda _: f'{{"A": "{SECRET}"}}')


WITHOUT_THULIUM = {
    "thulium": {"url": "https://${HOST}", "user": "${U}", "password": "${P}"},
    "log_key": "an-invented-key-long-enough",
    "sources": {"website": {**SOURCE, "fetch": {"url": "https://x/{id}", "headers": {"Authorization": "${T}"}}}},
}
ON_SQS = {"RINGBACK_QUEUE": "sqs:https://sqs.example.com/1/leads.fifo", **LETTERS}
ON_TASKS = {"RINGBACK_QUEUE": "cloud-tasks:projects/a/locations/b/queues/c"}


@pytest.mark.parametrize(
    "environ",
    [{**ON_SQS, "_HANDLER": "aws.webhook"}, {**ON_TASKS, "FUNCTION_TARGET": "webhook"}],
    ids=["aws", "google"],
)
def test_function_that_only_accepts_needs_no_password(environ: dict[str, str]) -> None:
    """The function before a cloud's queue needs neither Thulium's password nor a token to fetch with, but all else."""
    assert load(WITHOUT_THULIUM, environ).sources.keys() == {"website"}
    whole = {**WITHOUT_THULIUM, "log_key": "${KEY}", "sources": {"website": make_source(secret="${S}")}}
    assert [mistake.partition(":")[0] for mistake in find_mistakes(whole, environ)] == [
        "log_key",
        "sources.website.secret",
    ]


@pytest.mark.parametrize(
    "environ",
    [
        {**ON_SQS, "_HANDLER": "aws.deliver"},
        {**ON_TASKS, "FUNCTION_TARGET": "deliver"},
        {**ON_SQS},
        {"_HANDLER": "aws.webhook"},
        {"FUNCTION_TARGET": "webhook", "RINGBACK_QUEUE": "none"},
        {"FUNCTION_TARGET": "webhook", "RINGBACK_QUEUE": "sqlite:///q.db"},
    ],
    ids=["aws", "google", "elsewhere", "direct on aws", "direct on google", "sqlite"],
)
def test_what_delivers_needs_the_password(environ: dict[str, str]) -> None:
    """What delivers, also in direct mode, is not started without: each name that is nowhere is a mistake."""
    assert [mistake.partition(":")[0] for mistake in find_mistakes(WITHOUT_THULIUM, environ)] == [
        "sources.website.fetch.headers.Authorization",
        "thulium.password",
        "thulium.url",
        "thulium.user",
    ]


def test_without_secrets() -> None:
    """Where nobody has the secrets, names that are nowhere are taken to be right, and all else is checked."""
    secrets = {"user": "${U}", "password": "${P}", "url": "${URL}"}
    text = {
        **make_config(make_source(verify="basic", secret=["${A}", "${B}"]), public_url="${PUBLIC}", log_key="${K}"),
        "thulium": secrets,
    }
    assert load(text, {"RINGBACK_SECRET_ID": "never-read"}, with_secrets=False).thulium.url == "https://thulium.invalid"
    assert find_mistakes({**text, "max_age": "x"}, with_secrets=False)[0].startswith("max_age: ")
    assert len(find_mistakes(text)) == 7


@pytest.mark.parametrize(
    ("config", "path"),
    [
        (make_config(max_age="${AGE}"), "max_age"),
        (make_config(make_source(answer_within="${T}")), "sources.website.answer_within"),
        (make_config(make_source(campaign="${C}")), ""),
        (make_config(make_source(campaign=["${C}"])), ""),
    ],
)
def test_what_can_not_be_checked_without_secrets(config: dict[str, Any], path: str) -> None:
    """A value that has to be known before anything can be said is asked for; it is not called wrong."""
    if path:
        [mistake] = find_mistakes(config, with_secrets=False)
        assert mistake.startswith(f"{path}: its ${{NAME}} is not known here, and nothing can be said without it; ")
    else:
        load(config, with_secrets=False)


MARK = "hunter2-the-marked-secret"
SECRETS = f"""
thulium: {{url: "https://acme.thulium.com", user: "{MARK}", password: "{MARK}"}}
log_key: "{MARK}"
sources:
  website:
    verify: [{{scheme: token, header: X-Api-Key, instead: "of the other"}}, {{scheme: hmac, header: H}}]
    secret: ["{MARK}", "{MARK}"]
    token: "{MARK}"
    verify_token: "{MARK}"
    fetch: {{url: "https://x/{{id}}?key={MARK}", headers: {{Authorization: "Bearer {MARK}"}}}}
    map: {{phone_number: tel}}
    campaign: "00001"
"""


def walk(value: object) -> Iterator[object]:
    """Yield a value and everything that is in it."""
    yield value
    if dataclasses.is_dataclass(value):
        parts: list[object] = [getattr(value, each.name) for each in dataclasses.fields(value)]
    elif isinstance(value, Mapping):
        parts = [*value.keys(), *value.values()]
    else:
        parts = [*value] if isinstance(value, (tuple, list, frozenset)) else []
    for part in parts:
        yield from walk(part)


def test_no_settings_show_a_secret() -> None:
    """However settings are printed, whole or in part, no secret shows."""
    got = load(SECRETS)
    objects = [each for each in walk(got) if not isinstance(each, str)]
    assert any(isinstance(each, Settings) for each in objects)
    assert len(objects) > 50
    for each in objects:
        assert MARK not in f"{each!r} {each!s} {each}", type(each)
    assert MARK in str([each for each in walk(got) if isinstance(each, str)])


@pytest.mark.parametrize(
    "name", ["user", "password", "log_key", "secret", "token", "verify_token", "url", "Authorization"]
)
@pytest.mark.parametrize("wrong", ["[[%s]]", "{%s: 1}", "%s: 1", "!%s", "*%s", "[", "12345", "null"])
def test_no_mistake_shows_a_secret(name: str, wrong: str) -> None:
    """Whatever is written in place of a secret, none is in what is said about it."""
    value = wrong.replace("%s", MARK)
    text = re.sub(rf'\b({name}: )("[^"]*"|\[[^]]*])', lambda found: found[1] + value, SECRETS)
    assert text != SECRETS
    with pytest.raises(ConfigError) as error:
        load(text)
    assert MARK not in str(error.value)
    assert name == "url" or "12345" not in str(error.value)


@pytest.mark.parametrize("path", [path for path in PATHS if path[-1] not in ("sources", "thulium", "campaigns", "crm")])
def test_no_mistake_shows_a_filled_in_value(path: tuple[str, ...]) -> None:
    """A secret whose name stands in a wrong place is not in what is said about it."""
    data = yaml.safe_load(CONTRACT)
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = "${MARK}"
    with suppress(ConfigError):
        assert MARK not in repr(load(data, {**ENVIRON, "MARK": MARK}))
        return
    assert MARK not in str(find_mistakes(data, {**ENVIRON, "MARK": MARK}))


def test_environment_is_an_argument() -> None:
    """Nothing but what is handed over is read: the process's own environment plays no part."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RINGBACK_QUEUE", "sqs:x")
        patch.setenv("SECRET_OF_THE_PROCESS", SECRET)
        assert load(make_config()).queue is None
        assert find_mistakes(make_config(make_source(secret="${SECRET_OF_THE_PROCESS}")))
        assert os.environ["RINGBACK_QUEUE"]


def test_regions_are_those_that_numbers_can_be_of() -> None:
    """A country is one whose numbers can be read."""
    assert set(REGIONS.split()) == phonenumbers.SUPPORTED_REGIONS


def test_helpers_of_the_tests() -> None:
    """What the tests take for a good configuration is one."""
    assert example.load(make_config()).sources["website"].name == "website"


# --- what hides nothing ---


def test_traps_among_constants() -> None:
    """What YAML has made of an unquoted constant is told, not sent to Thulium."""
    text = yaml.safe_dump(make_config(make_source(set={"note": "NOTE", "custom_fields.Kod": "CODE"})))
    assert find_mistakes(text.replace("NOTE", "9:00").replace("CODE", "00123")) == [
        'sources.website.set.custom_fields.Kod: not a text; put it in quotes: YAML reads 00123 as 83, write "00123"',
        'sources.website.set.note: not a text; put it in quotes: YAML reads 9:00 as 540, write "9:00"',
    ]
    campaigns = yaml.safe_dump(make_config(campaigns={"a": {"id": "00001", "set": {"agent_login": "LOGIN"}}}))
    assert find_mistakes(campaigns.replace("LOGIN", "NO")) == [
        'campaigns.a.set.agent_login: not a text; put it in quotes: YAML reads NO as false, write "NO"'
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [("note", "5"), ("note", "true"), ("note", "1.5"), ("note", "text"), ("vip", "yes"), ("vip", "True")],
)
def test_plain_constants_are_taken(name: str, value: str) -> None:
    """What YAML reads as it is written needs no quotes, nor does a yes where one is asked for."""
    text = yaml.safe_dump(make_config(make_source(set={name: "VALUE"}))).replace("VALUE", value)
    assert load(text).sources["website"].set


def test_constant_that_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`~` takes away a constant of the preset, and is no trap."""
    monkeypatch.setattr("ringback.grammar.preset.FOLDER", tmp_path)
    (tmp_path / "own.yaml").write_text("set: {note: x, vip: true}\nverify: {scheme: token, header: X-Api-Key}\n")
    text = yaml.safe_dump(make_config({**make_source(preset="own", set={"note": "NOTHING"}), "verify": "basic"}))
    text = text.replace("NOTHING", "~").replace("verify: basic", "verify: {scheme: token, header: X-Api-Key}")
    assert load(text).sources["website"].set == {"vip": True}


def test_stop_ignores_statuses() -> None:
    """A stop's records have the campaign's stop alone."""
    campaigns = {"c": {"id": "00001", "set": {"dictionary_status_id": 2}, "stop": {"status_id": 6}}}
    source = make_source(action="stop", campaign="c", set={"status_id": 1})
    assert load(make_config(source, campaigns=campaigns)).sources


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("consent", "yes", "YAML reads yes as true"),
        ("verify", "NO", "YAML reads NO as false"),
        ("verify", "None", "is `none`"),
    ],
)
def test_traps_elsewhere(key: str, value: str, said: str) -> None:
    """Wherever YAML has made something else of what is wrong, it is said."""
    text = yaml.safe_dump(make_config(make_source(**{key: "VALUE"}))).replace("VALUE", value)
    (mistake,) = find_mistakes(text)
    assert mistake.startswith(f"sources.website.{key}: ")
    assert said in mistake


def test_secret_that_can_not_be_read_hides_nothing(tmp_path: Path) -> None:
    """Where the secret is no JSON that is told beside the file's own mistakes, and not once for each name in it."""
    raw = {**make_config(make_source(secret="${A}")), "max_age": "x"}
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(raw), "utf-8")
    with pytest.raises(ConfigError) as caught:
        config.load({"RINGBACK_CONFIG": str(path), "RINGBACK_SECRET_ID": "id"}, read_secret=lambda _: "no JSON")
    secret, age = caught.value.mistakes
    assert secret.startswith("RINGBACK_SECRET_ID: the secret is no JSON object")
    assert age.startswith("max_age: ")


def test_two_names_in_one_text() -> None:
    """All names of one text that are nowhere are told."""
    (mistake,) = find_mistakes(make_config(make_source(secret="${A}-${B}")))
    assert mistake.startswith("sources.website.secret: ${A}, ${B} is set neither")


def test_campaign_with_a_mistake_of_its_own() -> None:
    """What a source and its campaign lack together is told beside what is wrong with the campaign alone."""
    campaigns = {"c": {"id": "00001", "on_existing": "requeue", "call_hours": "x"}, "d": {"id": "2"}}
    told = find_mistakes(make_config(make_source(campaign=[{"to": "c"}, {"to": "d"}]), campaigns=campaigns))
    assert [mistake.partition(": ")[0] for mistake in told] == [
        "campaigns.c.call_hours", "campaigns.d.id", "sources.website.campaign",
    ]  # fmt: skip
    assert "one before the last takes all leads" in told[-1]
    assert "campaign c requeues" in told[-1]


@pytest.mark.parametrize("campaign_id", ["00001", "12345", "ABCDE", "a-1_b", "4%7?#", "x.y~z", "'\"{}\\"])
def test_campaign_id_is_five_characters(campaign_id: str) -> None:
    """An id is any five characters, and stays a text as it is written."""
    campaigns = {"one": {"id": campaign_id}}
    assert load(make_config(make_source(campaign="one"), campaigns=campaigns)).campaigns["one"].id == campaign_id


@pytest.mark.parametrize(
    "campaign_id",
    ["", "1", "0001", "000001", "00 01", " 0001", "0001\n", "00/01", "00\t01", ".....", "000\u00e91", "0000\u0661"],
)
def test_what_is_no_campaign_id(campaign_id: str) -> None:
    """Spaces, slashes, control characters and what is not ASCII are in no id, nor is one all dots."""
    (mistake,) = find_mistakes(make_config(make_source(campaign="one"), campaigns={"one": {"id": campaign_id}}))
    assert mistake == 'campaigns.one.id: not a campaign id; Thulium\'s are five characters in quotes: "00001"'


@pytest.mark.parametrize("word", ["sales", "ABCDE", "sale1x", "0001", "00 01", "00/01", "....."])
def test_word_that_is_no_bare_id(word: str) -> None:
    """A word of five characters without a digit is a name, and one that is not there is told with the nearest."""
    (mistake,) = find_mistakes(make_config(make_source(campaign=word), campaigns={"sale": {"id": "00001"}}))
    assert mistake.startswith("sources.website.campaign: no such campaign; ")
    assert ("is `sale` meant?" in mistake) == word.startswith("sale")


def test_campaign_that_is_named_by_its_id() -> None:
    """Rules live with the campaign, whether a source calls it by its name or its id."""
    campaigns = {"callbacks": {"id": "00001", "set": {"status_id": 3}}}
    settings = load(make_config(campaigns=campaigns))
    assert settings.sources["website"].routes[0].to is settings.campaigns["callbacks"]


@pytest.mark.parametrize("top", [None, {"dictionary_status_id": 9}])
def test_campaign_of_two_names_has_one_stop(top: dict[str, int] | None) -> None:
    """Who said stop is known by it in a campaign under each of the names that it has."""
    campaigns = {"one": {"id": "00001", "stop": {"status_id": 6}}, "two": {"id": "00001"}, "other": {"id": "00002"}}
    source = make_source(campaign="one")
    settings = load(make_config(source, campaigns=campaigns, **({"stop": top} if top else {})))
    assert [each.stop for each in settings.campaigns.values()] == [{"status_id": 6}, {"status_id": 6}, top or {}]


def test_campaign_of_two_names_and_two_stops() -> None:
    """Two stops of one campaign are a mistake."""
    campaigns = {"one": {"id": "00001", "stop": {"status_id": 6}}, "two": {"id": "00001", "stop": {"status_id": 7}}}
    assert find_mistakes(make_config(make_source(campaign="one"), campaigns=campaigns)) == [
        "campaigns.two.stop: 00001 has another one, under another name: give it the same"
    ]


def test_campaign_of_two_names_that_is_named_by_its_id() -> None:
    """Of two sets of rules for one campaign it has to be said which."""
    campaigns = {"one": {"id": "00001"}, "two": {"id": "00001"}}
    assert find_mistakes(make_config(campaigns=campaigns)) == [
        "sources.website.campaign: that id is one and two here; write which"
    ]
    stop = make_source(action="stop")
    load(make_config(stop, campaigns=campaigns, stop={"dictionary_status_id": 3}))
    load(make_config(make_source(campaign="two"), campaigns=campaigns))


def test_everything_is_stopped_where_one_campaign_is_bad() -> None:
    """`*` names all campaigns of the file, also where one of them has a mistake."""
    source = make_source(action="stop", campaign="*")
    (mistake,) = find_mistakes(make_config(source, campaigns={"c": {"id": "1", "stop": {"status_id": 6}}}))
    assert mistake.startswith("campaigns.c.id: ")


def test_user_with_a_colon() -> None:
    """HTTP Basic can't tell where such a user ends."""
    raw = make_config()
    raw["thulium"] = {**raw["thulium"], "user": "a:b"}
    (mistake,) = find_mistakes(raw)
    assert mistake.startswith("thulium.user: a colon can't be in it")


def test_file_of_another_encoding(tmp_path: Path) -> None:
    """A file that is not UTF-8 is told as that."""
    path = tmp_path / "config.yaml"
    path.write_bytes("# zażółć".encode("utf-16"))
    with pytest.raises(ConfigError, match="not UTF-8; save it in that encoding"):
        config.load({"RINGBACK_CONFIG": str(path)})
