"""What goes wrong between us and another server, in constant words: no URL and no value is in them."""

import http.client
import socket
import ssl
from collections.abc import Iterator

from urllib3.exceptions import HTTPError

from ringback.errors import NO_ANSWER

FAILURES = (OSError, HTTPError, http.client.HTTPException, ValueError)  # requests' own errors are OSErrors

_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (TimeoutError, NO_ANSWER),
    (ssl.SSLCertVerificationError, "the certificate is not trusted"),
    (ssl.SSLError, "no common TLS"),
    (socket.gaierror, "the host is not known"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionError, "the connection broke"),
    (http.client.HTTPException, "the reply is broken"),
    (ValueError, "the address or a header makes no sense"),
)


def reason(error: BaseException) -> str:
    """Say in constant words, without URL or value, why a call failed."""
    found = (words for cause in _causes(error) for kind, words in _REASONS if isinstance(cause, kind))
    return next(found, "no connection")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
