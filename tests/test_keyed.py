"""Whether a signature is the hash that somebody with the secret would have made."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import BadSignature
from ringback.secret import Secret
from ringback.verification.keyed import MAX_HEADER, read_key, verify_hmac, verify_jws
from ringback.verification.scheme import STANDARD_WEBHOOKS, Hmac, Jws, JwsAlgorithm, Timestamp
from ringback.verification.signed import MAX_FORM_FIELDS
from ringback.web import Request

NOW = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
HASH = hashlib.sha256(b"{}").hexdigest()


def check(scheme: Hmac, request: Request, secrets: Sequence[str] = ("s3cret",), public_url: str = "") -> None:
    """Verify a keyed hash at a fixed time."""
    verify_hmac(scheme, [Secret(secret) for secret in secrets], request, NOW, public_url)


def bearing(signature: str, body: bytes = b"{}") -> Request:
    """Return a request with a signature."""
    return Request("POST", "/s", headers={"x-sig": signature}, body=body)


def sign(message: bytes, key: bytes = b"s3cret", algorithm: str = "sha256") -> str:
    """Return the hex of a keyed hash."""
    return hmac.new(key, message, algorithm).hexdigest()


def test_hex_has_no_case() -> None:
    """A signature in upper-case hex is the same signature."""
    check(Hmac("X-Sig"), bearing(sign(b"{}").upper()))


def test_sha512() -> None:
    """SHA-512 is taken as well."""
    check(Hmac("X-Sig", algorithm="sha512"), bearing(sign(b"{}", algorithm="sha512")))


@pytest.mark.parametrize("text", ["v1={0} v1={1}", "v1={1} v1={0}", "v0={0} v1={0}", "v1=\tx v1={0}"])
def test_one_good_signature_of_several_is_enough(text: str) -> None:
    """While a sender rotates its secret it sends several signatures; any of them may be the good one."""
    check(Hmac("X-Sig", prefix="v1=", separator=" "), bearing(text.format(sign(b"{}"), sign(b"{}", b"other"))))


@pytest.mark.parametrize("text", ["v1a,{0}", "{0}", "V1,{0}", "v1,v1,{0}", "v2,{0} v1,no"])
def test_signature_without_the_prefix_does_not_count(text: str) -> None:
    """Each signature must begin with the prefix, exactly."""
    with pytest.raises(BadSignature, match="wrong signature"):
        check(Hmac("X-Sig", prefix="v1,", separator=" "), bearing(text.format(sign(b"{}"))))


PARTS = Hmac("X-Sig", part="v1", prefix="p:", signed="{timestamp}.{body}", timestamp=Timestamp(part="t"))
STAMPED = {"t": 1700000000, "s": sign(b"1700000000.{}")}


@pytest.mark.parametrize("text", ["t={t},v1=p:{s}", " t = {t} , v1 = p:{s} ", "v1=p:no,v1=p:{s},t={t}"])
def test_signature_in_parts(text: str) -> None:
    """Signatures and their timestamp are parts of a list that commas divide, in any order."""
    check(PARTS, bearing(text.format(**STAMPED)))


@pytest.mark.parametrize(
    "text",
    [
        "t={t},v1={s}",
        "t={t},v0=p:{s}",
        "t={t},t={t},v1=p:{s}",
        "t={t},T={t}",
        "v1=p:{s}",
        "t={t};v1=p:{s}",
    ],
)
def test_part_that_is_not_there(text: str) -> None:
    """A list without the part, or with two timestamps, proves nothing."""
    with pytest.raises(BadSignature):
        check(PARTS, bearing(text.format(**STAMPED)))


def test_timestamp_in_a_part_beside_signatures_by_prefix() -> None:
    """A list with a timestamp may have its signatures by their prefix alone."""
    timed = Hmac("X-Sig", prefix="v1=", signed="{timestamp}{body}", timestamp=Timestamp(part="t"))
    check(timed, bearing(f"t=1700000000,v1={sign(b'1700000000{}')}"))


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp"])
def test_missing_companion_of_a_signature(missing: str) -> None:
    """A signature without the id or the timestamp that it signs is refused."""
    headers = {"webhook-signature": "v1,x", "webhook-id": "m1", "webhook-timestamp": "1700000000"}
    del headers[missing]
    with pytest.raises(BadSignature, match="is missing"):
        check(STANDARD_WEBHOOKS, Request("POST", "/s", headers=headers))


def test_signed_url_without_public_url() -> None:
    """Where the URL is signed, and nobody has said what it is, nothing is let in."""
    with pytest.raises(BadSignature, match="public_url is not configured"):
        check(Hmac("X-Sig", signed="{url}{body}"), bearing(sign(b"/s{}")))


def test_public_url_may_have_a_path_and_end_in_a_slash() -> None:
    """The signed URL is public_url, path and query, with one slash between the first two."""
    request = replace(bearing(sign(b"https://x.example.com/stage/s?a=%20{}")), query="a=%20")
    check(Hmac("X-Sig", signed="{url}{body}"), request, public_url="https://x.example.com/stage/")


def test_path_and_method_can_be_signed() -> None:
    """Method and path alone, as they came, are placeholders too."""
    request = Request("PUT", "/s%20x", "a=b", {"x-sig": sign(b"PUT:/s%20x:{}")}, b"{}")
    check(Hmac("X-Sig", signed="{method}:{path}:{body}"), request)


def test_escapes_that_are_decoded_in_a_signed_url() -> None:
    """Twelve escapes are decoded, in either case and once; all others stay."""
    query = "a=%3A%2F%3F%40%21%24%27%28%29%2A%2C%3B&b=%3a%253A%20%C5%BC"
    signature = sign(b"https://x.example.com/s?a=:/?@!$'()*,;&b=:%253A%20%C5%BC{}")
    request = replace(bearing(signature), query=query)
    check(Hmac("X-Sig", signed="{decoded_url}{body}"), request, public_url="https://x.example.com")


def test_fields_of_a_signed_form() -> None:
    """A form is signed decoded, sorted by name and then value; a pair that is there twice counts once."""
    signature = sign("azaż xb2empty".encode())
    check(Hmac("X-Sig", signed="{sorted_form}"), bearing(signature, b"b=2&a=z&a=%C5%BC+x&a=z&empty=&"))


def test_signed_form_with_too_many_fields() -> None:
    """A form that is taken apart before anybody is known has a limit."""
    with pytest.raises(BadSignature, match="too many fields"):
        check(Hmac("X-Sig", signed="{sorted_form}"), bearing("0", b"&" * MAX_FORM_FIELDS))


def test_braces_in_a_body_are_no_placeholders() -> None:
    """What is sent never counts as a template."""
    body = b"{secret}{0.__class__}{body}%s"
    check(Hmac("X-Sig"), bearing(sign(body), body))


def test_key_that_has_not_its_form_opens_nothing() -> None:
    """A key that can't be decoded is no key, and keeps no other from being one."""
    check(Hmac("X-Sig", key="hex"), bearing(sign(b"{}", b"\xab\xcd")), ["no hex", "abcd"])
    for key in (b"no hex", b""):
        with pytest.raises(BadSignature, match="wrong signature"):
            check(Hmac("X-Sig", key="hex"), bearing(sign(b"{}", key)), ["no hex"])


def test_key_in_base64_is_read_strictly() -> None:
    """A key with characters that base64 does not have is no key, rather than the rest of it."""
    with pytest.raises(BadSignature, match="wrong signature"):
        check(Hmac("X-Sig", key="base64"), bearing(sign(b"{}", b"abc")), ["YW Jj?"])


BYTES = bytes(range(248, 256)) + b"invented-key"  # whose base64 has a plus, a slash and padding


@pytest.mark.parametrize("text", [base64.b64encode(BYTES).decode(), base64.b64encode(BYTES).decode().rstrip("=")])
@pytest.mark.parametrize("prefix", ["", "whsec_"])
def test_key_in_base64_may_lack_its_padding(text: str, prefix: str) -> None:
    """A key is the same key with the equals signs at its end and without, behind a prefix or not."""
    assert "=" in base64.b64encode(BYTES).decode()
    check(Hmac("X-Sig", key="base64", key_prefix="whsec_"), bearing(sign(b"{}", BYTES)), [prefix + text])


@given(st.binary(min_size=1, max_size=40))
def test_any_key_in_base64(key: bytes) -> None:
    """Keys of every length are read, padded or not."""
    for text in (base64.b64encode(key).decode(), base64.b64encode(key).decode().rstrip("=")):
        assert read_key(Hmac("X-Sig", key="base64"), Secret(text)) == key


def url_safe(body: bytes) -> str:
    """Return the base64url of a keyed hash, padded."""
    return base64.urlsafe_b64encode(hmac.digest(b"s3cret", body, "sha256")).decode()


URL_SAFE_BODY = next(body for body in (b'{"n": %d}' % n for n in range(999)) if {"-", "_"} <= {*url_safe(body)})


@pytest.mark.parametrize("strip", ["", "="])
def test_signature_in_base64url(strip: str) -> None:
    """A signature in the alphabet of URLs is taken with its padding and without."""
    check(Hmac("X-Sig", encoding="base64url"), bearing(url_safe(URL_SAFE_BODY).rstrip(strip), URL_SAFE_BODY))


def test_signature_in_the_other_alphabet() -> None:
    """The two alphabets of base64 are not taken for each other, nor is anything behind the padding."""
    text = url_safe(URL_SAFE_BODY)
    plain = text.replace("-", "+").replace("_", "/")
    for encoding, sent in (("base64url", plain), ("base64", text), ("base64url", text + "x"), ("base64url", "")):
        with pytest.raises(BadSignature, match="wrong signature"):
            check(Hmac("X-Sig", encoding=encoding), bearing(sent, URL_SAFE_BODY))  # type: ignore[arg-type] # one of both


ISO = Hmac("X-Sig", signed="{timestamp}{body}", timestamp=Timestamp(header="X-Time", unit="iso"))


def stamped(text: str, signed: str | None = None) -> Request:
    """Return a request that was signed with this time, and says that one."""
    request = bearing(sign((signed or text).encode() + b"{}"))
    return replace(request, headers={**request.headers, "x-time": text})


@pytest.mark.parametrize(
    "text",
    ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.123456Z", "2023-11-14T23:13:20+01:00", "2023-11-14T22:13:20",
     "2023-11-14 22:13:20Z", "20231114T221320Z", "2023-11-14T22:08:20Z", "2023-11-14T22:18:20.000Z"],
)  # fmt: skip
def test_timestamp_in_words_of_a_calendar(text: str) -> None:
    """A time in ISO 8601 is signed as it is written, and read as UTC where it names no zone."""
    check(ISO, stamped(text))


@pytest.mark.parametrize(
    "text", ["2023-11-14T22:08:19Z", "2023-11-14T22:18:21Z", "2023-11-14T22:13:20+01:00", "2023-11-14"]
)
def test_timestamp_in_words_of_another_time(text: str) -> None:
    """One that is too old, or too early, is stale."""
    with pytest.raises(BadSignature, match="stale signature"):
        check(ISO, stamped(text))


@pytest.mark.parametrize(
    "text", ["", "now", "1700000000", "2023-11-14T22:13:60Z", "2023-13-14T22:13:20Z", "٢٠٢٣-11-14T22:13:20Z",
             "2023-11-14T22:13:20Z" + "0" * 40, "2023-11-14T22:13:20ZZ", "9999999-01-01T00:00:00Z"],
)  # fmt: skip
def test_timestamp_that_is_no_time(text: str) -> None:
    """What can't be read as a time is no timestamp, though it was signed."""
    with pytest.raises(BadSignature, match=r"malformed timestamp|stale signature"):
        check(ISO, stamped(text))


def test_timestamp_without_a_zone_is_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the machine is does not matter."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        check(ISO, stamped("2023-11-14T22:13:20"))
    finally:
        monkeypatch.undo()
        time.tzset()


def test_timestamp_of_the_same_time_in_other_words() -> None:
    """A time that was not signed in these very words is refused."""
    with pytest.raises(BadSignature, match="wrong signature"):
        check(ISO, stamped("2023-11-14T22:13:20Z", signed="2023-11-14T22:13:20+00:00"))


@given(st.text(alphabet="0123456789TZ:.,+- ", max_size=40))
def test_no_timestamp_is_an_error(text: str) -> None:
    """Whatever a time is made of, it is fresh or a refusal."""
    with suppress(BadSignature):
        check(ISO, stamped(text))


def test_header_without_bounds_is_not_taken_apart() -> None:
    """A header longer than any list of signatures is refused unread, a good signature in it or not."""
    with pytest.raises(BadSignature, match="malformed"):
        check(Hmac("X-Sig", separator=" "), bearing("no " * MAX_HEADER + sign(b"{}")))


def test_prefix_alone_is_no_key() -> None:
    """A key of which nothing is left after its prefix opens nothing."""
    with pytest.raises(BadSignature, match="wrong signature"):
        check(Hmac("X-Sig", key_prefix="whsec_"), bearing(sign(b"{}", b"")), ["whsec_"])


def test_key_is_used_whole_unless_a_prefix_is_named() -> None:
    """A prefix belongs to the key, unless the scheme says that it does not."""
    check(Hmac("X-Sig"), bearing(sign(b"{}", b"whsec_abc")), ["whsec_abc"])
    check(Hmac("X-Sig", key_prefix="whsec_"), bearing(sign(b"{}", b"abc")), ["whsec_abc"])


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jws(signed: str, hash_: str = "sha256") -> Request:
    """Return a request with a JWS, signed whatever it says."""
    signature = b64(hmac.new(b"s3cret", signed.encode(), hash_).digest())
    return bearing(f"{signed}.{signature}")


def parts(head: object, claims: object) -> str:
    """Return what a JWS signs: two parts, as JSON unless they are bytes."""
    raw = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (head, claims)]
    return ".".join(b64(part) for part in raw)


def check_jws(request: Request, algorithm: JwsAlgorithm = "HS256") -> None:
    """Verify a JWS."""
    verify_jws(Jws("X-Sig", algorithm), [Secret("s3cret")], request, NOW)


@pytest.mark.parametrize("hashed", [HASH, HASH.upper()])
def test_jws(hashed: str) -> None:
    """A JWS over the body's hash is let in."""
    check_jws(jws(parts({"alg": "HS256"}, {"sha256": hashed})))


@pytest.mark.parametrize(("algorithm", "hash_"), [("HS384", "sha384"), ("HS512", "sha512")])
def test_jws_of_another_algorithm(algorithm: JwsAlgorithm, hash_: str) -> None:
    """The algorithm is the one that is configured."""
    check_jws(jws(parts({"alg": algorithm}, {"sha256": HASH}), hash_), algorithm)


@pytest.mark.parametrize(
    ("head", "claims"),
    [
        ({"alg": "none"}, {"sha256": HASH}),
        ({"alg": "HS512"}, {"sha256": HASH}),
        ({"alg": "hs256"}, {"sha256": HASH}),
        ({"alg": ["HS256"]}, {"sha256": HASH}),
        ({}, {"sha256": HASH}),
        ({"alg": "HS256", "crit": ["b64"]}, {"sha256": HASH}),
        ({"alg": "HS256"}, {"sha256": sign(b"other")}),
        ({"alg": "HS256"}, {"sha256": None}),
        ({"alg": "HS256"}, {"sha256": "\ud800ż"}),
        ({"alg": "HS256"}, {}),
        ({"alg": "HS256"}, [HASH]),
        ([], {"sha256": HASH}),
        (b"no json", {"sha256": HASH}),
        ({"alg": "HS256"}, b"\xff"),
        ({"alg": "HS256"}, b"[" * 5000),
    ],
)
def test_signed_jws_that_does_not_fit(head: object, claims: object) -> None:
    """A JWS made with the right key is refused when it is of another kind, or not about this body."""
    with pytest.raises(BadSignature):
        check_jws(jws(parts(head, claims)))


STAMP = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("claims", "is_good"),
    [
        ({"exp": STAMP + 1}, True), ({"exp": STAMP - 59}, True), ({"exp": STAMP - 59.5}, True),
        ({"exp": STAMP - 60}, False), ({"exp": 0}, False), ({"exp": -1}, False), ({"exp": 10**400}, True),
        ({"nbf": STAMP - 1}, True), ({"nbf": STAMP + 60}, True), ({"nbf": 0}, True),
        ({"nbf": STAMP + 61}, False), ({"nbf": 10**400}, False),
        ({"nbf": STAMP - 9, "exp": STAMP + 9}, True), ({"nbf": STAMP + 999, "exp": STAMP + 9999}, False),
        ({"exp": None}, False), ({"exp": str(STAMP + 99)}, False), ({"exp": True}, False), ({"nbf": []}, False),
        ({"exp": float("nan")}, False), ({"nbf": float("nan")}, False), ({"exp": float("inf")}, True),
        ({"iat": STAMP + 9999}, True),
    ],
)  # fmt: skip
def test_time_of_a_jws(claims: dict[str, object], is_good: bool) -> None:  # noqa: FBT001 - a column of the table
    """A JWS that says from when, or until when, it is valid is valid then, but for a minute's difference of clocks."""
    request = jws(parts({"alg": "HS256"}, {"sha256": HASH, **claims}))
    if is_good:
        check_jws(request)
    else:
        with pytest.raises(BadSignature, match=r"stale signature|malformed signature"):
            check_jws(request)


@pytest.mark.parametrize(
    ("wanted", "given_", "is_good"),
    [("acorn", "acorn", True), ("acorn", "Acorn", False), ("acorn", None, False), ("acorn", ["acorn"], False),
     ("", "any", True), ("", None, True)],
)  # fmt: skip
def test_issuer_of_a_jws(wanted: str, given_: object, is_good: bool) -> None:  # noqa: FBT001 - as above
    """Where a scheme names the signer, a JWS has to name it too."""
    request = jws(parts({"alg": "HS256"}, {"sha256": HASH, **({"iss": given_} if given_ else {})}))
    if is_good:
        verify_jws(Jws("X-Sig", iss=wanted), [Secret("s3cret")], request, NOW)
    else:
        with pytest.raises(BadSignature, match="a signature of another issuer"):
            verify_jws(Jws("X-Sig", iss=wanted), [Secret("s3cret")], request, NOW)


@pytest.mark.parametrize("signed", ["", "a", "a.b", "a.b.c", "é.b", "."])
def test_signed_jws_of_another_shape(signed: str) -> None:
    """A JWS made with the right key is refused when its parts are none."""
    with pytest.raises(BadSignature):
        check_jws(jws(signed))


@pytest.mark.parametrize("text", ["a.b.c.d", "a.b", "a", "..", "a.b."])
def test_jws_that_is_not_signed(text: str) -> None:
    """A JWS has a last part that is right."""
    with pytest.raises(BadSignature, match="wrong signature"):
        check_jws(bearing(text))


def test_jws_without_algorithm_is_refused() -> None:
    """The well-known `alg: none` with an empty signature opens nothing."""
    with pytest.raises(BadSignature, match="wrong signature"):
        check_jws(bearing(parts({"alg": "none"}, {"sha256": HASH}) + "."))
