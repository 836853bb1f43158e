"""One of ``sources:``, as it is written and as it is understood."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from ringback.expressions.expression import compile_expression
from ringback.limits import DEFAULT, UNLIMITED, Limits
from ringback.settings import AnswerPlace, Consent, Places, Source
from ringback.verification.scheme import STANDARD_WEBHOOKS, Basic, Hmac, Jws, Timestamp, Token
from tests.given import PROOF, SECRET, SOURCE, find_mistakes, load, load_source, make_config, make_source


def mistakes_of(source: Mapping[str, Any], **top: Any) -> list[str]:
    """Return what is wrong with a source, without what stands before it in each path."""
    return [mistake.removeprefix("sources.website.") for mistake in find_mistakes(make_config(source, **top))]


def text_of(*places: Any) -> list[str]:
    """Return what was written."""
    return [place.text for place in places]


# --- what is left out, and short forms ---


def test_defaults() -> None:
    """What is left out has the contract's defaults."""
    source = load_source(SOURCE)
    assert text_of(source.items) == ["@"]
    assert (source.methods, source.body) == (("POST",), ())
    assert (source.only, source.when, source.volatile, source.handshake) == ((), (), (), ())
    assert (source.event_id, source.consent, source.fetch) == (None,) * 3
    assert (source.action, source.answer_within, source.on_invalid, source.retries) == ("lead", 8, 422, None)
    assert source.customer.match == ("identifier", "phone_number", "email")
    assert (source.customer.on_missing, source.customer.update) == ("create", ("phone_number", "email"))
    assert (source.preset, source.reply, source.evidence, source.answers) == (None,) * 4
    assert (source.tokens, source.verify_tokens, source.ends, source.limits) == ((), (), {}, UNLIMITED)
    assert [(route.when, route.to.id) for route in source.routes] == [(None, "00001")]


# --- limits ---

QUERY_TOKEN = {"scheme": "token", "query": "token"}
BODY_TOKEN = {"scheme": "token", "field": "key"}
SIGNED = {"scheme": "hmac", "header": "X-Sig"}


@pytest.mark.parametrize(
    ("proof", "limits"),
    [
        ({"verify": "none"}, DEFAULT),
        ({"verify": "none", "token": SECRET}, DEFAULT),
        ({"verify": QUERY_TOKEN, "secret": SECRET}, DEFAULT),
        ({"verify": [{"scheme": "token", "header": "X-Key"}, QUERY_TOKEN], "secret": SECRET}, DEFAULT),
        ({"verify": [SIGNED, {**QUERY_TOKEN, "instead": "why"}], "secret": SECRET}, DEFAULT),
        ({"verify": BODY_TOKEN, "secret": SECRET, "token": SECRET}, DEFAULT),
        ({"verify": BODY_TOKEN, "secret": SECRET}, UNLIMITED),
        ({"verify": {"scheme": "token", "header": "X-Key"}, "secret": SECRET, "token": SECRET}, UNLIMITED),
        ({"verify": SIGNED, "secret": SECRET, "token": SECRET}, UNLIMITED),
        ({"verify": "basic", "secret": f"user:{SECRET}"}, UNLIMITED),
    ],
)
def test_limits_where_the_url_is_all_it_takes(proof: dict[str, object], limits: Limits) -> None:
    """A source is limited by itself where anyone can use it who knows its URL."""
    source = {"map": {"customer_id": "id"}, "campaign": "00001", **proof}
    assert load_source(source).limits == limits
    assert load_source({**source, "limits": {"per_hour": 5}}).limits == Limits(per_hour=5)


@pytest.mark.parametrize(
    ("written", "limits"),
    [
        ("{per_hour: 5, per_day: 20}", Limits(5, 20)),
        ("{per_hour: 5}", Limits(per_hour=5)),
        ('{per_day: "20"}', Limits(per_day=20)),
        ("false", UNLIMITED),
        ("~", UNLIMITED),
    ],
)
def test_limits_as_they_are_written(written: str, limits: Limits) -> None:
    """What is written takes the place of the usual limits; `false` and `~` switch them off, also with a preset."""
    for own in ({"verify": "none"}, {"preset": "form", "secret": SECRET}):
        source = {"map": {"customer_id": "id"}, "campaign": "00001", **own, "limits": "WRITTEN"}
        text = yaml.safe_dump(make_config(source)).replace("WRITTEN", written)
        assert load(text).sources["website"].limits == limits


def test_opt_outs_have_no_limits() -> None:
    """A source of opt-outs is never limited by itself, and to limit it is a mistake."""
    stop = {"verify": "none", "action": "stop", "map": {"phone_number": "tel"}, "campaign": "00001"}
    top = {"stop": {"dictionary_status_id": 6}}
    assert load_source(stop, **top).limits == UNLIMITED
    assert load_source({**stop, "limits": False}, **top).limits == UNLIMITED
    assert mistakes_of({**stop, "limits": {"per_hour": 5}}, **top) == [
        "limits: an opt-out is never parked for its number; leave them out"
    ]


def test_several_places() -> None:
    """A number and an address may be in several places; each is one like any other."""
    source = load_source(make_source(map={"phone_number": ["a", "b[0]"], "email": ["c"]}))
    assert source.map["phone_number"] == Places((compile_expression("a"), compile_expression("b[0]")))
    assert text_of(*source.places) == ["a", "b[0]", "c"]


def test_own_yes_of_a_consent() -> None:
    """A consent may have texts of its own for yes, one or several, beside where it is."""
    answers = {"object": "@"}
    one = load_source(make_source(answers=answers, consent={"label": "Zgoda", "is": "Tak, proszę"}))
    two = load_source(make_source(answers=answers, consent={"id": "5.1", "is": ["Tak", "Tak, proszę"]}))
    assert one.consent == Consent(AnswerPlace("label", "Zgoda", every=True), ("Tak, proszę",))
    assert two.consent == Consent(AnswerPlace("id", "5.1", every=True), ("Tak", "Tak, proszę"))
    assert load_source(make_source(consent="a")).consent == Consent(compile_expression("a"))


def test_what_a_preset_forbids_holds_besides() -> None:
    """A source's own `do_not_call` stands beside its preset's."""
    source = load_source(
        {
            "preset": "salesforce",
            "secret": "00D000000000001EAA",
            "campaign": "00001",
            "token": SECRET,
            "do_not_call": "DND__c",
        }
    )
    assert text_of(*source.do_not_call) == ["DND__c", "DoNotCall"]


def test_all_places_of_the_rules() -> None:
    """Every place where a rule looks is listed: an excerpt of an event keeps these and no more."""
    source = load_source(
        make_source(
            map={"phone_number": ["a", "b"], "note": "c"},
            when="d",
            consent="e",
            do_not_call=["f"],
            campaign=[{"when": "g", "to": "00001"}, {"to": "00002"}],
        )
    )
    assert sorted(text_of(*source.places)) == ["a", "b", "c", "d", "e", "f", "g"]


@pytest.mark.parametrize(
    ("key", "short", "long"),
    [
        ("secret", SECRET, [SECRET]),
        ("verify", {"scheme": "basic"}, [{"scheme": "basic"}]),
        ("verify", "basic", {"scheme": "basic"}),
        ("only", "a", ["a"]),
        ("volatile", "a.b", ["a.b"]),
        ("methods", "PUT", ["PUT"]),
        ("handshake", "answer-get", [{"kind": "answer-get"}]),
        ("campaign", "00001", [{"to": "00001"}]),
        ("campaign", [{"when": "a", "to": "00001"}, "00002"], [{"when": "a", "to": "00001"}, {"to": "00002"}]),
        ("customer", {"match": "email"}, {"match": ["email"]}),
        ("customer", {"update": "note"}, {"update": ["note"]}),
        ("answer_within", "5.5", 5.5),
    ],
)
def test_short_forms(key: str, short: object, long: object) -> None:
    """A value alone is a list of one, a word alone is what it names, a number may be text."""
    secret = {"secret": "user:password"} if key == "verify" else {}
    one, other = (load_source(make_source(**secret, **{key: value})) for value in (short, long))
    assert getattr(one, key, one.routes) == getattr(other, key, other.routes)


def test_places_are_expressions_or_answers() -> None:
    """Where a value is is said by an expression, or by what is known of an answer."""
    places = {"name": {"label": "Imię"}, "surname": {"ref": "r"}, "email": {"type": "t"}, "note": {"id": "i"}}
    source = load_source(make_source(map={**places, "phone_number": "a.b[0]"}, answers={"object": "@"}))
    assert [source.map[name] for name in places] == [
        AnswerPlace("label", "Imię"), AnswerPlace("ref", "r"), AnswerPlace("type", "t"), AnswerPlace("id", "i"),
    ]  # fmt: skip
    assert text_of(source.map["phone_number"]) == ["a.b[0]"]


@pytest.mark.parametrize(
    ("written", "retries"), [(True, True), (False, False), ("never", False), ("for a day", True), (0, False)]
)
def test_retries(written: object, retries: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Whether a sender sends again may be said in words, for people."""
    assert load_source(make_source(retries=written)).retries is retries


# --- verify ---


@pytest.mark.parametrize(
    ("written", "scheme"),
    [
        ({"scheme": "basic"}, Basic()),
        ({"scheme": "standard-webhooks"}, STANDARD_WEBHOOKS),
        ("standard-webhooks", STANDARD_WEBHOOKS),
        ({"scheme": "token", "header": "H", "prefix": "Bearer "}, Token(header="H", prefix="Bearer ")),
        ({"scheme": "token", "query": "token"}, Token(query="token")),
        ({"scheme": "jws", "header": "H", "algorithm": "HS256", "claim": "sha256"}, Jws("H")),
        ({"scheme": "hmac", "header": "H"}, Hmac("H")),
        (
            {"scheme": "hmac", "header": "H", "algorithm": "sha1", "encoding": "base64", "prefix": "sha256=",
             "separator": " ", "part": "v1", "key": "base64", "key_prefix": "whsec_", "keyed": True,
             "signed": "{id}.{timestamp}.{body}", "id": "webhook-id", "given": {"V": "3"},
             "timestamp": {"header": "T", "unit": "ms", "tolerance": 60}},
            Hmac("H", "sha1", "base64", "sha256=", " ", "v1", "base64", "whsec_", True, "{id}.{timestamp}.{body}",  # noqa: FBT003 - in the order of its fields
                 "webhook-id", Timestamp("T", "", "ms", 60), {"V": "3"}),
        ),
    ],
)  # fmt: skip
def test_schemes(written: object, scheme: object) -> None:
    """Every scheme of the grammar is taken as it is written there."""
    secret = (
        "d2hzZWNfYWJjZGVmZ2hpamtsbW5vcA==:invented" if isinstance(scheme, Basic) else "whsec_MTIzNDU2Nzg5MDEyMzQ1Ng=="
    )
    assert load_source(make_source(verify=written, secret=secret)).verify == (scheme,)


def test_token_in_the_body_is_known_to_be_there() -> None:
    """Where a body has the secret is known, so that it can be taken out of the event."""
    source = load_source(
        make_source(verify=[{"scheme": "token", "field": "auth.key"}, {"scheme": "token", "query": "t"}])
    )
    assert text_of(*source.proofs) == ["auth.key"]


def test_open_source_says_so() -> None:
    """Nothing is verified only where that is said in so many words."""
    source = load_source({**SOURCE, "verify": "none", "secret": SECRET})
    assert (source.verify, source.is_open) == ((), True)
    assert not load_source({**SOURCE, "verify": "none", "token": SECRET}).is_open
    assert not load_source(SOURCE).is_open


@pytest.mark.parametrize("verify", [{"verify": []}, {}], ids=["empty", "missing"])
def test_verify_is_never_absent_by_accident(verify: dict[str, object]) -> None:
    """A source without ``verify``, or with an empty one, is a mistake with the way out."""
    source = {"map": {"email": "e"}, "campaign": "00001", **verify}
    [mistake] = mistakes_of(source)
    assert mistake.startswith("verify: missing; say how the sender proves itself, {scheme: token, header: X-Api-Key} ")
    assert mistake.endswith(" or in so many words: none")


SCHEMES = "there are: basic, hmac, jws, standard-webhooks, token"


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        (None, "verify: empty; give it a value, or leave the key out"),
        (5, f"verify: write {{scheme: ...}}; {SCHEMES}"),
        ({"header": "H"}, f"verify: write {{scheme: ...}}; {SCHEMES}"),
        ({"scheme": ["token"]}, f"verify: write {{scheme: ...}}; {SCHEMES}"),
        ("Hmac", "verify.scheme: not known; is `hmac` meant?"),
        (["basic", {"scheme": "toke", "header": "H"}], "verify.1.scheme: not known; is `token` meant?"),
        ({"scheme": "token"}, "verify: token: give one of header, query and field"),
        ({"scheme": "token", "field": "a || b"},
         "verify.field: only a simple path can stand here: names and dots, [0] and [*]"),
        ({"scheme": "hmac"}, "verify.header: missing; docs/configuration.md says what belongs there"),
        ({"scheme": "hmac", "headr": "H", "header": "H"}, "verify.headr: unknown key; is `header` meant?"),
        ({"scheme": "hmac", "header": "H", "algorithm": "md5"},
         "verify.algorithm: not known; there are: sha1, sha256, sha512"),
        ({"scheme": "hmac", "header": "H", "separator": ""}, "verify.separator: empty; name at least one"),
        ({"scheme": "hmac", "header": "H", "keyed": "x"}, "verify.keyed: neither true nor false"),
        ({"scheme": "hmac", "header": "H", "given": ["x"]}, "verify.given: not a mapping; write `name: value` pairs"),
        ({"scheme": "hmac", "header": "H", "given": {"V": 3}},
         'verify.given.V: not a text; put it in quotes: YAML reads 3 as a number, write "3"'),
        ({"scheme": "hmac", "header": "H", "timestamp": {"header": "T", "tolerance": 0}, "signed": "{timestamp}{body}"},
         "verify.timestamp.tolerance: not a whole number from 1 to 86400"),
        ({"scheme": "hmac", "header": "H", "timestamp": {"unit": "s"}, "signed": "{timestamp}{body}"},
         "verify.timestamp: timestamp: give one of header and part"),
        ({"scheme": "hmac", "header": "H", "signed": "{bodi}"},
         ("verify.signed: there is no placeholder {bodi}; there are {method} {url} {decoded_url} {path} "
          "{id} {timestamp} {secret} {body} {sorted_form}")),
    ],
    ids=range(18),
)  # fmt: skip
def test_wrong_verify(verify: object, said: str) -> None:
    """What can't verify is a mistake, in its own place and with the way out."""
    assert mistakes_of(make_source(verify=verify)) == [said]


def test_two_mistakes_in_one_verify() -> None:
    """A mistake in one of its keys does not hide one in another."""
    verify = {"scheme": "hmac", "header": "H", "algorithm": "md5", "signed": "{bodi}"}
    assert [each.partition(":")[0] for each in mistakes_of(make_source(verify=verify))] == [
        "verify.algorithm",
        "verify.signed",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"verify": {"scheme": "basic"}, "secret": "xyxyxy"}, "secret: it is not user:password"),
        (
            {"verify": {"scheme": "hmac", "header": "H", "key": "hex"}, "secret": "xyxyxy"},
            "secret: it is not a key in hex",
        ),
        ({"secret": []}, "secret: missing; without one nobody could be told from anybody"),
        ({"secret": 12345}, "secret: not a text; put it in quotes"),
        ({"secret": [SECRET, ""]}, "secret.1: empty; give it a value, or leave the key out"),
        ({"secret": {"a": "b"}}, "secret: not a text; put it in quotes"),
        ({"token": 5}, "token: not a text; put it in quotes"),
    ],
)
def test_wrong_secret(source: dict[str, object], said: str) -> None:
    """A secret that can't be one is a mistake, and is not shown."""
    assert mistakes_of(make_source(**source)) == [said]


def test_signed_url_needs_the_address() -> None:
    """Where the URL is signed it has to be known."""
    verify = {"scheme": "hmac", "header": "H", "signed": "{url}{body}"}
    assert mistakes_of(make_source(verify=verify)) == [
        "verify: the URL is part of what is signed: write at the top `public_url: https://...`, as senders call it"
    ]
    load_source(make_source(verify=verify), public_url="https://hooks.example.com")


@pytest.mark.parametrize(
    ("verify", "is_good"),
    [
        ({"scheme": "hmac", "header": "H"}, False),
        ({"scheme": "jws", "header": "H"}, False),
        ({"scheme": "hmac", "header": "H", "signed": "{url}{body}"}, True),
        ({"scheme": "token", "query": "token"}, True),
        ("none", True),
    ],
)
def test_event_in_a_query_that_is_not_signed(verify: object, is_good: bool) -> None:  # noqa: FBT001 - a column
    """A GET's event is its query: a signature that leaves it out is good for any other."""
    raw = make_config(make_source(verify=verify, methods=["POST", "GET"]), public_url="https://hooks.example.com")
    if is_good:
        load(raw)
    else:
        (mistake,) = find_mistakes(raw)
        assert mistake.startswith("sources.website.methods: a GET's event is its query, which is not signed; ")


@pytest.mark.parametrize(
    ("changes", "key", "where"),
    [
        ({"when": "_request.headers.authorization"}, "when", "`_request.headers` has a credential under authorization"),
        ({"map": {"phone_number": "a", "note": "_request.headers.cookie"}}, "map", "under cookie"),
        ({"consent": "_request.query.token"}, "consent", "`_request.query` has a credential under token"),
        ({"event_id": 'first(id, _request.headers."x-api-key")'}, "event_id", "under x-api-key"),
        ({"only": '_request.headers."proxy-authorization"'}, "only", "under proxy-authorization"),
        (
            {"verify": {"scheme": "token", "header": "X-Own"}, "do_not_call": '_request.headers."x-own"'},
            "do_not_call",
            "under x-own",
        ),
        (
            {
                "verify": {"scheme": "token", "query": "key"},
                "campaign": [{"when": "_request.query.key", "to": "00001"}],
            },
            "campaign",
            "under key",
        ),
        ({"answers": {"items": "[{value: _request.headers.cookie}]"}}, "answers", "under cookie"),
    ],
)
def test_rule_that_reads_a_credential(changes: dict[str, Any], key: str, where: str) -> None:
    """What proves a sender is kept with no event, so a rule that reads it is a mistake."""
    (mistake,) = find_mistakes(make_config(make_source(**changes)))
    assert mistake.startswith(f"sources.website.{key}: ")
    assert where in mistake
    assert "which no rule can read" in mistake


@pytest.mark.parametrize("key", ["when", "only", "event_id", "do_not_call", "consent", "items"])
def test_rule_that_reads_the_whole_request(key: str) -> None:
    """Of a request only what is named is kept, so a rule that reads all of it is a mistake."""
    (mistake,) = find_mistakes(make_config(make_source(**{key: "_request.headers"})))
    assert mistake.startswith(f"sources.website.{key}")
    assert "only what is named is kept" in mistake


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("Empty", "reply: not known; is `empty` meant?"),
        ({}, "reply.text: missing"),
        ({"text": ""}, "reply.text: empty; give it a value"),
        ({"text": "x", "type": "text"}, "reply.type: not a content type; write one like text/plain; charset=utf-8"),
        ({"text": "x", "type": "text/plain\r\nX: y"}, "reply.type: not a content type; "),
        ({"text": "x", "tyep": "a/b"}, "reply.tyep: unknown key; is `type` meant?"),
        (["empty"], "reply: not a text; put it in quotes"),
    ],
)
def test_reply_that_makes_no_sense(reply: object, said: str) -> None:
    """An answer that can't be given is a mistake with the way out."""
    (mistake,) = mistakes_of(make_source(reply=reply))
    assert mistake.startswith(said)


# --- campaigns ---

CAMPAIGNS = {"one": {"id": "00001"}, "two": {"id": "00002", "stop": {"status_id": 9}}, "00003": {"id": "00004"}}


def ids(source: Source) -> list[str]:
    """Return the ids of a source's campaigns."""
    return [route.to.id for route in source.routes]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("one", ["00001"]),
        ("00007", ["00007"]),
        ("00003", ["00004"]),
        ([{"when": "a", "to": "two"}, {"to": "00007"}], ["00002", "00007"]),
        ("A-17b", ["A-17b"]),
        ("4%7?#", ["4%7?#"]),
    ],
)
def test_campaign_is_named_or_numbered(written: object, expected: list[str]) -> None:
    """A campaign of the file is known by its name; five characters that are none, one of them a digit, are an id."""
    assert ids(load_source(make_source(campaign=written), campaigns=CAMPAIGNS)) == expected


STOP = {"action": "stop", "map": {"phone_number": "p"}}


def test_stop_in_all_campaigns() -> None:
    """Whoever says stop may say so for all campaigns of the file, each with its own status or that of all."""
    source = load_source(make_source(**STOP, campaign="*"), campaigns=CAMPAIGNS, stop={"dictionary_status_id": 5})
    assert ids(source) == ["00001", "00002", "00004"]
    stops = [route.to.stop for route in source.routes]
    assert stops == [{"dictionary_status_id": 5}, {"status_id": 9}, {"dictionary_status_id": 5}]
    source = load_source(make_source(**STOP, campaign="00007"), stop={"dictionary_status_id": "5"})
    assert source.routes[0].to.stop == {"dictionary_status_id": 5}


def test_stop_reaches_what_other_sources_name_by_id() -> None:
    """A campaign that is named by its id alone is one of the file's too: a later lead must not get anybody called."""
    sources = {"lead": make_source(campaign="00007"), "stop": make_source(**STOP, campaign="*")}
    raw = {**make_config(), "campaigns": CAMPAIGNS, "stop": {"dictionary_status_id": 5}, "sources": sources}
    assert ids(load(raw).sources["stop"]) == ["00001", "00002", "00004", "00007"]
    raw = {**raw, "campaigns": {"two": CAMPAIGNS["two"]}, "stop": {"dictionary_status_id": 5}}
    del raw["stop"]
    assert any("campaign 00007 has no `stop" in mistake for mistake in find_mistakes(raw))


@pytest.mark.parametrize(
    ("campaign", "said"),
    [
        ("on", "campaign: no such campaign; is `one` meant?"),
        ("0001", "campaign: no such campaign; is `00003` meant?"),
        ("", "campaign: empty; give it a value, or leave the key out"),
        ([], "campaign: empty; name at least one"),
        (1, 'campaign: not a text; put it in quotes: YAML reads 1 as a number, write "1"'),
        ("*", "campaign: a lead goes into one campaign; * is for `action: stop`"),
        (["one", "two"],
         "campaign: one before the last takes all leads; give it a `when`, or leave out those after it"),
        ([{"when": "a", "to": "one"}, "two", {"when": "b", "to": "one"}],
         "campaign: one before the last takes all leads; give it a `when`, or leave out those after it"),
        ([{"when": "a", "to": "nobody"}, "one"], "campaign.0.to: no such campaign; there are: 00003, one, two"),
        (["xyz"], "campaign.0: no such campaign; there are: 00003, one, two"),
        ([{"when": "a ="}], "campaign.0.to: missing; docs/configuration.md says what belongs there"),
        ({"to": 2}, 'campaign.to: not a text; put it in quotes: YAML reads 2 as a number, write "2"'),
    ],
    ids=range(12),
)  # fmt: skip
def test_wrong_campaign(campaign: object, said: str) -> None:
    """A campaign that there is not, or that no lead could ever reach, is a mistake."""
    assert said in mistakes_of(make_source(campaign=campaign), campaigns=CAMPAIGNS)


def test_missing_campaign() -> None:
    """Every source has a campaign."""
    source = {key: value for key, value in SOURCE.items() if key != "campaign"}
    assert mistakes_of(source) == ["campaign: missing; name one of `campaigns:`, or write an id in quotes"]


def test_no_campaigns_to_name() -> None:
    """Where there are no campaigns none is suggested."""
    assert mistakes_of(make_source(campaign="one")) == ["campaign: no such campaign; there are none"]
    assert mistakes_of(make_source(**STOP, campaign="*")) == ["campaign: no such campaign; there are none"]


def test_campaign_with_a_mistake_is_no_second_one() -> None:
    """A campaign whose own entry is wrong is there all the same."""
    assert find_mistakes(make_config(make_source(campaign="one"), campaigns={"one": {"id": 1}})) == [
        'campaigns.one.id: not a text; put it in quotes: YAML reads 1 as a number, write "1"'
    ]


@pytest.mark.parametrize(
    ("source", "campaign", "said"),
    [
        (STOP, {}, "campaign: campaign one has no `stop: {status_id: ...}`, nor is there one at the top"),
        ({}, {"on_existing": "requeue"},
         "campaign: campaign one requeues, which takes a status: give it `set: {status_id: ...}`"),
    ],
    ids=range(2),
)  # fmt: skip
def test_source_and_campaign_that_do_not_go_together(
    source: dict[str, object], campaign: dict[str, object], said: str
) -> None:
    """What a source and its campaign lack together."""
    campaigns = {"one": {"id": "00001", **campaign}}
    assert mistakes_of(make_source(**{**source, "campaign": "one"}), campaigns=campaigns) == [said]


@pytest.mark.parametrize("status", [{"set": {"status_id": 1}}, {"map": {"email": "e", "dictionary_status_id": "s"}}])
def test_requeue_with_a_status(status: dict[str, object]) -> None:
    """A requeue takes a status: the campaign's, the source's, or one of the event."""
    campaigns = {"one": {"id": "00001", "on_existing": "requeue", "requeue_from": "NO_CALL"}}
    campaign = load_source(make_source(**status, campaign="one"), campaigns=campaigns).routes[0].to
    assert campaign.requeue_from == {"NO_CALL"}


# --- everything else ---


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"campain": "00001"}, "campain: unknown key; is `campaign` meant?"),
        ({"every": "a"}, "every: unknown key; is `verify` meant?"),
        ({"zzz": 1}, "zzz: unknown key; there are: accept_old, action, answer_within, answers, "),
        ({"map": {}}, "map: missing; say where the lead's fields are in the event"),
        ({"map": ["phone"]}, "map: not a mapping; write `name: value` pairs"),
        ({"map": {"phone": "tel"}}, "map.phone: not a field of a lead; is `phone_number` meant?"),
        ({"map": {"phone": "a b"}}, "map.phone: not a field of a lead; is `phone_number` meant?; 'b' is not expected "),
        ({"map": {"custom_fields.": "a"}}, "map.custom_fields.: not a field of a lead; your own fields are custom_"),
        ({"map": {"qqq": "tel"}}, "map.qqq: not a field of a lead; your own fields are custom_fields.<its name>"),
        ({"map": {"custom_fields": "x"}},
         "map.custom_fields: not a field of a lead; your own fields are custom_fields.<its name>"),
        ({"map": {"address": "x"}}, "map.address: not one field but several; write address.street, address.city and "),
        ({"map": {"address.citty": "x"}}, "map.address.citty: not a field of a lead; is `address.city` meant?"),
        ({"prest": "form"}, "prest: unknown key; is `preset` meant?"),
        ({"map": {"email": 5}}, "map.email: not a place; write an expression like "),
        ({"map": {"email": None}}, "map.email: empty; give it a value, or leave the key out"),
        ({"map": {"email": "a b"}}, "map.email: 'b' is not expected at character 3"),
        ({"map": {"email": {"labl": "x"}}}, "map.email: write one of {label: ...}, "),
        ({"map": {"email": {}}}, "map.email: write one of {label: ...}, "),
        ({"map": {"note": ["a", "b"]}}, "map.note: only phone_number and email take several places; for others "),
        ({"map": {"email": []}}, "map.email: empty; name at least one"),
        ({"map": {"email": ["a", "b c"]}}, "map.email: 'c' is not expected at character 3"),
        ({"map": {"email": ["a", {"label": "x"}]}}, "map: {label: ...} is for senders whose answers are known; "),
        ({"set": {"phone_region": "DE"}}, "set.phone_region: not a constant of a lead; write `phone_region: "),
        ({"phone_region": "Germany"}, "phone_region: not a country; write its two letters: PL, DE, GB"),
        ({"phone_region": "DE"}, "phone_region: numbers of DE are not called; write at the top `countries: [PL, DE]`"),
        ({"consent": {"is": "tak"}}, "consent: write one of {label: ...}, "),
        ({"consent": {"label": "x", "is": []}}, "consent: {label: ...} is for senders whose answers are known; "),
        ({"consent": {"label": "x", "is": 5}}, "consent: not a text; put it in quotes"),
        ({"do_not_call": "a b"}, "do_not_call: 'b' is not expected at character 3"),
        ({"customer": {"new_number": "ad"}}, "customer.new_number: not known; is `add` meant?"),
        ({"empty": ["null", 5]}, "empty.1: not a text; put it in quotes"),
        ({"map": {"email": {"label": "x"}}}, "map: {label: ...} is for senders whose answers are known; "),
        ({"consent": {"label": "x"}}, "consent: {label: ...} is for senders whose answers are known; "),
        ({"set": {"status_id": "three"}}, "set.status_id: not a whole number"),
        ({"set": {"note": ["x"]}}, "set.note: not a text; put it in quotes, or write a number"),
        ({"set": {"note": {"a": "b"}}}, "set.note: not a text; put it in quotes, or write a number"),
        ({"set": {"nte": "x"}}, "set.nte: not a field of a lead; is `note` meant?"),
        ({"set": {"next_call_date": "+15x"}}, "set.next_call_date: not a relative time; write +15m, +2h or +1d"),
        ({"set": {"next_call_date": "soon"}}, "set.next_call_date: not a time; send ISO 8601 "),
        ({"when": "a = `1`"}, "when: Unknown token '=' at character 3; == compares"),
        ({"items": "contacts["}, "items: the expression is not complete"),
        ({"event_id": 5}, "event_id: not a text; put it in quotes"),
        ({"only": ["a", "frst(b)"]}, "only.1: there is no function frst(); is first() meant?"),
        ({"volatile": "a || b"}, "volatile: only a simple path can stand here: names and dots, [0] and [*]"),
        ({"customer": {"match": ["phone"]}}, "customer.match.0: not known; is `phone_number` meant?"),
        ({"customer": {"match": []}}, "customer.match: empty; name at least one"),
        ({"customer": {"on_missing": "crate"}}, "customer.on_missing: not known; is `create` meant?"),
        ({"customer": {"update": ["status_id"]}}, "customer.update.0: not a field of a customer; write one like "),
        ({"customer": {"update": ["full_name"]}}, "customer.update.0: not a field of a customer; write one like "),
        ({"customer": {"update": ["phone"]}}, "customer.update.0: not a field of a customer; write one like "),
        ({"customer": "create"}, "customer: not a mapping; write `key: value` pairs"),
        ({"action": "halt"}, "action: not known; there are: lead, stop"),
        ({"methods": []}, "methods: empty; name at least one"),
        ({"methods": ["DELETE"]}, "methods.0: not known; there are: GET, PATCH, POST, PUT"),
        ({"body": "json"}, "body: not a content type that is read here; there are application/json, "),
        ({"answer_within": "soon"}, "answer_within: not a number from 0.5 to 300"),
        ({"answer_within": True}, "answer_within: not a number from 0.5 to 300"),
        ({"on_invalid": 400}, "on_invalid: 200 or 422"),
        ({"reply": "soap"}, "reply: not known; is `soap-ack` meant?"),
        ({"evidence": "rumour"}, "evidence: not known; there are: described, recorded, vendor"),
        ({"handshake": "answer-post"}, "handshake.kind: not known; is `answer-empty-post` meant?"),
        ({"handshake": {"kind": "sign-query", "query": "q"}}, "handshake.answer: missing"),
        ({"handshake": {"kind": "echo-query", "query": "q", "method": "PUT"}},
         "handshake.method: not known; there are: GET, POST"),
        ({"answers": {"itms": "a"}}, "answers: there is no key itms; the keys are items, object, value, fields, key"),
        ({"answers": {"items": "a ="}}, "answers: items: Unknown token '=' at character 3; == compares"),
        ({"answers": {"items": 5}}, "answers.items: not a text; put it in quotes"),
        ({"answers": ["a"]}, "answers: not a mapping; write `name: value` pairs"),
        ({"fetch": {"url": "https://x/{id}/{a-b}"}}, "fetch.url: not a URL to fetch; write https://"),
        ({"fetch": {"url": "http://acme.com/{id}"}}, "fetch.url: not https; only localhost may be called without"),
        ({"fetch": {"url": "https://acme.com/x#{id}"}}, "fetch.url: not a URL to fetch; write https://"),
        ({"fetch": {}}, "fetch.url: missing"),
        ({"fetch": {"url": "https://x/{id}", "headers": {"Authorization": 5}}},
         "fetch.headers.Authorization: not a text; put it in quotes"),
        ({"fetch": {"url": "https://x/{id}", "gone": "a ="}},
         "fetch.gone: Unknown token '=' at character 3; == compares"),
        ({"limits": 300}, "limits: not limits; write {per_hour: 300, per_day: 2000}, or one of them; or "),
        ({"limits": True}, "limits: not limits; write {per_hour: 300, per_day: 2000}"),
        ({"limits": {}}, "limits: limits nothing; write {per_hour: 300, per_day: 2000}"),
        ({"limits": {"per_hour": 0}}, "limits.per_hour: not a whole number from 1 to 1000000"),
        ({"limits": {"per_day": "many"}}, "limits.per_day: not a whole number from 1 to 1000000"),
        ({"limits": {"per_day": None}}, "limits.per_day: empty; give it a value"),
        ({"limits": {"per_day": 5, "per_hours": 5}}, "limits.per_hours: unknown key; is `per_hour` meant?"),
    ],
    ids=range(80),
)  # fmt: skip
def test_mistakes(source: dict[str, object], said: str) -> None:
    """Every mistake is told in its own place, once, with the way out."""
    mistakes = mistakes_of(make_source(**source))
    assert [mistake.startswith(said) for mistake in mistakes] == [True], mistakes


def test_mistakes_of_one_source_are_told_together() -> None:
    """One mistake does not hide another."""
    source = {"verify": "x", "map": {"a": "b c", "email": "("}, "campaign": "no", "when": "=", "unknown": 1}
    assert [mistake.partition(":")[0] for mistake in mistakes_of(source)] == [
        "campaign", "map.a", "map.email", "secret", "unknown", "verify.scheme", "when",
    ]  # fmt: skip


@pytest.mark.parametrize(("bad", "other"), [("map", "consent"), ("consent", "map")])
def test_label_beside_another_that_is_misspelt(bad: str, other: str) -> None:
    """A label where there are no answers is told, whatever is wrong with another one."""
    places: dict[str, object] = {bad: {"lable": "x"}, other: {"label": "x"}}
    told = mistakes_of(make_source(map={"phone_number": places["map"]}, consent=places["consent"]))
    assert [mistake.split(":")[0].partition(".")[0] for mistake in told] == sorted((bad, other))


UNSUBSCRIBE = "_body.type == 'unsubscribe'"


@pytest.mark.parametrize("only", [None, UNSUBSCRIBE])
def test_opt_outs_of_a_preset_that_knows_leads(only: str | None) -> None:
    """A source of opt-outs says which events those are: its preset knows which are leads."""
    source = {"preset": "mailchimp", "secret": SECRET, "campaign": "00001", "action": "stop", "only": only}
    raw = make_config({key: value for key, value in source.items() if value}, stop={"dictionary_status_id": 3})
    if only:
        assert [each.text for each in load(raw).sources["website"].only] == [UNSUBSCRIBE]
    else:
        (mistake,) = find_mistakes(raw)
        assert mistake.startswith("sources.website.only: missing: which events are opt-outs, as in ")
        assert mistake.endswith("; for leads it is _body.type == 'subscribe'")


@pytest.mark.parametrize("own", [None, "id"])
def test_opt_outs_of_a_form(own: str | None) -> None:
    """Who opts out in a form sends what leads do: the source may say otherwise, and need not."""
    source = {"preset": "typeform", "secret": SECRET, "campaign": "00001", "action": "stop"}
    source |= {"only": own} if own else {}
    raw = make_config({**source, "map": {"phone_number": {"type": "phone_number"}}}, stop={"dictionary_status_id": 3})
    assert [each.text for each in load(raw).sources["website"].only] == [own or "_body.event_type == 'form_response'"]


def test_when_of_a_preset_holds_besides() -> None:
    """What only a completed event says is no lead is none by whatever rules a source has besides; `~` takes it away."""
    source = {"preset": "linkedin", "secret": SECRET, "campaign": "00001", "fetch": {"headers": {"Authorization": "x"}}}
    for own, whole in (({}, 1), ({"when": "a || b"}, 2), ({"when": ["a", "b"]}, 3), ({"when": None}, 0)):
        assert len(load(make_config({**source, **own})).sources["website"].when) == whole
    (mistake,) = find_mistakes(make_config({**source, "when": "a) || (b"}))
    assert mistake.startswith("sources.website.when.0: ")


@pytest.mark.parametrize("only", [None, True, [None], 5])
def test_only_of_ones_own_that_is_none(only: object) -> None:
    """What is no expression is told: it takes no lead away, and the preset's stays."""
    source = {"preset": "mailchimp", "secret": SECRET, "campaign": "00001", "only": only}
    (mistake,) = find_mistakes(make_config(source))
    assert mistake.startswith("sources.website.only.0: ")


def test_fetch_that_is_taken_away_needs_no_headers() -> None:
    """Who has nothing fetched needs nothing to fetch it with."""
    source = {"preset": "hubspot", "secret": SECRET, "campaign": "00001", "fetch": None}
    assert load(make_config(source, public_url="https://x.example")).sources["website"].fetch is None


@pytest.mark.parametrize(
    ("source", "campaign", "said"),
    [
        ({"secret": []}, {}, "secret: missing; without one nobody could be told from anybody"),
        ({"verify": "basic"}, {}, "secret: it is not user:password"),
        ({"verify": {"scheme": "hmac", "header": "X", "signed": "{url}{body}"}}, {}, "verify: the URL is part of "),
        ({"campaign": ["one", "00002"]}, {}, "campaign: one before the last takes all leads; "),
        ({"map": {}}, {}, "map: missing; say where the lead's fields are in the event"),
        ({"consent": {"label": "x"}}, {}, "consent: {label: ...} is for senders whose answers are known; "),
        (STOP, {}, "campaign: campaign one has no `stop: {status_id: ...}`, nor is there one at the top"),
        ({}, {"on_existing": "requeue"}, "campaign: campaign one requeues, which takes a status: "),
    ],
    ids=range(8),
)  # fmt: skip
def test_bad_key_does_not_hide_a_contradiction_of_others(
    source: dict[str, object], campaign: dict[str, object], said: str
) -> None:
    """What is wrong between keys is told beside a key that is wrong by itself."""
    campaigns = {"one": {"id": "00001", **campaign}}
    bad = make_source(**{"campaign": "one", **source, "when": "=", "unknown": 1})
    mistakes = mistakes_of(bad, campaigns=campaigns)
    assert sum(mistake.startswith(said) for mistake in mistakes) == 1
    assert sorted(mistake.partition(":")[0] for mistake in mistakes) == sorted(
        [said.partition(":")[0], "unknown", "when"]
    )


@pytest.mark.parametrize(
    ("source", "at_fault"),
    [
        ({"map": 5, "set": {}}, ["map"]),
        ({"verify": "x", "secret": []}, ["secret", "verify.scheme"]),
        ({"campaign": 5, "set": {"next_call_date": "+1h"}}, ["campaign"]),
        ({"map": 5, "set": {"next_call_date": "+1h"}}, ["map"]),
        ({"answers": 5, "map": {"email": {"label": "x"}}}, ["answers"]),
        ({"preset": "typefrom", "map": {"email": {"label": "x"}}}, ["preset"]),
    ],
)
def test_nothing_is_said_that_rests_on_a_bad_key(source: dict[str, object], at_fault: list[str]) -> None:
    """A key that is wrong by itself makes no second mistake of what would go with a good one."""
    assert [mistake.partition(":")[0] for mistake in mistakes_of(make_source(**source))] == at_fault


@pytest.mark.parametrize(
    ("name", "good"),
    [("website", True), ("a-b_c.d~1", True), ("A", True), ("a" * 64, True), ("a" * 65, False), ("a b", False),
     ("a/b", False), ("", False), (".", False), ("ą", False), ("a?", False)],
)  # fmt: skip
def test_names(name: str, good: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A source's name is the path of a URL, as it is."""
    config = make_config()
    config["sources"] = {"other": SOURCE, name: SOURCE}
    if not good:
        assert find_mistakes(config) == [f"sources.{name}: not a name for a URL; use letters, digits, - and _"]
    else:
        config["sources"].pop("other")
        load_source(config["sources"][name])


@pytest.mark.parametrize("raw", [None, 5, "typeform", ["x"]])
def test_source_that_is_no_mapping(raw: object) -> None:
    """A source is a mapping."""
    config = make_config()
    config["sources"] = {"website": raw}
    assert find_mistakes(config) == ["sources.website: not a mapping; write `key: value` pairs"]


def test_constants_may_be_relative_times_and_numbers() -> None:
    """A constant is kept as it is written, and read with the lead's other values."""
    constants = {"next_call_date": "+15m", "status_id": "3", "order": 5, "vip": True, "custom_fields.a b": 1.5,
                 "phone_number": "anything", "address.city": "Łódź"}  # fmt: skip
    campaigns = {"one": {"id": "00001", "later": {"status_id": 7}}}
    source = load_source({**PROOF, "set": constants, "campaign": "00001"}, campaigns=campaigns)
    assert source.set == constants


def test_fetch() -> None:
    """What completes a thin event: a URL, headers that are secret, and where an error says that nothing is there."""
    fetch = load_source(
        make_source(fetch={"url": "https://x/{id}", "headers": {"A": "Bearer x"}, "gone": "error"})
    ).fetch
    assert fetch
    assert (fetch.url, fetch.headers["A"].text, fetch.gone and fetch.gone.text) == (
        "https://x/{id}",
        "Bearer x",
        "error",
    )
