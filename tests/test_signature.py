"""Who sent this: the cases of many senders, each attacked in the same ways."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.body import parse
from ringback.errors import BadSignature
from ringback.expressions.expression import compile_expression
from ringback.secret import Secret
from ringback.verification.scheme import (
    STANDARD_WEBHOOKS,
    Basic,
    Hmac,
    Jws,
    Scheme,
    Timestamp,
    Token,
    is_present,
    needs_url,
    strip,
)
from ringback.verification.signature import secret_problem, verify
from ringback.web import Request

NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def scheme(data: dict[str, Any]) -> Scheme:
    """Return one entry of `verify:` as a scheme."""
    match {**data}:
        case {"scheme": "standard-webhooks"}:
            return STANDARD_WEBHOOKS
        case {"scheme": "basic"}:
            return Basic()
        case {"scheme": "jws", **keys}:
            return Jws(**keys)
        case {"scheme": "token", **keys}:
            return Token(**{**keys, "field": compile_expression(keys["field"]) if "field" in keys else None})
        case {"scheme": "hmac", **keys}:
            return Hmac(**{**keys, "timestamp": Timestamp(**keys["timestamp"]) if "timestamp" in keys else None})
    raise AssertionError(data)


@dataclass(frozen=True)
class Case:
    """A request, what proves it, and when it is looked at."""

    id: str
    schemes: tuple[Scheme, ...]
    secret: str
    request: Request
    public_url: str
    now: datetime
    valid: bool

    @property
    def decider(self) -> Scheme:
        """The scheme that finds its header; else the one in the body."""
        return next((scheme for scheme in self.schemes if is_present(scheme, self.request)), self.schemes[-1])

    def verify(self, *secrets: str, request: Request | None = None, now: datetime | None = None) -> None:
        """Verify the request, or a changed one."""
        sent = request or self.request
        check(self.schemes, secrets or [self.secret], sent, now or self.now, public_url=self.public_url)

    def verify_by(self, *secrets: Secret) -> None:
        """Verify the request with secrets that may have an end."""
        check_by(self.schemes, secrets, self.request, self.now, self.public_url)


def check(
    schemes: Sequence[Scheme], secrets: Sequence[str], request: Request, now: datetime = NOW, public_url: str = ""
) -> None:
    """Verify as the way in does."""
    check_by(schemes, [Secret(secret) for secret in secrets], request, now, public_url)


def check_by(
    schemes: Sequence[Scheme], secrets: Sequence[Secret], request: Request, now: datetime, public_url: str
) -> None:
    """Verify with secrets that may have an end."""
    type_ = request.headers.get("content-type", "application/json")
    verify(schemes, secrets, request, now, public_url=public_url, parse=lambda: parse(request.body, type_))


def read_case(row: dict[str, Any]) -> Case:
    """Return a row of the fixture as a case."""
    url = urlsplit(row["url"])
    headers = {name.lower(): value for name, value in row["headers"].items()}
    request = Request(row["method"], url.path, url.query, headers, row["body"].encode())
    listed = row["verify"] if isinstance(row["verify"], list) else [row["verify"]]
    now = datetime.fromtimestamp(row["now"], UTC)
    schemes = tuple(scheme(data) for data in listed)
    return Case(row["id"], schemes, row["secret"], request, f"{url.scheme}://{url.netloc}", now, row["valid"])


ROWS = json.loads((Path(__file__).parent / "fixtures" / "signatures.json").read_text(encoding="utf-8"))
CASES = [read_case(row) for row in ROWS]
GOOD = [case for case in CASES if case.valid]
SIGNED = [case for case in GOOD if isinstance(case.decider, Hmac | Jws)]
TIMED = [case for case in GOOD if isinstance(case.decider, Hmac) and case.decider.timestamp]


def each(cases: Sequence[Case]) -> pytest.MarkDecorator:
    """Run a test for each of the cases."""
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.id)


def wrong(case: Case) -> str:
    """Return another secret of the same form."""
    prefix = "whsec_" if case.secret.startswith("whsec_") else ""
    return prefix + case.secret.removeprefix(prefix)[::-1]


# What senders send


@each(GOOD)
def test_signature_of_a_sender_is_accepted(case: Case) -> None:
    """What a sender has signed with the secret is let in."""
    case.verify()


@each([case for case in CASES if not case.valid])
def test_bad_signature_of_a_sender_is_refused(case: Case) -> None:
    """What a sender's own documentation calls invalid is refused."""
    with pytest.raises(BadSignature):
        case.verify()


# What attackers send


@each(GOOD)
def test_unsigned_request_is_refused(case: Case) -> None:
    """A request without signature or token is refused, however well-formed."""
    bare = replace(strip(case.schemes, case.request), body=case.request.body.replace(case.secret.encode(), b"else"))
    with pytest.raises(BadSignature):
        case.verify(request=bare)


@each(GOOD)
def test_wrong_key_is_refused(case: Case) -> None:
    """A signature made with another key is refused."""
    with pytest.raises(BadSignature, match="wrong signature"):
        case.verify(wrong(case))


@each(SIGNED)
def test_changed_body_is_refused(case: Case) -> None:
    """A body of which one byte has changed is refused."""
    with pytest.raises(BadSignature, match="wrong signature"):
        case.verify(request=replace(case.request, body=case.request.body + b"&a=1"))


@each([case for case in GOOD if needs_url(case.decider)])
@pytest.mark.parametrize("change", [{"path": "/other"}, {"query": "a=1"}])
def test_changed_url_is_refused(case: Case, change: dict[str, Any]) -> None:
    """A request that was signed for another URL is refused."""
    with pytest.raises(BadSignature, match="wrong signature"):
        case.verify(request=replace(case.request, **change))


@each(TIMED)
def test_signature_is_good_for_its_tolerance_and_no_longer(case: Case) -> None:
    """A signed request can be sent again within the tolerance, not a millisecond after it, or before."""
    assert isinstance(case.decider, Hmac)
    assert case.decider.timestamp
    where, digits = case.decider.timestamp, case.request.headers.get(case.decider.timestamp.header.lower(), "")
    stamp = int(digits or case.request.headers[case.decider.header.lower()].split(",")[0].removeprefix("t="))
    made = datetime.fromtimestamp(stamp / (1000 if where.unit == "ms" else 1), UTC)
    edge, over = timedelta(seconds=where.tolerance), timedelta(seconds=where.tolerance, milliseconds=1)
    case.verify(now=made + edge)
    case.verify(now=made - edge)
    for now in (made + over, made - over):
        with pytest.raises(BadSignature, match="stale"):
            case.verify(now=now)


@each(TIMED)
@pytest.mark.parametrize(
    "text", ["", "soon", "1700000000.0", "-1", "+1", "١٧٠٠٠٠٠٠٠٠", "1e9", " 1", "9" * 17, "9" * 9000]
)
def test_timestamp_is_a_bounded_row_of_digits(case: Case, text: str) -> None:
    """A timestamp of anything but ASCII digits is refused, and so is one that no clock shows."""
    assert isinstance(case.decider, Hmac)
    assert case.decider.timestamp
    headers = {**case.request.headers}
    header = (case.decider.timestamp.header or case.decider.header).lower()
    headers[header] = text if case.decider.timestamp.header else f"t={text}x,v1=0"
    with pytest.raises(BadSignature, match="malformed"):
        case.verify(request=replace(case.request, headers=headers))


@each(GOOD)
def test_rotated_secret(case: Case) -> None:
    """While a secret is being rotated the old one and the new one are both good."""
    case.verify(wrong(case), case.secret)
    case.verify(case.secret, wrong(case))


@each(GOOD)
@pytest.mark.parametrize("secrets", [[""], ["  "], []])
def test_empty_secret_opens_nothing(case: Case, secrets: list[str]) -> None:
    """Without a secret every request is refused, one that is signed with the empty one too."""
    with pytest.raises(BadSignature, match="no secret is configured"):
        check(case.schemes, secrets, case.request, case.now, case.public_url)


@each(GOOD)
def test_empty_secret_beside_a_good_one(case: Case) -> None:
    """An empty secret among others closes the source: it shows that the configuration is not what was meant."""
    with pytest.raises(BadSignature, match="no secret is configured"):
        case.verify(case.secret, "")


DAY = timedelta(days=1)


@each(GOOD)
@pytest.mark.parametrize(("days", "is_good"), [(1, True), (0, False), (-500, False)])
def test_secret_has_an_end(case: Case, days: int, is_good: bool) -> None:  # noqa: FBT001 - a column of the table
    """A secret counts until midnight (UTC) before the day of its end, beside others and alone."""
    secret = Secret(case.secret, (case.now + days * DAY).date())
    for others, reason in (([], "the secret has ended"), ([Secret(wrong(case))], "wrong signature")):
        if is_good:
            case.verify_by(secret, *others)
        else:
            with pytest.raises(BadSignature, match=reason):
                case.verify_by(secret, *others)


@pytest.mark.parametrize(("hour", "is_good"), [(23, True), (24, False)])
@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))])
def test_end_is_at_midnight_in_utc(hour: int, is_good: bool, zone: timezone) -> None:  # noqa: FBT001 - a column
    """A secret ends at one moment, wherever the clock is that shows it."""
    now = (datetime(2023, 11, 13, tzinfo=UTC) + timedelta(hours=hour)).astimezone(zone)
    assert Secret("x", date(2023, 11, 14)).has_ended(now) is not is_good


GARBAGE = ["", " ", "é", "\udcff\ud800", "ж" * 10, "x" * 100_000]
GARBAGE += [",", "=", "v1,", "v1=", "t=1,v1=", "sha256=", "Basic", "Basic ", "Bearer ", "..", "%", "\0"]


@each(GOOD)
def test_garbage_is_refused(case: Case) -> None:
    """Whatever stands where the signature belongs, it is refused, and nothing worse happens."""
    names = case.request.headers.keys() - {"x-hubspot-signature-version"}
    for text in GARBAGE:
        request = replace(case.request, headers={**case.request.headers, **dict.fromkeys(names, text)})
        if isinstance(case.decider, Token) and not case.decider.header:
            request = replace(request, query=f"{case.decider.query}={text}", body=text.encode("utf-8", "replace"))
        with pytest.raises(BadSignature):
            case.verify(request=request)


@each(SIGNED)
def test_signature_in_the_other_encoding_is_refused(case: Case) -> None:
    """The bytes of a signature in another encoding are another signature."""
    name = case.decider.header.lower()
    recoded = base64.b64encode(case.request.headers[name].encode()).decode()
    with pytest.raises(BadSignature):
        case.verify(request=replace(case.request, headers={**case.request.headers, name: recoded}))


@each(GOOD)
def test_nothing_that_proves_a_sender_is_left(case: Case) -> None:
    """Neither headers nor query have the signature or the secret when verification is over."""
    left = strip(case.schemes, case.request)
    shown = f"{left.headers} {left.query}"
    assert not any(is_present(scheme, left) for scheme in case.schemes)
    assert case.secret not in shown
    assert case.request.headers.get(case.decider.header.lower(), "no signature") not in shown
    assert left.body == case.request.body


def test_refusal_says_nothing_of_what_was_sent() -> None:
    """A refusal's reason is a constant."""
    with pytest.raises(BadSignature) as caught:
        check([Token(header="X-Api-Key")], ["right"], Request("POST", "/s", headers={"x-api-key": "jan@example.pl"}))
    assert str(caught.value) == "wrong signature"
    assert caught.value.status == 401


def not_parsed() -> NoReturn:
    """Fail: nobody may look into the body yet."""
    raise AssertionError


@each([case for case in GOOD if case.id != "google-ads-key"])
def test_body_is_not_parsed_before_it_is_verified(case: Case) -> None:
    """Nothing looks into a body that is verified by its bytes."""
    verify(case.schemes, [Secret(case.secret)], case.request, case.now, public_url=case.public_url, parse=not_parsed)


# Lists of schemes


def test_no_scheme_lets_everybody_in() -> None:
    """`verify: none` takes what anybody sends."""
    verify([], [], Request("POST", "/s"), NOW, parse=not_parsed)


THREE = (Token(header="X-Api-Key"), Token(query="token"), Token(field=compile_expression("token")))


@pytest.mark.parametrize(
    ("request_", "passes"),
    [
        (Request("POST", "/s", headers={"x-api-key": "s3cret"}), True),
        (Request("POST", "/s", "token=s3cret"), True),
        (Request("POST", "/s", body=b'{"token": "s3cret"}'), True),
        (Request("POST", "/s", "token=s3cret", {"x-api-key": "guess"}), False),
        (Request("POST", "/s", "token=s3cret", {"x-api-key": ""}), False),
        (Request("POST", "/s", "token=", body=b'{"token": "s3cret"}'), False),
        (Request("POST", "/s", body=b'{"token": "guess"}'), False),
        (Request("POST", "/s", body=b"{}"), False),
        (Request("POST", "/s"), False),
    ],
)
@pytest.mark.parametrize("schemes", [THREE, (THREE[2], *THREE[:2])], ids=["body last", "body first"])
def test_first_scheme_that_is_present_decides(request_: Request, passes: bool, schemes: tuple[Scheme, ...]) -> None:  # noqa: FBT001 - a column of the table
    """Of a list the first whose header (or parameter) is there decides, bad or good; the body is asked last."""
    if passes:
        check(schemes, ["s3cret"], request_)
    else:
        with pytest.raises(BadSignature):
            check(schemes, ["s3cret"], request_)


def test_versions_that_share_a_header_are_told_apart() -> None:
    """A scheme with `given` is absent when its header has another value, and none of the others falls through."""
    case = next(case for case in GOOD if case.id == "hubspot-v1")
    for version in ("v2", "v9"):
        headers = {**case.request.headers, "x-hubspot-signature-version": version}
        with pytest.raises(BadSignature):
            case.verify(request=replace(case.request, headers=headers))


# Tokens


@pytest.mark.parametrize("query", ["token=a%2Bb%3D", "token=a+b=", "x=1&token=a%2bb%3D&token=no", "t%6Fken=a+b="])
def test_plus_in_a_pasted_url_is_a_plus(query: str) -> None:
    """A token in the query is found escaped or as it was pasted; its first value counts."""
    check([Token(query="token")], ["a+b="], Request("POST", "/s", query))


def test_space_in_a_query_is_a_space() -> None:
    """A plus in a query is a space as well."""
    check([Token(query="token")], ["two words"], Request("POST", "/s", "token=two+words"))


BEARER = Token(header="Authorization", prefix="Bearer ")


@pytest.mark.parametrize("value", ["bearer s3cret", "BEARER s3cret", "Bearer s3cret"])
def test_prefix_of_a_token_has_no_case(value: str) -> None:
    """The word before a token is the same in upper and lower case."""
    check(
        [Token(header="Authorization", prefix="Bearer ")],
        ["s3cret"],
        Request("POST", "/", headers={"authorization": value}),
    )


@pytest.mark.parametrize("value", ["s3cret", "Basic s3cret", "Bearer S3CRET"])
def test_token_without_its_prefix_is_refused(value: str) -> None:
    """A token without the word before it is none, and a token has case."""
    with pytest.raises(BadSignature):
        check(
            [Token(header="Authorization", prefix="Bearer ")],
            ["s3cret"],
            Request("POST", "/", headers={"authorization": value}),
        )


@pytest.mark.parametrize("sent", ["zażółć", "zażółć".encode().decode("latin-1")], ids=["as text", "as bytes"])
def test_token_beyond_ascii(sent: str) -> None:
    """A token beyond ASCII is the same whether a door gives a header's text, or its bytes as characters."""
    check([Token(header="X-Api-Key")], ["zażółć"], Request("POST", "/s", headers={"x-api-key": sent}))
    check([Token(query="t")], ["zażółć"], Request("POST", "/s", "t=za%C5%BC%C3%B3%C5%82%C4%87"))


@pytest.mark.parametrize(
    "body", [b"", b"[", b'{"key": 1}', b'{"key": ["s3cret"]}', b'{"key": null}', b'{"key": {}}', b"\xff"]
)
def test_token_that_is_not_in_the_body(body: bytes) -> None:
    """A body that can't be read, or has something else than a text there, has no token."""
    with pytest.raises(BadSignature):
        check([Token(field=compile_expression("key"))], ["s3cret"], Request("POST", "/s", body=body))


def test_expression_that_fails_finds_no_token() -> None:
    """An expression that can't be worked out on what was sent is a refusal, not an error."""
    with pytest.raises(BadSignature, match="no token can be read"):
        check([Token(field=compile_expression("length(key)"))], ["1"], Request("POST", "/s", body=b'{"key": 1}'))


ID_15, ID_18 = "00D00000000aB1c", "00D00000000aB1cEAC"


@pytest.mark.parametrize(
    ("secret", "sent", "is_good"),
    [
        (ID_15, ID_15, True), (ID_15, ID_18, True), (ID_18, ID_15, True), (ID_18, ID_18, True),
        (ID_15, ID_15[:-1], False), (ID_15, ID_15.lower(), False), (ID_18, "00D00000000aB1dEAC", False),
        (ID_15, "", False), (ID_15, ID_15[:-1] + "ą", False),
    ],
)  # fmt: skip
def test_token_with_a_checksum(secret: str, sent: str, is_good: bool) -> None:  # noqa: FBT001 - a column of the table
    """Of a token whose end is a checksum only the first characters count, in the configuration and in the request."""
    schemes = [Token(field=compile_expression("id"), first=15), Token(header="X-Id", first=15)]
    for request in (
        Request("POST", "/s", body=json.dumps({"id": sent}).encode()),
        Request("POST", "/s", headers={"x-id": sent}),
    ):
        if is_good:
            check(schemes, [secret], request)
        else:
            with pytest.raises(BadSignature):
                check(schemes, [secret], request)


@pytest.mark.parametrize("header", ["Basic dXNlcm5hbWU6cGFzc3dvcmQ=", "basic  dXNlcm5hbWU6cGFzc3dvcmQ="])
def test_basic_is_a_word_without_case(header: str) -> None:
    """The word before Basic's credentials is the same in upper and lower case."""
    check([Basic()], ["username:password"], Request("POST", "/", headers={"authorization": header}))


@pytest.mark.parametrize("header", ["Bearer dXNlcm5hbWU6cGFzc3dvcmQ=", "dXNlcm5hbWU6cGFzc3dvcmQ=", "username:password"])
def test_basic_is_that_word_and_no_other(header: str) -> None:
    """The right credentials after another word, or bare, are refused."""
    with pytest.raises(BadSignature, match="malformed"):
        check([Basic()], ["username:password"], Request("POST", "/", headers={"authorization": header}))


# Everything else

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
FRAGMENTS = st.lists(
    st.sampled_from(["t=", "v1=", "v1,", "sha256=", ",", " ", "1700000000", "Basic ", "a" * 64, "é", "."])
)
HEADER = ANY_TEXT | FRAGMENTS.map("".join)
NAMES = sorted({name for case in CASES for name in case.request.headers})


@given(
    st.sampled_from(CASES), st.dictionaries(st.sampled_from(NAMES), HEADER), ANY_TEXT, ANY_TEXT, st.binary(max_size=60)
)
def test_verify_raises_nothing_but_its_own_error(
    case: Case, headers: dict[str, str], query: str, path: str, body: bytes
) -> None:
    """For any header, URL and body, verification refuses in its own way; nobody comes in by chance."""
    request = Request("POST", path, query, headers, body)
    with pytest.raises(BadSignature):
        case.verify(request=request)


@given(st.sampled_from(GOOD), st.data())
def test_header_changed_anywhere(case: Case, data: st.DataObject) -> None:
    """A proof with any header replaced is refused, or it is the proof still: no change is an error."""
    headers = {**case.request.headers}
    if headers:
        headers[data.draw(st.sampled_from(sorted(headers)))] = data.draw(HEADER)
    request = replace(case.request, headers=headers, body=data.draw(st.binary(max_size=20)))
    if isinstance(case.decider, Hmac | Jws):
        with pytest.raises(BadSignature):
            case.verify(request=request)


TOO_SHORT = "has fewer than 6 characters that others do not know"


@pytest.mark.parametrize(
    ("scheme_", "secret", "problem"),
    [
        (Hmac("S"), "abcdef", None),
        (Hmac("S"), "abcde", TOO_SHORT),
        (Hmac("S"), " ", "is empty"),
        (Hmac("S", key="hex"), "abcabca", "is not a key in hex"),
        (Hmac("S", key="hex"), "abcdef", None),
        (Hmac("S", key_prefix="key_"), "key_abcde", TOO_SHORT),
        (STANDARD_WEBHOOKS, "whsec_MfKQ9r8G", None),
        (STANDARD_WEBHOOKS, "whsec_MfKQ", TOO_SHORT),
        (STANDARD_WEBHOOKS, "whsec_", "is not a key in base64"),
        (STANDARD_WEBHOOKS, "whsec_?", "is not a key in base64"),
        (STANDARD_WEBHOOKS, "zażółć", "is not a key in base64"),
        (Basic(), "user", "is not user:password"),
        (Basic(), "user:password", None),
        (Basic(), "a-long-user:passw", TOO_SHORT),
        (Token(header="T"), "a-user", None),
        (Jws("J"), "", "is empty"),
        (Jws("J"), "short", TOO_SHORT),
    ],
)
def test_secret_of_the_wrong_form(scheme_: Scheme, secret: str, problem: str | None) -> None:
    """A secret that can't belong to its scheme is known when the configuration is read, and not shown."""
    assert secret_problem(scheme_, Secret(secret)) == problem
