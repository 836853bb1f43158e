"""What can be said of a scheme, and what is left of a request after it."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ringback.verification.scheme import (
    STANDARD_WEBHOOKS,
    Basic,
    Hmac,
    Jws,
    Scheme,
    Timestamp,
    Token,
    needs_url,
    query_value,
    strip,
)
from ringback.web import Request


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"signed": "{timestamp}", "timestamp": Timestamp(header="T")}, "without {body}"),
        ({"keyed": False}, "without {secret}"),
        ({"signed": "{timestamp}{body}"}, "timestamp go together"),
        ({"timestamp": Timestamp(header="T")}, "timestamp go together"),
        ({"signed": "{id}{body}"}, "id go together"),
        ({"id": "X-Id"}, "id go together"),
        ({"signed": "{time}{body}"}, "no placeholder {time}"),
        ({"signed": "{}{body}"}, "no placeholder {}"),
    ],
)
def test_hmac_that_would_prove_too_little(keys: dict[str, Any], why: str) -> None:
    """A scheme under which a request could be changed, repeated or made by anybody can't be written down."""
    with pytest.raises(ValueError, match=why):
        Hmac("X-Sig", **keys)


@pytest.mark.parametrize(
    ("scheme", "strength"),
    [
        (Token(header="T"), 0),
        (Basic(), 0),
        (Hmac("S", keyed=False, signed="{body}{secret}"), 0),
        (Hmac("S"), 1),
        (Jws("S"), 1),
        (STANDARD_WEBHOOKS, 2),
    ],
)
def test_strength(scheme: Scheme, strength: int) -> None:
    """A signature proves more than a secret that is sent, and one with a time more than one without."""
    assert scheme.strength == strength


@pytest.mark.parametrize("keys", [{}, {"header": "T", "part": "t"}])
def test_timestamp_is_in_one_place(keys: dict[str, Any]) -> None:
    """A timestamp is in a header or in a part."""
    with pytest.raises(ValueError, match="one of header and part"):
        Timestamp(**keys)


@pytest.mark.parametrize("keys", [{}, {"header": "T", "query": "t"}])
def test_token_is_in_one_place(keys: dict[str, Any]) -> None:
    """A token is in a header, in the query, or in the body."""
    with pytest.raises(ValueError, match="one of header, query and field"):
        Token(**keys)


@pytest.mark.parametrize(
    ("signed", "needed"), [("{url}{body}", True), ("{decoded_url}{body}", True), ("{path}{body}", False)]
)
def test_scheme_tells_that_it_needs_the_public_url(signed: str, needed: bool) -> None:  # noqa: FBT001 - a column of the table
    """The configuration can say that public_url is missing."""
    assert needs_url(Hmac("S", signed=signed)) is needed
    assert not needs_url(Basic())


TOKENS = (Token(header="X-Api-Key"), Token(query="token"))


def test_strip_takes_a_token_in_every_spelling() -> None:
    """A token's parameter goes however its name is escaped, each time it is there; the rest stays as it was."""
    request = Request("POST", "/s", "a=%20&token=x&t%6fken=y&to+ken=z&TOKEN&token", {"x-api-key": "x", "x-other": "o"})
    left = strip(TOKENS, request)
    assert left.query == "a=%20&to+ken=z&TOKEN"
    assert left.headers == {"x-other": "o"}


def test_strip_leaves_the_id_by_which_a_redelivery_is_known() -> None:
    """The signed id of a message stays, since it proves nothing by itself; all else that was looked at goes."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature", "x-version")
    request = Request("POST", "/s", headers=dict.fromkeys(names, "v"))
    schemes = [STANDARD_WEBHOOKS, Hmac("Webhook-Signature", given={"X-Version": "v"})]
    assert strip(schemes, request).headers == {"webhook-id": "v"}


@given(st.text(alphabet="token%6f=&;+ x", max_size=40))
@example("token")
@example("%74oken=1&token")
def test_strip_and_verify_read_a_query_alike(query: str) -> None:
    """No query hides a token from one of them that the other one sees."""
    left = strip(TOKENS, Request("POST", "/s", query)).query
    assert query_value(left, "token") is None
    assert query_value(query, "x") == query_value(left, "x")
