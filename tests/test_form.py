"""Forms become nested data."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import BadBody, TooLarge
from ringback.form import parse_form, parse_multipart
from ringback.web import MAX_VALUES

BOUNDARY = "------------------------5f0e"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"


def write_multipart(*parts: tuple[str, bytes]) -> bytes:
    """Return a multipart body of (what follows ``form-data``, content) parts."""
    texts = (f"--{BOUNDARY}\r\nContent-Disposition: form-data{rest}\r\n\r\n".encode() + body for rest, body in parts)
    return b"\r\n".join([*texts, f"--{BOUNDARY}--\r\n".encode()])


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("", {}),
        ("a=1&b=&c", {"a": "1", "b": "", "c": ""}),
        ("=1&&a=2", {"": "1", "a": "2"}),
        ("a=1&a=2&a=3", {"a": ["1", "2", "3"]}),
        ("a[]=1", {"a": ["1"]}),
        ("a[]=1&a[]=2", {"a": ["1", "2"]}),
        ("a[0]=1&a[1]=2", {"a": ["1", "2"]}),
        ("a[1]=2&a[0]=1", {"a": ["1", "2"]}),
        ("a[1]=x", {"a": {"1": "x"}}),
        ("a[00]=x", {"a": {"00": "x"}}),
        ("a[x]=1&a[y]=2", {"a": {"x": "1", "y": "2"}}),
        ("a[x]=1&a[x]=2", {"a": {"x": ["1", "2"]}}),
        ("a[][id]=1&a[][id]=2", {"a": [{"id": "1"}, {"id": "2"}]}),
        ("a[x][0][y]=1", {"a": {"x": [{"y": "1"}]}}),
        ("a[]=1&a[x]=2", {"a": {"0": "1", "x": "2"}}),
        ("a[5]=1&a[]=2", {"a": {"5": "1", "6": "2"}}),
        ("a[1]=1&a[]=2&a[0]=3", {"a": ["3", "1", "2"]}),
        ("a[x]=1&a[]=2", {"a": {"x": "1", "0": "2"}}),
        ("a[]=1&a[]=2&a[1]=3&a[]=4", {"a": ["1", ["2", "3"], "4"]}),
        ("a[7][]=1&a[7][]=2&a[][b]=3", {"a": {"7": ["1", "2"], "8": {"b": "3"}}}),
        ("a[-3]=1&a[01]=2&a[1.5]=3&a[]=4", {"a": {"-3": "1", "01": "2", "1.5": "3", "0": "4"}}),
        ("a[999999999999999999999]=1&a[]=2", {"a": {"999999999999999999999": "1", "0": "2"}}),
        ("0=a&1=b", {"0": "a", "1": "b"}),
        ("a=1&a[x]=2", {"a": {"x": "2"}}),
        ("a[x]=2&a=1", {"a": "1"}),
        ("a=1&a=2&a[x]=3", {"a": {"x": "3"}}),
        ("fields%5Btel%5D%5Bvalue%5D=%2B48+601+000+001", {"fields": {"tel": {"value": "+48 601 000 001"}}}),
        ("Telefon+[kom.]=601000001", {"Telefon [kom.]": "601000001"}),
        ("a[=1&a]=2&a[b]c=3&[b]=4&a[[b]]=5", {"a[": "1", "a]": "2", "a[b]c": "3", "[b]": "4", "a[[b]]": "5"}),
        ("name=Jan+%C5%BB%C3%B3%C5%82%C4%87", {"name": "Jan Żółć"}),
        ("name=Jan Żółć", {"name": "Jan Żółć"}),
        ("name=%B3ucja", {"name": "�ucja"}),
        ("name=%&b=%zz%4&c=100%", {"name": "%", "b": "%zz%4", "c": "100%"}),
        ("name=\ud800", {"name": "?"}),
        ("data.json=%7B%22a%22%3A1%7D", {"data.json": '{"a":1}'}),
    ],
)
def test_url_encoded_form(text: str, data: object) -> None:
    """Keys nest as PHP's do, 0 to n makes a list, and nothing that was sent twice is lost."""
    assert parse_form(text) == data


def test_charset_of_a_form() -> None:
    """What the escapes stand for is in the form's charset, which a field of its own may name."""
    assert parse_form("name=%AFan%ea", "iso-8859-2") == {"name": "Żanę"}
    assert parse_form("name=%AFan%ea&_charset_=ISO-8859-2") == {"name": "Żanę", "_charset_": "ISO-8859-2"}
    assert parse_form("_charset_=utf-8&name=%C5%BB", "iso-8859-2")["name"] == "Ż"
    assert parse_form("_charset_=rot13&name=%C5%BB")["name"] == "Ż"


def test_multipart_form() -> None:
    """Each part is a field by its name; text is UTF-8, of a file only the name is kept."""
    body = write_multipart(
        ('; name="rawRequest"', '{"q3_name":"Łucja"}\r\n'.encode()),
        ('; name="contact[email]"', b"lucja@example.com"),
        ('; name="cv"; filename="życiorys.pdf"', b"%PDF\xff\x00"),
        ('; name="photo"; filename=""', b"JFIF"),
        ('; name="broken"', b"\xa3"),
        ("", b"no name"),
    )
    assert parse_multipart(body, TYPE) == {
        "rawRequest": '{"q3_name":"Łucja"}\r\n',
        "contact": {"email": "lucja@example.com"},
        "cv": "życiorys.pdf",
        "photo": "",
        "broken": "�",
        "": "no name",
    }


def test_charset_of_a_multipart_form() -> None:
    """Names and values are in the form's charset, a value in that of its own part; a field may name the form's."""
    own, odd = (f"\r\nContent-Type: text/plain; charset={name}" for name in ("windows-1250", "rot13"))
    parts = [('; name="a"', b"\xf3\xb3"), (f'; name="b"{own}', b"\x9cl"), (f'; name="c"{odd}', b"\xb3")]
    body = write_multipart(*parts)
    assert parse_multipart(body, TYPE, "iso-8859-2") == {"a": "ół", "b": "śl", "c": "ł"}
    named = write_multipart(('; name="_charset_"', b"iso-8859-2"), ('; name="\xb3"; filename="\xb3"', b"1"))
    assert parse_multipart(named.replace("\xb3".encode(), b"\xb3"), TYPE) == {"_charset_": "iso-8859-2", "ł": "ł"}


@pytest.mark.parametrize("parameters", ["", "; boundary=other", "; boundary=\ud800", f"; boundary={BOUNDARY}", ";;a=b"])
def test_boundary_is_read_from_the_body(parameters: str) -> None:
    """What separates the parts is the body's first line, whatever the content type says, or leaves out."""
    assert parse_multipart(write_multipart(('; name="a"', b"1")), "multipart/form-data" + parameters) == {"a": "1"}


def test_boundary_of_a_body_with_a_preamble() -> None:
    """Where a body begins with something else, the boundary is the content type's."""
    body = b"This is a form.\r\n" + write_multipart(('; name="a"', b"1"))
    assert parse_multipart(body, TYPE) == {"a": "1"}
    assert parse_multipart(b"\r\n" + write_multipart(('; name="a"', b"1")), TYPE) == {"a": "1"}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"--\r\n" + write_multipart(('; name="a"', b"1")), "multipart/form-data"),
        (b"text\r\n" + write_multipart(('; name="a"', b"1")), "multipart/form-data; boundary=\ud800"),
        (write_multipart(('; name="a"', b"1"))[:-6], TYPE),
        (write_multipart(('; name="a"', b"1")).replace(b"form-data", b"attachment"), TYPE),
        (b"a=1", TYPE),
    ],
)
def test_broken_multipart_is_refused(body: bytes, content_type: str) -> None:
    """A body that is cut off, or none of its content type, is a 400."""
    with pytest.raises(BadBody, match="multipart"):
        parse_multipart(body, content_type)


def test_too_many_fields_are_refused() -> None:
    """There may be as many fields as a body may have values, and no more; each level of a name is one too."""
    assert len(parse_form("&".join(f"a{number}" for number in range(MAX_VALUES)))) == MAX_VALUES
    assert len(parse_form("&".join(f"a{number}[b][c][d]" for number in range(MAX_VALUES // 4)))) == MAX_VALUES // 4
    for text in ("a=1&" * MAX_VALUES, "a[b][c][d]&" * (MAX_VALUES // 4 + 1), "&" * MAX_VALUES):
        with pytest.raises(TooLarge, match=f"{MAX_VALUES} values"):
            parse_form(text)


@pytest.mark.parametrize("rest", [f'; name="{"a" * 10_000}"', '; name="a"' + "\r\nX: y" * 9])
def test_too_long_head_of_a_part_is_refused(rest: str) -> None:
    """The name of a field has its limit, and so have the headers beside it."""
    with pytest.raises(TooLarge, match="header"):
        parse_multipart(write_multipart((rest, b"1")), TYPE)


def test_too_deep_key_is_refused() -> None:
    """A key may have thirty-two levels, and no more."""
    assert parse_form("a" + "[b]" * 31 + "=1")
    with pytest.raises(TooLarge, match="32 levels"):
        parse_form("a" + "[b]" * 32 + "=1")


@given(st.text(alphabet="a0[]=&%é\ud800 ", max_size=60))
def test_any_text_is_a_form(text: str) -> None:
    """Whatever stands in a query, fields are made of it, and all their names and values can be written."""
    str(parse_form(text)).encode()


@given(st.lists(st.tuples(st.text("ab", min_size=1), st.text("xyz&=+ż "), st.integers(0, 2)), max_size=12))
def test_no_value_is_lost(pairs: list[tuple[str, str, int]]) -> None:
    """As many values come out as went in, as long as no key is both a value and an object."""
    fields = [(key + str(depth) + "[k]" * depth, value) for key, value, depth in pairs]
    assert sorted(list_leaves(parse_form(urlencode(fields)))) == sorted(value for _, value in fields)


def list_leaves(data: object) -> list[str]:
    """Return all texts in nested data."""
    if isinstance(data, str):
        return [data]
    inner = data.values() if isinstance(data, dict) else data
    assert not isinstance(data, str)
    return [leaf for item in inner for leaf in list_leaves(item)]  # type: ignore[attr-defined]
