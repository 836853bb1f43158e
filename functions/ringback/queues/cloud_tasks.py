"""The queue on Google Cloud: Cloud Tasks calls a private function with each event, and a paused queue keeps the rest.

Cloud Tasks deletes a task after its last try and keeps no dead letters, so what has to be tried again at its own time,
or has to wait for a person, is a new task: https://cloud.google.com/tasks/docs/quotas has the limits named here.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from time import monotonic
from typing import TYPE_CHECKING

from ringback.errors import ConfigError, TooLarge
from ringback.event import Again, Event, Verdict
from ringback.limits import UNLIMITED, Limits
from ringback.outcome import Outcome, Status
from ringback.queues import QueueFailed
from ringback.queues.counter import Counter
from ringback.queues.firestore import FirestoreCounts
from ringback.queues.message import dump_event, give_reason
from ringback.settings import Settings

if TYPE_CHECKING:
    from google.cloud.tasks_v2 import CloudTasksClient

LARGEST = 990_000  # bytes of an event; a task may have 1 MB, with its headers and its address
AT_ONCE = 16  # tasks that are made at the same time: each is a call of its own
PATIENCE = 5.0  # seconds for making the tasks of one request; its sender waits for eight
REPLAY = "replay=1"
# Replayed and parked again, an event rests so long: nobody is to go round in circles while a queue is forgotten open.
REST = timedelta(hours=1)
UNSET = "not set; it has the {} (`make deploy-gcp` sets it)"


class CloudTasksQueue:
    """The queue of that full name, and the one beside it whose name ends in ``-parked``, which is kept paused.

    A task is named by its event's key, and its try from the second on: what is there already, or was there within
    the last hour or so, Cloud Tasks does not take again. So making a task twice does no harm.
    """

    def __init__(  # noqa: PLR0913 - what it works on, and a knob
        self,
        name: str,
        deliver_url: str,
        service_account: str,
        emulator: str | None = None,
        counter: Counter | None = None,
        *,
        patience: float = PATIENCE,
    ) -> None:
        """Remember the names; nothing is connected before it is needed.

        Tasks call ``deliver_url`` with an OpenID Connect token of ``service_account``. ``emulator`` is the
        ``host:port`` of a stand-in for Cloud Tasks. For ``patience`` (seconds) an outage is waited out.
        """
        self._name = name
        self._url = deliver_url
        self._account = service_account
        self._emulator = emulator
        self._counter = counter or Counter()
        self._patience = patience

    def put(self, events: Sequence[Event], now: datetime, limits: Limits = UNLIMITED) -> list[Event]:
        """Make a task of each event. Raises QueueFailed if one is not made, TooLarge for too large an event.

        What is above the ``limits`` is parked, and returned. Tasks that were made stay, and are recognised by their
        names when the sender sends all of it again; that counts like other events: only Cloud Tasks itself knows that
        it has them already.
        """
        marked = self._counter.mark(events, limits, now)
        bodies = [dump_event(event).encode() for event in marked]
        if any(len(body) > LARGEST for body in bodies):
            raise TooLarge(f"one event makes more than the {LARGEST} bytes that the queue takes")
        store = partial(self._store, until=monotonic() + self._patience)
        pairs = list(zip(marked, bodies, strict=True))
        for first in pairs[:1]:  # alone, since it connects
            store(*first)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            storing = [pool.submit(store, *each) for each in pairs[1:]]
        for each in storing:
            each.result()
        return [event for event in marked if event.over]

    def _store(self, event: Event, body: bytes, until: float) -> None:
        if event.over:
            why = describe(Outcome(Status.PARKED, event.over))
            self._make(f"{self._name}-parked", event.key, body, query=f"?{REPLAY}", headers=why, until=until)
        else:
            self._make(self._name, event.key, body, until=until)

    def settle(self, event: Event, verdict: Verdict, now: datetime, *, replayed: bool) -> None:
        """Make the task that an event goes on in, if it does: a later one, or one that is parked. Raises QueueFailed.

        One that was ``replayed`` and is parked again is left alone for an hour.
        """
        following = replace(event, attempt=event.attempt + 1)
        name, body = f"{event.key}-{following.attempt}", dump_event(following).encode()
        if isinstance(verdict, Again):
            self._make(self._name, name, body, at=verdict.at)
        elif verdict.outcome.status.is_replayable:
            self._park(name, body, now, describe(verdict.outcome), replayed=replayed)

    def keep(self, body: bytes, now: datetime, *, replayed: bool) -> None:
        """Park what can't be read, as it is: a newer Ringback may have written it. Raises QueueFailed."""
        self._park(None, body, now, {"X-Ringback-Reason": "unreadable"}, replayed=replayed)

    def _park(self, name: str | None, body: bytes, now: datetime, why: Mapping[str, str], *, replayed: bool) -> None:
        at = now + REST if replayed else None
        self._make(f"{self._name}-parked", name, body, at=at, query=f"?{REPLAY}", headers=why)

    def _make(  # noqa: PLR0913 - a task is made of all that
        self,
        queue: str,
        name: str | None,
        body: bytes,
        *,
        at: datetime | None = None,
        query: str = "",
        headers: Mapping[str, str] | None = None,
        until: float | None = None,
    ) -> None:
        """Make a task, named by Cloud Tasks where ``name`` is None; an outage is waited out until then (monotonic)."""
        request = {
            "url": self._url + query,
            "headers": {"Content-Type": "application/json", **(headers or {})},
            "body": body,
            "oidc_token": {"service_account_email": self._account, "audience": self._url},
        }
        task: dict[str, object] = {"http_request": request, "schedule_time": at}
        if name:
            task["name"] = f"{queue}/tasks/{name}"
        self._create(queue, task, max(0.001, (until or monotonic() + self._patience) - monotonic()))

    def _create(self, queue: str, task: dict[str, object], seconds: float) -> None:
        from google.api_core import exceptions, retry  # noqa: PLC0415 - only Google Cloud has it, and it is slow
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415 - as above

        patiently = retry.Retry(retry.if_exception_type(exceptions.ServiceUnavailable), 0.1, 1.0, timeout=seconds)
        try:
            self._client.create_task(parent=queue, task=task, retry=patiently, timeout=seconds)  # type: ignore[arg-type]  # takes mappings too
        except exceptions.AlreadyExists:
            return
        except (exceptions.GoogleAPIError, GoogleAuthError) as error:
            # The error's own text may hold an address, and the account.
            raise QueueFailed(
                f"Cloud Tasks: {type(error).__name__}; look at the queue {queue} and at the service account's roles"
            ) from None

    @cached_property
    def _client(self) -> "CloudTasksClient":
        from google.cloud.tasks_v2 import CloudTasksClient  # noqa: PLC0415 - as above

        if self._emulator is None:
            return CloudTasksClient()
        import grpc  # noqa: PLC0415 - as above

        transport = CloudTasksClient.get_transport_class("grpc")
        return CloudTasksClient(transport=transport(channel=grpc.insecure_channel(self._emulator)))


def describe(outcome: Outcome) -> dict[str, str]:
    """Return the headers by which a person sees why a task is parked."""
    reason = give_reason((outcome.reason or "").encode("ascii", "replace").decode())
    return {"X-Ringback-Status": outcome.status.value, "X-Ringback-Reason": reason}


def open_cloud_tasks(settings: Settings) -> CloudTasksQueue:
    """Return the queue that the settings name. Raises ConfigError for what the deployment has not set."""
    place = settings.cloud_tasks
    known = {
        "RINGBACK_DELIVER_URL": (place.deliver_url, "URL of the private function"),
        "RINGBACK_SERVICE_ACCOUNT": (place.service_account, "address of the service account that may call it"),
    }
    if unset := [f"{name}: {UNSET.format(what)}" for name, (value, what) in known.items() if not value]:
        raise ConfigError(unset)
    name = (settings.queue or "").removeprefix("cloud-tasks:")
    counter = Counter(FirestoreCounts(settings.counts, place.firestore) if settings.counts else None)
    return CloudTasksQueue(name, str(place.deliver_url), str(place.service_account), place.emulator, counter)
