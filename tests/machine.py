"""A machine with a SQLite queue, on which commands are run."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import Result

from ringback.event import Verdict
from ringback.queues.sqlite import SqliteQueue
from tests.configs import run, write_config
from tests.events import NOW, make_event


class Machine:
    """Its configuration, and what was delivered on it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        """Write the configuration, some keys changed."""
        self.path = folder / "queue.db"
        self.environ = write_config(folder, queue=f"sqlite:///{self.path}", **changes)

    def store(self, *contents: Any) -> None:
        """Store an event of each content, which nobody has tried yet: e1, e2 and so on."""
        queue = SqliteQueue(str(self.path))
        queue.put([make_event(number, data=content) for number, content in enumerate(contents, 1)], NOW)
        queue.close()

    def deliver(self, *verdicts: Verdict) -> None:
        """Store an event for each verdict, and settle it so."""
        queue = SqliteQueue(str(self.path))
        queue.put([make_event(number) for number in range(1, len(verdicts) + 1)], NOW)
        queue.settle(zip(queue.take(100, NOW), verdicts, strict=True), NOW + timedelta(seconds=1))
        queue.close()

    def run(self, *arguments: str, given: str = "") -> Result:
        """Run a command there; ``given`` is typed when it asks."""
        return run(*arguments, environ=self.environ, given=given.encode())
