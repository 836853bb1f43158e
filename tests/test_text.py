"""Text is cleaned in one place, before it is checked, compared or sent."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.leads.text import clean, drop_unfilled, is_unfilled


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Sean O&#039;Brien", "Sean O'Brien"),
        ("D&rsquo;Arcy &#x26; syn", "D’Arcy & syn"),
        ("Wątróbka &amp; cebula", "Wątróbka & cebula"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("AT&T, a&copy=1", "AT&T, a&copy=1"),
        (r"Sean O\'Brien", "Sean O'Brien"),
        (r"\"Pod Kasztanem\" s.c.", '"Pod Kasztanem" s.c.'),
        (r"C:\temp", r"C:\temp"),
        ("\ufeffEwa\u200b \u202eKruk\u00ad", "Ewa Kruk"),
        ("Jan\x00\x1b Wrona\x7f", "Jan Wrona"),
        ("Jan\t \u00a0Wrona\n", "Jan Wrona"),
        ("Ｊａｎ ﬁn", "Jan fin"),
        ("zolc\u0301", "zolć"),
        ("🏖 Łódź", "🏖 Łódź"),
        ("", ""),
    ],
)
def test_clean(sent: str, shown: str) -> None:
    """Entities, slashed quotes, look-alikes and what is not seen become plain text."""
    assert clean(sent) == shown


def test_lines_are_kept_where_text_has_several() -> None:
    """A message keeps its lines, whatever ends them; each is cleaned by itself."""
    assert (
        clean("Proszę  o telefon\r\npo\u200b 16\u2028\rDziękuję ", keep_lines=True)
        == "Proszę o telefon\npo 16\n\nDziękuję"
    )
    assert clean("Proszę\r\no telefon") == "Proszę o telefon"


@given(st.text())
def test_whatever_is_cleaned(text: str) -> None:
    """No text keeps a format or control character, or blanks around it; clean text stays as it is."""
    for keep_lines in (False, True):
        shown = clean(text, keep_lines=keep_lines)
        assert not {"Cf", "Cc"} & {unicodedata.category(each) for each in shown.replace("\n", "")}
        assert shown == shown.strip()
        assert "&" in shown or "\\" in shown or clean(shown, keep_lines=keep_lines) == shown
        assert keep_lines or "\n" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "{{contact.first_name}} {{contact.last_name}}",
        "{{ email }}",
        "{% if x %}",
        "{Name:1.3}",
        "{email}",
        "${lead.phone}",
        "[your-name]",
        "[[imie]]",
        "*|FNAME|*",
        "%FIRSTNAME% %LASTNAME%",
        "<%= name %>",
        "<<email>>",
        "undefined",
        "undefined undefined",
        "undefined, {{x}}",
        " [object Object] ",
    ],
)
def test_unfilled(text: str) -> None:
    """A value that is nothing but placeholders a template left unfilled is nothing."""
    assert is_unfilled(text)


@pytest.mark.parametrize(
    "text", ["", "Jan", "100%", "undefinedness", "{", "[a b]", "Jan {{x}}", "50% {a", "Undefined", "a@b.pl"]
)
def test_filled(text: str) -> None:
    """Anything else is what somebody typed."""
    assert not is_unfilled(text)


@pytest.mark.parametrize(
    ("name", "rest"),
    [
        ("Jan {{contact.last_name}}", "Jan"),
        ("undefined Wrona", "Wrona"),
        ("{{ first name }} Wrona", "Wrona"),
        ("Jan undefined Wrona", "Jan Wrona"),
        ("Jan Wrona", "Jan Wrona"),
        ("{{a}} undefined", ""),
    ],
)
def test_name_without_what_was_not_filled(name: str, rest: str) -> None:
    """A name loses the words that are unfilled placeholders."""
    assert drop_unfilled(name) == rest
