"""AWS's door: events of a Lambda Function URL, an API Gateway or SQS, turned into our own words."""

import os
from collections.abc import Mapping
from typing import Any

from ringback.hosts.keeper import Keeper
from ringback.hosts.payload import to_request

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
