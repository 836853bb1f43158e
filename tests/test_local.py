"""What one machine runs: the app, and for a SQLite queue the worker."""

import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from socket import socket

import pytest
import requests

from ringback import app
from ringback.errors import ConfigError
from ringback.hosts.life import Life, Pulse
from ringback.hosts.local import DELIVERING, answer, list_works, open_app
from ringback.hosts.server import listen
from ringback.queues import QueueFailed
from ringback.queues.sqlite import open_sqlite
from ringback.queues.sqlite.bell import Bell
from tests.configs import SECRET, read_config, write_config
from tests.service import Service
from tests.working import until


def test_direct_mode_has_one_process(tmp_path: Path) -> None:
    """Without a queue there is nothing to empty."""
    built = open_app(read_config(tmp_path))
    with socket() as listener:
        assert [work.name for work in list_works(built, listener)] == ["answering"]


def test_sqlite_queue_has_a_process_that_delivers(tmp_path: Path) -> None:
    """With a SQLite queue a second process empties its file, which is made at once."""
    built = open_app(read_config(tmp_path, queue=f"sqlite:///{tmp_path}/queue.db"))
    assert (tmp_path / "queue.db").exists()
    with socket() as listener:
        assert [work.name for work in list_works(built, listener)] == ["answering", "delivering"]


def test_file_that_can_not_be_used(tmp_path: Path) -> None:
    """A file that can't be used is found before anything is served."""
    with pytest.raises(QueueFailed, match="is its folder there"):
        open_app(read_config(tmp_path, queue=f"sqlite:///{tmp_path}/no/folder/queue.db"))


def test_queue_of_a_cloud_is_refused(tmp_path: Path) -> None:
    """A queue that only its cloud empties is refused, with the way out."""
    queue = "https://sqs.eu-central-1.amazonaws.com/1/leads"
    settings = read_config(tmp_path, queue=f"sqs:{queue}.fifo", dead_letter_queue=f"{queue}-dead.fifo")
    with pytest.raises(ConfigError, match="RINGBACK_QUEUE=none"):
        open_app(settings)
    assert open_sqlite(settings) is None


def test_any_other_start_refuses_a_sqlite_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a SQLite queue a start without the worker refuses: nobody would deliver."""
    environ = write_config(tmp_path, queue=f"sqlite:///{tmp_path}/queue.db")
    with pytest.raises(ConfigError, match="start it with `ringback serve`"):
        app.build(environ)
    assert "ringback serve" in capsys.readouterr().out


def test_answers_while_nothing_is_delivered(tmp_path: Path) -> None:
    """Where the delivering process is silent each request is asked to come later, until it is at work again."""
    built = open_app(read_config(tmp_path, queue=f"sqlite:///{tmp_path}/queue.db"))
    pulse, listener = Pulse(2, longest_silence=0.3), listen("127.0.0.1", 0)
    url, life = f"http://127.0.0.1:{listener.getsockname()[1]}/", Life(pulse, 0, os.getppid())
    thread = threading.Thread(target=answer, args=(built, Bell(), listener, life))
    thread.start()
    try:
        assert requests.get(url, timeout=20).status_code == 200
        until(lambda: requests.get(url, timeout=20).status_code == 503)
        assert requests.get(url, timeout=20).headers["Retry-After"] == "60"
        pulse.beat(DELIVERING)
        assert requests.get(url, timeout=20).status_code == 200
    finally:
        life.stop.set()
        thread.join(20)


def test_file_that_is_replaced(tmp_path: Path) -> None:
    """When another file lies where the queue's was, events are refused until the processes have begun with it."""
    path = tmp_path / "queue.db"
    body = b'{"name": "Ada Lis", "phone": "601000001", "consent": "yes"}'
    headers = {"X-Api-Key": SECRET, "Content-Type": "application/json"}
    with Service(write_config(tmp_path, queue=f"sqlite:///{path}", paused=True)) as service:
        assert service.ask("POST", "/website", body, headers)[0] == 200
        processes = service.list_processes()
        for pid in processes:  # for neither is to find a part of what is moved
            os.kill(pid, signal.SIGSTOP)
        for file in list(tmp_path.glob("queue.db*")):
            file.rename(tmp_path / f"moved-{file.name}")
        for pid in processes:
            os.kill(pid, signal.SIGCONT)
        statuses = set[int]()

        def is_taken() -> bool:
            with suppress(OSError):  # the process that answers is ending
                statuses.add(service.ask("POST", "/website", body, headers)[0])
            return 200 in statuses

        service.wait_until(is_taken)
        assert statuses <= {200, 503}
        service.wait_until(lambda: service.lines("process.ended"))
        assert service.stop() == 0
    assert service.lines("queue.failed")
