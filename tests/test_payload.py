"""What a Lambda function is given of a request in payload format 1.0 comes to the same as in 2.0."""

from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.hosts.payload import to_request
from ringback.web import Request
from tests.doors import Amazon, RestApi

FIRST: dict[str, Any] = {
    "version": "1.0",
    "resource": "/{proxy+}",
    "path": "/website",
    "httpMethod": "POST",
    "headers": {"Content-Type": "application/json", "X-Signature": "last"},
    "multiValueHeaders": {"Content-Type": ["application/json"], "X-Signature": ["first", "last"]},
    "queryStringParameters": {"a": "2", "b": " ł&="},
    "multiValueQueryStringParameters": {"a": ["1", "2"], "b": [" ł&="]},
    "requestContext": {"path": "/prod/website", "stage": "prod", "httpMethod": "POST"},
    "body": '{"a": "ł"}',
    "isBase64Encoded": False,
}


def test_first_format() -> None:
    """Method, path, headers (of several their values, joined), every parameter and the body reach the core."""
    assert to_request(FIRST) == Request(
        method="POST",
        path="/website",
        query="a=1&a=2&b=%20%C5%82%26%3D",
        headers={"content-type": "application/json", "x-signature": "first,last"},
        body='{"a": "ł"}'.encode(),
    )


@pytest.mark.parametrize("missing", [None, {}])
def test_first_format_with_little_in_it(missing: object) -> None:
    """What a request does not have is null, or not there; what has one value only may have no list of them."""
    names = ("headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "body")
    assert to_request({**FIRST, **dict.fromkeys(names, missing)}) == Request("POST", "/website")
    single = {**FIRST, "multiValueHeaders": missing, "multiValueQueryStringParameters": missing}
    assert to_request(single).headers == {"content-type": "application/json", "x-signature": "last"}
    assert to_request(single).query == "a=2&b=%20%C5%82%26%3D"
    bare = {name: FIRST[name] for name in ("path", "httpMethod", "requestContext")}
    assert to_request(bare) == Request("POST", "/website")


def test_half_a_character_in_a_parameter_does_no_harm() -> None:
    """A lone surrogate, which no URL can hold, is no reason to fail."""
    assert to_request({**FIRST, "multiValueQueryStringParameters": {"a": ["\ud800"]}}).query == "a=%ED%A0%80"


def test_stage_in_the_path_of_an_http_api() -> None:
    """An HTTP API puts its stage before the path in this format too."""
    assert to_request({**FIRST, "path": "/prod/website"}).path == "/website"


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
def test_parameters_are_the_same_however_they_are_written(pairs: list[tuple[str, str]]) -> None:
    """No parameter is lost or changed by being written anew, whatever is in it."""
    parameters: dict[str, list[str]] = {}
    for name, value in pairs:
        parameters.setdefault(name, []).append(value)
    query = to_request({**FIRST, "multiValueQueryStringParameters": parameters}).query if parameters else ""
    wanted = [(name, value) for name, values in parameters.items() for value in values]
    assert parse_qsl(query, keep_blank_values=True) == wanted
    assert query.isascii()


@given(st.binary(max_size=200), st.sampled_from(["", "a=1&b=%20", "token=a-b_c"]))
def test_both_formats_are_the_same_request(body: bytes, query: str) -> None:
    """A request is the same in either format, its body to the byte."""
    arguments = ("POST", f"/website?{query}", body, {"X-Api-Key": "k", "Content-Type": "text/plain"})
    one, other = (to_request(kind().make_event(*arguments)) for kind in (Amazon, RestApi))
    assert one == other
