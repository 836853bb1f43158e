"""``sources:`` and presets: one grammar."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from ringback.body import TYPES, name_type
from ringback.expressions.answers import AnswerSpec, compile_answers
from ringback.expressions.expression import compile_expression
from ringback.expressions.path import compile_path
from ringback.grammar.fields import (
    NOT_EMPTY,
    Day,
    Kind,
    Number,
    OneOrMany,
    Pairs,
    Parsed,
    SecretText,
    Strict,
    Text,
)
from ringback.grammar.lead_fields import Constants, PlacesField
from ringback.grammar.place import ConsentField
from ringback.grammar.proof_secret import ProofSecret
from ringback.grammar.verification import HANDSHAKES, SCHEMES
from ringback.grammar.words import parse_region
from ringback.leads.lead import MATCH_FIELDS, RECORD_FIELDS, is_lead_field
from ringback.limits import UNLIMITED, Limits
from ringback.settings import CustomerRules, Fetch
from ringback.thulium.url import check_url
from ringback.verification.reply import REPLIES
from ringback.web import Response

NO_PROOF = (
    "missing; say how the sender proves itself, {{scheme: token, header: X-Api-Key}} for one, or in so many words: none"
)
NO_CAMPAIGN = "missing; name one of `campaigns:`, or write an id in quotes"
METHODS = ("POST", "GET", "PUT", "PATCH")
LIMITS_WANTED = "write {per_hour: 300, per_day: 2000}, or one of them; or in so many words: false"
SENDERS_PATIENCE = 8  # seconds, where nothing is known of it


class FetchSchema(Strict):
    """``fetch:``."""

    url = Parsed(check_url, required=True)
    headers = Pairs(SecretText(), load_default=dict)
    gone = Parsed(compile_expression, load_default=None)

    @post_load
    def build(self, data: dict[str, object], **_: object) -> Fetch:
        """Return what is fetched."""
        return Fetch(**data)  # type: ignore[arg-type]


def parse_update(name: str) -> str:
    """Return a lead field that a customer can be given later. Raises ValueError."""
    if not is_lead_field(name) or name in ("customer_id", "full_name", *RECORD_FIELDS):
        raise ValueError("not a field of a customer; write one like phone_number, email or note")
    return name


class CustomerSchema(Strict):
    """``customer:``."""

    match = OneOrMany(Text(MATCH_FIELDS), load_default=lambda: list(MATCH_FIELDS), validate=NOT_EMPTY)
    on_missing = Text(("create", "fail"), load_default="create")
    update = OneOrMany(Parsed(parse_update), load_default=lambda: ["phone_number", "email"])
    new_number = Text(("add", "separate"), load_default="add")

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> CustomerRules:
        """Return the rules."""
        return CustomerRules(**{**data, "match": tuple(data["match"]), "update": tuple(data["update"])})


class RouteSchema(Strict):
    """One of ``campaign:``'s routes."""

    when = Parsed(compile_expression, load_default=None)
    to = Text(required=True)


class RouteField(fields.Field[Mapping[str, object]]):
    """One of ``campaign:``'s routes, or the word of a campaign alone."""

    schema = RouteSchema()

    def _deserialize(self, value: object, *_: object, **__: object) -> Mapping[str, object]:
        if isinstance(value, Mapping):
            return self.schema.load(value)  # type: ignore[no-any-return]
        return {"when": None, "to": Text().deserialize(value)}


class Proof(OneOrMany):
    """``verify:``: how a sender proves itself; that it does not is said in so many words."""

    def _deserialize(self, value: object, *args: object, **rest: object) -> list[object]:
        if value == "none":
            return []
        if isinstance(value, str) and value.lower() == "none":
            raise ValidationError("not known; is `none` meant?")
        if value == []:
            raise self.make_error("required")
        return super()._deserialize(value, *args, **rest)


class LimitsSchema(Strict):
    """``{per_hour: ..., per_day: ...}``: what is not given is not limited."""

    per_hour = Number(1, 1_000_000, whole=True)
    per_day = Number(1, 1_000_000, whole=True)

    @validates_schema
    def require_one(self, data: dict[str, object], **_: object) -> None:
        """Raise ValidationError where nothing is limited."""
        if not data:
            raise ValidationError(f"limits nothing; {LIMITS_WANTED}")

    @post_load
    def build(self, data: dict[str, int], **_: object) -> Limits:
        """Return the limits."""
        return Limits(**data)


class LimitsField(fields.Field[Limits]):
    """``limits:``, or ``false`` (or ``~``) for none."""

    schema = LimitsSchema()

    def deserialize(self, value: Any, *args: Any, **rest: Any) -> Any:
        """Return the limits, None where the key is not there."""
        return UNLIMITED if value is None else super().deserialize(value, *args, **rest)

    def _deserialize(self, value: object, *_: object, **__: object) -> Limits:
        if value is False:
            return UNLIMITED
        if not isinstance(value, Mapping):
            raise ValidationError(f"not limits; {LIMITS_WANTED}")
        return self.schema.load(value)  # type: ignore[no-any-return]


class Answers(fields.Field[AnswerSpec]):
    """``answers:``, compiled."""

    def _deserialize(self, value: object, *_: object, **__: object) -> AnswerSpec:
        try:
            return compile_answers(Pairs(Text()).deserialize(value))  # type: ignore[arg-type]  # they are texts
        except ValueError as error:
            raise ValidationError(str(error)) from None


def parse_reply_type(text: str) -> str:
    """Return a content type that can stand in a header. Raises ValueError."""
    if not re.fullmatch(r"[\w.+-]+/[\w.+-]+[ -~]*", text, re.ASCII):
        raise ValueError("not a content type; write one like text/plain; charset=utf-8")
    return text


class ReplySchema(Strict):
    """``{text: ..., type: ...}``: a success in the sender's own words."""

    text = Text(required=True)
    type = Parsed(parse_reply_type, load_default="text/plain; charset=utf-8")

    @post_load
    def build(self, data: dict[str, str], **_: object) -> Response:
        """Return the answer."""
        return Response(200, data["text"].encode("utf-8", "replace"), {"Content-Type": data["type"]})


class ReplyField(fields.Field[Response]):
    """``reply:``, the word of a known answer, or a text."""

    schema = ReplySchema()

    def _deserialize(self, value: object, *_: object, **__: object) -> Response:
        if isinstance(value, Mapping):
            return self.schema.load(value)  # type: ignore[no-any-return]
        return REPLIES[Text(tuple(REPLIES)).deserialize(value)]


def parse_type(text: str) -> str:
    """Return the content type that a text names, as ``body.TYPES`` has it. Raises ValueError."""
    found = name_type(text)
    if found is None:
        raise ValueError(f"not a content type that is read here; there are {', '.join(TYPES)}")
    return found


class SourceSchema(Strict):
    """One of ``sources:``, merged with its preset, its lists written out."""

    preset = fields.Raw(load_default=None)  # merged by now, and kept for its name
    phone_region = Parsed(parse_region, load_default=None)
    verify = Proof(Kind("scheme", SCHEMES), required=True, error_messages={"required": NO_PROOF})
    old = OneOrMany(Kind("scheme", SCHEMES), load_default=list)
    accept_old = fields.Boolean(load_default=False)
    secret = OneOrMany(ProofSecret(), load_default=list)
    token = OneOrMany(ProofSecret(), load_default=list)
    verify_token = OneOrMany(ProofSecret(), load_default=list)
    handshake = OneOrMany(Kind("kind", HANDSHAKES), load_default=list)
    reply = ReplyField(load_default=None)
    methods = OneOrMany(Text(METHODS), load_default=lambda: ["POST"], validate=NOT_EMPTY)
    body = OneOrMany(Parsed(parse_type), load_default=list, validate=NOT_EMPTY)
    empty = OneOrMany(Text(), load_default=list)
    items = Parsed(compile_expression, load_default=lambda: compile_expression("@"))
    every = OneOrMany(Parsed(compile_expression), load_default=list, data_key="only")  # a schema has an `only` itself
    event_id = Parsed(compile_expression, load_default=None)
    volatile = OneOrMany(Parsed(compile_path), load_default=list)
    fetch = fields.Nested(FetchSchema, load_default=None)
    answers = Answers(load_default=None)
    when = OneOrMany(Parsed(compile_expression), load_default=list, validate=NOT_EMPTY)
    consent = ConsentField(load_default=None)
    do_not_call = OneOrMany(Parsed(compile_expression), load_default=list)
    map = PlacesField(load_default=dict)
    set = Constants(load_default=dict)
    customer = fields.Nested(CustomerSchema, load_default=lambda: CustomerSchema().load({}))
    action = Text(("lead", "stop"), load_default="lead")
    campaign = OneOrMany(RouteField(), required=True, error_messages={"required": NO_CAMPAIGN}, validate=NOT_EMPTY)
    limits = LimitsField(load_default=None)
    answer_within = Number(0.5, 300, load_default=SENDERS_PATIENCE)
    retries = fields.Raw(load_default=None)
    echoes = fields.Boolean(load_default=False)
    public = fields.Boolean(load_default=False)
    on_invalid = Number(0, 999, whole=True, load_default=422, validate=validate.OneOf((200, 422), error="200 or 422"))
    ends = Pairs(Day(), load_default=dict)
    evidence = Text(("vendor", "recorded", "described"), load_default=None)
