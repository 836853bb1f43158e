"""XML becomes data: elements, their texts, and what only attributes tell."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import RefusedRequest
from ringback.expressions.expression import compile_expression
from ringback.xml_text import PIECE, parse_xml

SOAP = """<?xml version="1.0" encoding="UTF-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
 <soap:Body>
  <notifications xmlns="urn:example:outbound">
   <OrganizationId>00DX00000000001</OrganizationId>
   <SessionId xsi:nil="true"/>
   <Notification><Id>04lX1</Id>
    <sObject xsi:type="sf:Lead" xmlns:sf="urn:example:sobject" unread="yes">
     <sf:FirstName>Łucja</sf:FirstName><sf:Phone xsi:type="xsd:string">601 000 001</sf:Phone><sf:Fax/>
    </sObject>
   </Notification>
   <Notification><Id>04lX2</Id></Notification>
  </notifications>
 </soap:Body>
</soap:Envelope>"""
CAR = """<?adf version="1.0"?><adf><prospect status="new"><customer><contact primary="1">
<name part="last">Mak</name><name part="first">Ewa</name>
<phone type="fax">22 100 00 11</phone><phone type="cellphone" time="day">601 000 011</phone>
<email>ewa@example.com</email></contact></customer></prospect></adf>"""


def test_soap_message() -> None:
    """Namespaces go, a repeated element is a list, nil is null, and `xsi:type` makes no object of a text."""
    lead = {"@type": "Lead", "@unread": "yes", "FirstName": "Łucja", "Phone": "601 000 001", "Fax": ""}
    notifications = {
        "OrganizationId": "00DX00000000001",
        "SessionId": None,
        "Notification": [{"Id": "04lX1", "sObject": lead}, {"Id": "04lX2"}],
    }
    assert parse_xml(SOAP) == {"Envelope": {"Body": {"notifications": notifications}}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('phone[?"@type"==\'cellphone\']."#text" | [0]', "601 000 011"),
        ('name[?"@part"==\'first\']."#text" | [0]', "Ewa"),
        ('name[?"@part"==\'last\']."#text" | [0]', "Mak"),
        ("email", "ewa@example.com"),
        ('"@primary"', "1"),
    ],
)
def test_what_only_attributes_tell(expression: str, value: str) -> None:
    """Elements of one name are told apart by their attributes, as in the form of leads that car dealers send (ADF)."""
    contact = compile_expression("adf.prospect.customer.contact").search(parse_xml(CAR))
    assert compile_expression(expression).search(contact) == value


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('<a b="1">x</a>', {"a": {"@b": "1", "#text": "x"}}),
        ('<a b="1"/>', {"a": {"@b": "1", "#text": ""}}),
        ('<a b="1"><c/></a>', {"a": {"@b": "1", "c": ""}}),
        ('<a x:b="1">y</a>', {"a": "y"}),
        ('<a x:b="1"><c/></a>', {"a": {"@b": "1", "c": ""}}),
        ('<a x:b="1" c="2">y</a>', {"a": {"@c": "2", "#text": "y"}}),
        ('<a x:type="t:b" type="c"><d/></a>', {"a": {"@type": "c", "d": ""}}),
        ('<a xmlns="urn:a" xmlns:b="urn:b">x</a>', {"a": "x"}),
        ('<a xmlns="urn:a" xmlns:b="urn:b"><c/></a>', {"a": {"c": ""}}),
        ('<a x:nil="1"><b/></a>', {"a": None}),
        ('<a nil="true"/>', {"a": None}),
        ('<a nil="no"/>', {"a": {"@nil": "no", "#text": ""}}),
        (
            '<a><b c="1">x</b><b>y</b><b c="2"/></a>',
            {"a": {"b": [{"@c": "1", "#text": "x"}, "y", {"@c": "2", "#text": ""}]}},
        ),
        ('<a><b xsi:nil="true"/><b/><b>x</b></a>', {"a": {"b": [None, "", "x"]}}),
        ("<a>x<b/>y</a>", {"a": {"b": ""}}),
        ("<a>x<!-- -->y<?z?></a>", {"a": "xy"}),
        ("<a><![CDATA[<b> & c]]></a>", {"a": "<b> & c"}),
        (f"<a>{'x' * PIECE}&amp;{'y' * PIECE}</a>", {"a": "x" * PIECE + "&" + "y" * PIECE}),
    ],
)
def test_elements_and_attributes(text: str, data: object) -> None:
    """An element with elements or attributes of its own is an object, any other a text."""
    assert parse_xml(text) == data


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("<a>Mak & syn</a>", {"a": "Mak & syn"}),
        ("<a>AT&T; &nbsp;&lt;&#65;&#x42;</a>", {"a": "AT&T; &nbsp;<AB"}),
        ("<a><![CDATA[AT&T]]></a>", {"a": "AT&T"}),
        ("<a>po\x0b16\x00\uffff\x1f</a>", {"a": "po16"}),
        ("<a b='R&D'/>", {"a": {"@b": "R&D", "#text": ""}}),
        ("\n\n <?xml version='1.0'?><a/>", {"a": ""}),
    ],
)
def test_what_people_type_refuses_nothing(text: str, data: object) -> None:
    """An ampersand that begins no reference is one, control characters are dropped, and space may come first."""
    assert parse_xml(text) == data


@given(st.text())
def test_any_text_in_an_element(text: str) -> None:
    """Whatever a template puts between two tags is read, but for a tag itself and half a character."""
    clean = text.translate(dict.fromkeys(map(ord, "<>&"))).encode("utf-8", "replace").decode()
    wanted = "".join(c for c in clean if (c >= " " and c not in "\ufffe\uffff") or c in "\t\n\r")
    assert parse_xml(f"<a>{clean}</a>") == {"a": wanted.replace("\r\n", "\n").replace("\r", "\n")}


@given(st.lists(st.sampled_from(["<a>", "</a>", "<b c='d'>", "</b>", "<!DOCTYPE a>", "&x;", "&", "x", "<", ">"])))
def test_any_markup_is_read_or_refused(pieces: list[str]) -> None:
    """Nothing but a refusal is raised, and what is read has one root."""
    with suppress(RefusedRequest):
        assert len(parse_xml("".join(pieces))) == 1
