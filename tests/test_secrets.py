"""Secrets in the configuration: how short one may be, and when one ends."""

import shlex
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.app import App
from ringback.secret import Secret
from ringback.web import Request
from tests.configs import make_source as make_form
from tests.configs import run, write_config
from tests.given import find_mistakes, load, load_source, make_config, make_source

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
KEYS = ["secret", "token", "verify_token"]
GOOD = "an-invented-secret-long-enough"
TOO_SHORT = "fewer than 6 characters that can be seen; make up a longer one, 32 random letters and digits"

# Each is all that there is to be seen of it: nothing.
BLANKS = [" ", "\t", "\n", "\x00", "\x1b", "\x85", "\u00a0", "\u2003", "\u3000", "\u200b", "\u200d", "\ufeff", "\u2060"]
BLANKS += ["\u00ad", "\u202e", "\u180e", "\u115f", "\u3164", "\uffa0", "\u2800", "\ufe0f", "\u034f", "\U000e0020"]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("text", ["abcde", "  abcde  ", "a", "żółty", "abc\u200b\u200b\u200bde"])
def test_secret_that_is_too_short(key: str, text: str) -> None:
    """A secret of fewer than six characters that can be seen is a mistake, alone and among others."""
    assert find_mistakes(make_config(make_source(**{key: text}))) == [f"sources.website.{key}: {TOO_SHORT}"]
    (mistake,) = find_mistakes(make_config(make_source(**{key: [GOOD, text]})))
    assert mistake == f"sources.website.{key}.1: {TOO_SHORT}"
    (mistake,) = find_mistakes(make_config(make_source(**{key: [GOOD, {"value": text}]})))
    assert mistake == f"sources.website.{key}.1.value: {TOO_SHORT}"


@pytest.mark.parametrize("text", ["abcdef", "ab cd ef", "żółty!", "秘密秘密秘密"])
def test_secret_that_is_just_long_enough(text: str) -> None:
    """Six characters that can be seen are enough to start with."""
    assert load_source(make_source(secret=text, token=text, verify_token=text)).secrets == (Secret(text),)
    assert load({**make_config(), "log_key": text}).log_key == Secret(text)


def test_key_of_the_log_that_is_too_short() -> None:
    """The key of the log is a secret like any other."""
    assert find_mistakes({**make_config(), "log_key": "abcde"}) == [f"log_key: {TOO_SHORT}"]


def test_key_of_the_log_is_needed() -> None:
    """Without a key nothing starts, and the mistake has the command that makes one."""
    whole = {key: value for key, value in make_config().items() if key != "log_key"}
    for with_secrets in (True, False):
        (mistake,) = find_mistakes(whole, with_secrets=with_secrets)
        assert mistake.startswith("log_key: missing")
    command = shlex.split(mistake.rpartition("prints: ")[2])
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert load({**whole, "log_key": "${LOG_KEY}"}, {"LOG_KEY": made}).log_key.text == made.strip()
    assert len(made) > 40
    assert load({**whole, "log_key": "${LOG_KEY}"}, with_secrets=False).log_key.text == "${LOG_KEY}"


@given(st.text(st.sampled_from(BLANKS), min_size=1, max_size=40))
def test_nothing_that_can_be_seen(text: str) -> None:
    """However many characters are blank or invisible, together they are no secret."""
    assert Secret(text).is_too_short
    assert Secret(f"{text}abcde").is_too_short
    assert not Secret(f"abc{text}def").is_too_short


@pytest.mark.parametrize("text", [mark * 20 for mark in BLANKS if mark.isprintable() and not mark.isspace()])
def test_invisible_secret_is_a_mistake(text: str) -> None:
    """What shows as nothing does not start, wherever a secret is asked for."""
    for key in KEYS:
        assert find_mistakes(make_config(make_source(**{key: text}))) == [f"sources.website.{key}: {TOO_SHORT}"]


def test_secret_that_is_not_known_here() -> None:
    """Without the secrets at hand none is too short, whatever form it stands in."""
    forms: list[Any] = ["${A}", ["${A}", "${B}"], [{"value": "${A}"}, {"value": "${B}", "until": "2027-01-31"}]]
    for verify in ({"scheme": "hmac", "header": "H", "key": "hex"}, {"scheme": "basic"}):
        for form in forms:
            source = make_source(verify=verify, secret=form, token=form, verify_token=form)
            load({**make_config(source), "log_key": "${A}"}, with_secrets=False)


# An end


@pytest.mark.parametrize("until", [date(2027, 1, 31), "2027-01-31"])
def test_end_of_a_secret(until: object) -> None:
    """A secret may carry the day on which it ends, as YAML reads a day or as text."""
    secrets = [{"value": GOOD}, {"value": "the-one-before", "until": until}, "one-more"]
    source = load_source(make_source(secret=secrets, token=secrets[1], verify_token=secrets))
    assert source.secrets == (Secret(GOOD), Secret("the-one-before", date(2027, 1, 31)), Secret("one-more"))
    assert source.tokens == (Secret("the-one-before", date(2027, 1, 31)),)
    assert source.verify_tokens == source.secrets


@pytest.mark.parametrize(
    "until",
    [
        "soon",
        "31.01.2027",
        20270131.5,
        "20270131",
        "2027-W04-7",
        "2027-02-30",
        True,
        datetime(2027, 1, 31, tzinfo=UTC),
        [],
        "",
    ],
)
def test_end_that_is_no_day(until: object) -> None:
    """Anything but a day is a mistake."""
    (mistake,) = find_mistakes(make_config(make_source(secret={"value": GOOD, "until": until})))
    assert mistake.startswith("sources.website.secret.until: not a day; write it as year-month-day: 2027-01-31")


def test_other_keys_of_a_secret_are_not_shown() -> None:
    """A key beside those of a secret may be one itself, written down wrongly."""
    (mistake,) = find_mistakes(make_config(make_source(secret={"value": GOOD, "hunter2-hunter2": "until"})))
    assert mistake == "sources.website.secret: has other keys than value and until"


ENDING = [{"value": GOOD}, {"value": "the-one-before", "until": "2026-12-01"}]


@pytest.mark.parametrize(("hours", "old"), [(-1, 200), (0, 401), (24, 401)])
@pytest.mark.parametrize("key", ["secret", "token"])
def test_old_secret_is_void_from_its_day_on(key: str, hours: int, old: int) -> None:
    """An old secret is taken until its day begins (UTC), the new one before and after; nothing is deployed for it."""
    settings = load(make_config(make_source(**{"when": "`false`", key: ENDING})))
    app = App(settings, clock=lambda: datetime(2026, 12, 1, tzinfo=UTC) + timedelta(hours=hours))
    for text, status in ((GOOD, 200), ("the-one-before", old)):
        own = {"x-api-key": text} if key == "secret" else {"x-api-key": "invented-0123456789abcdef"}
        query = f"token={text}" if key == "token" else ""
        request = Request("POST", "/website", query, {**own, "content-type": "application/json"}, b"{}")
        assert app.handle(request).status == status


@pytest.mark.parametrize(("hours", "status"), [(-1, 200), (0, 401)])
def test_verify_token_has_an_end(hours: int, status: int) -> None:
    """So has the word of a handshake; where it alone was left, the question is refused."""
    handshake = {"kind": "echo-query", "query": "challenge", "token": "word"}
    settings = load(make_config(make_source(handshake=handshake, verify_token=ENDING[1])))
    app = App(settings, clock=lambda: datetime(2026, 12, 1, tzinfo=UTC) + timedelta(hours=hours))
    assert app.handle(Request("GET", "/website", "challenge=x&word=the-one-before")).status == status


@pytest.mark.parametrize(("hours", "answers"), [(-1, True), (0, False)])
def test_question_is_not_signed_with_a_secret_that_has_ended(hours: int, answers: bool) -> None:  # noqa: FBT001 - a parameter
    """A challenge is answered with the first secret that counts."""
    handshake = {"kind": "sign-query", "query": "code", "answer": "response"}
    clock = datetime(2026, 12, 1, tzinfo=UTC) + timedelta(hours=hours)
    said = []
    for secret in (ENDING[1], [ENDING[1], {"value": GOOD}], GOOD):
        settings = load(make_config(make_source(handshake=handshake, secret=secret)))
        said.append(App(settings, clock=lambda: clock).handle(Request("GET", "/website", "code=abc")).body)
    assert (said[0] == said[1]) is answers
    assert (said[1] == said[2]) is not answers


# What check says


def check(folder: Path, *options: str, **changes: Any) -> tuple[int, str]:
    """Return exit code and output of ``ringback check`` of a form with other keys, known for good."""
    source = make_form(**{"evidence": "vendor", **changes})
    result = run("check", *options, environ=write_config(folder, sources={"website": source}))
    return result.exit_code, result.stdout + result.stderr


@pytest.mark.parametrize("key", ["secret", "token", "verify_token"])
@pytest.mark.parametrize(("options", "code", "title"), [((), 0, "worth knowing"), (("--strict",), 1, "mistakes")])
def test_short_secrets_are_told(tmp_path: Path, key: str, options: tuple[str, ...], code: int, title: str) -> None:
    """A secret of fewer than 16 characters is advised against, and a mistake with `--strict`."""
    line = f"{title}\n  sources.website.{key}: shorter than 16 characters"
    exit_code, said = check(tmp_path, *options, **{key: "0123456789abcde"})
    assert (exit_code, line in said) == (code, True)
    assert ("has mistakes" in said) == bool(code)
    assert check(tmp_path, *options, **{key: "0123456789abcdef"})[0] == 0


def test_strict_takes_no_other_advice_for_a_mistake(tmp_path: Path) -> None:
    """What has nothing to do with secrets stays advice."""
    exit_code, said = check(tmp_path, "--strict", evidence="described", consent=None)
    assert exit_code == 0
    assert "worth knowing" in said


def test_short_key_of_the_log_is_a_mistake_with_strict(tmp_path: Path) -> None:
    """So is a short key of the log."""
    environ = write_config(tmp_path, log_key="shorter", sources={"website": make_form(evidence="vendor")})
    assert [run("check", *options, environ=environ).exit_code for options in ((), ("--strict",))] == [0, 1]


def test_short_secret_beside_a_token(tmp_path: Path) -> None:
    """Where a sender has to know a second secret, the first one may be short, as an organization's id is."""
    assert check(tmp_path, "--strict", secret="00D00000000aB1c", token=GOOD) == check(tmp_path, secret=GOOD, token=GOOD)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(("days", "code", "title"), [(0, 1, "mistakes"), (-9, 1, "mistakes"), (14, 0, "worth knowing")])
def test_end_of_all_secrets_is_told(tmp_path: Path, key: str, days: int, code: int, title: str) -> None:
    """That the last of a source's secrets ends is told two weeks before, and is a mistake from then on."""
    until = datetime.now(UTC).date() + timedelta(days=days)
    first = {"value": GOOD, "until": until - timedelta(days=1)}
    exit_code, said = check(tmp_path, **{key: [first, {"value": GOOD, "until": until}]})
    assert exit_code == code
    assert f"{title}\n  sources.website.{key}: from {until} on all that is sent is refused" in said


@pytest.mark.parametrize("others", [[], ["an-invented-secret-without-an-end"]])
def test_end_that_is_no_matter(tmp_path: Path, others: list[str]) -> None:
    """One that is far away, or not of all, is worth no word."""
    days = 0 if others else 16
    until = datetime.now(UTC).date() + timedelta(days=days)
    assert check(tmp_path, secret=[{"value": GOOD, "until": until}, *others]) == check(tmp_path)
