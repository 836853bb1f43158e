"""A request is walked up to its leads without a call."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringback.errors import BadBody
from ringback.reports.preview import walk
from ringback.settings import Settings
from ringback.web import Request
from tests.configs import SECRET, make_source, read_config

NOW = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
PERSON = {"name": "Ada Lis", "phone": "601 000 001", "consent": "yes"}
META = {
    "preset": "meta",
    "secret": SECRET,
    "verify_token": "verify",
    "fetch": {"headers": {"Authorization": "Bearer x"}},
    "campaign": "00001",
}


def show(settings: Settings, body: object, **changes: Any) -> str:
    """Return the preview of a JSON body as one text."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request("POST", "/website", "", {"content-type": "application/json"}, content)
    request = Request(**{**vars(request), **changes})
    return "\n".join(walk(request, settings.sources["website"], settings, NOW).lines)


def is_good(settings: Settings, body: object) -> bool:
    """Return whether a preview says that all is well."""
    request = Request("POST", "/website", "", {"content-type": "application/json"}, json.dumps(body).encode())
    return walk(request, settings.sources["website"], settings, NOW).is_good


def test_lead(tmp_path: Path) -> None:
    """A lead is shown with its fields, its campaign, and each request that would go to Thulium, its body as JSON."""
    text = show(read_config(tmp_path), PERSON)
    assert "event 1 of 1: " in text
    assert 'phone_number: {label: "phone"}  # 601 000 001' in text
    assert "surname       Lis" in text
    assert "campaign callbacks (00001)" in text
    assert "GET https://acme.thulium.com/api/customers?phone_number=601000001&limit=1000\n" in text
    assert '{"name":"Ada","surname":"Lis","phone_number":["601000001"]}' in text
    assert "POST https://acme.thulium.com/api/batch/crm_outbounds/00001/records\n" in text
    assert '{"records":[{"customer_id":"<customer_id>","status_id":3}]}' in text


def test_what_is_empty_in_a_senders_own_way(tmp_path: Path) -> None:
    """A sender's word for nothing is nothing here too, as it is when the event really comes."""
    source = {"preset": "thulium", "secret": "user:password", "map": {"note": "note"}, "campaign": "00001"}
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = b"action=CUSTOMER_CREATED&customer_id=441&note=null"
    text = show(read_config(tmp_path, sources={"website": source}), body, headers=form)
    assert "customer_id  441" in text
    assert "null" not in text


def test_documented_lead(tmp_path: Path) -> None:
    """With the customer's id the batch is shown as it goes out."""
    source = make_source(consent=None, map={"customer_id": "id"}, campaign="00001", set={"status_id": 3})
    text = show(read_config(tmp_path, sources={"website": source}), {"id": 441})
    assert '{"records":[{"customer_id":441,"status_id":3}]}' in text
    assert "customer_id  441" in text
    assert "campaign callbacks (00001)\n" in text


@pytest.mark.parametrize(
    ("body", "telling"),
    [
        ({**PERSON, "phone": "12"}, "    phone_number  too short"),
        ({**PERSON, "phone": ""}, "    customer_id  a lead needs it"),
        ("text", "neither"),
    ],
)
def test_no_lead_can_be_made(body: object, telling: str, tmp_path: Path) -> None:
    """Of what makes no lead, the fields at fault are named, each with the reason."""
    settings = read_config(tmp_path)
    assert "INVALID: no lead can be made of it" in show(settings, body)
    assert telling in show(settings, body)
    assert not is_good(settings, body)


def test_rules_that_say_no(tmp_path: Path) -> None:
    """What a rule skips is told with the reason, and is nothing bad."""
    settings = read_config(tmp_path)
    assert "SKIPPED: no consent" in show(settings, {**PERSON, "consent": "no"})
    assert is_good(settings, {**PERSON, "consent": "no"})


def test_field_that_is_dropped(tmp_path: Path) -> None:
    """What the lead has to do without is told."""
    fields = {"full_name": "name", "phone_number": "phone", "email": "email"}
    settings = read_config(tmp_path, sources={"website": make_source(map=fields)})
    assert "email dropped: not an e-mail address" in show(settings, {**PERSON, "email": "nowhere"})


def test_several_events(tmp_path: Path) -> None:
    """Each event is told apart; one that is bad makes the whole no good."""
    settings = read_config(tmp_path, sources={"website": make_source(items="people", event_id="number")})
    text = show(settings, {"people": [{**PERSON, "number": 7}, {"name": "Jan", "number": 8}]})
    assert "event 1 of 2: 7\n" in text
    assert "event 2 of 2: 8\n" in text
    assert not is_good(settings, {"people": [PERSON, {"name": "Jan", "consent": "yes"}]})


def test_what_is_no_lead_at_all(tmp_path: Path) -> None:
    """A body without an event that could be a lead is told as such, and what is in it."""
    settings = read_config(tmp_path, sources={"website": make_source(only="kind == 'lead'")})
    text = show(settings, PERSON)
    assert "No event is in it" in text
    assert "phone_number: phone  # 601 000 001" in text


def test_token_is_not_part_of_the_event(tmp_path: Path) -> None:
    """What proves the sender is not shown."""
    source = make_source(preset=None, verify={"scheme": "token", "field": "key"})
    assert SECRET not in show(read_config(tmp_path, sources={"website": source}), {**PERSON, "key": SECRET})


def test_stop(tmp_path: Path) -> None:
    """A stop is told as one, with the campaigns that it holds for."""
    campaigns = {"a": {"id": "00001", "stop": {"status_id": 6}}, "b": {"id": "00002", "stop": {"status_id": 7}}}
    settings = read_config(
        tmp_path, campaigns=campaigns, sources={"website": make_source(action="stop", campaign="*", consent=None)}
    )
    text = show(settings, PERSON)
    assert "the person to stop calling" in text
    assert "campaign a (00001), b (00002)" in text


def test_thin_event(tmp_path: Path) -> None:
    """Of a thin event the host that completes it is told, by which values, and that it was not fetched."""
    settings = read_config(tmp_path, sources={"website": META})
    change = {"field": "leadgen", "value": {"leadgen_id": "77", "created_time": 1}}
    text = show(settings, {"object": "page", "entry": [{"changes": [change]}]})
    assert "fetched first, but not here: from graph.facebook.com, leadgen_id 77\n" in text
    source = make_source(items="@", fetch={"url": "https://api.example.com/{id}"})
    assert "from api.example.com, id (missing)\n" in show(read_config(tmp_path, sources={"website": source}), "text")


def test_secret_of_what_is_fetched_is_not_shown(tmp_path: Path) -> None:
    """A secret in the URL, or in the headers, with which an event is completed is not shown."""
    fetch = {"url": f"https://api.example.com/{SECRET}/{{id}}?key={SECRET}", "headers": {"X-Key": SECRET}}
    text = show(read_config(tmp_path, sources={"website": make_source(fetch=fetch)}), {**PERSON, "id": 7})
    assert "from api.example.com, id 7\n" in text
    assert SECRET not in text


@pytest.mark.parametrize("token", ["verify", "wrong"])
def test_question_of_the_sender(token: str, tmp_path: Path) -> None:
    """What a sender asks before it sends is no event, whether the answer is known here or not."""
    settings = read_config(tmp_path, sources={"website": META})
    query = f"hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}"
    assert "no event" in show(settings, b"", method="GET", query=query)


def test_body_that_can_not_be_read(tmp_path: Path) -> None:
    """What can't be read is refused, as it would be when it came."""
    with pytest.raises(BadBody):
        show(read_config(tmp_path), b"{")


ADF = """<?adf version="1.0"?>
<adf><prospect><id source="Inv">4712</id><customer><contact>
<name part="last">Mak</name><name part="first">Ewa</name>
<phone type="fax">22 100 00 11</phone><phone type="cellphone">601 000 011</phone>
</contact></customer></prospect></adf>"""


LEAD = {"name": "Ewa", "surname": "Mak", "phone_number": "601000011"}


def test_lead_of_a_car_dealer(root: Path, tmp_path: Path) -> None:
    """Elements that only their attributes tell apart are found by these, as docs/configuration.md shows."""
    [example] = re.findall("```yaml\n(dealer:\n.*?)```", (root / "docs/configuration.md").read_text("utf-8"), re.DOTALL)
    source = {**yaml.safe_load(example)["dealer"], "secret": SECRET}
    text = show(read_config(tmp_path, sources={"website": source}), ADF.encode(), headers={})
    assert "event 1 of 1: 4712\n" in text
    assert all(f"    {name:<14}{value}\n" in text for name, value in LEAD.items())


PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="phone"\r\n\r\n601000001\r\n'
    b'--x\r\nContent-Disposition: form-data; name="consent"\r\n\r\ntak\r\n--x--\r\n'
)
LOS = '{"name": "Ada Łoś", "phone": "601000001", "consent": "yes"}'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b'{"name": "Ada Lis", "phone": "601000001", "note": "po\n16", "consent": "yes"}'),
        ("application/json", b'{"name": "Ada L\xff", "phone": "601000001", "consent": "yes"}'),
        ("application/json; charset=cp1250", LOS.encode("cp1250")),
        ("application/x-www-form-urlencoded", b'{"name": "Ada", "phone": "601000001", "age": NaN, "consent": "yes"}'),
        ("application/x-www-form-urlencoded; charset=latin-2", b"name=%A3o%B6&phone=601000001&consent=yes"),
        ("multipart/form-data", PARTS),
        ("application/json", json.dumps(json.dumps(PERSON)).encode()),
        ("text/plain", "name=Ada&phone=601000001&consent=yes".encode("utf-16")),
    ],
)
def test_odd_bytes_cost_no_lead(content_type: str, body: bytes, tmp_path: Path) -> None:
    """What senders really send becomes a lead, however its bytes are meant."""
    text = show(read_config(tmp_path), body, headers={"content-type": content_type})
    assert "phone_number  601000001" in text
    assert is_good(read_config(tmp_path), PERSON)


@pytest.mark.parametrize(
    ("consent", "answer", "told"),
    [
        (
            {"label": "Zgoda"},
            "Tak, mailem",
            '`consent` was looked for in `label: Zgoda`, which has "Tak, mailem": not a yes',
        ),
        (
            {"label": "Zgoda"},
            "Tak, mailem",
            'if that is a yes of this form: `consent: {label: Zgoda, is: "Tak, mailem"}`',
        ),
        ({"label": "Zgoda", "is": "Proszę"}, ["Nie", "A"], 'which has "Nie", "A": not "Proszę"'),
        ("Zgoda", False, "`consent` was looked for in `Zgoda`, which has false: not a yes (true, 1, yes, tak ...)"),
        ("Zgoda", None, "`consent` was looked for in `Zgoda`, where nothing is"),
    ],
)
def test_consent_that_is_none(tmp_path: Path, consent: object, answer: object, told: str) -> None:
    """Of a lead without consent the answer is shown that was looked at, and how it could become a yes."""
    settings = read_config(tmp_path, sources={"website": make_source(consent=consent)})
    text = show(settings, {"name": "Ada Lis", "phone": "601 000 001", "Zgoda": answer})
    assert "SKIPPED: no consent" in text
    assert told in text


@pytest.mark.parametrize("consent", ["Zgoda", "join('', Zgoda)", None])
def test_consent_that_was_not_asked(tmp_path: Path, consent: str | None) -> None:
    """A lead that another rule skips is not said to lack a consent that it has, that fails, or that none asks for."""
    settings = read_config(tmp_path, sources={"website": make_source(consent=consent, when="x")})
    text = show(settings, {"name": "Ada Lis", "phone": "601 000 001", "Zgoda": True})
    assert "`when` does not hold" in text
    assert "`consent` was" not in text
