"""Both doors with one face: a request goes in as HTTP, its answer comes out."""

import base64
import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

import functions_framework
import pytest
import yaml

FUNCTIONS = Path(__file__).parent.parent / "functions"


@dataclass(frozen=True)
class Answer:
    """What a sender gets; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Door(ABC):
    """A door of a fresh process, as far as there is such a thing within one."""

    @abstractmethod
    def send(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a request."""

    def post(self, target: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a POST of JSON."""
        return self.send("POST", target, body, {"Content-Type": "application/json", **(headers or {})})


class Google(Door):
    """``main.py`` under the Functions Framework's own server."""

    def __init__(self) -> None:
        """Start it."""
        self._client = functions_framework.create_app("webhook", str(FUNCTIONS / "main.py")).test_client()

    def send(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a request."""
        got = self._client.open(target, method=method, data=body, headers=dict(headers or {}))
        return Answer(got.status_code, {name.lower(): value for name, value in got.headers}, got.data)


class Amazon(Door):
    """``aws.py``, given the events of a Function URL or of an HTTP API with a stage, the body in base64 or not."""

    def __init__(self, *, stage: str = "$default", encoded: bool = False) -> None:
        """Start it."""
        self._module = load_fresh("aws")
        self._stage = stage
        self._encoded = encoded

    def send(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Return the answer to a request."""
        got = self._module.webhook(self.make_event(method, target, body, headers or {}), None)
        assert got["isBase64Encoded"] is False
        return Answer(got["statusCode"], {k.lower(): v for k, v in got["headers"].items()}, got["body"].encode())

    def make_event(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return the event that AWS makes of a request (payload format 2.0)."""
        path, _, query = target.partition("?")
        start = "" if self._stage == "$default" else f"/{self._stage}"
        encoded = self._encoded or not is_text(body)
        event: dict[str, Any] = {
            "version": "2.0",
            "rawPath": start + path,
            "rawQueryString": query,
            "headers": {name.lower(): value for name, value in headers.items()},
            "requestContext": {"http": {"method": method, "path": start + path}, "stage": self._stage},
            "isBase64Encoded": encoded,
        }
        if body:
            event["body"] = base64.b64encode(body).decode() if encoded else body.decode()
        return event


class RestApi(Amazon):
    """``aws.py``, given the events of a REST API (payload format 1.0)."""

    def make_event(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return the event that AWS makes of a request: its path without the stage, its query taken apart."""
        path, _, query = target.partition("?")
        parameters = parse_qs(query, keep_blank_values=True)
        event: dict[str, Any] = {
            "resource": "/{proxy+}",
            "path": path,
            "httpMethod": method,
            "headers": dict(headers) or None,
            "multiValueHeaders": {name: [value] for name, value in headers.items()} or None,
            "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
            "multiValueQueryStringParameters": parameters or None,
            "requestContext": {"httpMethod": method, "path": f"/prod{path}", "stage": "prod"},
            "isBase64Encoded": not is_text(body),
            "body": None,
        }
        if body:
            event["body"] = body.decode() if is_text(body) else base64.b64encode(body).decode()
        return event


DOORS: Mapping[str, Callable[[], Door]] = {
    "google": Google,
    "function url": Amazon,
    "http api, base64": lambda: Amazon(stage="prod", encoded=True),
    "rest api": RestApi,
}


def open_door(kind: str, config: Mapping[str, Any], folder: Path, patch: pytest.MonkeyPatch, **environ: str) -> Door:
    """Return one of ``DOORS`` in a process that is configured so."""
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(dict(config), allow_unicode=True), "utf-8")
    for name, value in {"RINGBACK_CONFIG": str(path), **environ}.items():
        patch.setenv(name, value)
    return DOORS[kind]()


def is_text(body: bytes) -> bool:
    """Return whether a body can be sent as text: what can't AWS encodes, whatever its type."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def load_fresh(name: str) -> ModuleType:
    """Return a module of a door as a new process has it."""
    spec = importlib.util.spec_from_file_location(f"fresh_{name}", FUNCTIONS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
