"""The ways an event can go, with one face: sent, delivered, and tried again by whoever does that."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from ringback.app import App
from ringback.group import make_grouping
from ringback.hosts import task
from ringback.hosts.handed_over import deliver_messages
from ringback.pipeline import Pipeline
from ringback.queues.cloud_tasks import CloudTasksQueue
from ringback.queues.sqlite import SqliteQueue
from ringback.queues.sqlite.worker import Way
from ringback.queues.sqs import SqsQueue
from ringback.settings import Settings
from ringback.web import Request, Response
from tests.amazon import Amazon, feed
from tests.cloud_tasks import CloudTasks
from tests.given import SECRET
from tests.working import work_off

Lead = Mapping[str, Any]
LATER = timedelta(hours=2)  # longer than any wait between two tries


class Journey(ABC):
    """What sends leads to an app. Each try is made as by a new process: nothing is remembered but by the queue."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings of the source ``website``."""
        self.settings = settings
        self.now = datetime.now(UTC)

    @abstractmethod
    def send(self, leads: Sequence[Lead]) -> Response:
        """Post the leads, have them delivered once, and return what their sender is answered."""

    @abstractmethod
    def go_on(self) -> None:
        """Have what is not done tried again, some time later."""

    def post(self, app: App, leads: Sequence[Lead]) -> Response:
        """Return an app's answer to leads that come in one request."""
        headers = {"x-api-key": SECRET, "content-type": "application/json"}
        return app.handle(Request("POST", "/website", "", headers, json.dumps(leads).encode()))


class Direct(Journey):
    """No queue: the sender sends again what was not answered with 200."""

    def send(self, leads: Sequence[Lead]) -> Response:
        """Post the leads to a new app."""
        self.leads = leads
        self.answer = self.post(App(self.settings, clock=lambda: self.now), leads)
        return self.answer

    def go_on(self) -> None:
        """Send it all once more, unless the answer was 200."""
        self.now += LATER
        if self.answer.status != 200:
            self.send(self.leads)


class Sqlite(Journey):
    """A SQLite file and its worker."""

    def __init__(self, settings: Settings, queue: SqliteQueue) -> None:
        """Take the queue too."""
        super().__init__(settings)
        self.queue = queue

    def send(self, leads: Sequence[Lead]) -> Response:
        """Put the leads into the file, and let a worker take one step."""
        answer = self.post(App(self.settings, self.queue, clock=lambda: self.now), leads)
        self.step()
        return answer

    def step(self) -> None:
        """Let a new worker take one step."""
        work_off(self.queue, Way(Pipeline(self.settings).deliver), lambda: self.now)

    def go_on(self) -> None:
        """Take another step when the next try is due."""
        self.now += LATER
        self.step()


class Sqs(Journey):
    """SQS, and what Lambda's event source does."""

    def __init__(self, settings: Settings, amazon: Amazon) -> None:
        """Make two queues."""
        super().__init__(settings)
        self.amazon = amazon
        self.url = amazon.make_queue("leads")
        self.queue = SqsQueue(self.url, amazon.make_queue("letters"), make_grouping(settings))

    def send(self, leads: Sequence[Lead]) -> Response:
        """Put the leads into the queue, and have them handed over once."""
        answer = self.post(App(self.settings, self.queue), leads)
        self.step()
        return answer

    def step(self) -> None:
        """Hand over what is due."""
        deliver = partial(self._deliver, Pipeline(self.settings))
        feed(self.amazon, self.url, deliver)

    def _deliver(self, pipeline: Pipeline, event: Mapping[str, Any]) -> Mapping[str, Any]:
        deliver, is_too_old = pipeline.deliver, pipeline.is_too_old
        undone = deliver_messages(event["Records"], self.queue, deliver, lambda: datetime.now(UTC), is_too_old)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in undone]}

    def go_on(self) -> None:
        """Hand over again what was hidden."""
        self.amazon.pass_time(self.url, LATER.total_seconds())
        self.step()


class Tasks(Journey):
    """Cloud Tasks, which calls the private function with one event at a time."""

    def __init__(self, settings: Settings, cloud: CloudTasks) -> None:
        """Take the stand-in, without any task yet."""
        super().__init__(settings)
        cloud.tasks.clear()
        self.cloud = cloud
        self.done = 0
        self.queue = CloudTasksQueue(
            "projects/invented/locations/europe-central2/queues/ringback",
            "https://deliver.example.com",
            "tasks@example.com",
            cloud.address,
        )

    def send(self, leads: Sequence[Lead]) -> Response:
        """Make a task of each lead, and have each handed over once."""
        answer = self.post(App(self.settings, self.queue, clock=lambda: self.now), leads)
        self.step()
        return answer

    def step(self) -> None:
        """Hand over the tasks that were made since the last step."""
        made = self.cloud.tasks[self.done :]
        self.done += len(made)
        deliver = Pipeline(self.settings).deliver
        for each in made:
            request = Request("POST", "/", "", {}, each.http_request.body)
            task.settle(request, self.queue, deliver, lambda: self.now)

    def go_on(self) -> None:
        """Hand over the tasks of the next try."""
        self.now += LATER
        self.step()
