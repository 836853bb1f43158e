"""Text that must never be shown."""

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime

SHORTEST = 6  # characters; a shorter one is guessed within minutes
# Blank, though Unicode has them among letters and symbols: the fillers of Hangul, and an empty cell of Braille.
FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")


@dataclass(frozen=True, repr=False)
class Secret:
    """A secret: ``text`` has it, ``repr`` and ``str`` do not. ``until`` is the first day (UTC) on which it is void."""

    text: str
    until: date | None = None

    def __repr__(self) -> str:
        """Return a placeholder."""
        return "Secret(...)"

    @property
    def is_too_short(self) -> bool:
        """Whether fewer than ``SHORTEST`` of its characters can be seen: it proves nothing then."""
        return sum(map(_is_visible, self.text)) < SHORTEST

    def has_ended(self, now: datetime) -> bool:
        """Return whether the secret is void at ``now`` (aware)."""
        return self.until is not None and now.astimezone(UTC).date() >= self.until

    def encode(self) -> bytes:
        """Return the secret's bytes (UTF-8), as keys and comparisons want them."""
        return self.text.encode("utf-8", "surrogateescape")

    def hash(self, text: str) -> str:
        """Return text as 64 hex digits (HMAC-SHA256), which tell nothing of it without the secret."""
        return hmac.digest(self.encode(), text.encode("utf-8", "surrogatepass"), "sha256").hex()


def _is_visible(character: str) -> bool:
    is_mark = unicodedata.category(character) in ("Mn", "Me")  # drawn upon another character, or not at all
    return character.isprintable() and not character.isspace() and character not in FILLERS and not is_mark
