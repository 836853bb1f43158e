"""The log on AWS, asked with Logs Insights."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from ringback.aws_error import name_error
from ringback.errors import RingbackError

LONGEST = 60.0  # seconds that a query may take
PAUSE = 0.5  # seconds between two looks whether it is done
MOST = 1000  # lines


class LogUnreachable(RingbackError):
    """The log can't be asked from here; the text says why."""


def run(
    query: str,
    groups: Sequence[str],
    start: datetime,
    end: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> list[dict[str, str]]:
    """Return the lines that a query finds in log groups between two times: of each its fields that have a value.

    Raises LogUnreachable.
    """
    import boto3  # noqa: PLC0415 - only AWS has it, and it takes longer to import than all else
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        client = boto3.client("logs")
        times = {"startTime": int(start.timestamp()), "endTime": int(end.timestamp())}
        query_id = client.start_query(logGroupNames=[*groups], queryString=query, limit=MOST, **times)["queryId"]
        answer = client.get_query_results(queryId=query_id)
        until = time.monotonic() + LONGEST
        while answer["status"] in ("Scheduled", "Running") and time.monotonic() < until:
            sleep(PAUSE)
            answer = client.get_query_results(queryId=query_id)
    except (BotoCoreError, ClientError) as error:
        raise LogUnreachable(f"CloudWatch: {name_error(error)}") from None
    if answer["status"] != "Complete":
        raise LogUnreachable(f"CloudWatch: the query is {answer['status']}")
    return [{each["field"]: each["value"] for each in row if each["field"] != "@ptr"} for row in answer["results"]]
