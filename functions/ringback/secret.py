"""Text that must never be shown."""

import hashlib
import hmac
from dataclasses import dataclass


@dataclass(frozen=True, repr=False)
class Secret:
    """A secret: ``text`` has it, ``repr`` and ``str`` do not."""

    text: str

    def __repr__(self) -> str:
        """Return a placeholder."""
        return "Secret(...)"

    def encode(self) -> bytes:
        """Return the secret's bytes (UTF-8), as keys and comparisons want them."""
        return self.text.encode("utf-8", "surrogateescape")

    def hash(self, text: str) -> str:
        """Return text as 64 hex digits (HMAC-SHA256) from which nobody learns it who does not have the secret."""
        return hmac.new(self.encode(), text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
