"""Leaves Thulium alone while it is down: one call at a time is tried, a few seconds apart, until one is answered."""

import threading
import time
from collections.abc import Callable

from ringback import log
from ringback.errors import CallFailed
from ringback.thulium.wire import Reply

DOWN = "thulium is down"
ENOUGH = 10  # calls in a row, from whichever threads, that are not answered: a hiccup of one lead's makes fewer
PROBE_EVERY = 2.0  # seconds; so late it is noticed at most that Thulium is up again
BROKEN = 500  # and above: who refuses a call is up


class Breaker:
    """Counts the calls that were not answered since the last one that was."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock (seconds) that never goes back."""
        self._clock = clock
        self._lock = threading.Lock()
        self._unanswered = 0
        self._probe_at = 0.0

    def let_through(self, call: Callable[[], Reply], seconds: float) -> Reply:
        """Return the reply to a call that takes ``seconds`` at most. Raises what it raises.

        While Thulium is down raises CallFailed at once instead, but for one call every few seconds.
        """
        self._admit(seconds)
        try:
            reply = call()
        except CallFailed:
            self._note(answered=False)
            raise
        self._note(answered=reply.status < BROKEN)
        return reply

    def _admit(self, seconds: float) -> None:
        with self._lock:
            if self._unanswered < ENOUGH:
                return
            wait = self._probe_at - self._clock()
            if wait > 0:
                raise CallFailed(DOWN, sent=False, retry_after=min(wait, PROBE_EVERY))
            self._probe_at = self._clock() + seconds + PROBE_EVERY  # no other probe while this one is under way

    def _note(self, *, answered: bool) -> None:
        with self._lock:
            before, now = self._unanswered, 0 if answered else self._unanswered + 1
            self._unanswered, self._probe_at = now, self._clock() + PROBE_EVERY
        if before < ENOUGH <= now:
            log.write(
                "WARNING", f"{DOWN}: a call every {PROBE_EVERY:g} s is tried until one is answered", "thulium.down"
            )
        elif now < ENOUGH <= before:
            log.write("INFO", "thulium is up again", "thulium.up")
