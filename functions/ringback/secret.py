"""Text that must never be shown."""

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
