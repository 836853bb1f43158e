"""Counts in Firestore, over real HTTP against a stand-in on loopback."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ringback.queues.counter import CountFailed
from ringback.queues.firestore import FirestoreCounts
from tests.firestore import Firestore

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
DATABASE = "projects/acme/databases/ringback"


@pytest.fixture
def firestore() -> Iterator[Firestore]:
    """A stand-in for Firestore."""
    with Firestore() as running:
        yield running


def test_counts_of_a_day(firestore: Firestore) -> None:
    """Each call adds to its hour and returns the counts of the whole day."""
    one, other = (FirestoreCounts(DATABASE, firestore.address) for _ in range(2))
    assert one.add("website", 3, NOW)[9] == 3
    other.add("website", 1, NOW + timedelta(hours=2))
    hours = one.add("website", 2, NOW)
    assert {hour: count for hour, count in enumerate(hours) if count} == {9: 5, 11: 1}
    assert len(hours) == 24
    assert firestore.calls == [f"/v1/{DATABASE}/documents:commit"] * 3


def test_days_and_sources_are_documents(firestore: Firestore) -> None:
    """Another day, and another source, begins with nothing; Firestore deletes a document after two days."""
    counts = FirestoreCounts(DATABASE, firestore.address)
    counts.add("website", 3, NOW)
    assert sum(counts.add("website", 1, NOW + timedelta(days=1))) == 1
    assert sum(counts.add("shop", 1, NOW)) == 1
    names = {name.removeprefix(f"{DATABASE}/documents/counts/") for name in firestore.documents}
    assert names == {"website 2026-03-02", "website 2026-03-03", "shop 2026-03-02"}
    document = firestore.documents[f"{DATABASE}/documents/counts/website 2026-03-02"]
    assert document["ends"] == {"timestampValue": "2026-03-04T09:30:00+00:00"}


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (403, b'{"error": {"message": "refused for hooks@example.com"}}', "HTTPError"),
        (503, b"", "HTTPError"),
        (200, b"<html>", "JSONDecodeError"),
        (200, b"{}", "KeyError"),
        (200, b'{"writeResults": []}', "ValueError"),
        (200, b'{"writeResults": [{"transformResults": [{"integerValue": null}]}]}', "TypeError"),
        (200, b'{"writeResults": [{"transformResults": []}]}', "ValueError"),
        (200, b"[]", "TypeError"),
    ],
)
def test_failure_tells_its_kind(status: int, body: bytes, kind: str, firestore: Firestore) -> None:
    """A refusal, and an answer that makes no sense, is a failure that says what to look at, and no more."""
    firestore.failures = [(status, body)]
    with pytest.raises(CountFailed) as caught:
        FirestoreCounts(DATABASE, firestore.address).add("website", 1, NOW)
    assert str(caught.value) == f"Firestore: {kind}; look at the database and at the service account's roles"


def test_nobody_there() -> None:
    """A Firestore that does not answer is a failure too."""
    with pytest.raises(CountFailed, match="ConnectionError"):
        FirestoreCounts(DATABASE, "127.0.0.1:9").add("website", 1, NOW)


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """So are credentials that can't be found."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent")
    with pytest.raises(CountFailed, match="DefaultCredentialsError"):
        FirestoreCounts(DATABASE).add("website", 1, NOW)


def test_no_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So is an account that gets no token."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    account = {"type": "service_account", "client_email": "hooks@example.com", "private_key": pem}
    (tmp_path / "account.json").write_text(json.dumps({**account, "token_uri": "http://127.0.0.1:9/token"}))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "account.json"))
    with pytest.raises(CountFailed, match="TransportError"):
        FirestoreCounts(DATABASE).add("website", 1, NOW)
