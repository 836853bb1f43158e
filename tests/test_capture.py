"""Requests are kept whole, and shown at once."""

import json
import stat
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ringback.reports.capture import Capture
from ringback.reports.kept_request import load_request
from ringback.settings import Settings
from ringback.web import Request
from tests.configs import make_source, read_config

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
PERSON = {"name": "Ada Lis", "phone": "601 000 001", "consent": "yes"}
TYPEFORM = {
    "event_type": "form_response",
    "event_id": "e1",
    "form_response": {
        "definition": {"fields": [{"id": "f1", "title": "Your name"}, {"id": "f2", "title": "Telefon"}]},
        "answers": [
            {"type": "text", "text": "Ada Lis", "field": {"id": "f1"}},
            {"type": "phone_number", "phone_number": "+48601000001", "field": {"id": "f2"}},
        ],
    },
}


class Kept:
    """What a capture has kept, said and answered."""

    def __init__(self, folder: Path, settings: Settings | None) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.capture = Capture(folder, settings, self.say, lambda: NOW)

    def say(self, lines: Iterable[str]) -> None:
        """Keep what is said of one request as one text."""
        self.said.append("\n".join(lines))

    def send(self, path: str, content: Any = b"", **changes: Any) -> tuple[int, bytes]:
        """Send a request, and return status and body of the answer."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        request = Request(
            **{"method": "POST", "path": path, "headers": {"content-type": "application/json"}, "body": body, **changes}
        )
        answer = self.capture.handle(request)
        self.sent = request
        return answer.status, answer.body

    @property
    def files(self) -> list[Path]:
        """The files, in the order of their names."""
        return sorted(self.folder.glob("*.http"))


def test_request_is_kept_whole(tmp_path: Path) -> None:
    """Method, path, query, headers and body are in a file that its owner alone may read, one for each request."""
    kept = Kept(tmp_path, read_config(tmp_path))
    headers = {"content-type": "application/json", "x-signature": "abc"}
    assert kept.send("/website", PERSON, query="a=b", headers=headers) == (200, b'{"captured":true}\n')
    (file,) = kept.files
    assert load_request(file.read_bytes()) == kept.sent
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "website" in file.name
    kept.send("/website", PERSON)
    assert len(kept.files) == 2


def test_source_is_shown_as_a_preview(tmp_path: Path) -> None:
    """Of a source of the configuration the lead and the requests to Thulium are shown, whoever sent it."""
    kept = Kept(tmp_path, read_config(tmp_path))
    kept.send("/website", PERSON)
    assert "POST /website, " in kept.said[0]
    assert "batch/crm_outbounds/00001/records" in kept.said[0]


@pytest.mark.parametrize("has_config", [True, False])
def test_preset_is_enough(has_config: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    """What comes for the name of a preset is read by it: a form's labels are shown, ready to paste."""
    kept = Kept(tmp_path, read_config(tmp_path) if has_config else None)
    assert kept.send("/typeform", TYPEFORM)[0] == 200
    assert 'FIELD: {label: "Your name"}       # Ada Lis' in kept.said[0]
    assert 'phone_number: {label: "Telefon"}  # +48601000001' in kept.said[0]


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_unknown_source_is_shown_too(content_type: str, tmp_path: Path) -> None:
    """A body that nobody knows is shown by what it says, or looks like."""
    kept = Kept(tmp_path, None)
    assert kept.send("/strange one/../x", PERSON, headers={"content-type": content_type})[0] == 200
    assert "FIELD: phone    # 601 000 001" in kept.said[0]
    assert kept.files[0].parent == tmp_path


@pytest.mark.parametrize("path", ["/website", "/strange"])
def test_body_that_can_not_be_read_is_kept(path: str, tmp_path: Path) -> None:
    """What can't be read is kept and answered 200 all the same, and it is said why."""
    kept = Kept(tmp_path, read_config(tmp_path))
    assert kept.send(path, b"{", headers={"content-type": "application/json"})[0] == 200
    assert "it can't be read: " in kept.said[0]
    assert len(kept.files) == 1


def test_sender_that_asks_first_is_answered(tmp_path: Path) -> None:
    """A sender that asks something before it sends gets its answer, so that it goes on to send."""
    source = make_source(handshake={"kind": "echo-query", "query": "challenge"})
    kept = Kept(tmp_path, read_config(tmp_path, sources={"website": source}))
    assert kept.send("/website", method="GET", query="challenge=abc") == (200, b"abc")
    assert kept.send("/website", method="GET", query="other=abc") == (200, b'{"captured":true}\n')


def test_folder_that_is_gone(tmp_path: Path) -> None:
    """What can't be kept is answered 503, and it is said why."""
    kept = Kept(tmp_path / "gone", None)
    assert kept.send("/website", PERSON)[0] == 503
    assert "not kept" in kept.said[0]


def test_half_a_request_is_not_kept(tmp_path: Path) -> None:
    """Of a request whose body breaks off nothing is kept, and its sender is told."""
    answer = Capture(tmp_path, None, print).handle(Request("POST", "/form", is_whole=False))
    assert (answer.status, list(tmp_path.iterdir())) == (400, [])
