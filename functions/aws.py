"""AWS's door: events of a Lambda Function URL, an HTTP API (payload format 2.0) or SQS, turned into our own words."""

import base64
import os
from collections.abc import Mapping
from typing import Any

from ringback.hosts.keeper import Keeper
from ringback.web import MAX_BODY, Request

KEEPER = Keeper(os.environ)  # reads nothing before the first event


def webhook(event: Mapping[str, Any], _context: object) -> dict[str, object]:
    """Answer one HTTP request; with a bad configuration 503, so that the sender tries again."""
    answer = KEEPER.handle(to_request(event))
    return {
        "statusCode": answer.status,
        "headers": dict(answer.headers),
        "body": answer.body.decode("utf-8", "replace"),
        "isBase64Encoded": False,
    }


def deliver(event: Mapping[str, Any], context: Any) -> dict[str, object]:
    """Deliver what SQS hands over, and name the messages that it is to hand over again."""
    undone = KEEPER.deliver(event["Records"], context.get_remaining_time_in_millis() / 1000)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in undone]}


def to_request(event: Mapping[str, Any]) -> Request:
    """Return the request that an event is about."""
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    path = without_stage(event["rawPath"], context.get("stage", "$default"))
    return Request(context["http"]["method"], path, event.get("rawQueryString", ""), headers, read_body(event))


def without_stage(path: str, stage: str) -> str:
    """Return the path that the sender means: an HTTP API puts the name of a stage, if it has one, before it."""
    return path.removeprefix(f"/{stage}") if path.startswith(f"/{stage}/") else path


def read_body(event: Mapping[str, Any]) -> bytes:
    """Return the body's bytes, of one that is too large the first ``MAX_BODY + 1``."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    return raw[: MAX_BODY + 1]
