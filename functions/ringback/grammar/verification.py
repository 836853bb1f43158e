"""``verify:`` and ``handshake:``: what a sender proves itself by, and what it asks before it sends."""

from collections.abc import Mapping
from typing import ClassVar

from marshmallow import ValidationError, fields, post_load

from ringback.expressions.expression import Expression, compile_expression
from ringback.expressions.path import compile_path
from ringback.grammar.fields import NOT_EMPTY, Number, OneOrMany, Pairs, Parsed, Strict, Text
from ringback.secret import SHORTEST
from ringback.verification import handshake, scheme
from ringback.verification.signed import compile_template


class Part(Strict):
    """A schema that builds a ``kind``; the ValueError of its making is a mistake in the configuration."""

    kind: ClassVar[type]

    @post_load
    def build(self, data: dict[str, object], **_: object) -> object:
        """Return the part."""
        try:
            return self.kind(**data)
        except ValueError as error:
            raise ValidationError(str(error)) from None


def parse_token_place(text: str) -> Expression:
    """Return where in a body the token is: a simple path, so that it can be taken out. Raises ValueError."""
    compile_path(text)
    return compile_expression(text)


def parse_signed(text: str) -> str:
    """Return a template whose placeholders all exist. Raises ValueError."""
    compile_template(text)
    return text


class TimestampSchema(Part):
    """``timestamp:`` of a signature."""

    kind = scheme.Timestamp
    header = Text()
    part = Text()
    unit = Text(("s", "ms", "iso"))
    tolerance = Number(1, 86400, whole=True)


class HmacSchema(Part):
    """``{scheme: hmac, ...}``."""

    kind = scheme.Hmac
    header = Text(required=True)
    algorithm = Text(("sha256", "sha1", "sha512"))
    encoding = Text(("hex", "base64", "base64url"))
    prefix = Text()
    separator = fields.String(validate=NOT_EMPTY)
    part = Text()
    key = Text(("text", "hex", "base64"))
    key_prefix = Text()
    keyed = fields.Boolean()
    signed = Parsed(parse_signed)
    id = Text()
    timestamp = fields.Nested(TimestampSchema)
    given = Pairs(Text())
    instead = Text()


class TokenSchema(Part):
    """``{scheme: token, ...}``."""

    kind = scheme.Token
    header = Text()
    query = Text()
    field = Parsed(parse_token_place)
    prefix = Text()
    first = Number(SHORTEST, 1000, whole=True)
    instead = Text()


class JwsSchema(Part):
    """``{scheme: jws, ...}``."""

    kind = scheme.Jws
    header = Text(required=True)
    algorithm = Text(("HS256", "HS384", "HS512"))
    claim = Text()
    iss = Text()
    instead = Text()


class BasicSchema(Part):
    """``{scheme: basic}``."""

    kind = scheme.Basic
    instead = Text()


class StandardWebhooksSchema(Strict):
    """``{scheme: standard-webhooks}``."""

    @post_load
    def build(self, _: dict[str, object], **__: object) -> object:
        """Return the scheme."""
        return scheme.STANDARD_WEBHOOKS


class AnswerGetSchema(Part):
    """``{kind: answer-get}``."""

    kind = handshake.AnswerGet


class AnswerEmptyPostSchema(Part):
    """``{kind: answer-empty-post}``."""

    kind = handshake.AnswerEmptyPost


class AnswerPingSchema(Part):
    """``{kind: answer-ping, ...}``."""

    kind = handshake.AnswerPing
    field = Text(required=True)


class EchoQuerySchema(Part):
    """``{kind: echo-query, ...}``."""

    kind = handshake.EchoQuery
    query = Text(required=True)
    method = Text(("GET", "POST"))
    token = Text()
    given = Pairs(Text())


class EchoJsonSchema(Part):
    """``{kind: echo-json, ...}``."""

    kind = handshake.EchoJson
    field = Text(required=True)
    beside = OneOrMany(Text())


class SignQuerySchema(Part):
    """``{kind: sign-query, ...}``."""

    kind = handshake.SignQuery
    query = Text(required=True)
    answer = Text(required=True)


SCHEMES: Mapping[str, Strict] = {
    "hmac": HmacSchema(),
    "standard-webhooks": StandardWebhooksSchema(),
    "basic": BasicSchema(),
    "token": TokenSchema(),
    "jws": JwsSchema(),
}
HANDSHAKES: Mapping[str, Strict] = {
    "answer-get": AnswerGetSchema(),
    "answer-empty-post": AnswerEmptyPostSchema(),
    "answer-ping": AnswerPingSchema(),
    "echo-query": EchoQuerySchema(),
    "echo-json": EchoJsonSchema(),
    "sign-query": SignQuerySchema(),
}
