"""AWS Secrets Manager."""

from ringback.aws_error import name_error
from ringback.errors import ConfigError

SECONDS = 3  # to connect, and to answer: a sender waits


def read_secret(secret_id: str) -> str:
    """Return the text of a secret's current version, "" for a binary one. Raises ConfigError, which names no value."""
    import boto3  # noqa: PLC0415 - only AWS has it, and it takes longer to import than all else
    from botocore.config import Config  # noqa: PLC0415 - as above
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    hurry = Config(connect_timeout=SECONDS, read_timeout=SECONDS, retries={"total_max_attempts": 2})
    try:
        client = boto3.client("secretsmanager", config=hurry)
        return client.get_secret_value(SecretId=secret_id).get("SecretString", "")
    except (BotoCoreError, ClientError) as error:
        why = f"the secret can't be read ({name_error(error)}); look at its name, its region and the role"
        raise ConfigError([f"RINGBACK_SECRET_ID: {why}"]) from None
