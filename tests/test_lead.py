"""What makes a lead, and what makes none."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import fields

from ringback.leads.lead import BadLead, Lead, is_lead_field, nest_fields, read_lead, split_full_name
from ringback.leads.lead_schema import NAMES, UNKNOWN_COUNTRY, LeadSchema, Text, get_schema, is_empty

WARSAW = ZoneInfo("Europe/Warsaw")
SCHEMA = LeadSchema("PL", ["PL"], WARSAW)
STOP = LeadSchema("PL", ["PL"], WARSAW, is_stop=True)
NO_TIME = "not a time; send ISO 8601 (2026-11-03T10:00:00+01:00) or Unix time"
NAMES_OF_PEOPLE = st.from_regex(r"[A-ZŁŚŻ][a-ząęłńóśźż]{3,8}( [A-ZŁŚŻ][a-ząęłńóśźż]{3,8})?", fullmatch=True)
PHONE = {"phone_number": "601 000 001"}


def read(schema: LeadSchema = SCHEMA, /, **values: Any) -> Lead:
    """Return the lead of these values; ``custom_fields__x`` stands for ``custom_fields.x``."""
    return read_lead(schema, {name.replace("__", "."): value for name, value in values.items()})


def fault(**values: Any) -> Mapping[str, str]:
    """Return what is wrong with these values."""
    with pytest.raises(BadLead) as error:
        read(**values)
    return error.value.fields


def test_whole_lead() -> None:
    """A lead is split into who it is and how they are called."""
    lead = read(
        **PHONE,
        full_name="Ada Lis",
        email=" Ada.Lis@Example.COM ",
        status_id="3",
        agent_login="jkowalski",
        order=50,
        next_call_date="2026-03-02T12:00",
        address__city="Gdynia",
        custom_fields__Kraj="Polska",
        vip="yes",
        company_id=7,
    )
    assert lead == Lead(
        customer_id=None,
        record={"status_id": 3, "agent_login": "jkowalski", "order": 50},
        customer={
            "name": "Ada",
            "surname": "Lis",
            "email": "ada.lis@example.com",
            "phone_number": "601000001",
            "company_id": 7,
            "vip": True,
            "address": {"city": "Gdynia"},
            "custom_fields": {"Kraj": "Polska"},
        },
        phones=lead.phones,
        emails=("ada.lis@example.com",),
        next_call=datetime(2026, 3, 2, 11, 0, tzinfo=UTC),
    )
    assert lead.phone
    assert lead.phone.e164 == "+48601000001"


@pytest.mark.parametrize("name", sorted(NAMES - {"full_name", "custom_fields"}))
def test_every_field_of_thuliums(name: str) -> None:
    """What Thulium takes of a record and of a customer can be mapped."""
    assert is_lead_field(name) != name.endswith("address")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("custom_fields.Kraj", True),
        ("custom_fields.a.b", True),
        ("custom_fields", False),
        ("custom_fields.", False),
        ("address.city", True),
        ("address.planet", False),
        ("address", False),
        ("surname.x", False),
        ("phone", False),
    ],
)
def test_names(name: str, expected: bool) -> None:  # noqa: FBT001
    """Own fields are `custom_fields.<its name>`, an address has its parts."""
    assert is_lead_field(name) is expected


# What is there


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}, [""], [None, " "], "\t\n"])
def test_nothing_is_left_out(nothing: object) -> None:
    """What was left empty is no value: it would empty the customer's own."""
    assert is_empty(nothing)
    assert read(**PHONE, note=nothing, email=nothing, custom_fields__x=nothing, status_id=nothing) == read(**PHONE)


@pytest.mark.parametrize("value", [0, False, "0", "-", [0], {"a": None}])
def test_something(value: object) -> None:
    """Zero and no are values."""
    assert not is_empty(value)


def test_what_comes_to_nothing() -> None:
    """What is nothing once it is read is left out too, inside of objects as well."""
    assert read(**PHONE, note="\x00", custom_fields__x=" \x00", address__city="\x00") == read(**PHONE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("  Nordsee ", "Nordsee"),
        (7, "7"),
        (7.5, "7.5"),
        (True, "true"),
        (False, "false"),
        (["a", "", "b", 3], "a, b, 3"),
        ("a\x00b", "ab"),
        ("Łódź 🏖", "Łódź 🏖"),
    ],
)
def test_text(value: object, text: str) -> None:
    """Numbers and choices become text, several are joined."""
    assert read(**PHONE, note=value).customer["note"] == text


@pytest.mark.parametrize("value", [441, "441", " 441 ", 441.0, "441.0"])
def test_whole_numbers(value: object) -> None:
    """Ids are whole numbers, as numbers or as text."""
    assert read(customer_id=value).customer_id == 441


@pytest.mark.parametrize("value", ["x", "4.5", -1, 0, "0", True, 2**63, "١", [1], {"id": 1}, 1e30])
def test_no_whole_numbers(value: object) -> None:
    """What is no id that Thulium could know makes no lead: it would be somebody else's."""
    assert list(fault(customer_id=value, **PHONE)) == ["customer_id"]


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("ADA@EXAMPLE.COM", "ada@example.com"),
        (["", None, "b@example.com", "c@example.com"], "b@example.com"),
        (["B@example.com"], "b@example.com"),
        (["brak", "Ada <ada@example.com>; b@example.com"], "ada@example.com"),
        (["brak@brak.pl", "\u200bada@example.com"], "ada@example.com"),
        ("&lt;ada@example.com&gt;", "ada@example.com"),
    ],
)
def test_email(value: object, address: str) -> None:
    """An address is in its canonical form; of several the first that is one is taken."""
    assert read(email=value).customer["email"] == address


@pytest.mark.parametrize(
    "value",
    [
        ["601000001"],
        ["", "601 000 001", "602 000 002"],
        [None, "+48601000001"],
        ["n/a", "601000001"],
        [["brak", "undefined"], "+44 20 7946 0958", "22 123 45 67 wew. 9", ["601000001"]],
    ],
)
def test_several_numbers(value: object) -> None:
    """Of several numbers the first that can be called is taken."""
    assert read(phone_number=value).customer["phone_number"] == "601000001"


@pytest.mark.parametrize(
    ("full_name", "expected"),
    [
        ("Ada Lis", {"name": "Ada", "surname": "Lis"}),
        ("Ada  Maria\u00a0 Lis", {"name": "Ada Maria", "surname": "Lis"}),
        ("Lis", {"surname": "Lis"}),
        (["Ada", "Lis"], {"name": "Ada", "surname": "Lis"}),
        ("Lis, Ada", {"name": "Ada", "surname": "Lis"}),
        ("Lis-Sowa , Ada Maria", {"name": "Ada Maria", "surname": "Lis-Sowa"}),
        ("van der Lis, Ada", {"name": "Ada", "surname": "van der Lis"}),
        ("Ada Lis, MBA", {"name": "Ada", "surname": "Lis"}),
        ("Ada Lis, Ph.D., dr", {"name": "Ada", "surname": "Lis"}),
        ("Lis,", {"surname": "Lis"}),
        (", Ada Lis", {"name": "Ada", "surname": "Lis"}),
        ("Ada {{contact.last_name}}", {"surname": "Ada"}),
        (["undefined", "Lis"], {"surname": "Lis"}),
    ],
)
def test_full_name(full_name: object, expected: dict[str, str]) -> None:
    """The last word is the surname, or what stands before a comma."""
    lead = read(**PHONE, full_name=full_name)
    assert {name: lead.customer[name] for name in ("name", "surname") if name in lead.customer} == expected


@given(st.text(min_size=1).filter(str.strip))
def test_no_word_of_a_name_is_lost(full_name: str) -> None:
    """However a name is written, all of it is in name and surname."""
    words = " ".join(full_name.replace(",", " ").split())
    parts = split_full_name(words)
    assert " ".join(parts.values()).split() == words.split()


@given(NAMES_OF_PEOPLE, NAMES_OF_PEOPLE)
def test_surname_first(name: str, surname: str) -> None:
    """Behind a comma stands the first name, whatever both are."""
    assert split_full_name(f"{surname}, {name}") == {"name": name, "surname": surname}


def test_own_names_win_over_the_full_one() -> None:
    """Where a form asks for both, the single fields are right."""
    lead = read(**PHONE, full_name="Ada Lis", surname="Sowa")
    assert (lead.customer["name"], lead.customer["surname"]) == ("Ada", "Sowa")


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-02T12:00:00+01:00",
        "2026-03-02T11:00:00Z",
        "2026-03-02 12:00",
        "2026-03-02T12:00:00 0100",
        1772449200,
        "1772449200",
        1772449200000,
        datetime(2026, 3, 2, 11, 0, tzinfo=UTC),
    ],
)
def test_times(value: object) -> None:
    """A call's time comes with an offset, in local time, or as Unix time in seconds or milliseconds."""
    assert read(**PHONE, next_call_date=value).next_call == datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def test_date_alone() -> None:
    """A date alone is its day's start in Thulium's time zone."""
    assert read(**PHONE, next_call_date="2026-03-02").next_call == datetime(2026, 3, 1, 23, 0, tzinfo=UTC)


# What is wrong


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"phone_number": "call me"}, ["phone_number"]),
        ({"phone_number": "700 000 001"}, ["phone_number"]),
        ({"phone_number": "+4930901820"}, ["phone_number"]),
        ({"phone_number": "call me", "email": "ada@example.com"}, ["phone_number"]),
        ({"phone_number": {"a": 1}, "identifier": "crm:7"}, ["phone_number"]),
        ({"status_id": "new", "agent_login": {"a": 1}, **PHONE}, ["status_id", "agent_login"]),
        ({"agent_login": {}, "status_id": {"a": 1}, **PHONE}, ["status_id"]),
        ({"email": "none"}, ["email"]),
        ({"email": "none", "note": {"a": 1}}, ["email", "note"]),
        ({}, ["customer_id"]),
        ({"note": "call me"}, ["customer_id"]),
        ({"full_name": "Ada Lis"}, ["customer_id"]),
    ],
)
def test_no_lead(values: dict[str, object], names: list[str]) -> None:
    """Whom nobody can call or find, or in whose record anything is wrong, is no lead; the fields are named."""
    assert sorted(fault(**values)) == sorted(names)


@pytest.mark.parametrize(
    ("order", "record", "notes"),
    [(0, {"order": 0}, ()), ("-5", {"order": -5}, ()), ("high", {}, ("order dropped: not a whole number",))],
)
def test_order(order: object, record: dict[str, object], notes: tuple[str, ...]) -> None:
    """Any whole number is an order, since Thulium names no range; a bad one is no reason not to call somebody."""
    lead = read(order=order, **PHONE)
    assert (lead.record, lead.notes) == (record, notes)


@pytest.mark.parametrize("value", ["Łukasz 601 000", "x@", "601-000-00x"])
def test_reasons_show_no_values(value: str) -> None:
    """Why a field is wrong is told without the value."""
    assert value not in repr(fault(phone_number=value, next_call_date=value, status_id=value))


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ({"email": "none"}, "email dropped: not an e-mail address"),
        ({"email": ["none", "-"]}, "email dropped: not an e-mail address"),
        ({"email": "brak@brak.pl"}, "email dropped: a placeholder, no person's address"),
        ({"next_call_date": "soon"}, f"next_call_date dropped: {NO_TIME}"),
        ({"next_call_date": "+15m"}, f"next_call_date dropped: {NO_TIME}"),
        ({"next_call_date": "31.02.2027 10:00"}, "next_call_date dropped: day is out of range for month"),
        ({"surname": "x" * 101}, "surname dropped: longer than 100 characters"),
        ({"note": "x" * 10_001}, "note dropped: longer than 10000 characters"),
        ({"custom_fields__Kraj": "x" * 1001}, "custom_fields.Kraj dropped: longer than 1000 characters"),
        ({"note": {"a": 1}}, "note dropped: not a text but an object"),
        ({"vip": "perhaps"}, "vip dropped: neither yes nor no"),
        ({"company_id": "x"}, "company_id dropped: not a whole number"),
        ({"address__city": {"a": 1}}, "address.city dropped: not a text but an object"),
        ({"custom_fields__Kraj": {"a": 1}}, "custom_fields.Kraj dropped: not a text but an object"),
    ],
)
def test_what_is_dropped(values: dict[str, object], note: str) -> None:
    """What can't be read of somebody who can still be called is dropped, and the lead says so; the rest is kept."""
    lead = read(**PHONE, identifier="crm:7", address__street="Długa", custom_fields__Miasto="Bonn", **values)
    assert lead.notes == (note,)
    assert lead.customer == {
        "phone_number": "601000001",
        "identifier": "crm:7",
        "address": {"street": "Długa"},
        "custom_fields": {"Miasto": "Bonn"},
    }


def test_bad_number_of_a_known_customer() -> None:
    """Whom Thulium knows by their id is called at the number that it has."""
    lead = read(customer_id=441, phone_number="call me")
    assert (lead.customer_id, lead.customer, lead.phone) == (441, {}, None)
    assert lead.notes == ("phone_number dropped: letters in it: send the number alone, without words or an extension",)


@pytest.mark.parametrize("number", ["+4930901820", "+1 202 555 0143", "00420 601 000 001"])
def test_stop_of_a_number_from_anywhere(number: str) -> None:
    """Of a stop numbers of every country are read, those that are called as ever."""
    phone = read(STOP, phone_number=number).phone
    assert phone
    assert phone.sent == phone.e164
    assert read(STOP, **PHONE) == read(**PHONE)


def test_stop_without_its_details() -> None:
    """Of a stop whatever can't be read is dropped, as long as somebody can be found."""
    lead = read(STOP, email="ada@example.com", phone_number="call me", customer_id="x")
    assert (lead.customer, lead.customer_id) == ({"email": "ada@example.com"}, None)
    assert len(lead.notes) == 2
    with pytest.raises(BadLead, match="phone_number: neither a telephone number nor an e-mail address"):
        read(STOP, phone_number="call me")


def test_stop_names_all_that_it_has() -> None:
    """Of a stop each number and each address counts, in whichever of the two fields it stands."""
    lead = read(STOP, phone_number="601 000 001; 602 000 002, ada@example.com", email=["b@example.com", "603000003"])
    assert lead.list_values("phone_number") == ("601000001", "602000002", "603000003")
    assert lead.list_values("email") == ("ada@example.com", "b@example.com")


@pytest.mark.parametrize(
    ("number", "country", "e164"),
    [
        ("0171 1234567", "DE", "+491711234567"),
        ("0171 1234567", "Niemcy", "+491711234567"),
        ("+48 601 000 001", "DE", "+48601000001"),
        ("+48 601 000 001", "Atlantis", "+48601000001"),
        ("601 000 001", "", "+48601000001"),
        ("601 000 001", ["", "Polska"], "+48601000001"),
    ],
)
def test_region_that_the_event_names(number: str, country: object, e164: str) -> None:
    """A number without a country code is one of the country that the event names."""
    schema = LeadSchema("PL", ["PL", "DE"], WARSAW)
    assert [phone.e164 for phone in read(schema, phone_number=number, phone_region=country).phones] == [e164]
    assert [phone.e164 for phone in read(STOP, phone_number=number, phone_region=country).phones] == [e164]


def test_country_that_is_not_known() -> None:
    """Where the named country is not known, a number without a country code could be anybody's."""
    assert fault(phone_number="601 000 001", phone_region="Atlantis") == {"phone_number": UNKNOWN_COUNTRY}
    assert "phone_region" not in read(identifier="crm:7", phone_region="Atlantis").customer


def test_number_of_another_region_is_sent_in_full() -> None:
    """What is dialled as at home is a matter of the call centre, not of the form."""
    schema = LeadSchema("DE", ["PL", "DE"], WARSAW, home="PL")
    assert read(schema, phone_number="0171 1234567").customer == {"phone_number": "+491711234567"}
    assert read(schema, phone_number="+48 601 000 001").customer == {"phone_number": "601000001"}


@pytest.mark.parametrize(
    "text", ["03.11.2027 10:00", "3.11.2027, 10:00", "03.11.2027 godz. 10:00", "03.11.2027 10.00:00"]
)
def test_date_with_dots(text: str) -> None:
    """A date with dots has its day first."""
    assert read(**PHONE, next_call_date=text).next_call == datetime(2027, 11, 3, 9, 0, tzinfo=UTC)
    assert read(**PHONE, next_call_date="03.11.2027").next_call == datetime(2027, 11, 2, 23, 0, tzinfo=UTC)


def test_what_a_template_left_unfilled() -> None:
    """A placeholder that was never filled is no value, of no field."""
    tag = "{{contact.email}}"
    assert read(**PHONE, email=tag, surname="undefined", note=tag, custom_fields__x="[your-x]", status_id=tag) == read(
        **PHONE
    )


def test_text_is_cleaned_before_it_is_used() -> None:
    """A name, an identifier and a message arrive clean; the message keeps its lines."""
    lead = read(**PHONE, surname=r"O\'Brien&nbsp;", identifier="\ufeffcrm:7", note="A &amp; B\r\npo 16\x00")
    assert (lead.customer["surname"], lead.customer["identifier"]) == ("O'Brien", "crm:7")
    assert lead.customer["note"] == "A & B\npo 16"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(n for n in NAMES if is_lead_field(n))), VALUES, max_size=6))
def test_anything(values: dict[str, object]) -> None:
    """Whatever an event holds makes a lead who can be found, or none with its fields named: never another error."""
    try:
        lead = read_lead(SCHEMA, values)
    except BadLead as error:
        bad = error.fields
        lead = read(customer_id=1)
    else:
        bad = {"customer_id": "none"}
    assert bad
    assert set(bad) <= {*values, "customer_id"}
    assert lead.customer_id or lead.customer.keys() & {"phone_number", "email", "identifier"}
    assert not any(value in (None, "", [], {}) for value in (*lead.customer.values(), *lead.record.values()))


def test_nested_fields() -> None:
    """Names with dots become objects."""
    values = {"custom_fields.a": 1, "custom_fields.b.c": 2, "note": 3}
    assert nest_fields(values) == {"custom_fields": {"a": 1, "b.c": 2}, "note": 3}


def test_schema_of_some_fields() -> None:
    """A schema may be told which fields will be given."""
    schema = LeadSchema("PL", ["PL"], WARSAW, only={"phone_number", "custom_fields"})
    assert set(schema.fields) == {"phone_number", "custom_fields"}
    assert read(schema, **PHONE, custom_fields__a="b").customer["custom_fields"] == {"a": "b"}


def test_field_of_no_lead() -> None:
    """The kinds of fields that ask their schema belong to a lead's."""
    with pytest.raises(TypeError, match="belongs to a lead"):
        get_schema(fields.List(Text()))
