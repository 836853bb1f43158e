"""Forms become nested data."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import BadBody, TooLarge
from ringback.form import MAX_FIELDS, parse_form, parse_multipart

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
        ("name=\ud800", {"name": "?"}),
        ("data.json=%7B%22a%22%3A1%7D", {"data.json": '{"a":1}'}),
    ],
)
def test_url_encoded_form(text: str, data: object) -> None:
    """Keys nest as PHP's do, 0 to n makes a list, and nothing that was sent twice is lost."""
    assert parse_form(text) == data


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


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (write_multipart(('; name="a"', b"1")), "multipart/form-data"),
        (write_multipart(('; name="a"', b"1")), "multipart/form-data; boundary=other"),
        (write_multipart(('; name="a"', b"1")), "multipart/form-data; boundary=\ud800"),
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
    """There may be ten thousand fields, and no more."""
    assert len(parse_form("&".join(f"a{number}" for number in range(MAX_FIELDS)))) == MAX_FIELDS
    with pytest.raises(TooLarge, match="10000 fields"):
        parse_form("a=1&" * MAX_FIELDS)


def test_too_long_header_of_a_part_is_refused() -> None:
    """The name of a field has its limit."""
    with pytest.raises(TooLarge, match="header"):
        parse_multipart(write_multipart((f'; name="{"a" * 10_000}"', b"1")), TYPE)


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
