"""A number is read as people type it, and none is called that costs more than a call."""

import subprocess
import sys
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.leads.digits import read_digits
from ringback.leads.phone import BadNumber, Phone, read_number, recognise_number, same_number, search_forms

MOBILE = Phone("+48601000001", "601000001")
LANDLINE = Phone("+48221234567", "221234567")
BERLIN = Phone("+4930901820", "+4930901820")
EUROPE = frozenset({"PL", "DE", "GB", "IT", "AT", "SE", "ID"})


@pytest.mark.parametrize(
    "text",
    [
        "601000001",
        "601 000 001",
        " 601 000 001 ",
        "601-000-001",
        "601.000.001",
        "601/000/001",
        "(601) 000-001",
        "601\N{NO-BREAK SPACE}000\N{NARROW NO-BREAK SPACE}001",
        "601\N{EN DASH}000\N{MINUS SIGN}001",
        "+48601000001",
        "+48 601 000 001",
        "+ 48 601 000 001",
        "(+48) 601 000 001",
        "++48601000001",
        "'+48601000001",
        "0048601000001",
        "00 48 601 000 001",
        "+0048 601 000 001",
        "48601000001",
        "48 601 000 001",
        " 48601000001",
        " 48 601 000 001",
        "+48 (0) 601 000 001",
        "+48 0601000001",
        "+48 (0)601000001",
        "0048 0601000001",
        "tel:+48601000001",
        " TEL:+48-601-000-001",
        "tel:601000001",
        "\N{LEFT-TO-RIGHT EMBEDDING}+48 601 000 001\N{POP DIRECTIONAL FORMATTING}",
        "601\N{SOFT HYPHEN}000\N{ZERO WIDTH SPACE}001",
        "６０１０００００１",
        "＋４８（６０１）０００－００１",
        "٦٠١٠٠٠٠٠١",
        601000001,
        48601000001,
    ],
)
def test_one_number_in_every_writing(text: object) -> None:
    """However it is written, it is one number, and Thulium is given its nine digits."""
    assert read_number(text, "PL", {"PL"}) == MOBILE


@pytest.mark.parametrize(
    "text", ["22 123 45 67", "(22) 123-45-67", "+48 (0)22 123 45 67", "0048 022 123 45 67", 221234567, 221234567.0]
)
def test_landline(text: object) -> None:
    """A landline is read as it is, and behind a country code with the 0 that Poland has given up."""
    assert read_number(text, "PL", {"PL"}) == LANDLINE


@pytest.mark.parametrize("text", ["+49 30 901820", "0049 (0)30 901820", " 49 30 901820", "4930901820", 4930901820])
def test_foreign_number_is_sent_in_full(text: object) -> None:
    """A number from elsewhere goes out in E.164, if its country is called."""
    assert read_number(text, "PL", {"PL", "DE"}) == BERLIN


@pytest.mark.parametrize(
    ("text", "region", "e164", "sent"),
    [
        ("030 901820", "DE", "+4930901820", "030901820"),
        ("30901820", "DE", "+4930901820", "030901820"),
        ("491773333333", "DE", "+491773333333", "01773333333"),
        (1773333333, "DE", "+491773333333", "01773333333"),
        ("0491 773333", "DE", "+49491773333", "0491773333"),
        ("06 1234 5678", "IT", "+390612345678", "0612345678"),
        ("+39 (0)2 12345678", "IT", "+390212345678", "0212345678"),
        ("+39 0347 1234567", "IT", "+393471234567", "3471234567"),
        ("390 6123456", "IT", "+393906123456", "3906123456"),
        ("+44 (0)20 7946 0958", "GB", "+442079460958", "02079460958"),
        ("442079460958", "GB", "+442079460958", "02079460958"),
        ("0062 21 835 0123", "ID", "+62218350123", "0218350123"),
        ("٠٠٦٢ ٢١ ٨٣٥ ٠١٢٣", "ID", "+62218350123", "0218350123"),
        ("46 8 123 456", "SE", "+468123456", "08123456"),
        (" 46 8 123 456", "SE", "+468123456", "08123456"),
        ("687 420 001", "PL", "+48687420001", "687420001"),
        (" 687 420 001", "PL", "+48687420001", "687420001"),
        ("800 123 456", "PL", "+48800123456", "800123456"),
        ("39 123 45 67", "PL", "+48391234567", "391234567"),
    ],
)
def test_regions_have_their_ways(text: object, region: str, e164: str, sent: str) -> None:
    """A number is read and dialled as in its region: Italy's 0 is kept, Germany's is put before what is dialled."""
    assert read_number(text, region, EUROPE) == Phone(e164, sent)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        ("", "empty"),
        (" \t", "empty"),
        ("+", "empty"),
        ("---", "empty"),
        ("tel:", "empty"),
        (True, "neither text"),
        (601000001.5, "neither text"),
        (float("inf"), "neither text"),
        (["601000001"], "neither text"),
        ({}, "neither text"),
        ("601000001.0", "a decimal number"),
        ("+493012345678.0", "a decimal number"),
        ("+49 30 12345678.5", "a decimal number"),
        ("ks.123456789", "letters"),
        ("0-800-FLOWERS", "letters"),
        ("601 000 001 wew. 3", "letters"),
        ("22 123 45 67 ext 12", "letters"),
        ("6.01E+8", "letters"),
        ("brak", "letters"),
        ("O01000001", "letters"),
        ("tel:601000001;ext=3", "a character"),
        ("22 123 45 67 #12", "a character"),
        ("*21*601000001#", "a character"),
        ("601000001, 602000002", "a character"),
        ("601000001\n602000002", "a character"),
        ("²01000001", "a character"),
        ("\ud83d601000001", "a character"),
        ("+48 +48601000001", "a plus in the middle"),
        ("112", "too short"),
        ("999", "too short"),
        ("71234", "too short"),
        ("601 000", "too short"),
        ("48 601 000", "too short"),
        ("+48", "too short"),
        ("0048", "too short"),
        ("6010000012", "too long"),
        ("048601000001", "begins with a zero"),
        ("480601000001", "too long"),
        ("+4848601000001", "too long"),
        ("1234567890123456789", "too long"),
        ("6" * 65, "too long"),
        (10**30, "too long"),
        pytest.param(10**5000, "too long", id="a googol and more"),
        ("+999123456", "no such country code"),
        ("100000000", "nobody can have"),
        ("60100000", "nobody can have"),
        ("+44 7700 900123", "nobody can have"),
        ("701 234 567", "PREMIUM_RATE"),
        ("+48 701 234 567", "PREMIUM_RATE"),
        ("801 123 456", "SHARED_COST"),
        ("804 123 456", "UAN"),
        ("64 123 45 67", "PAGER"),
        ("+44 70 1234 5678", "PERSONAL_NUMBER"),
        ("+883 510 000 000 000", "international network"),
        ("+979 123 456 789", "international network"),
        ("+800 1234 5678", "international network"),
        ("+870 773 111 632", "international network"),
    ],
)
def test_refused(value: object, reason: str) -> None:
    """What nobody can have, or what earns somebody money when it is called, is refused with the reason."""
    with pytest.raises(BadNumber, match=reason):
        read_number(value, "PL", {"PL", "GB", "001"})


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("+49 30 901820", "DE"),
        ("4930901820", "DE"),
        ("+44 7911 123456", "GG"),
        ("+1 876 555 0123", "JM"),
        ("+7 701 123 4567", "KZ"),
    ],
)
def test_country_that_is_not_called(text: str, country: str) -> None:
    """A number counts for the country it is really in, also where several share a code, and the way out is named."""
    with pytest.raises(BadNumber, match=f"add {country} to `countries`"):
        read_number(text, "PL", {"PL", "GB", "US", "RU"})


def test_home_is_not_called_unless_it_is_named() -> None:
    """The region says how numbers are read; whether they are called, `countries` alone."""
    with pytest.raises(BadNumber, match="add PL to `countries`"):
        read_number("601000001", "PL", {"DE"})


@given(st.text() | st.from_regex(r"[+ 0-9().-]{3,16}") | st.integers() | st.none() | st.floats() | st.booleans())
@settings(deadline=None)
def test_whatever_comes(value: object) -> None:
    """Whatever comes: a number that may be called and reads as itself again, or a reason that shows nothing of it."""
    phone = read_or_reason(value)
    if isinstance(phone, str):
        assert not any(map(str.isdecimal, phone))
    else:
        number = phonenumbers.parse(phone.e164)
        assert phonenumbers.is_valid_number(number)
        assert phonenumbers.region_code_for_number(number) in ("PL", "DE")
        assert phonenumbers.number_type(number) in (0, 1, 2, 3, 6)
        assert read_or_reason(phone.sent) == phone
        assert same_number(phone.sent, phone.e164, "PL")


def read_or_reason(value: object) -> Phone | str:
    """Return the number, or the reason why there is none."""
    try:
        return read_number(value, "PL", {"PL", "DE"})
    except BadNumber as error:
        return str(error)


@given(st.from_regex(r"(5[0137]|6[069]|7[2389]|88)[0-9]{7}", fullmatch=True), st.data())
def test_separators_change_nothing(digits: str, data: st.DataObject) -> None:
    """A mobile number is the same however it is cut into groups, and with or without its country code."""
    prefix = data.draw(st.sampled_from(["", "+48", "0048", "48", " 48", "tel:+48", "(+48)"]))
    gaps = data.draw(st.lists(st.sampled_from(["", " ", "-", ".", "/", "\N{NO-BREAK SPACE}"]), min_size=8, max_size=8))
    written = prefix + "".join(gap + digit for gap, digit in zip([*gaps, ""], digits, strict=True))
    assert read_number(written, "PL", {"PL"}) == read_number(f"+48{digits}", "PL", {"PL"})


def test_what_is_sent_is_read_as_itself() -> None:
    """In each of many regions, what would be sent reads as the number it is made of."""
    for region in (
        "AT",
        "AU",
        "BE",
        "BR",
        "CZ",
        "DE",
        "ES",
        "FR",
        "GB",
        "HK",
        "HU",
        "IT",
        "LT",
        "NO",
        "PL",
        "UA",
        "US",
    ):
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        assert example
        e164 = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
        home = str(phonenumbers.region_code_for_number(example))
        phone = read_number(e164, home, {home})
        assert phone.e164 == e164
        assert read_number(phone.sent, home, {home}) == phone
        assert read_number("00" + e164.removeprefix("+"), home, {home}) == phone


def test_digits_keep_what_may_have_been_a_plus() -> None:
    """A leading space is kept apart: a form may have made it of a plus."""
    assert read_digits(" 48").space
    assert not read_digits("48").space


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        ((), ["601000001"]),
        (("e164",), ["601000001", "+48601000001"]),
        (("digits", "e164"), ["601000001", "48601000001", "+48601000001"]),
        (("e164", "e164"), ["601000001", "+48601000001"]),
    ],
)
def test_search_forms(forms: tuple[str, ...], expected: list[str]) -> None:
    """A number is searched as it is sent, then in each further form."""
    assert search_forms(MOBILE, forms) == expected


def test_no_form_is_searched_twice() -> None:
    """What is sent in E.164 already is not searched in E.164 again."""
    assert search_forms(BERLIN, ("e164", "digits")) == ["+4930901820", "4930901820"]


@pytest.mark.parametrize(
    "found",
    ["601000001", "+48601000001", "48601000001", "0048 601 000 001", "601 000 001", "tel. 601-000-001", 601000001],
)
def test_same_number_in_any_writing(found: object) -> None:
    """Thulium's customer is known by the number in whatever writing it was once entered."""
    assert same_number(found, "+48601000001", "PL")


@pytest.mark.parametrize(
    "found", ["601000002", "0601-000-001", "1000001", "00001", "", None, "brak", "+49601000001", [], "+", True]
)
def test_another_number(found: object) -> None:
    """Another number, the end of one, or none at all is not this number."""
    assert not same_number(found, "+48601000001", "PL")


def test_same_number_in_either_reading() -> None:
    """Digits that can be read in two ways are the number in both."""
    assert same_number("491773333333", "+491773333333", "DE")
    assert same_number("491773333333", "+49491773333333", "DE")


@pytest.mark.parametrize(
    "text",
    [
        "tel. 601 000 001",
        "Tel: +48 601-000-001",
        "tel.601000001",
        "kom. 601 000 001",
        "nr tel. 601 000 001",
        "Numer telefonu: 601 000 001",
        "phone no. 601000001",
        "mąż 601 000 001",
        "p:+48601000001",
        "whatsapp:+48601000001",
        "sms://601000001",
        "callto:601000001",
        "601 000 001 (żona)",
        "601 000 001 (tel. żony)",
        "tel. 601 000 001 (po 17)",
        "601 000 001 (proszę dzwonić od 8 do 15:30)",
        "&#43;48601000001",
        "\N{ZERO WIDTH SPACE}tel.\N{NO-BREAK SPACE}601 000 001",
    ],
)
def test_words_around_a_number(text: str) -> None:
    """A word before a whole number, a remark in brackets behind it and a link's scheme leave it what it is."""
    assert read_number(text, "PL", {"PL"}) == MOBILE


@pytest.mark.parametrize(
    "text",
    [
        "fax 22 123 45 67",
        "tel/fax 22 123 45 67",
        "nie dzwonić 601 000 001",
        "don't call 601000001",
        "stary nr 601 000 001",
        "601 000 001 (nie dzwonić)",
        "601 000 001 (fax)",
        "22 123 45 67 (wew. 3)",
        "22 123 45 67 (pok. 12)",
        "601 000 001 (602 000 002 mąż)",
        "601 000 001 - po 17",
        "O 601 000 001",
        "ks.601000001",
        "a b c d e 601 000 001",
        "601 000 001 żona",
    ],
)
def test_words_that_forbid(text: str) -> None:
    """A word that means another number, an extension or no call is not taken away, nor what is not in brackets."""
    with pytest.raises(BadNumber, match=r"letters|a character"):
        read_number(text, "PL", {"PL"})


@pytest.mark.parametrize(
    ("text", "region"),
    [
        ("050 123 45 67", "PL"),
        ("06 12345678", "PL"),
        ("0948 123 456", "PL"),
        ("0601 000 001", "PL"),
        ("0601 000 001", "CZ"),
        ("0601 000 001", "ES"),
    ],
)
def test_zero_that_the_region_does_not_have(text: str, region: str) -> None:
    """Where numbers have no 0 before them, one that has belongs to another country: dropping it rings a stranger up."""
    with pytest.raises(
        BadNumber, match="begins with a zero: send the country code, or name the country in phone_region"
    ):
        read_number(text, region, {region, "UA", "NL", "SK"})


@pytest.mark.parametrize("text", ["8 601 000 001", "8 495 123 45 67", "8 050 123 45 67", "8-601-000-001"])
def test_eight_before_a_number(text: str) -> None:
    """An 8, which other countries dial before their numbers, is not dropped either."""
    with pytest.raises(BadNumber):
        read_number(text, "PL", {"PL", "LT", "UA", "RU", "BY"})


REGIONS_OF_EUROPE = ("PL", "CZ", "ES", "DK", "NO", "PT", "GR", "DE", "FR", "UA", "LT", "HU", "GB", "IT", "SK", "AT")


@given(st.from_regex(r"(\+|00)?[0-9]{6,13}", fullmatch=True), st.sampled_from(REGIONS_OF_EUROPE))
@settings(deadline=None)
def test_no_digit_is_left_out(text: str, region: str) -> None:
    """All that was typed is in the number, but for the 0 or the like that its own country has before numbers."""
    try:
        phone = read_number(text, region, set(REGIONS_OF_EUROPE))
    except BadNumber:
        return
    typed, number = text.lstrip("+"), phonenumbers.parse(phone.e164)
    typed = typed.removeprefix("00") if text.startswith("00") else typed
    country = str(phonenumbers.region_code_for_number(number))
    prefix = phonenumbers.ndd_prefix_for_region(country, strip_non_digits=True) or ""
    code, national = str(number.country_code), phonenumbers.national_significant_number(number)
    is_marked = text.startswith(("+", "00"))
    allowed = {code + national, *([] if is_marked else [national, prefix + national])}
    allowed |= {code + before + national for before in ({prefix, "0", "8"} if is_marked else {prefix})}
    assert typed in allowed or typed.lstrip("0") in {each for each in allowed if is_marked}


@pytest.mark.parametrize(
    ("text", "e164"),
    [
        ("0711 123456/57", "+49711123456"),
        ("0711/123456", "+49711123456"),
        ("0711/123456/57", "+49711123456"),
        ("/0711 123456/57", "+49711123456"),
        ("+49 711 123456 / 57", "+49711123456"),
        ("089/123/4567", "+49891234567"),
        ("030/901/820", "+4930901820"),
    ],
)
def test_slash_behind_a_whole_number(text: str, e164: str) -> None:
    """Behind a whole number a slash is followed by the end of another one; before that it stands in the number."""
    assert read_number(text, "DE", {"DE"}).e164 == e164


@pytest.mark.parametrize("text", ["0711 123456/0171 1234567", "0711 123456/789", "0711 123456/57/58"])
def test_number_behind_a_slash(text: str) -> None:
    """Two numbers, or what may be the rest of one, are refused."""
    with pytest.raises(BadNumber, match="send one number"):
        read_number(text, "DE", {"DE"})


def test_home_is_where_the_call_centre_is() -> None:
    """A number is read in the region of its form, and sent as it is dialled where the call centre is."""
    assert read_number("0171 1234567", "DE", {"DE"}, "PL") == Phone("+491711234567", "+491711234567")
    assert recognise_number("+48 601 000 001", "DE", {"DE"}, "PL") == MOBILE


def test_import_is_cheap() -> None:
    """Google's tables are loaded with the first number, not at import."""
    code = "import sys, ringback.leads.phone; sys.exit('phonenumbers' in sys.modules)"
    functions = str(Path(__file__).parents[1] / "functions")
    assert subprocess.run([sys.executable, "-c", code], check=False, env={"PYTHONPATH": functions}).returncode == 0


@pytest.mark.parametrize("text", ["801 123 456", "700 123 456", "+49 30 901820", "+882 1612345678"])
def test_who_is_not_called_is_recognised(text: str) -> None:
    """A stop, or a question, may be about a number that nobody would call: of another country, or one that costs."""
    assert recognise_number(text, "PL", ["PL"]).e164.startswith("+")
    with pytest.raises(BadNumber):
        read_number(text, "PL", ["PL"])


@pytest.mark.parametrize(
    ("text", "e164"),
    [("49221 1234567", "+492211234567"), ("49 351 123456", "+49351123456"), ("0221 1234567", "+492211234567")],
)
def test_code_without_a_plus_before_a_landline(text: str, e164: str) -> None:
    """Where people dial a 0 at home, a number that begins with the country's own code has it."""
    assert read_number(text, "DE", ["DE"]).e164 == e164
