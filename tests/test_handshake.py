"""What senders ask, and what they are told: as their documentation has it, and not a bit more."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import BadSignature
from ringback.grammar.verification import HANDSHAKES
from ringback.secret import Secret
from ringback.verification.handshake import MAX_CHALLENGE, MAX_QUESTION, Handshake, answer_handshake
from ringback.verification.scheme import Hmac
from ringback.verification.signature import verify
from ringback.web import Request, Response

SECRET = "example_client_secret"
VERIFY_TOKEN = "meatyhamhock"


def handshake(kind: str, **keys: Any) -> Handshake:
    """Return what stands under `handshake:` as a value."""
    return HANDSHAKES[kind].load(keys)  # type: ignore[no-any-return]


def ask(
    asked: Handshake, request: Request, secret: str = SECRET, verify_token: str | None = VERIFY_TOKEN
) -> Response | None:
    """Put a question to a source with one handshake."""
    tokens = [] if verify_token is None else [Secret("another-one"), Secret(verify_token)]
    return answer_handshake([asked], request, secrets=[Secret(secret)], verify_tokens=tokens)


SUBSCRIBE = handshake(
    "echo-query", query="hub.challenge", token="hub.verify_token", given={"hub.mode": "subscribe"}
)  # https://developers.facebook.com/docs/graph-api/webhooks/getting-started
VALIDATE = handshake(
    "echo-query", query="validationToken", method="POST"
)  # https://learn.microsoft.com/en-us/graph/change-notifications-delivery-webhooks
CHALLENGE = handshake(
    "sign-query", query="challengeCode", answer="challengeResponse"
)  # https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation
URL_VERIFICATION = handshake(
    "echo-json", field="challenge", beside=["type", "token"]
)  # https://docs.slack.dev/apis/events-api/
PING = handshake("answer-ping", field="webhook_id")  # woocommerce/includes/class-wc-webhook.php, deliver_ping()
EMPTY_POST = handshake("answer-empty-post")  # https://webhook.docs.livespace.io
GET = handshake("answer-get")  # https://mailchimp.com/developer/marketing/guides/sync-audience-data-webhooks/

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
UUID = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
SUBSCRIPTION = "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock"
SLACK = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"


@pytest.mark.parametrize(
    ("asked", "request_", "type_", "body"),
    [
        (SUBSCRIBE, Request("GET", "/s", SUBSCRIPTION), TEXT, "1158201444"),
        (VALIDATE, Request("POST", "/s", "validationToken=Validation%3A+Testing"), TEXT, "Validation: Testing"),
        (
            CHALLENGE,
            Request("GET", "/s", f"challengeCode={UUID}&applicationId=1"),
            JSON,
            {
                "challengeCode": UUID,
                "challengeResponse": "61680bcaaea6e5b4a76ad814b9555ca949723145b7b19246fe6050051a062605",
            },
        ),
        (
            URL_VERIFICATION,
            Request("POST", "/s", body=json.dumps({"type": "url_verification", "challenge": SLACK}).encode()),
            JSON,
            {"challenge": SLACK},
        ),
        (URL_VERIFICATION, Request("POST", "/s", body=b'{"challenge": "x"}'), JSON, {"challenge": "x"}),
        (PING, Request("POST", "/s", body=b"webhook_id=4"), None, ""),
        (EMPTY_POST, Request("POST", "/s"), None, ""),
        (GET, Request("GET", "/s", "secret=s3cret-token"), None, ""),
    ],
)
def test_answer_of_a_handshake(asked: Handshake, request_: Request, type_: str | None, body: object) -> None:
    """Each sender is told what it asks for, with a 200."""
    answer = ask(asked, request_)
    assert answer
    assert answer.status == 200
    assert answer.headers.get("Content-Type") == type_
    assert (json.loads(answer.body) if type_ == JSON else answer.body.decode()) == body


LONG = "x" * (MAX_CHALLENGE + 1)
DEEP = b"[" * MAX_QUESTION


@pytest.mark.parametrize(
    ("asked", "request_"),
    [
        (SUBSCRIBE, Request("POST", "/s", SUBSCRIPTION)),
        (SUBSCRIBE, Request("GET", "/s", SUBSCRIPTION.replace("=subscribe", "=other"))),
        (SUBSCRIBE, Request("GET", "/s", SUBSCRIPTION, body=b"{}")),
        (SUBSCRIBE, Request("GET", "/s", SUBSCRIPTION.replace("1158201444", ""))),
        (SUBSCRIBE, Request("GET", "/s", SUBSCRIPTION.replace("1158201444", LONG))),
        (SUBSCRIBE, Request("GET", "/s")),
        (VALIDATE, Request("GET", "/s", "validationToken=x")),
        (VALIDATE, Request("POST", "/s", "validationToken=x", body=b'{"name": "Jan"}')),
        (CHALLENGE, Request("GET", "/s")),
        (CHALLENGE, Request("POST", "/s", f"challengeCode={UUID}")),
        (CHALLENGE, Request("GET", "/s", "challengeCode=")),
        (CHALLENGE, Request("GET", "/s", f"challengeCode={UUID}%0A")),
        (CHALLENGE, Request("GET", "/s", "challengeCode=" + "a" * 65)),
        (URL_VERIFICATION, Request("GET", "/s", body=b'{"challenge": "x"}')),
        (URL_VERIFICATION, Request("POST", "/s", body=b'{"challenge": "x", "phone": "601000001"}')),
        (URL_VERIFICATION, Request("POST", "/s", body=b'{"challenge": {"x": 1}}')),
        (URL_VERIFICATION, Request("POST", "/s", body=b'{"type": "url_verification"}')),
        (URL_VERIFICATION, Request("POST", "/s", body=b'["challenge"]')),
        (URL_VERIFICATION, Request("POST", "/s", body=b'{"challenge": ')),
        (URL_VERIFICATION, Request("POST", "/s", body=b"\xff")),
        (URL_VERIFICATION, Request("POST", "/s", body=DEEP)),
        (URL_VERIFICATION, Request("POST", "/s", body=json.dumps({"challenge": LONG}).encode())),
        (URL_VERIFICATION, Request("POST", "/s", body=b'{"challenge": "x"}' + b" " * MAX_QUESTION)),
        (PING, Request("POST", "/s", body=b"webhook_id=4&first_name=Jan")),
        (PING, Request("POST", "/s", body=b"webhook_id=")),
        (PING, Request("POST", "/s", body=b"webhook_id=four")),
        (PING, Request("POST", "/s", body=b"webhook_id=4\n")),
        (PING, Request("POST", "/s", body=b"webhook_id=" + b"4" * 21)),
        (PING, Request("POST", "/s", body=b'{"webhook_id": 4}')),
        (PING, Request("POST", "/s")),
        (PING, Request("GET", "/s", body=b"webhook_id=4")),
        (EMPTY_POST, Request("POST", "/s", body=b"{}")),
        (EMPTY_POST, Request("GET", "/s")),
        (GET, Request("POST", "/s")),
    ],
)
def test_what_is_no_handshake_is_verified_like_anything_else(asked: Handshake, request_: Request) -> None:
    """A request of any other form is no handshake, so that no event passes for one."""
    assert ask(asked, request_) is None


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/s", headers={"x-github-event": "ping"}, body=b'{"zen": "..."}'),
        Request("POST", "/s", headers={"x-hub-signature": "sha1=0"}, body=b'{"topic": "ping"}'),
        Request("POST", "/s", headers={"x-hook-secret": "b537207f20cbfa02357cf448134da559"}, body=b"{}"),
    ],
    ids=["signed ping", "signed topic", "offered key"],
)
def test_signed_pings_and_offered_keys_are_no_handshakes(request_: Request) -> None:
    """A ping that is signed goes the way of events, and nobody hands us a key over the open door."""
    everything = [SUBSCRIBE, VALIDATE, CHALLENGE, URL_VERIFICATION, PING, EMPTY_POST, GET]
    assert answer_handshake(everything, request_, secrets=[Secret(SECRET)]) is None


def test_source_without_handshake() -> None:
    """A source that names no handshake answers none."""
    assert answer_handshake([], Request("GET", "/s", SUBSCRIPTION)) is None


def test_first_handshake_that_answers() -> None:
    """Of several handshakes the first that knows an answer gives it."""
    answer = answer_handshake([PING, EMPTY_POST, GET], Request("POST", "/s"))
    assert answer == Response(200)


@pytest.mark.parametrize("sent", ["guess", "", "m%C3%A9at", "%FF", "meatyhamhock%00", "\ud800"])
def test_wrong_verify_token_is_refused(sent: str) -> None:
    """Nobody without the token is told that there is anything to subscribe to."""
    query = f"hub.mode=subscribe&hub.challenge=1&hub.verify_token={sent}"
    with pytest.raises(BadSignature, match="wrong verify_token"):
        ask(SUBSCRIBE, Request("GET", "/s", query))


def test_missing_verify_token_is_refused() -> None:
    """A subscription without the token is refused."""
    with pytest.raises(BadSignature, match="wrong verify_token"):
        ask(SUBSCRIBE, Request("GET", "/s", "hub.mode=subscribe&hub.challenge=1"))


@pytest.mark.parametrize("configured", [None, "", " "])
def test_verify_token_that_is_not_configured(configured: str | None) -> None:
    """Without a token in the configuration every subscription is refused, one with the empty token too."""
    query = f"hub.mode=subscribe&hub.challenge=1&hub.verify_token={configured or ''}"
    with pytest.raises(BadSignature, match="no verify_token is configured"):
        ask(SUBSCRIBE, Request("GET", "/s", query), verify_token=configured)


def test_echo_is_never_a_page() -> None:
    """What is echoed is text, whatever it looks like and whatever a browser thinks of it."""
    answer = ask(VALIDATE, Request("POST", "/s", "validationToken=%3Cscript%3Ealert(1)%3C/script%3E"))
    assert answer
    assert answer.body == b"<script>alert(1)</script>"
    assert answer.headers == {"Content-Type": TEXT, "X-Content-Type-Options": "nosniff"}
    answer = ask(URL_VERIFICATION, Request("POST", "/s", body=b'{"challenge": "<script>"}'))
    assert answer
    assert answer.headers == {"Content-Type": JSON, "X-Content-Type-Options": "nosniff"}


@pytest.mark.parametrize(
    "code", ["hmacsha256%3D%7B%7D", "%7B%7D", "a=b", "a%3Db", "%5B%5D", "1700000000.%7B%7D", "a.b", "a%26b"]
)
def test_nobody_gets_an_event_signed(code: str) -> None:
    """The computed challenge can't be used to have the body of an event signed: only letters, digits, dashes are."""
    assert ask(CHALLENGE, Request("GET", "/s", f"challengeCode={code}")) is None


def test_computed_answer_is_no_signature_of_an_event() -> None:
    """What the computed challenge gives away is refused as the signature of a body."""
    answer = ask(CHALLENGE, Request("GET", "/s", f"challengeCode={UUID}"))
    assert answer
    signature = json.loads(answer.body)["challengeResponse"]
    event = Request("POST", "/s", headers={"x-li-signature": signature}, body=UUID.encode())
    scheme = Hmac("X-LI-Signature", signed="hmacsha256={body}")
    with pytest.raises(BadSignature):
        verify([scheme], [Secret(SECRET)], event, datetime.now(UTC), parse=dict)


@pytest.mark.parametrize("secret", ["", " "])
def test_computed_answer_needs_a_secret(secret: str) -> None:
    """Nothing is computed with an empty secret."""
    with pytest.raises(BadSignature, match="no secret is configured"):
        ask(CHALLENGE, Request("GET", "/s", f"challengeCode={UUID}"), secret=secret)
    with pytest.raises(BadSignature, match="no secret is configured"):
        answer_handshake([CHALLENGE], Request("GET", "/s", f"challengeCode={UUID}"))


def test_first_secret_answers() -> None:
    """While a secret is being rotated, the first in the list answers challenges."""
    request = Request("GET", "/s", f"challengeCode={UUID}")
    both = answer_handshake([CHALLENGE], request, secrets=[Secret(SECRET), Secret("old")])
    assert both == ask(CHALLENGE, request)
    assert both != ask(CHALLENGE, request, secret="old")


EVERYTHING = st.sampled_from([SUBSCRIBE, VALIDATE, CHALLENGE, URL_VERIFICATION, PING, EMPTY_POST, GET])
TEXTS = st.text(st.characters(exclude_categories=()), max_size=40)
WORDS = ["hub.challenge=", "hub.mode=subscribe", "hub.verify_token=meatyhamhock", "&", "%ff", "validationToken="]
QUERIES = TEXTS | st.lists(st.sampled_from([*WORDS, "challengeCode=", "ж", "\ud800", "<"])).map("".join)
BODIES = st.binary(max_size=40) | st.builds(lambda text: json.dumps({"challenge": text}).encode(), TEXTS) | st.just(b"")


@given(EVERYTHING, st.sampled_from(["GET", "POST"]), QUERIES, BODIES)
def test_no_question_is_an_error(asked: Handshake, method: str, query: str, body: bytes) -> None:
    """Whatever is asked, there is an answer, none, or a refusal."""
    try:
        answer = ask(asked, Request(method, "/s", query, body=body))
    except BadSignature:
        return
    assert answer is None or (answer.status == 200 and len(answer.body) <= 4 * MAX_CHALLENGE)
