"""Errors between us and another server -> CallFailed, in constant words: no URL and no value is in them."""

import http.client
import socket
import ssl
from collections.abc import Iterator

from urllib3.exceptions import HTTPError, NewConnectionError

from ringback.errors import NO_ANSWER, CallFailed

FAILURES = (OSError, HTTPError, http.client.HTTPException, ValueError)  # requests' own errors are OSErrors

_UNSENT = (ssl.SSLCertVerificationError, socket.gaierror, NewConnectionError)  # there was no connection to send it by

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


def explain(error: BaseException) -> CallFailed:
    """Return the failure that an error stands for: why, and whether anything was sent."""
    causes = list(_causes(error))
    reasons = (words for cause in causes for kind, words in _REASONS if isinstance(cause, kind))
    return CallFailed(next(reasons, "no connection"), sent=not any(isinstance(cause, _UNSENT) for cause in causes))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
