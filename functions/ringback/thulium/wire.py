"""HTTP to other servers: one pool of connections, a deadline for the whole call, a limit on the reply's size."""

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps, loads
from typing import TYPE_CHECKING

from ringback.errors import CallFailed

if TYPE_CHECKING:
    from requests import PreparedRequest
    from requests.adapters import HTTPAdapter
    from urllib3.response import HTTPResponse

    from ringback.thulium.transport import Until

MAX_REPLY = 8 * 1024 * 1024  # bytes; a page of 1,000 customers is a tenth of it

PIECE = 65536  # bytes to read at a time

Params = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Reply:
    """One HTTP reply: header names in lower case, the body's bytes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def text(self) -> str:
        """Return the body as text, whatever it is."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> object:
        """Return the body's JSON value. Raises ValueError when it is none."""
        try:
            data: object = loads(self.body)
        except RecursionError:
            raise ValueError("the JSON is nested too deeply") from None
        return data


class Wire:
    """Makes calls, from many threads at once. Nothing is imported or connected before the first.

    requests' adapter is used without its session. So there are no cookies, no redirects, no proxies or passwords from
    the environment, and nothing reads a redirect's body without limit. The server's certificate is always verified.
    """

    def __init__(self, pool_size: int = 16) -> None:
        """Keep at most ``pool_size`` connections a host for the next calls; there may be more calls at once."""
        self._pool_size = pool_size
        self._lock = threading.Lock()
        self._adapter: HTTPAdapter | None = None

    def call(  # noqa: PLR0913 - the parts of a request, the last three of them optional
        self,
        method: str,
        url: str,
        *,
        seconds: float,
        headers: Mapping[str, str] | None = None,
        params: Params | None = None,
        json: object = None,
    ) -> Reply:
        """Send one request and return the reply, whatever its status; it may take ``seconds`` from now.

        ``json`` is sent as JSON (UTF-8) unless it is None. Raises CallFailed, with a constant reason that holds nothing
        of the request, when there is no reply, no whole one, none in time, or too large a one. After that nobody knows
        whether the request has been carried out, unless it was not ``sent``.
        """
        from ringback.thulium import mishap, transport  # noqa: PLC0415 - takes longer than answering a webhook

        until = transport.Until(time.monotonic() + seconds)
        body = None if json is None else dumps(json, separators=(",", ":"), allow_nan=False).encode()
        try:
            return self._exchange(_request(method, url, headers or {}, params, body), until)
        except mishap.FAILURES as error:
            raise mishap.explain(error) from None  # the error's own text holds the URL

    def _exchange(self, request: "PreparedRequest", until: "Until") -> Reply:
        with self._open().send(request, stream=True, timeout=until) as response:  # type: ignore[arg-type]  # urllib3's is taken
            body = _read(response.raw)
        return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)

    def _open(self) -> "HTTPAdapter":
        from requests.adapters import HTTPAdapter  # noqa: PLC0415 - as above

        from ringback.thulium import transport  # noqa: PLC0415 - as above

        with self._lock:
            if self._adapter is None:
                # urllib3's log lines hold URLs, and a URL here may hold a phone number.
                logging.getLogger("urllib3").setLevel(logging.CRITICAL)
                adapter = HTTPAdapter(pool_maxsize=self._pool_size, max_retries=transport.RETRIES)
                adapter.poolmanager.pool_classes_by_scheme = transport.POOLS
                self._adapter = adapter
            return self._adapter


def _request(
    method: str, url: str, headers: Mapping[str, str], params: Params | None, body: bytes | None
) -> "PreparedRequest":
    from requests import Request  # noqa: PLC0415 - as above

    own = {"Accept": "application/json", "User-Agent": "ringback"}
    if body is not None:
        own["Content-Type"] = "application/json; charset=utf-8"
    return Request(method, url, {**own, **headers}, data=body, params=params).prepare()


def _read(raw: "HTTPResponse") -> bytes:
    """Return the whole body. Only the read after the last one says whether it really was the last."""
    body = bytearray()
    while piece := raw.read(PIECE):
        body += piece
        if len(body) > MAX_REPLY:
            raise CallFailed("the reply is too large")
    return bytes(body)
