"""Thulium's replies -> data. Its documentation leaves much open, but nonsense is never taken for a success."""

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime

from ringback.errors import CallFailed
from ringback.thulium.wire import Reply

LONGEST = 300  # characters of a message that are kept
NONSENSE = "Thulium's reply makes no sense"
# Such as 53678450401cf; it is logged, so no name and no number can be one.
REQUEST_ID = re.compile("(?=.*[0-9])(?=.*[a-f])[0-9a-f-]{8,64}", re.IGNORECASE)
WRONG = ("error", "errors", "exception", "fault")
REFUSED = 400  # and above, of the http_status in a reply
NOT_DONE = ("FAILED", "NOT_EXIST", "CALL_IN_PROGRESS")  # Thulium's words about a record


@dataclass(frozen=True)
class RecordReply:
    """What Thulium says of one record: ``status`` is its own word, verbatim, known or not.

    ``message`` is Thulium's own text and may hold personal data.
    """

    status: str
    record_id: int | None
    http_status: int | None
    message: str = field(repr=False)


def is_success(reply: Reply) -> bool:
    """Return whether a reply's status is one of success: Thulium gives 200, 201 or 204, and does not say which when."""
    return 200 <= reply.status < 300  # noqa: PLR2004 - as HTTP has it


def read_data(reply: Reply) -> object:
    """Return the JSON value of a successful reply. Raises CallFailed for any other."""
    if not is_success(reply):
        raise explain(reply)
    try:
        return reply.json()
    except ValueError:
        raise explain(reply) from None


def read_object(reply: Reply) -> dict[str, object]:
    """Return the JSON object of a successful reply. Raises CallFailed."""
    data = read_data(reply)
    if not isinstance(data, dict) or any(data.get(name) for name in WRONG):
        raise explain(reply)
    return data


def check_done(reply: Reply) -> None:
    """Raise CallFailed unless a reply says that all is done, which a page of HTML with 200 does not.

    Documented is an empty body; ``[]`` is PHP's empty object. Of all else only what was changed, told by its id, or a
    plain ``success`` is a word of it.
    """
    data = _parse(reply)
    if is_success(reply) and (not reply.body.strip() or data is True or data in ([], {})):
        return
    told = read_object(reply)
    is_told = any(read_id(told.get(name)) for name in ("record_id", "customer_id", "id"))
    is_refused = (read_id(told.get("http_status")) or 0) >= REFUSED or told.get("status") in NOT_DONE
    if is_refused or told.get("success", is_told) is not True:
        raise explain(reply)


def read_rows(reply: Reply, *, is_first: bool = True) -> list[dict[str, object]]:
    """Return the rows of a list, which may come bare, as ``{count, result}`` or as ``{data}``. Raises CallFailed.

    No rows are nobody only if nothing else is said, for nobody somebody would be created; or if rows came before.
    """
    data = read_data(reply)
    told = read_object(reply) if isinstance(data, dict) else {}
    rows = told.get("result", told.get("data")) if told else data
    if (
        not isinstance(rows, list)
        or not all(isinstance(row, dict) for row in rows)
        or (is_first and read_id(told.get("count")) and not rows)
    ):
        raise explain(reply)
    return rows


def read_count(reply: Reply) -> int:
    """Return how many rows there are beside those in a list's reply; 0 where it does not say."""
    data = _parse(reply)
    return read_id(data.get("count")) or 0 if isinstance(data, dict) else 0


def read_customers(reply: Reply, *, is_first: bool = True) -> list[dict[str, object]]:
    """Return the rows of a list of customers, each with its ``customer_id`` as an int. Raises CallFailed."""
    return [{**row, "customer_id": _find_id(row, reply)} for row in read_rows(reply, is_first=is_first)]


def read_customer(reply: Reply, customer_id: int) -> dict[str, object]:
    """Return the row of the customer that was asked for, with its ``customer_id`` as an int. Raises CallFailed."""
    row = read_object(reply)
    if _find_id(row, reply) != customer_id:
        raise explain(reply)
    return {**row, "customer_id": customer_id}


def read_new_id(reply: Reply) -> int:
    """Return the id of the customer that was created. Raises CallFailed."""
    return _find_id(read_object(reply), reply)


def _find_id(row: dict[str, object], reply: Reply) -> int:
    number = read_id(row.get("customer_id")) or read_id(row.get("id"))
    if number is None:
        raise explain(reply)
    return number


def read_records(reply: Reply, asked: Iterable[int]) -> dict[int, RecordReply]:
    """Return what Thulium says of each customer that was asked about; customers it leaves out are left out here too.

    The body decides, not the status, which is documented nowhere: whatever holds a word about a customer is used.
    ``[]`` is PHP's empty object. Raises CallFailed for all else.
    """
    data = _parse(reply)
    words = _read_words(data)
    if words or (is_success(reply) and data in ([], {})):
        return {number: words[str(number)] for number in asked if str(number) in words}
    raise explain(reply)


def _read_words(data: object) -> dict[str, RecordReply]:
    items = data.items() if isinstance(data, dict) else ()
    return {key: word for key, item in items if key.isdecimal() and (word := _read_word(item))}


def _read_word(item: object) -> RecordReply | None:
    status = item.get("status") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(status, str) or not status:
        return None
    record_id, http_status = read_id(item.get("record_id")), read_id(item.get("http_status"))
    return RecordReply(status, record_id, http_status, _read_text(item.get("message")))


def read_id(value: object) -> int | None:
    """Return a positive whole number that came as a number or as text, or None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value > 0 else None
    if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value):
        return int(value) or None
    return None


def explain(reply: Reply, reason: str | None = None) -> CallFailed:
    """Return the failure that a reply stands for, with all that it says about it.

    Thulium's errors are ``{"request_id", "errors": [{"message", "code"}, ...]}``; any other error is kept as text. What
    came instead of a success is not: it may be about other people.
    """
    data = _parse(reply)
    told = data if isinstance(data, dict) else {}
    texts = [_read_text(each.get("message")) for each in _dicts(told.get("errors"))]
    request_id = told.get("request_id")
    return CallFailed(
        reason or (NONSENSE if is_success(reply) else f"Thulium answered {reply.status}"),
        http_status=reply.status,
        message=("; ".join(filter(None, texts)) or ("" if is_success(reply) else reply.text))[:LONGEST],
        request_id=str(request_id) if REQUEST_ID.fullmatch(str(request_id or "")) else None,
        retry_after=read_retry_after(reply.headers.get("retry-after", ""), time.time()),
    )


def read_retry_after(text: str, now: float) -> float | None:
    """Return the seconds to wait that a ``Retry-After`` header names, as seconds or as a date; None for nonsense."""
    if re.fullmatch("[0-9]{1,9}", text.strip()):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
        return max((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None


def _dicts(value: object) -> list[dict[str, object]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _parse(reply: Reply) -> object:
    try:
        return reply.json()
    except ValueError:
        return None


def _read_text(value: object) -> str:
    return value[:LONGEST] if isinstance(value, str) else ""
