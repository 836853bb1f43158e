"""Bodies become data: any content type that senders use, and no body does harm."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.body import FORM, JSON, MULTIPART, TYPES, XML, blank_out, guess_type, name_type, parse
from ringback.errors import BadBody, RefusedRequest, TooLarge, UnsupportedType
from ringback.web import MAX_DEPTH, MAX_VALUES

PARTS = b'--b\r\nContent-Disposition: form-data; name="a[b]"\r\n\r\nc\r\n--b--'


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        (JSON, b'{"a": [1, null, true]}', {"a": [1, None, True]}),
        ("Application/JSON ; charset=UTF-8", b'"x"', "x"),
        ("application/vnd.example.lead.v1+json", b"[]", []),
        (FORM, b"contact%5Bemail%5D=jan%40example.com", {"contact": {"email": "jan@example.com"}}),
        (FORM + ";charset=UTF-8", b"name=Zofia+%C5%BB%C3%B3%C5%82%C4%87", {"name": "Zofia Żółć"}),
        (MULTIPART + "; boundary=b", PARTS, {"a": {"b": "c"}}),
        ("text/xml; charset=utf-8", b"<a>x</a>", {"a": "x"}),
        ("application/xml", b"<a><b/><b>1</b></a>", {"a": {"b": ["", "1"]}}),
        ("application/soap+xml", b'<s:a xmlns:s="urn:example"><s:b> x </s:b></s:a>', {"a": {"b": " x "}}),
    ],
)
def test_body_is_read_as_its_content_type_says(content_type: str, body: bytes, data: object) -> None:
    """JSON, forms and XML become the same kind of data; case and parameters of the content type do not matter."""
    assert parse(body, content_type) == data


# --- odd bytes ---


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        (JSON, b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (JSON, b'\xef\xbb\xbf\xef\xbb\xbf\n{"a": 1}\n', {"a": 1}),
        (JSON, b'{"a": 1}\x00', {"a": 1}),
        (JSON, '{"imię": "Żółć"}'.encode(), {"imię": "Żółć"}),
        (JSON, b'{"a": "Jos\xe9 \xf3k"}', {"a": "Jos� �k"}),
        (JSON, '{"a": "Żółć"}'.encode("utf-16"), {"a": "Żółć"}),
        (JSON, '{"a": "Żółć"}'.encode("utf-16-le"), {"a": "Żółć"}),
        (JSON, '{"a": "Żółć"}'.encode("utf-16-be"), {"a": "Żółć"}),
        (JSON, '{"a": "Żółć"}'.encode("utf-16-le") + b"\n", {"a": "Żółć"}),
        (JSON, '{"a": "Żółć"}'.encode("utf-32"), {"a": "Żółć"}),
        (JSON + "; charset=utf-16", '{"a": "Żółć"}'.encode("utf-16-le"), {"a": "Żółć"}),
        (JSON + "; charset=utf-16", '{"a": "Żółć"}'.encode(), {"a": "Żółć"}),
        (JSON + "; charset=ISO-8859-2", '{"a": "Żółć"}'.encode("iso-8859-2"), {"a": "Żółć"}),
        (JSON + '; x=y; charset="windows-1250"', '{"a": "Żółć"}'.encode("cp1250"), {"a": "Żółć"}),
        (JSON + ";Charset=Latin-1", '{"a": "Zoé"}'.encode("latin-1"), {"a": "Zoé"}),
        (JSON + "; charset=iso-8859-2", '\ufeff{"a": "Żółć"}'.encode(), {"a": "Żółć"}),
        (JSON + "; charset=us-ascii", '{"a": "Żółć"}'.encode(), {"a": "Żółć"}),
        (FORM, b"name=Jos\xe9", {"name": "Jos�"}),
        (FORM + "; charset=iso-8859-2", b"imi%EA=Z%f3%B3%E6", {"imię": "Zółć"}),
        (FORM + "; charset=cp1250", "imię=Żółć".encode("cp1250"), {"imię": "Żółć"}),
        (FORM + "; charset=utf-16", "a=%C5%BB".encode("utf-16"), {"a": "Ż"}),
        (FORM, "a=%C5%BB&b=ż".encode("utf-16-le"), {"a": "Ż", "b": "ż"}),
        (XML, b'\r\n<?xml version="1.0" encoding="iso-8859-2"?><a>\xaf\xf3\xb3\xe6</a>', {"a": "Żółć"}),
        (XML + "; charset=windows-1250", '<?xml version="1.0"?><a>Żółć</a>'.encode("cp1250"), {"a": "Żółć"}),
        (XML, '<?xml version="1.0" encoding="utf-16"?><a>Żółć</a>'.encode("utf-16"), {"a": "Żółć"}),
        (XML, b"<a>Z\xf3</a>", {"a": "Z�"}),
    ],
)
def test_no_odd_byte_refuses_a_body(content_type: str, body: bytes, data: object) -> None:
    """Text is in the charset that its bytes show or that is declared, else UTF-8; what is neither becomes U+FFFD."""
    assert parse(body, content_type) == data


@pytest.mark.parametrize(
    "charset", ["utf-7", "unicode_escape", "idna", "punycode", "rot13", "hex", "x" * 99, "iso-8859-99"]
)
def test_charset_that_is_none(charset: str) -> None:
    """What is no charset that texts come in counts for nothing, though Python has a codec of that name."""
    assert parse(rb'{"a": "+AGE- \\u0041 xn--a"}', f"{JSON}; charset={charset}") == {"a": r"+AGE- \u0041 xn--a"}
    declared = f'<?xml version="1.0" encoding="{charset}"?><a>\\]ż</a>'
    assert parse(declared.encode(), XML) == {"a": "\\]ż"}


CHARSETS = ("utf-8", "utf-16", "utf-16-le", "iso-8859-2", "windows-1250")
POLISH = st.text("aąbcćdeęłńóśźż ĄŁŻ&=<>[]{}\"'%\n", max_size=30)


@given(POLISH, st.sampled_from(CHARSETS), st.sampled_from(["json", "form"]))
def test_what_is_written_in_a_charset_is_read(text: str, charset: str, kind: str) -> None:
    """In each charset that is named or can be seen, what was written is what is read."""
    if kind == "json":
        body, content_type = json.dumps({"a": text}, ensure_ascii=False), JSON
    else:
        body, content_type = "a=" + "".join(c if c.isalpha() else f"%{ord(c):02x}" for c in text), FORM
    assert parse(body.encode(charset), f"{content_type}; charset={charset}") == {"a": text}


# --- JSON in JSON ---


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ('{"a": "ł"}', {"a": "ł"}),
        (' [{"a": 1}]', [{"a": 1}]),
        ("{}", {}),
        ("{a}", "{a}"),
        ("[", "["),
        ("12", "12"),
        ("text", "text"),
        ("", ""),
        (json.dumps('{"a": 1}'), '"{\\"a\\": 1}"'),
    ],
)
def test_json_that_was_encoded_twice(value: str, data: object) -> None:
    """A JSON text that holds an object or a list as JSON is unwrapped, once; any other stays a text."""
    assert parse(json.dumps(value).encode(), JSON) == data


# --- which types are read ---


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/jsonp", "text/html; a=application/json", "\ud800"]
)
def test_other_content_types_are_refused(content_type: str) -> None:
    """A content type that is none of those read, or none at all, is a 415 that says what to write."""
    with pytest.raises(UnsupportedType, match=r"name it in the source: `body: application/json`$") as caught:
        parse(b"{}", content_type)
    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("types", "declared", "body", "data"),
    [
        ([JSON], "", b'{"a": 1}', {"a": 1}),
        ([JSON], "text/plain", b'"x"', "x"),
        ([JSON], "application/vnd.x+json", b"1", 1),
        ([JSON], FORM, b' \n{"a": 1}', {"a": 1}),
        ([FORM], "", b"a=1", {"a": "1"}),
        ([FORM], "text/plain", b"{a}=1", {"{a}": "1"}),
        ([JSON, FORM], "text/plain", b"a=1", {"a": "1"}),
        ([JSON, FORM], "text/plain", b"<a/>", None),
        ([FORM, JSON], "text/plain", b'[{"a": 1}]', [{"a": 1}]),
        ([FORM, JSON], FORM, b'[{"a": 1}]', [{"a": 1}]),
        ([FORM, JSON], FORM, b"a={}", {"a": "{}"}),
        ([XML], "", b"<a><b>1</b></a>", {"a": {"b": "1"}}),
        ([XML], "application/soap+xml", b"<a/>", {"a": ""}),
        ([XML, MULTIPART], "text/plain", PARTS, {"a": {"b": "c"}}),
    ],
)
def test_types_of_a_source(types: Sequence[str], declared: str, body: bytes, data: object) -> None:
    """Where no type is named that is known, a body is what it looks like, if that is read, else of the first type."""
    if data is None:
        with pytest.raises(BadBody, match="no JSON"):
            parse(body, declared, types)
    else:
        assert parse(body, declared, types) == data


@pytest.mark.parametrize(
    ("types", "declared", "body", "why"),
    [
        (
            [JSON],
            FORM,
            b"a=1",
            f"this source reads {JSON}; to read {FORM} too, write `body: [{JSON}, {FORM}]`",
        ),
        ([FORM, JSON], "application/xml", b"<a/>", f"to read {XML} too, write `body: [{FORM}, {JSON}, {XML}]`"),
        ([XML], JSON, b"{}", f"this source reads {XML}; to read {JSON} too"),
        ([FORM], FORM, b'{"a": 1}', f"the body is JSON under a form's content type; this source reads {FORM}; to read"),
    ],
)
def test_type_that_a_source_does_not_read(types: Sequence[str], declared: str, body: bytes, why: str) -> None:
    """A type that is read elsewhere, and not by this source, is a 415 that says what is read and what to write."""
    with pytest.raises(UnsupportedType) as caught:
        parse(body, declared, types)
    assert why in str(caught.value)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'\n {"a": "b"}', JSON),
        (b"\xef\xbb\xbf[1]", JSON),
        (b'"[1]"', JSON),
        ('{"a": 1}'.encode("utf-16"), JSON),
        (b"<a>b</a>", XML),
        ("<a/>".encode("utf-16-be"), XML),
        (b'--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--xyz--\r\n', MULTIPART),
        (b"a=b", FORM),
        (b'"a"=b', FORM),
        (b"", FORM),
    ],
)
def test_type_is_guessed(body: bytes, content_type: str) -> None:
    """A body of no type is read as what it looks like."""
    assert guess_type(body) == content_type


@pytest.mark.parametrize(
    ("content_type", "name"),
    [("text/XML; charset=x", XML), ("application/atom+xml", XML), ("a/b+json", JSON), ("text/html", None), ("", None)],
)
def test_name_of_a_type(content_type: str, name: str | None) -> None:
    """Each way to name JSON or XML is one of the four types."""
    assert name_type(content_type) == name


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("body", [b"", b" \r\n", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00"])
def test_empty_body_is_named_as_such(body: bytes, content_type: str) -> None:
    """Nothing, or only white space, is an empty body in any type."""
    with pytest.raises(BadBody, match=r"^the body is empty$"):
        parse(body, content_type)


@pytest.mark.parametrize(
    ("content_type", "body", "why"),
    [
        (JSON, b'{"tel": 601000001', r"the body is no JSON: Expecting ',' delimiter \(line 1, column 18\)"),
        (JSON, b'{"a": nan}', "no JSON"),
        (JSON, b"a=1", "no JSON"),
        (XML, b"<tel><b>601000001</tel>", r"the body is no XML: mismatched tag \(line 1, column 20\)"),
        (XML, b"{}", "no XML"),
        (XML, b"<a/><b/>", "no XML: junk after document element"),
        (XML, b"<a>", "no XML: no element found"),
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


# --- limits ---


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
    assert parse(b"a" + b"[b]" * (MAX_DEPTH - 1) + b"=1", FORM)


@pytest.mark.parametrize(
    ("content_type", "start", "value", "end", "per_value"),
    [
        (JSON, b"[", b"1,", b"1]", 1),
        (JSON, b'{"a":[', b'"[,{\\"\\\\",', b'""]}', 1),
        (XML, b"<a>", b"<b/>", b"</a>", 1),
        (XML, b"<a>", b'<b c="d" e="f"/>', b"</a>", 3),
        (FORM, b"a=1", b"&a=1", b"", 1),
        (FORM, b"a=1", b"&a[b][c]=1", b"", 3),
    ],
)
def test_number_of_values_has_a_limit(
    content_type: str, start: bytes, value: bytes, end: bytes, per_value: int
) -> None:
    """In every format values are counted, with attributes, and a form's levels; what has too many is refused."""
    almost = MAX_VALUES // per_value - 5
    assert parse(start + value * almost + end, content_type)
    with pytest.raises(TooLarge, match=f"more than {MAX_VALUES} values"):
        parse(start + value * (almost + 10) + end, content_type)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50)
@given(JSON_VALUES)
def test_what_json_says_is_what_is_read(value: object) -> None:
    """Any value that was written as JSON is read as it was, unless it is JSON itself."""
    if not isinstance(value, str):
        assert parse(json.dumps(value).encode(), JSON) == value


DISPOSITION = b'Content-Disposition: form-data; name="a"'
PIECES = st.sampled_from(
    [b"[", b'{"a":', b"]", b"}", b'"', b"\\ud800", b"1e9", b"NaN", b"=", b"&", b"a[", b"]", b"%", b"%ff", b"_charset_="]
)
TAGS = st.sampled_from([b"<a>", b"</a>", b'<a b="c" ', b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&", b"&amp;", b"&#0;"])
PART = st.sampled_from([b"--b\r\n", b"\r\n--b--", DISPOSITION, b"\r\n", b"; filename=x", b"; charset=latin-2"])
BODIES = st.binary() | st.lists(PIECES | TAGS | PART | st.binary(max_size=3)).map(b"".join)
CHARSET = st.sampled_from(["", "; charset=iso-8859-2", "; charset=utf-7", "; boundary=b"])
CONTENT_TYPES = st.builds(str.__add__, st.sampled_from(TYPES), CHARSET) | st.text()


@given(BODIES, CONTENT_TYPES, st.lists(st.sampled_from(TYPES)))
def test_any_body_is_read_or_refused(body: bytes, content_type: str, types: list[str]) -> None:
    """Whatever is sent, reading it raises nothing but a refusal, and gives what can be written as UTF-8."""
    try:
        data = parse(body, content_type, types)
    except RefusedRequest as error:
        str(error).encode()
        return
    json.dumps(data, ensure_ascii=False, allow_nan=False).encode()


# --- what becomes of the data ---


def test_words_for_nothing_are_null() -> None:
    """The words that a sender writes where nothing is become null, at any depth; without such words nothing changes."""
    data = {"a": "null", "b": ["null", {"c": "-", "d": "x"}]}
    assert blank_out(data, ("null", "-")) == {"a": None, "b": [None, {"c": None, "d": "x"}]}
    assert blank_out(data, ()) is data
