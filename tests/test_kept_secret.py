"""A secret in Secrets Manager that is read again from time to time, over real HTTP against moto."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from ringback import log
from ringback.errors import ConfigError
from ringback.hosts.keeper import KEPT, KEPT_AT_LEAST, Keeper
from ringback.hosts.kept_secret import KeptSecret
from ringback.web import Request, Response
from tests.amazon import Amazon
from tests.sandbox import Sandbox

TOKEN = "0123456789abcdef0123456789abcdef"
CONFIG = """
thulium: {url: "%s", user: "${THULIUM_USER}", password: "${THULIUM_PASSWORD}"}
log_key: an-invented-key-long-enough
sources:
  crm: {verify: {scheme: token, header: X-Api-Key}, secret: "${CRM_TOKEN}", map: {customer_id: id}, campaign: "00001"}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Amazon]:
    with Amazon() as amazon:
        yield amazon


class Vault:
    """A secret in Secrets Manager, and a clock."""

    def __init__(self, amazon: Amazon) -> None:
        self.amazon = amazon
        self.now = 1000.0
        self.client = boto3.client("secretsmanager")
        self.client.create_secret(Name="ringback", SecretString="{}")

    def put(self, **values: str) -> None:
        self.client.put_secret_value(SecretId="ringback", SecretString=json.dumps(values))

    def clock(self) -> float:
        return self.now

    @property
    def reads(self) -> int:
        return self.amazon.calls.count("GetSecretValue")


@pytest.fixture
def vault(server: Amazon, monkeypatch: pytest.MonkeyPatch) -> Iterator[Vault]:
    server.reset()
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    log.configure()
    vault = Vault(server)
    yield vault
    vault.client.delete_secret(SecretId="ringback", ForceDeleteWithoutRecovery=True)


# --- the secret ---


@pytest.fixture
def secret(vault: Vault) -> KeptSecret:
    return KeptSecret(clock=vault.clock)


def test_secret_is_read_once(vault: Vault, secret: KeptSecret) -> None:
    """Nothing is read before it is asked for, and then once for as long as it is fresh."""
    secret.refresh(0)
    assert (secret.text, vault.reads) == (None, 0)
    assert secret.read("ringback") == secret.read("ringback") == "{}"
    vault.now += 299
    secret.refresh(300)
    assert vault.reads == 1


def test_old_secret_is_read_again(vault: Vault, secret: KeptSecret) -> None:
    """What is old is read again, and what it is by then is what counts."""
    secret.read("ringback")
    vault.put(A="1")
    vault.now += 300
    secret.refresh(300)
    assert secret.read("ringback") == '{"A": "1"}'
    assert vault.reads == 2


def test_unreadable_secret_stays_as_it_was(
    vault: Vault, secret: KeptSecret, capsys: pytest.CaptureFixture[str]
) -> None:
    """When Secrets Manager can't be asked the old one is used, and asking waits for its time like a success."""
    secret.read("ringback")
    vault.amazon.fail("GetSecretValue", times=9)
    vault.now += 300
    secret.refresh(300)
    secret.refresh(300)
    assert secret.text == "{}"
    assert capsys.readouterr().out.count('"secret.unreadable"') == 1


def test_forgotten_secret_is_read_anew(vault: Vault, secret: KeptSecret) -> None:
    """Once forgotten, it is read with the next use, however fresh it was."""
    secret.read("ringback")
    vault.put(A="1")
    secret.forget()
    assert secret.read("ringback") == '{"A": "1"}'


# --- the app that follows it ---


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.add_campaign("00001")
        sandbox.add_customer(441, surname="Lis", phone_number="601000041")
        yield sandbox


@pytest.fixture
def environ(tmp_path: Path, thulium: Sandbox) -> dict[str, str]:
    (tmp_path / "config.yaml").write_text(CONFIG % thulium.url)
    return {"RINGBACK_CONFIG": str(tmp_path / "config.yaml"), "RINGBACK_SECRET_ID": "ringback"}


@pytest.fixture
def keeper(vault: Vault, thulium: Sandbox, environ: dict[str, str]) -> Keeper:
    vault.put(THULIUM_USER=thulium.user, THULIUM_PASSWORD=thulium.password, CRM_TOKEN=TOKEN)
    return Keeper(environ, vault.clock)


def post(keeper: Keeper, token: str = TOKEN) -> Response:
    headers = {"x-api-key": token, "content-type": "application/json"}
    return keeper.handle(Request("POST", "/crm", "", headers, b'{"id": 441}'))


def statuses(answer: Response) -> list[Any]:
    return [each["status"] for each in json.loads(answer.body)["outcomes"]]


def test_rotated_password_needs_no_deployment(vault: Vault, thulium: Sandbox, keeper: Keeper) -> None:
    """Refused by Thulium, the secret is read once again before anything is given up: the very lead is added."""
    assert statuses(post(keeper)) == ["ADDED"]
    thulium.set_password("another")
    vault.put(THULIUM_USER=thulium.user, THULIUM_PASSWORD="another", CRM_TOKEN=TOKEN)
    vault.now += KEPT_AT_LEAST
    assert statuses(post(keeper)) == ["ALREADY_EXISTS"]
    assert vault.reads == 2
    assert statuses(post(keeper)) == ["ALREADY_EXISTS"]
    assert vault.reads == 2


def test_refused_password_makes_no_storm_of_reads(vault: Vault, thulium: Sandbox, keeper: Keeper) -> None:
    """As long as the secret holds nothing better, it is read at most once a minute."""
    thulium.set_password("another")
    vault.now += 1000
    assert [post(keeper).status for _ in range(3)] == [503, 503, 503]
    assert vault.reads == 1
    vault.now += KEPT_AT_LEAST - 1
    assert post(keeper).status == 503
    assert vault.reads == 1


def test_new_secret_is_followed(vault: Vault, thulium: Sandbox, keeper: Keeper) -> None:
    """A sender's new token is taken as soon as what is kept is five minutes old."""
    assert post(keeper).status == 200
    vault.put(THULIUM_USER=thulium.user, THULIUM_PASSWORD=thulium.password, CRM_TOKEN=TOKEN[::-1])
    vault.now += KEPT - 1
    assert (post(keeper).status, post(keeper, TOKEN[::-1]).status) == (200, 401)
    vault.now += 1
    assert (post(keeper).status, post(keeper, TOKEN[::-1]).status) == (401, 200)


def test_bad_new_secret_is_not_followed(
    vault: Vault, thulium: Sandbox, keeper: Keeper, capsys: pytest.CaptureFixture[str]
) -> None:
    """A secret that lacks something now is said in the log, once, and what has worked goes on working."""
    assert post(keeper).status == 200
    vault.put(CRM_TOKEN=TOKEN)
    vault.now += KEPT
    capsys.readouterr()
    assert [post(keeper).status for _ in range(2)] == [200, 200]
    assert capsys.readouterr().out.count('"config.invalid"') == 1


def test_bad_new_secret_does_not_replace_the_password(vault: Vault, thulium: Sandbox, keeper: Keeper) -> None:
    """When Thulium refuses the password and the new secret is bad, the lead waits."""
    assert post(keeper).status == 200
    thulium.set_password("another")
    vault.put(CRM_TOKEN=TOKEN)
    vault.now += KEPT_AT_LEAST
    assert post(keeper).status == 503


def test_mended_secret_is_read_at_once(vault: Vault, thulium: Sandbox, environ: dict[str, str]) -> None:
    """Before anything has worked, each request looks whether the secret has been mended."""
    keeper = Keeper(environ, vault.clock)
    assert post(keeper).status == 503
    vault.put(THULIUM_USER=thulium.user, THULIUM_PASSWORD=thulium.password, CRM_TOKEN=TOKEN)
    assert post(keeper).status == 200


def test_only_sqs_is_delivered(keeper: Keeper, capsys: pytest.CaptureFixture[str]) -> None:
    """Messages that come without a queue being named are not lost: SQS hears of an error, the log why."""
    with pytest.raises(ConfigError, match="RINGBACK_QUEUE"):
        keeper.deliver([], 60)
    assert '"config.invalid"' in capsys.readouterr().out
