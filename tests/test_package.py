"""The package that `make build` makes for Lambda: whole, small, compiled, and run as Lambda runs it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.amazon import Amazon, feed
from tests.lambda_runtime import Function
from tests.programs import run, run_once
from tests.sandbox import Sandbox

TOKEN = "0123456789abcdef0123456789abcdef"
CONFIG = """
thulium: {url: "http://127.0.0.1:9", user: u, password: p}
log_key: an-invented-key-long-enough
sources:
  website: {verify: {scheme: hmac, header: X-Signature, encoding: hex}, secret: "0123456789abcdef0123456789abcdef",
    map: {customer_id: id}, campaign: "00001"}
"""

# Run with -I -S: no library of this machine but Python's own is to be seen.
INVOKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import aws
imported = sorted(sys.modules)
event = {"version": "2.0", "rawPath": sys.argv[2], "rawQueryString": "", "headers": {}, "isBase64Encoded": False,
         "requestContext": {"http": {"method": sys.argv[3]}, "stage": "$default"}}
print(json.dumps({"answer": aws.webhook(event, None), "imported": imported}))
"""


@pytest.fixture(scope="module")
def package(root: Path, shared: Path) -> Path:
    """The Lambda package, as `make build` makes it."""
    run_once("make", "build", cwd=root, shared=shared)
    return root / ".aws-sam/build/WebhookFunction"


def invoke(package: Path, config: Path, path: str = "/", method: str = "GET") -> dict[str, Any]:
    """Return what the built package answers, and what it had imported by then."""
    command = (sys.executable, "-I", "-S", "-c", INVOKE, str(package), path, method)
    return dict(yaml.safe_load(run(*command, cwd=config.parent, RINGBACK_CONFIG=str(config)).splitlines()[-1]))


def test_answers(package: Path, tmp_path: Path) -> None:
    """The package has all that it needs to answer: what is missing from it is missing on Lambda."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    assert invoke(package, tmp_path / "config.yaml")["answer"]["statusCode"] == 200
    unsigned = invoke(package, tmp_path / "config.yaml", "/website", "POST")
    assert unsigned["answer"]["statusCode"] == 401


def test_refuses_without_configuration(package: Path, tmp_path: Path) -> None:
    """With a bad configuration the answer is 503 with a time to come back, so that the sender keeps the event."""
    answer = invoke(package, tmp_path / "none.yaml", "/website", "POST")["answer"]
    assert answer["statusCode"] == 503
    assert 30 <= int(answer["headers"]["Retry-After"]) <= 3600


def test_imports_little(package: Path, tmp_path: Path) -> None:
    """A cold start loads no web framework, no cloud's client, and nothing that only some bodies need."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    imported = invoke(package, tmp_path / "config.yaml")["imported"]
    heavy = {"flask", "functions_framework", "boto3", "botocore", "google", "click", "pyexpat", "sqlite3"}
    assert heavy.isdisjoint(imported)


def test_is_compiled(package: Path) -> None:
    """Python compiles a module once and keeps it, which Lambda's disk does not allow: so it comes compiled."""
    sources = [path for path in package.rglob("*.py") if path.stat().st_size]
    assert all(list((path.parent / "__pycache__").glob(f"{path.stem}.*.pyc")) for path in sources)


def test_is_small(package: Path) -> None:
    """What is not needed is not shipped: with a web framework or test tools it would be several times as much."""
    size = sum(path.stat().st_size for path in package.rglob("*") if path.is_file())
    assert size < 15_000_000
    assert not [path.name for path in package.iterdir() if path.name.startswith(("flask", "pytest", "boto"))]


def test_both_functions_are_of_one_build(package: Path) -> None:
    """What takes an event and what delivers it are the same code."""
    other = package.parent / "DeliverFunction"
    assert (other / "aws.py").read_bytes() == (package / "aws.py").read_bytes()
    assert {path.name for path in other.iterdir()} == {path.name for path in package.iterdir()}


# --- as Lambda runs it ---

QUEUED = """
thulium: {url: "%s", user: "${THULIUM_USER}", password: "${THULIUM_PASSWORD}"}
log_key: "${LOG_KEY}"
sources:
  crm: {verify: {scheme: token, header: X-Api-Key}, secret: "${CRM_TOKEN}", campaign: "00001",
    map: {phone_number: tel, surname: name}, limits: {per_hour: 10}}
"""


@pytest.fixture
def amazon() -> Iterator[Amazon]:
    with Amazon() as amazon:
        yield amazon


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.add_campaign("00001")
        yield sandbox


def make_webhook(**data: str) -> dict[str, Any]:
    return {
        "version": "2.0",
        "rawPath": "/crm",
        "rawQueryString": "",
        "headers": {"x-api-key": TOKEN, "content-type": "application/json"},
        "requestContext": {"http": {"method": "POST"}, "stage": "$default"},
        "body": json.dumps(data),
        "isBase64Encoded": False,
    }


def test_webhook_queue_deliver_campaign(package: Path, amazon: Amazon, thulium: Sandbox, tmp_path: Path) -> None:
    """Under Lambda's own runtime, with the secrets from Secrets Manager: a webhook, SQS, a delivery, the campaign.

    The function that takes the webhook has no password of Thulium's, and counts the event in DynamoDB.
    """
    queue, letters = amazon.make_queue("leads"), amazon.make_queue("letters")
    amazon.make_table("counts")
    amazon.keep_secret("webhook", json.dumps({"LOG_KEY": TOKEN, "CRM_TOKEN": TOKEN}))
    amazon.keep_secret("deliver", json.dumps({"THULIUM_USER": thulium.user, "THULIUM_PASSWORD": thulium.password}))
    (tmp_path / "config.yaml").write_text(QUEUED % thulium.url)
    environ = {
        **{name: value for name, value in amazon.environ.items() if name != "AWS_ENDPOINT_URL"},
        "AWS_ENDPOINT_URL_SQS": amazon.url,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": amazon.url,
        "AWS_ENDPOINT_URL_DYNAMODB": amazon.url,
        "RINGBACK_CONFIG": str(tmp_path / "config.yaml"),
        "RINGBACK_QUEUE": f"sqs:{queue}",
        "RINGBACK_DEAD_LETTER_QUEUE": letters,
    }
    own = {"RINGBACK_SECRET_ID": "webhook", "RINGBACK_COUNTS": "counts"}
    with Function("aws.webhook", package, {**environ, **own}, tmp_path) as webhook:
        answer = webhook.invoke(make_webhook(tel="601 000 001", name="Lis"))
        assert webhook.invoke(make_webhook(tel="12", name="Lis"))["statusCode"] == 200
    assert (answer["statusCode"], json.loads(answer["body"])["accepted"]) == (200, 1)
    assert thulium.requests == []
    assert amazon.calls.count("UpdateItem") == 2
    own = {"RINGBACK_SECRET_ID": "webhook deliver"}
    with Function("aws.deliver", package.parent / "DeliverFunction", {**environ, **own}, tmp_path) as deliver:
        assert feed(amazon, queue, deliver.invoke) == []
    assert len(thulium.records("00001")) == 1
    assert len(amazon.messages(letters)) == 1
    told = [line["status"] for line in deliver.lines if line["event"] == "customer.outcome"]
    assert sorted(told) == ["ADDED", "INVALID"]
