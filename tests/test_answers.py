"""Answers of forms are found by their questions, whatever tool has made the form."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.expressions.answers import Answer, AnswerSpec, compile_answers, find_answer, read_answers
from ringback.expressions.expression import ExpressionFailed, compile_expression
from ringback.leads.consent import is_yes

JOTFORM_VALUE = "first(full, join(' ', [prefix, first, middle, last, suffix, area, phone][?@]), datetime, @)"

SPECS = {
    "typeform": {
        "items": "answers[].{id: field.id, ref: field.ref, type: type, value: text || email || phone_number || date || "
        "number || choice.label || choice.other || choices.[labels, other][] || url || file_url || boolean}",
        "fields": "[definition.fields, definition.fields[].properties.fields[]][].{id: id, label: title}",
    },
    "tally": {"items": "fields[].{id: key, label: label, type: type, value: value, options: options}"},
    "jotform": {"object": "@", "key": r"q(?P<ref>\d+)_(?P<label>.+)", "value": JOTFORM_VALUE},
    "elementor": {"items": "(fields.* || fields)[].{id: id, label: title, type: type, value: value}", "object": "@"},
    "formspree": {"object": "@", "key": "[^_].*"},
    "fillout": {"items": "questions[].{id: id, label: name, type: type, value: value}"},
    "webflow": {"object": "data", "fields": "schema[].{id: fieldName, ref: fieldElementId, type: fieldType}"},
    "calendly": {"items": "questions_and_answers[].{label: question, value: answer}"},
    "google-forms": {"object": "namedValues"},
    "google-ads": {"items": "user_column_data[].{id: column_id, label: column_name, value: string_value}"},
    "meta": {"items": "field_data[].{id: name, label: name, value: values}"},
    "hubspot-workflow": {"object": "properties", "value": "value"},
    "unbounce": {"object": "@"},
}

TYPEFORM = {
    "definition": {
        "fields": [
            {"id": "fA1", "title": "Imię i nazwisko:", "type": "short_text", "ref": "full_name"},
            {"id": "fA2", "title": "Telefon", "type": "phone_number", "ref": "5f0e-phone"},
            {"id": "fA3", "title": "Zgoda na kontakt", "type": "multiple_choice"},
            {
                "id": "fA4",
                "title": "Dane",
                "type": "contact_info",
                "properties": {"fields": [{"id": "fB1", "title": "E-mail"}]},
            },
            {"id": "fA5", "title": "Nigdy nie pytane", "type": "short_text"},
            {"id": "fA6", "title": "Skąd?", "type": "multiple_choice"},
        ]
    },
    "answers": [
        {"type": "text", "text": "Łucja Sowa", "field": {"id": "fA1", "type": "short_text", "ref": "full_name"}},
        {
            "type": "phone_number",
            "phone_number": "+48601000001",
            "field": {"id": "fA2", "type": "phone_number", "ref": "5f0e-phone"},
        },
        {"type": "choices", "choices": {"labels": ["E-mail", "Telefon"], "other": "Gołąb"}, "field": {"id": "fA3"}},
        {"type": "email", "email": "lucja@example.com", "field": {"id": "fB1", "type": "email"}},
        {"type": "choice", "choice": {"other": "od sąsiadki"}, "field": {"id": "fA6"}},
        {"type": "boolean", "boolean": False, "field": {"id": "gone", "ref": "vip"}},
        {"type": "number", "number": 0, "field": {"id": "gone2", "ref": "children"}},
    ],
}
TALLY = {
    "fields": [
        {"key": "question_a", "label": "Imię ", "type": "INPUT_TEXT", "value": "Łucja"},
        {"key": "question_b", "label": "Phone  number *", "type": "INPUT_PHONE_NUMBER", "value": "+48601000001"},
        {
            "key": "question_c",
            "label": "Topic",
            "type": "DROPDOWN",
            "value": ["o2"],
            "options": [{"id": "o1", "text": "Sales"}, {"id": "o2", "text": "Support"}],
        },
        {
            "key": "question_d",
            "label": "Consent",
            "type": "CHECKBOXES",
            "value": ["c1", "c2", "c3"],
            "options": [{"id": "c1", "text": "Tak"}, {"id": "c2", "text": "E-mail"}, {"id": "c4"}],
        },
        {"key": "question_d_c1", "label": "Consent (Tak)", "type": "CHECKBOXES", "value": True},
        {"key": "question_e", "label": "E-mail", "type": "INPUT_EMAIL", "value": None},
    ]
}
JOTFORM = {
    "slug": "submit/31751954730001",
    "submitDate": "1762649526949",
    "q3_fullName": {"first": "Łucja", "last": "Sowa"},
    "q4_email": "lucja@example.com",
    "q5_phoneNumber": {"full": "601 000 001"},
    "q6_mobile": {"area": "601", "phone": "000002"},
    "q7_topics": ["Oferta", "Serwis"],
    "q8_born": {"day": "1", "datetime": "2001-02-03 00:00:00"},
    "path": "/submit/31751954730001",
}
ELEMENTOR = {
    "form": {"id": "1606c7c4", "name": "Kontakt"},
    "fields": {
        "name": {"id": "name", "type": "text", "title": "Imię", "value": "Łucja", "required": "1"},
        "field_4": {"id": "field_4", "type": "tel", "title": "Telefon", "value": "601 000 001"},
        "field_5": {"id": "field_5", "type": "acceptance", "title": "", "value": "on"},
    },
    "meta": {"date": {"title": "Date", "value": "16/09/2026"}},
}
WEBFLOW = {
    "name": "Contact",
    "data": {"First Name": "Łucja", "Phone Number": 48601000001},
    "schema": [
        {"fieldName": "Phone Number", "fieldType": "FormPhone", "fieldElementId": "285042f7-0001"},
        {"fieldName": "Unasked", "fieldType": "FormTextInput", "fieldElementId": "285042f7-0002"},
    ],
}


def find(sender: str, event: object, by: str, text: str) -> object:
    """Return the answer that a sender's preset finds."""
    return find_answer(read_answers(compile_answers(SPECS[sender]), event), by, text)


@pytest.mark.parametrize(
    ("sender", "event", "by", "text", "value"),
    [
        ("typeform", TYPEFORM, "label", "imię i nazwisko", "Łucja Sowa"),
        ("typeform", TYPEFORM, "ref", "full_name", "Łucja Sowa"),
        ("typeform", TYPEFORM, "id", "fA1", "Łucja Sowa"),
        ("typeform", TYPEFORM, "type", "phone_number", "+48601000001"),
        ("typeform", TYPEFORM, "label", "Zgoda na kontakt", ["E-mail", "Telefon", "Gołąb"]),
        ("typeform", TYPEFORM, "label", "E-mail", "lucja@example.com"),
        ("typeform", TYPEFORM, "label", "Skąd?", "od sąsiadki"),
        ("typeform", TYPEFORM, "ref", "vip", False),
        ("typeform", TYPEFORM, "ref", "children", 0),
        ("typeform", TYPEFORM, "label", "Nigdy nie pytane", None),
        ("tally", TALLY, "label", "Imię", "Łucja"),
        ("tally", TALLY, "label", "phone number", "+48601000001"),
        ("tally", TALLY, "type", "INPUT_PHONE_NUMBER", "+48601000001"),
        ("tally", TALLY, "id", "question_c", "Support"),
        ("tally", TALLY, "label", "Consent", ["Tak", "E-mail", "c3"]),
        ("tally", TALLY, "label", "Consent (Tak)", True),
        ("tally", TALLY, "label", "E-mail", None),
        ("jotform", JOTFORM, "label", "fullName", "Łucja Sowa"),
        ("jotform", JOTFORM, "id", "q3_fullName", "Łucja Sowa"),
        ("jotform", JOTFORM, "ref", "5", "601 000 001"),
        ("jotform", JOTFORM, "label", "mobile", "601 000002"),
        ("jotform", JOTFORM, "label", "email", "lucja@example.com"),
        ("jotform", JOTFORM, "label", "topics", ["Oferta", "Serwis"]),
        ("jotform", JOTFORM, "label", "born", "2001-02-03 00:00:00"),
        ("jotform", JOTFORM, "label", "slug", None),
        ("elementor", ELEMENTOR, "label", "Telefon:", "601 000 001"),
        ("elementor", ELEMENTOR, "type", "tel", "601 000 001"),
        ("elementor", ELEMENTOR, "id", "field_5", "on"),
        ("elementor", ELEMENTOR, "label", "Date", None),
        ("elementor", ELEMENTOR, "label", "form", None),
        ("elementor", {"fields": [{"id": "0", "title": "Tel", "value": "1"}]}, "label", "tel", "1"),
        ("elementor", {"Telefon *": "601 000 001", "form_id": "1606c7c4"}, "label", "telefon", "601 000 001"),
        ("formspree", {"_date": "2026-02-28", "Your phone": "601000001"}, "label", "your phone", "601000001"),
        ("formspree", {"_date": "2026-02-28"}, "label", "_date", None),
        (
            "fillout",
            {"questions": [{"id": "4cvj", "name": "Telefon", "type": "PhoneNumber", "value": "1"}]},
            "id",
            "4cvj",
            "1",
        ),
        ("webflow", WEBFLOW, "label", "phone number", 48601000001),
        ("webflow", WEBFLOW, "type", "FormPhone", 48601000001),
        ("webflow", WEBFLOW, "ref", "285042f7-0001", 48601000001),
        ("webflow", WEBFLOW, "label", "Unasked", None),
        ("calendly", {"questions_and_answers": [{"question": "Numer", "answer": "1"}]}, "label", "numer", "1"),
        ("google-forms", {"namedValues": {"Zgoda": ["Tak"], "Puste": [""], "": ["x"]}}, "label", "zgoda", "Tak"),
        ("google-forms", {"namedValues": {"Puste": [""], "Nic": []}}, "label", "Puste", None),
        (
            "google-ads",
            {"user_column_data": [{"column_id": "SERVICE", "string_value": "Dachy"}]},
            "id",
            "SERVICE",
            "Dachy",
        ),
        (
            "meta",
            {"field_data": [{"name": "phone_number", "values": ["+48601000001"]}]},
            "id",
            "phone_number",
            "+48601000001",
        ),
        ("hubspot-workflow", {"properties": {"phone": {"value": "1", "versions": []}}}, "id", "phone", "1"),
        ("unbounce", {"name": ["Łucja"], "topics": ["a", "b"]}, "label", "name", "Łucja"),
    ],
)
def test_answer_is_found(sender: str, event: object, by: str, text: str, value: object) -> None:
    """An answer is found by its question's label, ref, type or id; option ids are texts; what is not there is None."""
    found = find(sender, event, by, text)
    assert (found, type(found)) == (value, type(value))


LABELS = (
    "Imię i nazwisko",
    " imię  i\tnazwisko ",
    "IMIĘ I NAZWISKO:",
    "Imię i nazwisko *",
    "* Imię i nazwisko: *",
    "Imię i\xa0nazwisko",
)


@pytest.mark.parametrize("label", [*LABELS, "Imie\u0328 i nazwisko"])
@pytest.mark.parametrize("wanted", LABELS)
def test_what_does_not_matter_in_a_label(label: str, wanted: str) -> None:
    """Case, spaces, a star, a colon, and how a letter with a tail is composed make no difference."""
    assert find("formspree", {label: "Łucja"}, "label", wanted) == "Łucja"


@pytest.mark.parametrize("label", ["Imię", "Imię, nazwisko", "Imię i nazwisko (panieńskie)"])
def test_what_matters_in_a_label(label: str) -> None:
    """Another question is another question."""
    assert find("formspree", {label: "Łucja"}, "label", "Imię i nazwisko") is None


@pytest.mark.parametrize(("by", "text"), [("id", "question_A"), ("ref", "Full_name"), ("type", "input_text")])
def test_all_but_labels_are_exact(by: str, text: str) -> None:
    """Ids, refs and types differ by case."""
    assert find("tally", TALLY, by, text) is None


def test_of_equal_questions_the_answered_one_counts() -> None:
    """A form that asks the same in two branches has one answer."""
    values: list[object] = [None, "", [], "601 000 001", "601 000 002"]
    event = {"fields": [{"key": str(number), "label": "Tel", "value": value} for number, value in enumerate(values)]}
    assert find("tally", event, "label", "tel") == "601 000 001"


@pytest.mark.parametrize(
    ("values", "is_consent"),
    [
        (["on"], True),
        (["on", "on"], True),
        (["", "on"], False),
        (["on", ""], False),
        ([None, "on"], False),
        ([], False),
    ],
)
def test_of_several_consents_each_has_to_be_a_yes(values: list[object], is_consent: bool) -> None:  # noqa: FBT001
    """Of several boxes of one type nobody knows which asks for a call, so that one which is not ticked is a no."""
    answers = [Answer(None, None, None, "acceptance", value) for value in values]
    assert is_yes(find_answer(answers, "type", "acceptance", every=True)) is is_consent


def test_answers_tell_all_that_is_known() -> None:
    """An answer has its question's id, ref, label and type: its own first, then the form's; numbers are text."""
    spec = compile_answers({"items": "a", "fields": "b"})
    event = {
        "a": [
            {"id": 3, "type": "own", "value": "x", "label": None},
            {"value": ["y"]},
            "no answer",
            {"id": "9", "label": 7},
        ],
        "b": [{"id": "3", "type": "form's", "label": "Three", "ref": "r3"}, {"label": "of no id"}, None],
    }
    assert read_answers(spec, event) == [
        Answer("3", "r3", "Three", "own", "x"),
        Answer(None, None, None, None, "y"),
        Answer("9", None, "7", None, None),
    ]


def test_a_key_that_is_an_answer_fits_as_a_whole() -> None:
    """Of an object's keys those are answers that the whole of ``key`` describes."""
    spec = compile_answers({"object": "@", "key": r"q\d"})
    assert [answer.id for answer in read_answers(spec, {"q1": "a", "q12": "b", "xq1": "c"})] == ["q1"]


def test_key_is_a_label_where_none_is_known() -> None:
    """An answer of an object is found by its key, and by its label: its question's, the one in its key, or the key."""
    spec = compile_answers({"object": "@", "key": r"(?:tel_(?P<label>\w+)|.*)", "fields": "_body"})
    event = {"Field1": "a", "Field2": "b", "tel_home": "c", "_body": [{"id": "Field1", "label": "Telefon"}]}
    assert read_answers(spec, event) == [
        Answer("Field1", None, "Telefon", None, "a"),
        Answer("Field2", None, "Field2", None, "b"),
        Answer("tel_home", None, "home", None, "c"),
    ]


def test_our_own_keys_are_no_answers() -> None:
    """What stands beside the event for expressions is not taken for an answer."""
    event = {"name": "Łucja", "_request": {"query": {}}, "_body": {}}
    assert [answer.id for answer in read_answers(compile_answers({"object": "@"}), event)] == ["name"]


@pytest.mark.parametrize(
    "event", [None, [], "text", {}, {"fields": None}, {"fields": {"a": 1}}, {"fields": ["a", [], None]}]
)
def test_event_without_answers(event: object) -> None:
    """An event that has no answers, or not as the sender has them, gives none."""
    for sender, spec in SPECS.items():
        if sender not in ("jotform", "elementor", "formspree", "unbounce"):
            assert all(answer.value is None for answer in read_answers(compile_answers(spec), event))


def test_odd_options_change_nothing() -> None:
    """Options that are no list of ids and texts leave the value as it is."""
    odd: tuple[object, ...] = ("text", [None, {"id": []}, {"text": "x"}, {"id": "o1", "text": None}], {"o1": "x"})
    for options in odd:
        event = {"fields": [{"key": "q", "value": ["o1", {"a": 1}], "options": options}]}
        assert find("tally", event, "id", "q") == ["o1", {"a": 1}]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({}, "items or object has to say where the answers are"),
        ({"value": "value"}, "items or object has to say where the answers are"),
        ({"items": "a", "labels": "b"}, "there is no key labels; the keys are items, object, value, fields, key"),
        ({"items": "a[", "object": "@"}, "items: the expression is not complete"),
        ({"object": "@", "value": "a b"}, "value: 'b' is not expected at character 3"),
        ({"object": "@", "key": "q(?P<ref>"}, r"key: not a regular expression: missing \), unterminated subpattern"),
    ],
)
def test_mistake_in_a_spec_names_its_key(spec: dict[str, str], why: str) -> None:
    """What is wrong in a preset's answers is told in one line, with the key."""
    with pytest.raises(ValueError, match=f"^{why}$"):
        compile_answers(spec)


def test_specs_are_compiled_once() -> None:
    """A compiled spec holds expressions, which equal those of the same text."""
    spec = compile_answers({"object": "data"})
    assert isinstance(spec, AnswerSpec)
    assert (spec.object, spec.value) == (compile_expression("data"), compile_expression("@"))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["fields", "id", "key", "options", "value", "text", "data"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(JSON_VALUES, st.sampled_from(sorted(SPECS)))
def test_any_event_can_be_asked(event: object, sender: str) -> None:
    """Whatever an event holds, there are answers in it or none, or an expression fails by its own error."""
    try:
        find(sender, event, "label", "text")
    except ExpressionFailed as error:
        assert error.text in SPECS[sender].values()  # noqa: PT017 - either way is right
