"""What can fail as a whole. A failure of one lead is no exception but an outcome (see ``outcome``)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ringback.settings import Settings

NO_ANSWER = "no answer in time"


class RingbackError(Exception):
    """The root of all that this package raises on purpose."""


class ConfigError(RingbackError):
    """The configuration can't be used.

    ``mistakes`` has a line for each: the path, what is wrong, and the way out. None of them shows a secret.
    ``settings`` has the sources in which each key is good by itself, for a preview; None where there can be none.
    """

    def __init__(self, mistakes: list[str], settings: "Settings | None" = None) -> None:
        """Keep the mistakes, all of them."""
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes
        self.settings = settings


class RefusedRequest(RingbackError):
    """A request is answered with an error; ``status`` is its HTTP status, the text names no value that was sent."""

    status = 400


class BadSignature(RefusedRequest):
    """The request was not made with the secret, or not just now."""

    status = 401


class BadBody(RefusedRequest):
    """The body can't be read."""


class TooLarge(RefusedRequest):
    """The body is larger, deeper or wider than is read."""

    status = 413


class UnsupportedType(RefusedRequest):
    """The body's content type is none that is read here."""

    status = 415


class WrongMethod(RefusedRequest):
    """The source does not take this method; ``allowed`` has those that it takes."""

    status = 405

    def __init__(self, allowed: Iterable[str]) -> None:
        """Name the methods."""
        self.allowed = tuple(allowed)
        super().__init__(f"use {' or '.join(self.allowed)}")


class CallFailed(RingbackError):
    """A call to Thulium (or to a sender's API) has failed, or may have.

    ``http_status`` is None when there was no answer; ``sent`` is false if nothing was sent, so that nothing can come of
    it; ``retry_after`` is in seconds and as the server gave it; ``request_id`` is what Thulium's support asks for.
    ``message`` is the server's own text and may hold personal data: scrub it (``messages.scrub``) before it goes
    anywhere. ``str()`` of the error holds nothing of it.
    """

    def __init__(  # noqa: PLR0913 - evidence, by name
        self,
        reason: str,
        *,
        http_status: int | None = None,
        sent: bool = True,
        message: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Keep the evidence."""
        super().__init__(reason)
        self.reason = reason
        self.http_status = http_status
        self.sent = sent
        self.message = message
        self.request_id = request_id
        self.retry_after = retry_after

    @property
    def is_in_doubt(self) -> bool:
        """Return whether a write that failed in this way may have been carried out, or may still be.

        Of what was sent only a refusal (300 to 499) is conclusive: a proxy's 502, 503 or 504 says nothing of the server
        behind it, and a success may come with a body that can't be read.
        """
        is_refused = self.http_status is not None and 300 <= self.http_status < 500  # noqa: PLR2004 - as HTTP has it
        return self.sent and not is_refused
