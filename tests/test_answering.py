"""How an app's requests are answered in an event loop, and how their events are stored together."""

import asyncio
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ringback.app import App
from ringback.clock import read_clock
from ringback.hosts import committer as committers
from ringback.hosts.committer import Committer
from ringback.hosts.server import SMALL, Answering
from ringback.queues import QueueFailed
from ringback.queues.failures import MOST
from ringback.queues.sqlite.queue import Put, SqliteQueue
from ringback.web import Request, Response
from tests.configs import SECRET, make_source, read_config
from tests.sandbox import Sandbox, faults
from tests.working import until

LEAD = {"name": "Ada Lis", "phone": "601000001"}


def make_request(**lead: str) -> Request:
    """Return a lead as a form sends it."""
    headers = {"x-api-key": SECRET, "content-type": "application/json"}
    return Request("POST", "/website", "", headers, json.dumps({**LEAD, **lead}).encode())


def answer(folder: Path, requests: Sequence[Request], **parts: Any) -> list[Response]:
    """Return the answers to requests that come at once, of an app with a queue; ``parts`` are Answering's."""
    app = App(read_config(folder, sources={"website": make_source(consent=None)}), SqliteQueue(f"{folder}/queue.db"))
    assert isinstance(app.queue, SqliteQueue)
    parts = {"committer": Committer(app.queue.store), **parts}

    async def handle_all() -> list[Response]:
        answering = Answering(app, **parts)
        return await asyncio.gather(*map(answering.handle, requests))

    try:
        return asyncio.run(handle_all())
    finally:
        app.queue.close()


def test_nothing_is_delivered(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    """While no process delivers, requests are asked to come later; the log has some lines, not one for each."""
    get = Request("GET", "/", "", {}, b"")
    answers = answer(tmp_path, [make_request()] * 20 + [get], is_delivering=lambda: False)
    assert {(each.status, each.headers["Retry-After"]) for each in answers} == {(503, "60")}
    assert [line["event"] for line in lines] == ["queue.failed"] * MOST


def test_large_body(tmp_path: Path) -> None:
    """A large body is judged outside of the event loop, and answered as a small one."""
    answers = answer(tmp_path, [make_request(note="x" * SMALL), make_request()])
    assert [each.status for each in answers] == [200, 200]


def test_events_that_can_not_be_stored(tmp_path: Path, lines: list[dict[str, Any]]) -> None:
    """Where a commit fails each request of it is asked to come later."""

    def store(_: Sequence[Put]) -> None:
        raise QueueFailed("the disk is full")

    requests = [make_request(phone=f"60100000{number}") for number in range(3)]
    answers = answer(tmp_path, requests, committer=Committer(store))
    assert [(each.status, each.headers["Retry-After"]) for each in answers] == [(503, "60")] * 3
    assert {line["message"] for line in lines} == {"the disk is full"}


def test_direct_mode_tries_again(tmp_path: Path, thulium: Sandbox) -> None:
    """Without a queue an event that Thulium did not take is tried again while its sender waits."""
    thulium.fail("batch", faults.error(503), times=1)
    access = {"url": thulium.url, "user": thulium.user, "password": thulium.password}
    app = App(read_config(tmp_path, thulium=access, sources={"website": make_source(consent=None)}))
    answering = Answering(app, None)
    response = asyncio.run(answering.handle(make_request()))
    assert [each["status"] for each in json.loads(response.body)["outcomes"]] == ["ADDED"]
    assert thulium.counts["batch"] == 2


# --- commits ---


class Disk:
    """A store that takes as long as a test wants it to, and remembers how many requests each commit had."""

    def __init__(self) -> None:
        """Let it be slow."""
        self.commits: list[int] = []
        self.go_on = threading.Event()

    def store(self, puts: Sequence[Put]) -> None:
        """Store the events of some requests."""
        self.commits.append(len(puts))
        assert self.go_on.wait(20)


async def wait_for_commit(disk: Disk) -> None:
    """Return when the first commit has begun."""
    await asyncio.to_thread(until, lambda: disk.commits)


def test_requests_that_wait_share_a_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that come while a commit is made share the next one, up to a bound; the bell rings after each."""
    monkeypatch.setattr(committers, "MOST_AT_ONCE", 5)
    disk, rung = Disk(), []

    async def put_all() -> None:
        committer = Committer(disk.store, lambda: rung.append(len(disk.commits)))
        first = asyncio.create_task(committer.put(Put([], read_clock())))
        await wait_for_commit(disk)
        others = [asyncio.create_task(committer.put(Put([], read_clock()))) for _ in range(7)]
        await asyncio.sleep(0)
        assert not first.done()
        disk.go_on.set()
        await asyncio.gather(first, *others)

    asyncio.run(put_all())
    assert disk.commits == [1, 5, 2]
    assert rung == [1, 2, 3]


def test_request_that_is_given_up() -> None:
    """A request that does not wait any longer is stored, and the others are told."""
    disk = Disk()

    async def put_three() -> None:
        committer = Committer(disk.store)
        first = asyncio.create_task(committer.put(Put([], read_clock())))
        await wait_for_commit(disk)
        second, third = (asyncio.create_task(committer.put(Put([], read_clock()))) for _ in range(2))
        await asyncio.sleep(0)
        second.cancel()
        disk.go_on.set()
        await asyncio.wait_for(asyncio.gather(first, third), 20)
        assert second.cancelled()

    asyncio.run(put_three())
    assert disk.commits == [1, 2]
