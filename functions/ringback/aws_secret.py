"""AWS Secrets Manager."""

import json

from ringback.aws_error import name_error
from ringback.errors import ConfigError
from ringback.grammar.names import parse_secret

SECONDS = 3  # to connect, and to answer: a sender waits


def read_secret(secret_ids: str) -> str:
    """Return one JSON object of all names in some secrets, whose ids are separated by spaces.

    Raises ConfigError, which names no value.
    """
    values = {name: value for each in secret_ids.split() for name, value in parse_secret(read_one(each)).items()}
    return json.dumps(values)


def read_one(secret_id: str) -> str:
    """Return the text of a secret's current version, "" for a binary one. Raises ConfigError, which names no value."""
    import boto3  # noqa: PLC0415 - only AWS has it, and it takes longer to import than all else
    from botocore.config import Config  # noqa: PLC0415 - as above
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    hurry = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 2})
    try:
        client = boto3.client("secretsmanager", config=hurry)
        return client.get_secret_value(SecretId=secret_id).get("SecretString", "")
    except (BotoCoreError, ClientError) as error:
        name = secret_id.rpartition(":")[2]  # of an address (ARN), which has the account too
        why = f"the secret {name} can't be read ({name_error(error)}); look at its name, its region and the role"
        raise ConfigError([f"RINGBACK_SECRET_ID: {why}"]) from None
