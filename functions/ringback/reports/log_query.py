"""How an event or a person is found in the log on a cloud: the queries, as text. Pure."""

import json
from dataclasses import dataclass
from typing import Literal

Field = Literal["event_id", "person"]
SHOWN = ("event", "source", "event_id", "status", "reason", "attempt", "campaign_id", "customer_id", "record_id")


@dataclass(frozen=True)
class Query:
    """A query, and where it is to be run."""

    where: str
    text: str


def write_queries(queue: str | None, field: Field, *values: str) -> list[Query]:
    """Return the query of the cloud that a queue belongs to; without a queue those of both, and one for a file.

    It finds the lines whose ``field`` has one of the values.
    """
    kind = (queue or "").partition(":")[0]
    if kind == "sqs":
        return [_write_insights(field, *values)]
    if kind == "cloud-tasks":
        return [_write_gcloud(field, *values)]
    return [_write_jq(field, *values), _write_insights(field, *values), _write_gcloud(field, *values)]


def _write_insights(field: Field, *values: str) -> Query:
    condition = " or ".join(f"{field} = {json.dumps(value)}" for value in values)
    lines = [f"fields @timestamp, {', '.join(SHOWN)}", f"filter {condition}", "sort @timestamp asc"]
    where = "in CloudWatch, Logs Insights, over the log groups of WebhookFunction and DeliverFunction"
    return Query(where, "\n| ".join(lines))


def _write_gcloud(field: Field, *values: str) -> Query:
    columns = ", ".join(f"jsonPayload.{name}" for name in SHOWN)
    condition = _quote(" OR ".join(f"jsonPayload.{field}={json.dumps(value)}" for value in values))
    text = f"gcloud logging read {condition} --freshness=30d --order=asc \\\n  --format='table(timestamp, {columns})'"
    return Query("on Google Cloud", text)


def _write_jq(field: Field, *values: str) -> Query:
    condition = _quote(f"fromjson? | select({' or '.join(f'.{field} == {json.dumps(value)}' for value in values)})")
    return Query("where the log is a file", f"jq -cR {condition} FILE")


def _quote(text: str) -> str:
    """Return a text as one word for a shell."""
    return "'" + text.replace("'", "'\\''") + "'"
