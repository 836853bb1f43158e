"""What became of a lead."""

from ringback.outcome import Status


def test_words() -> None:
    """The words are the contract's; all but DEFERRED are final."""
    words = "ADDED ALREADY_EXISTS FAILED REQUEUED STOPPED SKIPPED INVALID PARKED DEFERRED"
    assert [str(status) for status in Status] == words.split()
    assert [status for status in Status if not status.is_final] == [Status.DEFERRED]
    assert [status for status in Status if status.is_replayable] == [Status.FAILED, Status.INVALID, Status.PARKED]
