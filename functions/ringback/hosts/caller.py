"""The caller of the function that delivers: Cloud Tasks, by the OpenID Connect token that it sends with each task.

https://cloud.google.com/tasks/docs/creating-http-target-tasks#token
"""

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from ringback.errors import RefusedRequest, RingbackError
from ringback.settings import CloudTasks
from ringback.web import Request

CERTIFICATES = "https://www.googleapis.com/oauth2/v1/certs"
KEPT = 3600.0  # seconds for which certificates are taken for good; Google shows a new one long before it signs with it
SECONDS = 5.0  # for fetching them
SKEW = 60  # seconds by which Google's clock and ours may differ
ISSUERS = ("https://accounts.google.com", "accounts.google.com")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Cloud Run writes this in place of the signature of a token that it has checked itself, so that nobody can send the
# token on: https://cloud.google.com/run/docs/troubleshooting#signature-removed
REMOVED = ".SIGNATURE_REMOVED_BY_GOOGLE"


class NoToken(RefusedRequest):
    """A task comes without a token of Google's for this function, or with one that is not valid now."""

    status = 401


class WrongCaller(RefusedRequest):
    """A task comes with a token of Google's that is another account's."""

    status = 403


class NoCertificates(RingbackError):
    """Google's certificates can't be fetched, so nothing can be said of a token."""


class Caller:
    """Checks tokens, for any number of threads. Certificates are fetched when the first token comes, once an hour."""

    def __init__(
        self, place: CloudTasks, certificates: str = CERTIFICATES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the address that tokens are made for, and the account that they are made out to."""
        self._place = place
        self._url = certificates
        self._clock = clock
        self._kept: tuple[float, Mapping[str, str]] | None = None

    def check(self, request: Request) -> None:
        """Return if Cloud Tasks makes this request, as the service account.

        With a stand-in for Cloud Tasks on loopback no token is needed. Raises NoToken, WrongCaller or NoCertificates.
        """
        if self._place.emulator and self._place.emulator.rpartition(":")[0].strip("[]") in LOOPBACK:
            return
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise NoToken("no token")
        claims = self._read(token.strip())
        if claims.get("iss") not in ISSUERS:
            raise NoToken("the token is not Google's")
        if claims.get("email") != self._place.service_account or claims.get("email_verified") is not True:
            raise WrongCaller("the token is another account's")

    def _read(self, token: str) -> Mapping[str, Any]:
        """Return what a token says, if it is signed, for this function, and valid now."""
        from google.auth import exceptions, jwt  # noqa: PLC0415 - only Google Cloud has it, and it is slow

        is_checked = self._place.on_cloud_run and token.endswith(REMOVED)
        try:
            if is_checked:
                return self._read_checked(jwt.decode(token, verify=False))
            certificates, audience = self._get_certificates(), self._place.deliver_url
            return jwt.decode(token, certificates, audience=audience, clock_skew_in_seconds=SKEW)  # type: ignore[no-any-return]  # it has none
        except (exceptions.GoogleAuthError, ValueError, TypeError):  # their texts hold parts of the token
            raise NoToken("the token is not valid here and now") from None

    def _read_checked(self, claims: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the claims of a token whose signature Cloud Run has checked. Raises ValueError for an unfit one."""
        if claims.get("aud") != self._place.deliver_url or not time.time() - SKEW < float(claims.get("exp", 0)):
            raise ValueError
        return claims

    def _get_certificates(self) -> Mapping[str, str]:
        if self._kept is None or self._clock() - self._kept[0] >= KEPT:
            self._kept = self._clock(), self._fetch()
        return self._kept[1]

    def _fetch(self) -> Mapping[str, str]:
        """Return Google's certificates (PEM) by their names."""
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - as above
        from google.auth.transport.requests import Request as Fetcher  # noqa: PLC0415 - as above

        try:
            answer = Fetcher()(self._url, method="GET", timeout=SECONDS)
            found = json.loads(answer.data) if answer.status == HTTPStatus.OK else None
        except (GoogleAuthError, ValueError) as error:
            raise NoCertificates(f"Google's certificates can't be fetched: {type(error).__name__}") from None
        if not found or not isinstance(found, dict):
            raise NoCertificates(f"Google's certificates can't be fetched: HTTP {answer.status}")
        return found
