"""The one to beat: what a competent person writes in an hour. It has no queue, no retries and no second thoughts."""

import hashlib
import hmac
import os

import flask
import requests
from marshmallow import EXCLUDE, Schema, ValidationError, fields

SECRET = os.environ.get("SECRET", "")
URL = f"{os.environ.get('THULIUM_URL')}/api/batch/crm_outbounds/00001/records"
SESSION = requests.Session()
SESSION.auth = (os.environ.get("THULIUM_USER", ""), os.environ.get("THULIUM_PASSWORD", ""))


class LeadSchema(Schema):
    """The eight fields of a lead."""

    class Meta:
        """Other fields are of no interest."""

        unknown = EXCLUDE

    customer = fields.Integer(required=True)
    last_name = fields.String()
    first_name = fields.String()
    email = fields.Email()
    phone = fields.String(required=True)
    crm_id = fields.String()
    message = fields.String()
    job = fields.String()


SCHEMA = LeadSchema()


def webhook(request: flask.Request) -> tuple[str, int]:
    """Answer one webhook."""
    if request.method == "GET":
        return "up", 200
    signature = hmac.new(SECRET.encode(), request.get_data(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(signature, request.headers.get("X-Signature", "")):
        return "bad signature", 401
    try:
        lead = SCHEMA.load(request.get_json()["leads"][0])
    except ValidationError as error:
        return str(error), 422
    reply = SESSION.post(URL, json={"records": [{"customer_id": lead["customer"]}]}, timeout=10)
    word = reply.json()[str(lead["customer"])]["status"]
    print({"customer": lead["customer"], "status": word}, flush=True)
    return word, 200
