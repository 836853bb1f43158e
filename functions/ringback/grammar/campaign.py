"""``thulium:``, ``campaigns:`` and the keys at the top."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from marshmallow import ValidationError, fields, post_load, validates_schema

from ringback.grammar.fields import NOT_EMPTY, Duration, Number, OneOrMany, Parsed, SecretText, Strict, Text
from ringback.grammar.lead_fields import Constants
from ringback.grammar.proof_secret import ProofText
from ringback.grammar.words import parse_campaign_id, parse_region, parse_zone
from ringback.leads.hours import read_hours
from ringback.leads.lead import STATUS_FIELDS
from ringback.secret import Secret
from ringback.settings import ThuliumSettings
from ringback.thulium.url import parse_host, parse_url

LARGEST_ID = 2**31 - 1
NO_LOG_KEY = (
    "missing: log and queue know numbers and events by their hash under it; write `log_key: ${{LOG_KEY}}`, and set "
    "LOG_KEY to what this prints: openssl rand -hex 32"
)
SYSTEM_STATUSES = (
    *("TO_CALL", "IN_PROGRESS", "CALL", "MY_RECORD", "NO_CALL"),
    *("ABANDONED_AFTER_N_TRIES", "CALL_NO_SOONER_THAN", "CALL_PROGRESSIVE"),
)


def refuse_colon(user: Secret) -> None:
    """Raise ValidationError for a user that HTTP Basic could not tell from the password."""
    if ":" in user.text:
        raise ValidationError("a colon can't be in it; write the user alone, and the password under `password`")


class ThuliumSchema(Strict):
    """``thulium:``."""

    url = Parsed(parse_host, required=True)
    user = SecretText(required=True, validate=refuse_colon)
    password = SecretText(required=True)
    timeout = Number(0.1, 120, load_default=10)
    batch_size = Number(1, 1000, whole=True, load_default=100)
    parallel = Number(1, 64, whole=True, load_default=8)
    timezone = Parsed(parse_zone, load_default=lambda: ZoneInfo("Europe/Warsaw"))
    phone_forms = OneOrMany(Text(("e164", "digits")), load_default=list)

    @post_load
    def build(self, data: dict[str, object], **_: object) -> ThuliumSettings:
        """Return the settings."""
        return ThuliumSettings(**{**data, "phone_forms": tuple(data["phone_forms"])})  # type: ignore[arg-type]


class StatusSchema(Strict):
    """``stop:`` of a campaign: the status of opt-outs."""

    status_id = Number(1, LARGEST_ID, whole=True)
    dictionary_status_id = Number(1, LARGEST_ID, whole=True)


class LaterSchema(StatusSchema):
    """``later:`` of a campaign: the status of a record whose call lies in the future, and whose record it is."""

    agent_login = Text()

    @validates_schema
    def require_status(self, data: dict[str, object], **_: object) -> None:
        """Raise ValidationError where there is no status."""
        if not STATUS_FIELDS & data.keys():
            raise ValidationError("no status; write {status_id: N}, N being one of the kind CALL_NO_SOONER_THAN")


class GlobalStopSchema(Strict):
    """``stop:`` at the top: a status of the dictionary, which all campaigns know."""

    dictionary_status_id = Number(1, LARGEST_ID, whole=True, required=True)


class CampaignSchema(Strict):
    """One of ``campaigns:``."""

    id = Parsed(parse_campaign_id, required=True)
    set = Constants(load_default=dict)
    on_existing = Text(("keep", "requeue"), load_default="keep")
    requeue_from = OneOrMany(Text(SYSTEM_STATUSES), load_default=list)
    call_hours = Parsed(read_hours, load_default=None)
    later = fields.Nested(LaterSchema, load_default=dict)
    stop = fields.Nested(StatusSchema, load_default=dict)


class TopSchema(Strict):
    """The keys at the top that are no sections."""

    phone_region = Parsed(parse_region, load_default="PL")
    countries = OneOrMany(Parsed(parse_region), load_default=None, validate=NOT_EMPTY)
    public_url = Parsed(parse_url, load_default="")
    queue = Text(load_default=None)
    dead_letter_queue = Text(load_default=None)
    max_age = Duration(load_default=timedelta(hours=24))
    retention = Duration(load_default=timedelta(days=30))
    store = Text(("event", "values"), load_default="event")
    paused = fields.Boolean(load_default=False)
    log_key = ProofText(required=True, error_messages={"required": NO_LOG_KEY})
    stop = fields.Nested(GlobalStopSchema, load_default=dict)
    thulium = fields.Raw(required=True)
    campaigns = fields.Raw(load_default=dict)
    sources = fields.Raw(required=True)
