"""What one machine runs: the app, and for a SQLite queue the worker."""

from pathlib import Path

import pytest

from ringback import app
from ringback.errors import ConfigError
from ringback.hosts.local import open_sqlite, wire
from ringback.queues import QueueFailed
from tests.configs import read_config, write_config


def test_direct_mode_has_no_worker(tmp_path: Path) -> None:
    """Without a queue there is nothing to empty."""
    built, worker = wire(read_config(tmp_path))
    assert (built.queue, worker) == (None, None)


def test_sqlite_queue_has_a_worker(tmp_path: Path) -> None:
    """With a SQLite queue there is a worker on the very file, which is made at once."""
    built, worker = wire(read_config(tmp_path, queue=f"sqlite:///{tmp_path}/queue.db"))
    assert built.queue is not None
    assert worker is not None
    assert (tmp_path / "queue.db").exists()


def test_file_that_can_not_be_used(tmp_path: Path) -> None:
    """A file that can't be used is found before anything is served."""
    with pytest.raises(QueueFailed, match="is its folder there"):
        wire(read_config(tmp_path, queue=f"sqlite:///{tmp_path}/no/folder/queue.db"))


def test_queue_of_a_cloud_is_refused(tmp_path: Path) -> None:
    """A queue that only its cloud empties is refused, with the way out."""
    queue = "https://sqs.eu-central-1.amazonaws.com/1/leads"
    settings = read_config(tmp_path, queue=f"sqs:{queue}.fifo", dead_letter_queue=f"{queue}-dead.fifo")
    with pytest.raises(ConfigError, match="RINGBACK_QUEUE=none"):
        wire(settings)
    assert open_sqlite(settings) is None


def test_any_other_start_refuses_a_sqlite_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a SQLite queue a start without the worker refuses: nobody would deliver."""
    environ = write_config(tmp_path, queue=f"sqlite:///{tmp_path}/queue.db")
    with pytest.raises(ConfigError, match="start it with `ringback serve`"):
        app.build(environ)
    assert "ringback serve" in capsys.readouterr().out
