"""Only Cloud Tasks, as our service account, has a task delivered."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.hosts.caller import KEPT, Caller, NoCertificates, NoToken, WrongCaller
from ringback.settings import CloudTasks
from ringback.web import Request
from tests.google_tokens import ACCOUNT, URL, Certificates, Key

GOOGLES, OTHERS = Key("one"), Key("one")
REMOVED = "SIGNATURE_REMOVED_BY_GOOGLE"


class Clock:
    """A monotonic clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def certificates() -> Iterator[Certificates]:
    """Google's certificates, so to speak."""
    with Certificates(GOOGLES) as running:
        yield running


def open_caller(certificates: Certificates, *, emulator: str | None = None, on_cloud_run: bool = False) -> Caller:
    """Return what checks callers."""
    return Caller(CloudTasks(on_cloud_run, URL, ACCOUNT, emulator, None), certificates.url)


def bear(token: str, kind: str = "Bearer") -> Request:
    """Return a task with a token."""
    return Request("POST", "/", headers={"authorization": f"{kind} {token}"})


def strip(token: str) -> str:
    """Return a token as Cloud Run hands it on after it has checked it."""
    return f"{token.rpartition('.')[0]}.{REMOVED}"


def forge(**claims: Any) -> str:
    """Return a token that is not signed."""
    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize("kind", ["Bearer", "bearer"])
@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
def test_good_token(kind: str, issuer: str, certificates: Certificates) -> None:
    """A token that Google has signed for this function and this account is taken."""
    open_caller(certificates).check(bear(GOOGLES.sign(iss=issuer), kind))


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/"),
        bear(""),
        bear("x"),
        bear("a.b.c"),
        bear("ł.ł.ł"),
        bear(GOOGLES.sign(), "Basic"),
        bear(GOOGLES.sign(aud="https://elsewhere.example.com")),
        bear(GOOGLES.sign(aud=None)),
        bear(GOOGLES.sign(aud=[URL])),
        bear(GOOGLES.sign(iss="https://accounts.example.com")),
        bear(GOOGLES.sign(iss=None)),
        bear(GOOGLES.sign(exp=1_700_000_000, iat=1_699_999_000)),
        bear(GOOGLES.sign(exp=None)),
        bear(GOOGLES.sign(exp="tomorrow")),
        bear(GOOGLES.sign(iat=4_000_000_000, exp=4_000_003_600)),
        bear(OTHERS.sign()),
        bear(Key("unknown").sign()),
        bear(strip(GOOGLES.sign())),
        bear(forge(iss="https://accounts.google.com", aud=URL, email=ACCOUNT, email_verified=True, exp=4_000_000_000)),
    ],
    ids=range(19),
)
def test_no_good_token(request_: Request, certificates: Certificates) -> None:
    """Without a token that is Google's, this function's and valid now a task is 401."""
    with pytest.raises(NoToken) as caught:
        open_caller(certificates).check(request_)
    assert caught.value.status == 401


@pytest.mark.parametrize(
    "claims",
    [{"email": "other@acme.example.com"}, {"email": None}, {"email_verified": False}, {"email_verified": None}],
)
def test_other_accounts(claims: dict[str, Any], certificates: Certificates) -> None:
    """Any account can have Google sign a token for our address: one of another account is 403."""
    with pytest.raises(WrongCaller) as caught:
        open_caller(certificates).check(bear(GOOGLES.sign(**claims)))
    assert caught.value.status == 403


def test_garbage(certificates: Certificates) -> None:
    """Whatever stands there instead of a token is refused."""
    caller = open_caller(certificates)

    @given(st.text() | st.just("Bearer"), st.text())
    def check(kind: str, token: str) -> None:
        with pytest.raises(NoToken):
            caller.check(bear(token, kind))

    check()


# --- certificates ---


def test_certificates_are_kept_for_an_hour(certificates: Certificates) -> None:
    """They are fetched with the first token, and an hour later again: a new key is known by then."""
    clock = Clock()
    caller = Caller(CloudTasks(False, URL, ACCOUNT, None, None), certificates.url, clock)  # noqa: FBT003 - as they stand
    for _ in range(5):
        caller.check(bear(GOOGLES.sign()))
    assert certificates.calls == 1
    new = Key("two")
    certificates.known = {"two": new.certificate}
    clock.now += KEPT
    caller.check(bear(new.sign()))
    with pytest.raises(NoToken):
        caller.check(bear(GOOGLES.sign()))
    assert certificates.calls == 2


@pytest.mark.parametrize("answer", [(500, b'{"error": 1}'), (404, b"oops"), (200, b"[1]"), (200, b"{}"), (200, b"")])
def test_no_certificates(answer: tuple[int, bytes], certificates: Certificates) -> None:
    """While they can't be fetched nothing is believed; the next task asks again."""
    good, certificates.answer = certificates.answer, lambda: answer
    caller = open_caller(certificates)
    with pytest.raises(NoCertificates, match="can't be fetched"):
        caller.check(bear(GOOGLES.sign()))
    certificates.answer = good
    caller.check(bear(GOOGLES.sign()))


def test_nobody_has_certificates() -> None:
    """A server that does not answer is no different."""
    certificates = Certificates()
    certificates.url = "http://127.0.0.1:9"
    with pytest.raises(NoCertificates, match="TransportError"):
        open_caller(certificates).check(bear(GOOGLES.sign()))


# --- where the signature is gone ---


def test_cloud_run_has_checked_the_signature(certificates: Certificates) -> None:
    """On Cloud Run, which takes the signature off a token that it has checked, all the rest is checked."""
    caller = open_caller(certificates, on_cloud_run=True)
    caller.check(bear(strip(GOOGLES.sign())))
    caller.check(bear(GOOGLES.sign()))
    for claims in (
        {"aud": "https://elsewhere.example.com"},
        {"aud": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": [1]},
        {"iss": "https://accounts.example.com"},
    ):
        with pytest.raises(NoToken):
            caller.check(bear(strip(GOOGLES.sign(**claims))))
    with pytest.raises(WrongCaller):
        caller.check(bear(strip(GOOGLES.sign(email="other@acme.example.com"))))
    with pytest.raises(NoToken):
        caller.check(bear(OTHERS.sign()))


# --- a stand-in for Cloud Tasks ---


@pytest.mark.parametrize("emulator", ["127.0.0.1:8123", "localhost:8123", "[::1]:8123"])
def test_stand_in_on_loopback_sends_no_token(emulator: str, certificates: Certificates) -> None:
    """Where tasks come from a stand-in on this machine, it has no token of Google's to send."""
    open_caller(certificates, emulator=emulator).check(Request("POST", "/"))


@pytest.mark.parametrize(
    "emulator", ["tasks.example.com:443", "127.0.0.1.example.com:80", "localhost", "10.0.0.1:8123"]
)
def test_stand_in_elsewhere_is_no_excuse(emulator: str, certificates: Certificates) -> None:
    """A stand-in on any other machine frees no one from a token."""
    with pytest.raises(NoToken):
        open_caller(certificates, emulator=emulator).check(Request("POST", "/"))
