"""A secret that is read again from time to time, so that a new one needs no deployment."""

import time
from collections.abc import Callable

from ringback import log
from ringback.aws_secret import read_secret
from ringback.errors import ConfigError


class KeptSecret:
    """The text of a secret, kept after it was read."""

    def __init__(self, read: Callable[[str], str] = read_secret, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the function from a secret's id to its text, and a monotonic clock; nothing is read yet."""
        self.text: str | None = None
        self._secret_id = ""
        self._read_at = 0.0
        self._read = read
        self._clock = clock

    def read(self, secret_id: str) -> str:
        """Return the text, which is read if it never was. Raises ConfigError."""
        if self.text is None:
            self.text = self._read(secret_id)
            self._secret_id, self._read_at = secret_id, self._clock()
        return self.text

    def refresh(self, age: float) -> None:
        """Read it again if that was last tried ``age`` seconds ago; one that can't be read stays as it was."""
        if self.text is None or self._clock() - self._read_at < age:
            return
        self._read_at = self._clock()
        try:
            self.text = self._read(self._secret_id)
        except ConfigError as error:
            log.write("ERROR", f"{error}; the old one is used", "secret.unreadable")

    def forget(self) -> None:
        """Be as if nothing had been read."""
        self.text = None
