"""What every test file may use."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox import Sandbox

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the project."""
    return ROOT


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this run, the same for all of its processes."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture
def thulium() -> Iterator[Sandbox]:
    """A stand-in Thulium with the campaigns 00001 and 00002."""
    with Sandbox() as sandbox:
        sandbox.add_campaign("00001")
        sandbox.add_campaign("00002")
        yield sandbox


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """What is logged meanwhile, each line as its fields."""
    written: list[dict[str, Any]] = []

    class Keeper(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append({**vars(record), "message": record.getMessage()})

    logger, keeper = logging.getLogger("ringback"), Keeper()
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(keeper)
    yield written
    logger.removeHandler(keeper)
    logger.setLevel(before)
