"""A request that was kept is the request that came."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.reports.kept_request import dump_request, load_request
from ringback.web import Request

VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_characters=" ?\x7f\x85\xa0"))
TOKEN = st.text(string.ascii_lowercase + string.digits + "-", min_size=1)
LINE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f\x85"))


@given(
    method=st.sampled_from(["POST", "GET", "PUT"]),
    path=VISIBLE.map(lambda text: f"/{text}"),
    query=VISIBLE,
    headers=st.dictionaries(TOKEN, LINE),
    body=st.binary(),
)
def test_request_comes_back(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
    """Whatever the request: what is read is equal to what was kept, and its body the same bytes."""
    request = Request(method, path, query, headers, body)
    assert load_request(dump_request(request)) == request


@pytest.mark.parametrize(
    "content",
    [b"", b'{"a": 1}', b"a=b", b"POST", b"POST / HTTP/1.1\r\n", b"POST form HTTP/1.1\r\n\r\n", b"<a/>\r\n\r\nx"],
)
def test_any_other_content_is_no_request(content: bytes) -> None:
    """A body is not taken for a request."""
    assert load_request(content) is None


def test_kept_request_is_readable() -> None:
    """It is HTTP as every tool shows it."""
    request = Request("POST", "/form", "a=b", {"content-type": "text/plain"}, b"hello")
    assert dump_request(request) == b"POST /form?a=b HTTP/1.1\r\ncontent-type: text/plain\r\n\r\nhello"
