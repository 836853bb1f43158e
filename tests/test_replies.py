"""What Thulium's replies mean, the documented ones and those that nobody has promised."""

import json
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import CallFailed
from ringback.thulium.replies import (
    LONGEST,
    NONSENSE,
    RecordReply,
    check_done,
    explain,
    read_customer,
    read_customers,
    read_id,
    read_new_id,
    read_object,
    read_records,
    read_retry_after,
    read_rows,
)
from ringback.thulium.wire import Reply

# The documentation's own examples.
BATCH = {
    "441": {"http_status": 201, "record_id": 111, "status": "ADDED"},
    "445": {"http_status": 400, "record_id": 100, "status": "ALREADY_EXISTS"},
    "448": {"http_status": 400, "status": "FAILED", "message": "Customer not found."},
}
ERROR = {
    "request_id": "53678450401cf",
    "errors": [
        {"message": "Wrong format of phone number.", "code": 111111},
        {"message": "Duplicated customer name.", "code": 222222},
    ],
}
HTML = b"<html><body>Bad gateway</body></html>"
NO_JSON = [b"", b"  ", HTML, b'{"441":{"stat', b"\xff\xfe", b"[" * 100_000]
NO_OBJECT = [*NO_JSON, b"null", b"42", b'"ADDED"', b"true", b"[]", b"[1]", b'[{"status":"ADDED"}]']

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def reply(content: object, status: int = 200, **headers: str) -> Reply:
    """Return a reply of bytes as they are, or of anything else as JSON."""
    return Reply(status, headers, content if isinstance(content, bytes) else json.dumps(content).encode())


# A batch


@pytest.mark.parametrize("status", [200, 201, 207, 400, 500])
def test_a_batch_is_decided_by_its_body(status: int) -> None:
    """What the body says of each customer holds, whatever the status of the whole call is."""
    assert read_records(reply(BATCH, status), [441, 445, 448]) == {
        441: RecordReply("ADDED", 111, 201, ""),
        445: RecordReply("ALREADY_EXISTS", 100, 400, ""),
        448: RecordReply("FAILED", None, 400, "Customer not found."),
    }


def test_a_customer_who_is_left_out_stays_out() -> None:
    """A customer whom the reply does not name is not in the result."""
    assert set(read_records(reply(BATCH), [441, 999])) == {441}


def test_strangers_are_ignored() -> None:
    """A customer who was not asked about is not in the result."""
    assert read_records(reply(BATCH), [1]) == {}


@pytest.mark.parametrize("content", [{}, []])
def test_an_empty_batch_reply_names_nobody(content: object) -> None:
    """An empty object, and an empty list, which is PHP's empty object, name nobody."""
    assert read_records(reply(content), [441]) == {}


@pytest.mark.parametrize(
    ("item", "read"),
    [
        ({"status": "PAUSED"}, RecordReply("PAUSED", None, None, "")),
        ({"status": " added"}, RecordReply(" added", None, None, "")),
        ({"status": "ADDED", "record_id": "231", "http_status": "201"}, RecordReply("ADDED", 231, 201, "")),
        ({"status": "ADDED", "record_id": "x", "http_status": [1]}, RecordReply("ADDED", None, None, "")),
        ({"status": "ADDED", "record_id": True, "http_status": 2.5}, RecordReply("ADDED", None, None, "")),
        ({"status": "FAILED", "message": ["x"]}, RecordReply("FAILED", None, None, "")),
        ({"status": "FAILED", "message": "x" * 1000}, RecordReply("FAILED", None, None, "x" * LONGEST)),
    ],
)
def test_each_word_is_kept_and_numbers_are_read(item: object, read: RecordReply) -> None:
    """A status is kept as it is, known or not; a number that came as text is a number, and garbage is none."""
    assert read_records(reply({"441": item}), [441]) == {441: read}


@pytest.mark.parametrize("item", [None, "ADDED", 201, [], {}, {"status": ""}, {"status": 1}, {"http_status": 201}])
def test_what_says_nothing_of_a_customer_leaves_the_customer_out(item: object) -> None:
    """A customer about whom the reply has no word is left out, as if it had not been named."""
    assert set(read_records(reply({**BATCH, "7": item}), [441, 7])) == {441}


@pytest.mark.parametrize(
    "content", [b"null", *NO_JSON, [1], [{"status": "ADDED"}], 42, "ADDED", {"a": 1}, {"441": 1}, ERROR]
)
def test_nonsense_is_no_batch_reply(content: object) -> None:
    """A reply of success that names no customer and is not empty is a failure, never a success."""
    with pytest.raises(CallFailed, match=NONSENSE):
        read_records(reply(content), [441])


@pytest.mark.parametrize("content", [[], {}, ERROR, HTML, {"error": {"status": "ADDED"}}])
def test_a_refused_batch_has_failed(content: object) -> None:
    """An error without a word about any customer is the failure of the whole call."""
    with pytest.raises(CallFailed, match="Thulium answered 400") as caught:
        read_records(reply(content, 400), [441])
    assert caught.value.http_status == 400


@given(anything, st.sampled_from([200, 201, 204, 400, 500]))
def test_no_batch_reply_makes_a_success_up(content: object, status: int) -> None:
    """Whatever comes: only customers that were asked about, with a word that was there, or a failure."""
    try:
        read = read_records(reply(content, status), [1, 2, 441])
    except CallFailed:
        return
    assert isinstance(content, dict | list)
    assert all(
        isinstance(content, dict) and content[str(number)]["status"] == word.status for number, word in read.items()
    )


# Customers and lists


@pytest.mark.parametrize(
    "envelope", [lambda rows: rows, lambda rows: {"count": 9, "result": rows}, lambda rows: {"data": rows}]
)
def test_a_list_comes_in_three_forms(envelope: object) -> None:
    """A list's rows are found bare, in ``result`` and in ``data``; customer ids are numbers, whatever they came as."""
    assert callable(envelope)
    rows = [{"customer_id": "273", "name": "Ada"}, {"customer_id": 5}, {"id": 6}]
    assert read_rows(reply(envelope(rows))) == rows
    assert [row["customer_id"] for row in read_customers(reply(envelope(rows)))] == [273, 5, 6]


@pytest.mark.parametrize(
    "content", [*NO_JSON, b"null", 42, "x", [1], {}, {"result": None}, {"result": {"1": {}}}, ERROR,
     {"errors": [1], "result": []}, {"count": 5, "result": []}, {"error": "x", "data": []}],
)  # fmt: skip
def test_nonsense_is_no_list(content: object) -> None:
    """What has no rows is a failure, and not an empty list: nobody found would mean somebody created."""
    with pytest.raises(CallFailed, match=NONSENSE):
        read_rows(reply(content))


@pytest.mark.parametrize(
    "row", [{}, {"customer_id": None}, {"customer_id": ""}, {"customer_id": "x"}, {"customer_id": 0}]
)
def test_a_customer_without_an_id_is_nonsense(row: object) -> None:
    """A customer whose id can't be read is a failure of the whole search."""
    with pytest.raises(CallFailed, match=NONSENSE):
        read_customers(reply([{"customer_id": 1}, row]))


@pytest.mark.parametrize(
    "content", [{"customer_id": 273}, {"customer_id": "273"}, {"id": 273}, {"id": "273", "errors": []}]
)
def test_a_new_customer_has_an_id(content: object) -> None:
    """The id of a new customer is ``customer_id`` or ``id``, a number or text, with any status of success."""
    assert read_new_id(reply(content, 201)) == 273


@pytest.mark.parametrize("content", [*NO_OBJECT, {}, {"customer_id": None}, {**ERROR, "customer_id": 1}])
def test_without_an_id_nobody_was_created(content: object) -> None:
    """A reply of success from which no id can be read is a failure."""
    with pytest.raises(CallFailed, match=NONSENSE):
        read_new_id(reply(content, 201))


def test_a_customer_is_the_one_who_was_asked_for() -> None:
    """A customer's row is only taken for the customer that was asked for."""
    assert read_customer(reply({"customer_id": "273", "name": "Ada"}), 273) == {"customer_id": 273, "name": "Ada"}
    with pytest.raises(CallFailed, match=NONSENSE):
        read_customer(reply({"customer_id": 274}), 273)


@pytest.mark.parametrize("content", NO_OBJECT)
def test_nonsense_is_no_object(content: object) -> None:
    """What is no JSON object is a failure where one is due."""
    with pytest.raises(CallFailed, match=NONSENSE):
        read_object(reply(content))


@pytest.mark.parametrize(
    "content", [b"", b"\n", [], {}, {"customer_id": 1}, {"record_id": "7"}, {"success": True}, True]
)
@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_change_is_done_when_there_is_nothing_to_say(content: object, status: int) -> None:
    """A change is confirmed by success with an empty body, an empty object in PHP's forms, or by what was changed."""
    check_done(reply(content, status))


@pytest.mark.parametrize(
    "content",
    [HTML, b"null", 42, "x", [1], b'{"a', ERROR, {"error": "record is locked"}, {"success": False, "id": 1},
     {"code": 403}, {"maintenance": True}, {"status": "error"}, {"success": "no"}, {"id": 1, "error": {"code": 1}},
     1, 0, {"record_id": 7, "status": "FAILED"}, {"id": 1, "http_status": 400}, {"success": True, "http_status": "404"},
     {"customer_id": 7, "status": "CALL_IN_PROGRESS"}],
)  # fmt: skip
def test_nonsense_confirms_no_change(content: object) -> None:
    """A page of HTML, half a document and an error with 200 confirm nothing."""
    with pytest.raises(CallFailed, match=NONSENSE):
        check_done(reply(content))


@pytest.mark.parametrize("status", [302, 400, 404, 500])
def test_an_error_confirms_no_change(status: int) -> None:
    """A status that is none of success confirms nothing, empty or not."""
    with pytest.raises(CallFailed, match=f"Thulium answered {status}"):
        check_done(reply(b"", status))


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *((1, 1), ("231", 231), ("0231", 231)),
        *((number, None) for number in (0, "0", -1, "-1", True, 1.0, "", " 1", "1\n", "٣", "9" * 19, None, [1])),
    ],
)
def test_an_id_is_a_positive_whole_number(value: object, number: int | None) -> None:
    """An id is read from a number or from digits; everything else is none."""
    assert read_id(value) == number


# Errors


def test_an_error_tells_all_it_knows() -> None:
    """A documented error keeps its status, its request id, and all its messages."""
    failed = explain(reply(ERROR, 400, **{"retry-after": "120"}))
    assert (failed.reason, failed.http_status, failed.request_id) == ("Thulium answered 400", 400, "53678450401cf")
    assert failed.message == "Wrong format of phone number.; Duplicated customer name."
    assert failed.retry_after == 120
    assert str(failed) == "Thulium answered 400"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HTML, HTML.decode()),
        (b"x" * 1000, "x" * LONGEST),
        (b"", ""),
        (b"\xff", "\ufffd"),
        ({"errors": "broken"}, '{"errors": "broken"}'),
        ({"errors": [1, {"message": None}, {"message": "Why."}]}, "Why."),
        ({"errors": [{"message": "x" * 1000}] * 2}, "x" * LONGEST),
    ],
)
def test_any_error_has_a_short_message(content: object, message: str) -> None:
    """An error in another form is kept as text, and no message is long."""
    assert explain(reply(content, 502)).message == message


def test_nonsense_is_not_quoted() -> None:
    """What came instead of a success is not repeated as a message: it may be about other people."""
    failed = explain(reply([{"surname": "Lis"}, 1]))
    assert (failed.reason, failed.message, failed.http_status) == (NONSENSE, "", 200)


def test_an_error_with_success_keeps_its_evidence() -> None:
    """An error that came with 200 has its request id and its messages."""
    failed = explain(reply(ERROR))
    assert (failed.request_id, failed.message[:5]) == ("53678450401cf", "Wrong")


@pytest.mark.parametrize(
    ("given_id", "kept"),
    [("53678450401cf", "53678450401cf"), ("5367-8450401CF", "5367-8450401CF"), (17, None), (None, None), ([], None),
     ("a1" * 33, None), ("a b", None), ("Kowalski", None), ("601000077", None), ("decade", None)],
)  # fmt: skip
def test_a_request_id_is_an_id(given_id: object, kept: str | None) -> None:
    """A request id is one as Thulium's documentation has it; all else might be somebody's name or number."""
    assert explain(reply({"request_id": given_id}, 500)).request_id == kept


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("3600", 3600),
        (formatdate(1_000_090, usegmt=True), 90),
        (formatdate(1_000_090), 90),
        ("Tue, 13 Jan 1970 00:00:00 -0000", 36_800),
        (formatdate(999_000, usegmt=True), 0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("9" * 400, None),
        ("Wed, 99 Foo 2026 99:99:99 GMT", None),
        ("Mon, 05 Jan 2026 00:00:00 +" + "9" * 30, None),
        ("Mon, 05 Jan 2026 00:00:00 +9999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    """The seconds to wait are read from a number or a date, and nonsense is nothing; a date that is over is no wait."""
    assert read_retry_after(text, 1_000_000) == seconds


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,2} Jan \d{1,5} \d\d:\d\d:\d\d [+-]\d{1,30}"))
def test_no_retry_after_breaks_it(text: str) -> None:
    """Whatever a header says is seconds, not below zero, or nothing."""
    seconds = read_retry_after(text, 1_000_000)
    assert seconds is None or seconds >= 0
