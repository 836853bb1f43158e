"""Counts on Google Cloud: a document of a Firestore database for each source and day, with a number for each hour.

Cloud Tasks does not count, Cloud Storage needs two calls for an addition, and Memorystore is paid for by the hour.
Firestore adds and tells the sums in one call. google-auth, which is here anyway, makes it; no further client is needed.
https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents/commit
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ringback.queues.counter import HOURS, KEPT_DAYS, CountFailed

if TYPE_CHECKING:
    from google.auth.transport.requests import AuthorizedSession

SECONDS = 1.0  # for a call: a sender waits for eight, of which making its tasks may take five
SCOPE = "https://www.googleapis.com/auth/datastore"


class FirestoreCounts:
    """The counts in a ``database`` (``projects/P/databases/D``); it deletes documents whose time in ``ends`` has come.

    ``emulator`` is the ``host:port`` of a stand-in that is spoken to instead, without TLS and without credentials.
    """

    def __init__(self, database: str, emulator: str | None = None) -> None:
        """Remember the names; nothing is connected before it is needed."""
        self._documents = f"{database}/documents"
        self._emulator = emulator
        self._host = f"http://{emulator}" if emulator else "https://firestore.googleapis.com"

    def add(self, source: str, number: int, now: datetime) -> Sequence[int]:
        """Count, as ``counter.Store`` has it."""
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - only Google Cloud has it, and it is slow

        url = f"{self._host}/v1/{self._documents}:commit"
        body = {"writes": [self._write(source, number, now)]}
        try:
            answer = self._session.request("POST", url, json=body, timeout=SECONDS, max_allowed_time=SECONDS)
            answer.raise_for_status()
            (result,) = answer.json()["writeResults"]
            sums = zip(HOURS, result["transformResults"], strict=True)
            return [int(each["integerValue"]) for _, each in sums]
        except (GoogleAuthError, OSError, ValueError, LookupError, TypeError) as error:  # requests' own are OSErrors
            raise CountFailed(
                f"Firestore: {type(error).__name__}; look at the database and at the service account's roles"
            ) from None

    def _write(self, source: str, number: int, now: datetime) -> dict[str, object]:
        """Return what adds to the hour of ``now``, and nothing to the others: so the answer has them all."""
        adding = [{"fieldPath": h, "increment": {"integerValue": str(number * (h == HOURS[now.hour]))}} for h in HOURS]
        ends = (now + timedelta(days=KEPT_DAYS)).isoformat()
        name = f"{self._documents}/counts/{source} {now:%Y-%m-%d}"
        return {
            "update": {"name": name, "fields": {"ends": {"timestampValue": ends}}},
            "updateMask": {"fieldPaths": ["ends"]},
            "updateTransforms": adding,
        }

    @cached_property
    def _session(self) -> "AuthorizedSession":
        import google.auth  # noqa: PLC0415 - as above
        from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415 - as above
        from google.auth.transport.requests import AuthorizedSession  # noqa: PLC0415 - as above

        if self._emulator:
            return AuthorizedSession(AnonymousCredentials())
        credentials, _ = google.auth.default(scopes=[SCOPE])
        return AuthorizedSession(credentials)
