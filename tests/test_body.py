"""Bodies become data: any content type that senders use, and no body does harm."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.body import MAX_VALUES, parse, parse_json
from ringback.errors import BadBody, RefusedRequest, TooLarge, UnsupportedType
from ringback.form import MAX_DEPTH

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
XML = "text/xml; charset=utf-8"
MULTIPART = "multipart/form-data; boundary=b"

SOAP = """<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soap:Body>
  <notifications xmlns="urn:example:outbound">
   <OrganizationId>00DX00000000001</OrganizationId>
   <SessionId xsi:nil="true"/>
   <Notification><Id>04lX1</Id>
    <sObject xsi:type="sf:Lead" xmlns:sf="urn:example:sobject" unread="yes">
     <sf:FirstName>Łucja</sf:FirstName><sf:Phone>601 000 001</sf:Phone><sf:Fax/>
    </sObject>
   </Notification>
   <Notification><Id>04lX2</Id></Notification>
  </notifications>
 </soap:Body>
</soap:Envelope>"""


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        (JSON, b'{"a": [1, null, true]}', {"a": [1, None, True]}),
        ("Application/JSON ; charset=UTF-8", b'"x"', "x"),
        ("application/vnd.example.lead.v1+json", b"[]", []),
        (JSON, b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (JSON, '{"imię": "Żółć"}'.encode(), {"imię": "Żółć"}),
        (JSON, b'{"a": 1, "a": 2}', {"a": 2}),
        (FORM, b"contact%5Bemail%5D=jan%40example.com", {"contact": {"email": "jan@example.com"}}),
        (FORM + ";charset=UTF-8", b"name=Zofia+%C5%BB%C3%B3%C5%82%C4%87", {"name": "Zofia Żółć"}),
        (FORM, b"name=\xa3ucja", {"name": "�ucja"}),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="a[b]"\r\n\r\nc\r\n--b--', {"a": {"b": "c"}}),
        (XML, b"<a>x</a>", {"a": "x"}),
        ("application/xml", b"<a><b/><b>1</b></a>", {"a": {"b": ["", "1"]}}),
        ("application/soap+xml", b'<s:a xmlns:s="urn:example"><s:b> x </s:b></s:a>', {"a": {"b": " x "}}),
    ],
)
def test_body_is_read_as_its_content_type_says(content_type: str, body: bytes, data: object) -> None:
    """JSON, forms and XML become the same kind of data; case and parameters of the content type do not matter."""
    assert parse(body, content_type) == data


def test_soap_message() -> None:
    """Namespaces go, a repeated element is a list, nil is null, of the attributes only an object's type stays."""
    lead = {"@type": "Lead", "FirstName": "Łucja", "Phone": "601 000 001", "Fax": ""}
    notifications = {
        "OrganizationId": "00DX00000000001",
        "SessionId": None,
        "Notification": [{"Id": "04lX1", "sObject": lead}, {"Id": "04lX2"}],
    }
    assert parse(SOAP.encode(), XML) == {"Envelope": {"Body": {"notifications": notifications}}}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("9007199254740993", 9007199254740993),
        ("18446744073709551616", 18446744073709551616),
        ("-" + "9" * 63, -int("9" * 63)),
        ("9" * 5000, "9" * 5000),
        ("0.1", 0.1),
        ("1.50", 1.5),
        ("15550000000.0", 15550000000.0),
        ("123456789012345678.5", "123456789012345678.5"),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("0." + "1" * 100, "0." + "1" * 100),
        ("1e400", "1e400"),
        ("-1e-400", "-1e-400"),
        ("1e-99999999999999999999", "1e-99999999999999999999"),
    ],
)
def test_numbers_keep_their_digits(written: str, read: object) -> None:
    """A whole number stays whole; what a float would change, or is longer than any id, is kept as text."""
    value = parse_json(written)
    assert (value, type(value)) == (read, type(read))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (r'"\ud800"', "?"),
        (r'{"\uDfff": "\ud83d \ude00"}', {"?": "? ?"}),
        (r'"\ud83d\ude00"', "😀"),
        (
            r'["\ud800", 9007199254740993, 0.1, 123456789012345678.5]',
            ["?", 9007199254740993, 0.1, "123456789012345678.5"],
        ),
    ],
)
def test_half_characters_become_question_marks(written: str, read: object) -> None:
    """A lone surrogate is replaced, so that what was read can be written as UTF-8; nothing else changes by it."""
    assert parse_json(written) == read


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/jsonp", "text/html; a=application/json", "\ud800"]
)
def test_other_content_types_are_refused(content_type: str) -> None:
    """A content type that is none of those read, or none at all, is a 415."""
    with pytest.raises(UnsupportedType) as caught:
        parse(b"{}", content_type)
    assert caught.value.status == 415


@pytest.mark.parametrize("content_type", [JSON, FORM, XML, MULTIPART])
@pytest.mark.parametrize("body", [b"", b" \r\n"])
def test_empty_body_is_named_as_such(body: bytes, content_type: str) -> None:
    """Nothing, or only white space, is an empty body in any type."""
    with pytest.raises(BadBody, match=r"^the body is empty$"):
        parse(body, content_type)


@pytest.mark.parametrize(
    ("content_type", "body", "why"),
    [
        (JSON, b'{"tel": 601000001', r"the body is no JSON: Expecting ',' delimiter \(line 1, column 18\)"),
        (JSON, b'{"a": NaN}', "NaN"),
        (JSON, b"[-Infinity]", "-Infinity"),
        (JSON, b'{"a": "\xb3"}', "no UTF-8"),
        (JSON, '{"a": 1}'.encode("utf-16"), "no UTF-8"),
        (JSON, b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}', "no JSON"),
        (XML, b"<a><b></a>", "no XML"),
        (XML, b"{}", "no XML"),
        (XML, b"<a>\xb3</a>", "no UTF-8"),
        (XML, b"<a>&#xD800;</a>", "no XML"),
        (XML, b"<!DOCTYPE a><a/>", "DTD"),
        (XML, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DTD"),
        (XML, b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>', "DTD"),
    ],
)
def test_unreadable_body_is_a_400_that_says_why(content_type: str, body: bytes, why: str) -> None:
    """What is wrong is said, and where, without a word of the body."""
    with pytest.raises(BadBody, match=why) as caught:
        parse(body, content_type)
    assert "601000001" not in str(caught.value)


def test_named_encoding_of_xml_counts_for_nothing() -> None:
    """XML is UTF-8, whatever codec it names."""
    assert parse('<?xml version="1.0" encoding="unicode_escape"?><a>\\]ż</a>'.encode(), XML) == {"a": "\\]ż"}


def nest(levels: int, opening: str, inner: str, closing: str) -> bytes:
    """Return a body of ``levels`` levels."""
    return (opening * levels + inner + closing * levels).encode()


@pytest.mark.parametrize(
    ("content_type", "opening", "inner", "closing"),
    [(JSON, "[", "1", "]"), (JSON, '{"a":', "1", "}"), (XML, "<a>", "<b/>", "</a>"), (FORM, "", "a" + "[b]" * 32, "")],
)
@pytest.mark.parametrize("levels", [MAX_DEPTH + 1, 20_000])
def test_too_deep_body_is_a_413(levels: int, content_type: str, opening: str, inner: str, closing: str) -> None:
    """However deep a body is, it is refused by an error of its own."""
    with pytest.raises(TooLarge, match="32 levels"):
        parse(nest(levels, opening, inner, closing), content_type)


def test_depth_that_is_read() -> None:
    """Thirty-two levels are read."""
    assert parse(nest(MAX_DEPTH, "[", "1", "]"), JSON)
    assert parse(nest(MAX_DEPTH - 1, "<a>", "<b/>", "</a>"), XML)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (JSON, b"[" + b"1," * MAX_VALUES + b"1]"),
        (XML, b"<a>" + b"<b/>" * MAX_VALUES + b"</a>"),
        (FORM, b"a=1&" * 10_000 + b"a=1"),
        (MULTIPART, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 10_001 + b"--b--"),
    ],
)
def test_too_many_values_are_a_413(content_type: str, body: bytes) -> None:
    """A body of very many small values is refused."""
    with pytest.raises(TooLarge, match="more than"):
        parse(body, content_type)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50)
@given(JSON_VALUES)
def test_what_json_says_is_what_is_read(value: object) -> None:
    """Any value that was written as JSON is read as it was."""
    assert parse(json.dumps(value).encode(), JSON) == value


DISPOSITION = b'Content-Disposition: form-data; name="a"'
PIECES = st.sampled_from(
    [b"[", b'{"a":', b"]", b"}", b'"', b"\\ud800", b"1e9", b"=", b"&", b"a[", b"%", b"<a>", b"</a>"]
)
PARTS = st.sampled_from([b"--b\r\n", b"\r\n--b--", DISPOSITION, b"\r\n", b"; filename=x"])
BODIES = st.binary() | st.lists(PIECES | PARTS | st.binary(max_size=3)).map(b"".join)
CONTENT_TYPES = st.sampled_from([JSON, FORM, XML, MULTIPART, "multipart/form-data"]) | st.text()


@given(BODIES, CONTENT_TYPES)
def test_any_body_is_read_or_refused(body: bytes, content_type: str) -> None:
    """Whatever is sent, reading it raises nothing but a refusal, and gives what can be written as UTF-8."""
    try:
        data = parse(body, content_type)
    except RefusedRequest:
        return
    json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
