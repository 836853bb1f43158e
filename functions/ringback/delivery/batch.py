"""Records -> Thulium's word about each: the batch call in chunks, and the search for a record that spoils its chunk."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from time import monotonic

from ringback import log
from ringback.delivery.details import TOO_LARGE
from ringback.errors import CallFailed
from ringback.thulium.api import RecordReply, Thulium

SPOILED = (400, 422, *TOO_LARGE)  # a whole call that is refused so may be the fault of one record, or of their number
LEFT_OUT = "some customers are left out, or have a status that is not known here"
WORDS = ("ADDED", "ALREADY_EXISTS", "FAILED")

Records = Mapping[int, Mapping[str, object]]
Replies = dict[int, RecordReply | CallFailed]


class Batch:
    """Sends records to a campaign, ``size`` in one call at most."""

    def __init__(self, thulium: Thulium, size: int) -> None:
        self._thulium = thulium
        self._size = size

    def send(self, campaign_id: str, records: Records, deadline: float) -> Replies:
        """Return, for each customer id in ``records``, Thulium's reply or the failure of the call that carried it.

        A customer that Thulium's reply leaves out is left out here too. A record that spoils its call is found by
        halving, in about 2·log2(n) further calls, and has FAILED alone.
        """
        return self._send(campaign_id, list(_cut(records, self._size)), deadline, proven=False)

    def _send(self, campaign_id: str, parts: Sequence[Records], deadline: float, *, proven: bool) -> Replies:
        """Send the parts; ``proven`` says that the campaign takes other records than these."""
        replies: Replies = {}
        refused: list[tuple[Records, CallFailed]] = []
        for part in parts:
            answer = self._call(campaign_id, part, deadline)
            if isinstance(answer, CallFailed):
                refused.append((part, answer))
            else:
                replies |= answer
        for part, error in refused:
            proven = proven or any(isinstance(reply, RecordReply) for reply in replies.values())
            # With nothing proven after the first part it is the call that is wrong: its failure is everybody's.
            is_hopeless = bool(replies) and not proven
            replies |= (
                dict.fromkeys(part, error)
                if is_hopeless
                else self._blame(campaign_id, part, error, deadline, proven=proven)
            )
        return replies

    def _blame(
        self, campaign_id: str, records: Records, error: CallFailed, deadline: float, *, proven: bool
    ) -> Replies:
        """Return whose fault a refused call is. Alone and proven a record has failed, alone and unproven the call."""
        if error.http_status not in SPOILED:
            return dict.fromkeys(records, error)
        if len(records) > 1:
            return self._send(campaign_id, list(_cut(records, (len(records) + 1) // 2)), deadline, proven=proven)
        is_its_own = proven or error.http_status in TOO_LARGE  # one record can't be sent in smaller parts
        verdict = RecordReply("FAILED", None, error.http_status, error.message) if is_its_own else error
        return dict.fromkeys(records, verdict)

    def _call(self, campaign_id: str, records: Records, deadline: float) -> Replies | CallFailed:
        start = monotonic()
        bodies = [{"customer_id": customer_id, **record} for customer_id, record in records.items()]
        try:
            replies = self._thulium.add_records(campaign_id, bodies, deadline)
        except CallFailed as error:
            _write_line(campaign_id, len(records), {}, error, monotonic() - start)
            return error
        _write_line(campaign_id, len(records), replies, None, monotonic() - start)
        return dict(replies)


def _cut(records: Records, size: int) -> Iterator[Records]:
    rest = iter(records.items())
    while chunk := dict(islice(rest, size)):
        yield chunk


def _write_line(
    campaign_id: str, sent: int, replies: Mapping[int, RecordReply], error: CallFailed | None, duration: float
) -> None:
    words = [reply.status for reply in replies.values()]
    other = sent - sum(map(words.count, WORDS))
    log.write(
        "WARNING" if error or other else "INFO",
        f"{sent} records sent to campaign {campaign_id}" if error is None else f"batch call failed: {error.reason}",
        "thulium.batch",
        campaign_id=campaign_id,
        records=sent,
        **{word.lower(): words.count(word) for word in WORDS},
        other=other,
        http_status=error.http_status if error else None,
        request_id=error.request_id if error else None,
        reason=error.reason if error else LEFT_OUT if other else None,
        duration_ms=round(duration * 1000),
    )
