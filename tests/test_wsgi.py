"""What a WSGI server hands over becomes our own request, and our answer its."""

from io import BytesIO
from typing import Any

import pytest

from ringback.hosts.wsgi import MOST_READ, make_application
from ringback.web import MAX_BODY, Request, Response


class Broken:
    """A body that can't be read."""

    def read(self, _: int) -> bytes:
        raise OSError("the client is gone")


def ask(
    stream: Any, *, length: str = "", method: str = "POST", **environ: str
) -> tuple[str, dict[str, str], bytes, Any]:
    """Return status, headers and body of the answer, and the request that was handed over, if one was."""
    seen: list[Request] = []
    told: list[Any] = []

    def handle(request: Request) -> Response:
        seen.append(request)
        return Response(200, b"hello", {"Content-Type": "text/plain"})

    whole = {"REQUEST_METHOD": method, "RAW_URI": "/", "CONTENT_LENGTH": length, "wsgi.input": stream, **environ}
    body = b"".join(make_application(handle)(whole, lambda *given: told.extend(given)))
    return told[0], dict(told[1]), body, seen[0] if seen else None


def test_request_is_handed_over_as_it_came() -> None:
    """Method, path and query undecoded, header names in lower case, the body's bytes."""
    headers = {"CONTENT_TYPE": "text/plain", "HTTP_X_API_KEY": "Key"}
    status, told, body, request = ask(BytesIO(b"a=b"), length="3", RAW_URI="/a%20b?c=%20d?e", **headers)
    assert request == Request(
        "POST", "/a%20b", "c=%20d?e", {"content-type": "text/plain", "content-length": "3", "x-api-key": "Key"}, b"a=b"
    )
    assert (status, body) == ("200 OK", b"hello")
    assert told == {"Content-Type": "text/plain", "Content-Length": "5"}


def test_head_has_no_body() -> None:
    """A HEAD is answered without a body, but with its length."""
    status, told, body, _ = ask(BytesIO(), method="HEAD")
    assert (status, body, told["Content-Length"]) == ("200 OK", b"", "5")


def test_too_large_a_body_is_read_away_and_cut() -> None:
    """One byte more than is taken is handed over, and all of it is read."""
    stream = BytesIO(bytes(3 * MAX_BODY))
    *_, request = ask(stream, length=str(3 * MAX_BODY))
    assert len(request.body) == MAX_BODY + 1
    assert stream.read() == b""


class Endless:
    """A body that has no end; ``size`` is how much of it was read."""

    size = 0

    def read(self, size: int) -> bytes:
        self.size += size
        return bytes(size)


@pytest.mark.parametrize("length", ["", str(10**12)])
def test_endless_body_is_left(length: str) -> None:
    """Nobody is listened to for ever."""
    stream = Endless()
    *_, request = ask(stream, length=length)
    assert len(request.body) == MAX_BODY + 1
    assert stream.size == MOST_READ


@pytest.mark.parametrize(("stream", "length"), [(BytesIO(b"half"), "8"), (Broken(), "4"), (BytesIO(b"x"), "many")])
def test_body_that_breaks_off(stream: Any, length: str) -> None:
    """Of half a body nothing is handed over but that it is not whole."""
    *_, request = ask(stream, length=length)
    assert (request.body, request.is_whole) == (b"", False)
