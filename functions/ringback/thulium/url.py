"""Addresses of servers that are called, or at which we are."""

import re
from urllib.parse import urlsplit

NAME = "[A-Za-z_][A-Za-z0-9_]*"
PLACEHOLDER = re.compile(rf"\{{({NAME}(?:\.{NAME})*)\}}")  # in a URL to fetch, for a value of the event: names and dots
NO_ADDRESS = "not a server's address; write https://host"


def parse_url(text: str) -> str:
    """Return a server's address without a slash at its end: https, but for this machine. Raises ValueError."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(NO_ADDRESS) from None
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc or any(c.isspace() for c in text))
    if not host or parts.scheme not in ("https", "http") or not is_plain:
        raise ValueError(NO_ADDRESS)
    if parts.scheme == "http" and host not in ("localhost", "127.0.0.1", "::1"):
        raise ValueError("not https; only localhost may be called without")
    return text.rstrip("/")


def parse_host(text: str) -> str:
    """Return a server's address, with no path behind it. Raises ValueError."""
    url = parse_url(text)
    if urlsplit(url).path:
        raise ValueError("more than a server's address; leave out what stands after https://host")
    return url


def check_url(text: str) -> str:
    """Return a URL whose placeholders all stand after the host. Raises ValueError.

    Only https is taken, but for this machine: what is fetched comes with a password, and brings personal data.
    """
    head, slashes, rest = text.partition("://")
    host, _, path = rest.partition("/")
    bare = PLACEHOLDER.sub("", path)
    if not slashes or "{" in head + host or "{" in bare or "}" in bare or "#" in text:
        raise ValueError(
            "not a URL to fetch; write https://host/path/{name}, with {names} of the event after the host only"
        )
    parse_url(f"{head}://{host}")
    return text
