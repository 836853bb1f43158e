"""Addresses of servers."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.thulium.url import check_url, parse_host, parse_url


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://acme.thulium.com", "https://acme.thulium.com"),
        ("https://acme.thulium.com/", "https://acme.thulium.com"),
        ("https://acme.thulium.com:8443", "https://acme.thulium.com:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    """An address is https, but for this machine; a slash at its end does not count."""
    assert parse_host(text) == parse_url(text) == url


def test_path() -> None:
    """Where we are may have a path before ours."""
    assert parse_url("https://example.com/function/") == "https://example.com/function"
    with pytest.raises(ValueError, match="leave out what stands after"):
        parse_host("https://acme.thulium.com/api")


@pytest.mark.parametrize(
    "text",
    ["", "acme.thulium.com", "ftp://x", "https://", "https:///x", "https://a:b:c", "https://a:99999", "https://[",
     "https://u:hunter2@acme.com", "https://:hunter2@acme.com", "https://x?hunter2", "https://x#hunter2",
     "https://acme .com", "https://acme.com\n", "//acme.com"],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    """Anything else is refused, and not shown: there may be a password in it."""
    with pytest.raises(ValueError, match=r"^not a server's address; write https://host$"):
        parse_url(text)


@pytest.mark.parametrize("text", ["http://acme.com", "http://localhost.acme.com", "http://127.0.0.2", "http://0.0.0.0"])
def test_without_tls(text: str) -> None:
    """Nobody but this machine is called without TLS."""
    with pytest.raises(ValueError, match="not https"):
        parse_url(text)


@given(st.text() | st.text("htps:/@[]?#.a0 \\").map("https://".__add__))
def test_whatever_is_parsed(text: str) -> None:
    """Any text is an address or a ValueError."""
    with suppress(ValueError):
        assert parse_url(text).startswith("http")


@pytest.mark.parametrize(
    "url",
    ["https://api.example.com/contacts/{id}", "https://api.example.com/a/{b.c_1.D}?c={d_1}", "https://api.example.com",
     "https://api.example.com:8443/{id}", "http://localhost:8080/{id}", "http://127.0.0.1/{id}"],
)  # fmt: skip
def test_urls_to_fetch(url: str) -> None:
    """A URL is https, but for this machine, with names of the event after its host."""
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["api.example.com/{id}", "https://{host}/x", "https://x.{domain}/x", "{scheme}://x/y", "https://x/{a-b}",
     "https://x/{a.}", "https://x/{.a}", "https://x/{a..b}", "https://x/{a.0}", "https://{a.b}/x",
     "https://x/{a", "https://x/a}", "https://x/{}", "https://x/{{id}}", "https://x{id}", "https://x?{id}",
     "http://api.example.com/{id}", "ftp://x/{id}", "https://u:p@x/{id}", "https:///{id}", ""],
)  # fmt: skip
def test_wrong_urls_to_fetch(url: str) -> None:
    """Nothing of an event can say who is asked: what comes with a password is asked of its host alone."""
    with pytest.raises(ValueError, match="https"):
        check_url(url)
