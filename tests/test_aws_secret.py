"""AWS Secrets Manager."""

import json
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from ringback.aws_secret import read_secret
from ringback.errors import ConfigError


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An AWS that nobody else has."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield


def test_reads() -> None:
    """The text of the current version is read."""
    client = boto3.client("secretsmanager")
    client.create_secret(Name="acme", SecretString='{"A": "1"}')
    client.put_secret_value(SecretId="acme", SecretString='{"A": "2"}')
    assert read_secret("acme") == '{"A": "2"}'


def test_binary_secret_has_no_text() -> None:
    """A secret that is no text is told like every other that is no JSON object."""
    boto3.client("secretsmanager").create_secret(Name="acme", SecretBinary=b"{}")
    with pytest.raises(ConfigError, match="no JSON object"):
        read_secret("acme")


def test_several_secrets() -> None:
    """Of several secrets, whose ids are separated by spaces, all names are there; none may be missing."""
    client = boto3.client("secretsmanager")
    senders = client.create_secret(Name="senders", SecretString='{"A": "1", "B": null}')["ARN"]
    client.create_secret(Name="thulium", SecretString='{"C": 2}')
    assert json.loads(read_secret(f"{senders} thulium")) == {"A": "1", "C": "2"}
    with pytest.raises(ConfigError, match=r"the secret gone can't be read \(ResourceNotFoundException\)"):
        read_secret(f"{senders} gone")


def test_address_is_not_told() -> None:
    """Of an address only the name is told, without the account."""
    with pytest.raises(ConfigError) as caught:
        read_secret("arn:aws:secretsmanager:eu-central-1:123456789012:secret:ringback-AbCdEf")
    assert "the secret ringback-AbCdEf can't" in str(caught.value)
    assert "123456789012" not in str(caught.value)


def test_missing_secret() -> None:
    """A secret that can't be read is a mistake that says why, and what to look at."""
    with pytest.raises(ConfigError, match=r"RINGBACK_SECRET_ID: .*\(ResourceNotFoundException\).*name.*role"):
        read_secret("nobody")


def test_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """So is one for which AWS is not even asked."""
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(ConfigError, match=r"\(NoRegionError\).*region"):
        read_secret("acme")
