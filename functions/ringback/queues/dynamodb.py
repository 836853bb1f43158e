"""Counts on AWS: an item of a DynamoDB table for each source and day, with a number for each hour.

SQS does not count, and the rate limits of API Gateway and WAF refuse requests, which loses the leads of senders that
send once. DynamoDB adds and tells the sum in one call, for which the right to ``UpdateItem`` is enough.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from ringback.aws_error import name_error
from ringback.queues.counter import HOURS, KEPT_DAYS, CountFailed

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

SECONDS = 0.5  # to connect, and to answer: a sender waits for eight, of which SQS may take six


class DynamoCounts:
    """The counts in a ``table`` whose key is the text ``id``; it deletes items whose time in ``ends`` has come."""

    def __init__(self, table: str) -> None:
        """Remember the name; nothing is connected before it is needed."""
        self._table = table

    def add(self, source: str, number: int, now: datetime) -> Sequence[int]:
        """Count, as ``counter.Store`` has it."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - only AWS has it, and it is slow

        ends = int((now + timedelta(days=KEPT_DAYS)).timestamp())
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": f"{source} {now:%Y-%m-%d}"}},
                UpdateExpression=f"SET ends = :ends ADD {HOURS[now.hour]} :number",
                ExpressionAttributeValues={":ends": {"N": str(ends)}, ":number": {"N": str(number)}},
                ReturnValues="ALL_NEW",
            )
        except (BotoCoreError, ClientError) as error:
            raise CountFailed(f"DynamoDB: {name_error(error)}; look at the table and the function's role") from None
        item = answer["Attributes"]
        return [int(item[hour]["N"]) if hour in item else 0 for hour in HOURS]

    @cached_property
    def _client(self) -> "DynamoDBClient":
        import boto3  # noqa: PLC0415 - as above
        from botocore.config import Config  # noqa: PLC0415 - as above

        # One try: an addition whose answer was lost would be made twice.
        config = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 1})
        return boto3.client("dynamodb", config=config)
