"""What people and tools really send: each case of ``tests/fixtures/sent`` ends as a person would expect.

A case has the ``source``'s keys, the ``body`` (or ``base64`` of it) with its ``content_type``, ``top`` for keys at the
top of the configuration, and of the ``leads`` that are to come of it the customers that Thulium is to have, ``SKIPPED``
or ``{INVALID: [fields]}``; or the numbers and addresses that are to be ``stopped``. ``shown`` is what a preview shows,
which knows no customers, if that is something else.
"""

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringback import log
from ringback.app import App
from ringback.web import Request
from tests.configs import run
from tests.given import load
from tests.sandbox import Sandbox

FOLDER = Path(__file__).parent / "fixtures" / "sent"
CASES = sorted(FOLDER.glob("*.yaml"))
STOP = 6


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    """A stand-in Thulium with the campaign."""
    with Sandbox() as sandbox:
        sandbox.add_campaign("00001")
        yield sandbox


def read(file: Path) -> tuple[dict[str, Any], bytes]:
    """Return a case and its body."""
    case = yaml.safe_load(file.read_text("utf-8"))
    return case, base64.b64decode(case["base64"]) if "base64" in case else case["body"].encode()


def configure(case: dict[str, Any], url: str = "https://acme.thulium.com", **campaign: Any) -> dict[str, Any]:
    """Return the configuration of a case."""
    return {
        "thulium": {"url": url, "user": "ringback", "password": "only-for-the-sandbox"},
        "public_url": "https://hooks.example.com",
        "log_key": "an-invented-key-long-enough",
        "campaigns": {"callbacks": {"id": "00001", "set": {"status_id": 3}, "stop": {"status_id": STOP}, **campaign}},
        "sources": {"s": case["source"]},
        **case.get("top", {}),
    }


def send(case: dict[str, Any], body: bytes, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Have a body answered in direct mode by a source that asks for no proof; return what became of its events."""
    log.configure()
    source = {**case["source"], "verify": "none"}
    source.pop("secret", None)
    query = f"token={source['token']}" if "token" in source else ""
    settings = load(configure({**case, "source": source}, thulium.url, later={"status_id": 7}))
    headers = {"content-type": case["content_type"]} if "content_type" in case else {}
    answer = App(settings).handle(Request("POST", "/s", query, headers, body))
    assert answer.status in {200, 422}, answer.body
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["status"] for line in lines if line["event"] == "customer.outcome"]


@pytest.mark.parametrize("file", [file for file in CASES if "leads" in read(file)[0]], ids=lambda file: file.stem)
def test_lead(file: Path, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """The right person is put into the campaign, with what they typed as it is meant, or none and it is said why."""
    case, body = read(file)
    told = send(case, body, thulium, capsys)
    wanted = [lead for lead in case["leads"] if isinstance(lead, dict) and "INVALID" not in lead]
    others = [lead if isinstance(lead, str) else "INVALID" for lead in case["leads"] if lead not in wanted]
    assert sorted(told) == sorted(["ADDED"] * len(wanted) + others)
    for lead in wanted:
        (customer,) = [each for each in thulium.customers if lead["phone_number"] in each["phone_numbers"]]
        found = {name: customer[name] for name in lead if name in ("name", "surname", "note")}
        assert found == {name: lead[name] for name in found}
        assert customer["emails"] == [lead["email"]] if "email" in lead else True
    assert len(thulium.customers) == len(thulium.records("00001")) == len(wanted)


@pytest.mark.parametrize("file", [file for file in CASES if "stopped" in read(file)[0]], ids=lambda file: file.stem)
def test_opt_out(file: Path, thulium: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    """Every customer with a number or an address that is in it gets the status of those that are not called."""
    case, body = read(file)
    for number, known in enumerate(case["stopped"], 1):
        field = {"email": known} if "@" in known else {"phone_number": known}
        thulium.add_customer(number, surname="Kruk", **field)
    told = send(case, body, thulium, capsys)
    assert set(told) == {"STOPPED"}
    assert {record["customer_id"] for record in thulium.records("00001")} == set(range(1, len(case["stopped"]) + 1))
    assert {record["status_id"] for record in thulium.records("00001")} == {STOP}


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_preview(file: Path, tmp_path: Path) -> None:
    """`ringback preview` shows the same, also with a configuration that lacks a key which does not concern it."""
    case, body = read(file)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(configure(case), allow_unicode=True), "utf-8")
    (tmp_path / "body").write_bytes(body)
    header = ["--header", f"Content-Type: {case['content_type']}"] if "content_type" in case else []
    environ = {"RINGBACK_CONFIG": str(tmp_path / "config.yaml")}
    told = run("preview", "s", str(tmp_path / "body"), *header, environ=environ).stdout
    for lead in case.get("shown", case.get("leads", [])):
        values = [lead] if isinstance(lead, str) else [*lead.get("INVALID", lead.values())]
        assert all(json.dumps(value, ensure_ascii=False)[1:-1] in told for value in values), told
    assert all(known in told for known in case.get("stopped", []))
