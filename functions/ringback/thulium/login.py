"""The credentials of calls to Thulium, and a pause after Thulium has refused them."""

import threading
from base64 import b64encode
from collections.abc import Callable

from ringback import log
from ringback.errors import CallFailed
from ringback.secret import Secret

REFUSED = "Thulium refused the password"


class Login:
    """User and password, as HTTP Basic's header. An account that many wrong passwords are tried on may be locked."""

    def __init__(self, user: Secret, password: Secret, pause: float, clock: Callable[[], float]) -> None:
        """Keep the credentials; a refused password is not used for ``pause`` seconds of the (monotonic) ``clock``."""
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._refused = ("", 0.0)  # which header, and until when it is not used
        self.renew(user, password)

    def renew(self, user: Secret, password: Secret) -> None:
        """Use these credentials from now on."""
        self._header = encode_basic(user, password)

    def header(self) -> str:
        """Return the header's value. Raises CallFailed while these very credentials are known to be refused."""
        header = self._header
        if self._is_refused(header):
            raise CallFailed(REFUSED, http_status=401)
        return header

    def refuse(self, header: str) -> None:
        """Note that Thulium has refused a header, and say so: in one line, however many calls were under way."""
        with self._lock:
            known, self._refused = self._is_refused(header), (header, self._clock() + self._pause)
        if not known:
            log.write("ERROR", f"{REFUSED}; no call is made for {self._pause:g} s", "thulium.refused", http_status=401)

    def _is_refused(self, header: str) -> bool:
        refused, until = self._refused
        return refused == header and self._clock() < until


def encode_basic(user: Secret, password: Secret) -> str:
    """Return the header's value, of UTF-8; a line end behind a secret is a slip and is dropped."""
    pair = b":".join(each.encode().rstrip(b"\r\n") for each in (user, password))
    return f"Basic {b64encode(pair).decode()}"
