"""What became of one lead: the words, and which of them are final."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

TOO_OLD = "older than max_age"  # the reason of what is parked because nobody should be called unasked so late
LONGEST_MESSAGE = 300  # characters of Thulium's that are looked at
LONGEST_REASON = 200  # characters that are logged
SHORTEST_TELLING = 3  # characters; two letters of a name tell nobody, and are in every word
PLAIN_WORD = re.compile("[a-z_]+")  # of an event: more often a field's or a choice's name than somebody's


class Status(StrEnum):
    """The outcomes. The first three are Thulium's own words."""

    ADDED = "ADDED"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    FAILED = "FAILED"
    REQUEUED = "REQUEUED"
    STOPPED = "STOPPED"
    SKIPPED = "SKIPPED"
    INVALID = "INVALID"
    PARKED = "PARKED"
    DEFERRED = "DEFERRED"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the lead by itself."""
        return self is not Status.DEFERRED

    @property
    def is_replayable(self) -> bool:
        """Whether a mended configuration, sender or Thulium could change it, so that trying again makes sense."""
        return self in (Status.PARKED, Status.FAILED, Status.INVALID)


@dataclass(frozen=True)
class Outcome:
    """What became of one lead. ``reason`` is scrubbed: it holds nothing personal.

    ``fields`` names what is at fault in an INVALID lead. ``retry_after`` (seconds) is what Thulium asked for, if it
    did. ``person`` is the keyed hash by which the log knows somebody.
    """

    status: Status
    reason: str | None = None
    campaign_id: str | None = None
    customer_id: int | None = None
    record_id: int | None = None
    http_status: int | None = None
    person: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    retry_after: float | None = None


def scrub(message: str, values: Iterable[object] = (), event: object = None) -> str:
    """Return ``message`` without what is personal in it, on one line and no longer than 200 characters.

    Thulium's messages may echo what was sent, as it was or escaped for JSON, a URL or HTML. Everything that looks like
    an e-mail address or a number, and each of ``values`` (those of the lead, nested ones included), is replaced by an
    ellipsis; of the whole ``event``, which may name people whom the lead does not, all but single plain words. A
    message of 300 characters has been cut off: its last word may be half a name, and is left out.
    """
    if not message:  # as of almost all: looking for the values takes as long as mapping the lead
        return ""
    plain = _unescape(message[:LONGEST_MESSAGE])
    folded = plain.lower()
    further = {text for text in _texts([event]) if text.lower() in folded and not PLAIN_WORD.fullmatch(text)}
    for text in sorted(_texts(values) | further, key=len, reverse=True):
        plain = re.sub(re.escape(text), "…", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\S*@\S*", "…", plain)
    plain = re.sub(r"[+(]?\d[\d ().\-/]{4,}\d", "…", plain)
    words = "".join(c if c.isprintable() else " " for c in plain).split()
    return " ".join(words[:-1] if len(message) >= LONGEST_MESSAGE else words)[:LONGEST_REASON]


def _unescape(text: str) -> str:
    from html import unescape  # noqa: PLC0415 - has a table of 2,000 names, and is needed only where something failed
    from urllib.parse import unquote_plus  # noqa: PLC0415 - as above

    plain = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return unescape(unquote_plus(plain)) if re.search(r"%[0-9A-Fa-f]{2}", plain) else unescape(plain)


def _texts(values: Iterable[object]) -> set[str]:
    """Return the texts in ``values``, whole and word by word, that are long enough to tell a person."""
    texts: set[str] = set()
    for value in values:
        if isinstance(value, Mapping):
            texts |= _texts(value.values())
        elif isinstance(value, list | tuple):
            texts |= _texts(value)
        elif value is not None and not isinstance(value, bool):
            texts |= {word for word in (str(value), *str(value).split()) if len(word) >= SHORTEST_TELLING}
    return texts
