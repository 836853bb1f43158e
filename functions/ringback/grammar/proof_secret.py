"""Secrets that prove a sender: long enough not to be guessed, and void from some day on."""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load

from ringback.grammar.fields import Day, SecretText, Strict
from ringback.grammar.names import PLACEHOLDER
from ringback.secret import SHORTEST, Secret

TOO_SHORT = f"fewer than {SHORTEST} characters that can be seen; make up a longer one, 32 random letters and digits"


class ProofText(SecretText):
    """A secret that proves a sender, so that it must not be guessed."""

    def _deserialize(self, value: object, *_: object, **__: object) -> Secret:  # type: ignore[override]
        secret = super()._deserialize(value)
        if secret.is_too_short and not PLACEHOLDER.search(secret.text):
            raise ValidationError(TOO_SHORT)
        return secret


class EndingSecretSchema(Strict):
    """``{value: ..., until: ...}``: a secret that is being replaced."""

    value = ProofText(required=True)
    until = Day(load_default=None)

    @post_load
    def build(self, data: dict[str, Any], **_: object) -> Secret:
        """Return the secret."""
        return Secret(data["value"].text, data["until"])


class ProofSecret(fields.Field[Secret]):
    """A secret that proves a sender: its text, or a mapping of its text and its end."""

    schema = EndingSecretSchema()

    def _deserialize(self, value: object, *_: object, **__: object) -> Secret:
        if isinstance(value, Mapping) and "value" in value:
            if not value.keys() <= self.schema.fields.keys():  # which are not named: one of them may be a secret
                raise ValidationError("has other keys than value and until")
            return self.schema.load(value)  # type: ignore[no-any-return]
        return ProofText().deserialize(value)  # type: ignore[return-value]  # see there
