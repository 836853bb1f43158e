"""Which queue keeps the events: the file says so, or the environment of the deployment."""

import re
from collections.abc import Iterator, Mapping
from typing import TypedDict

from ringback.settings import CloudTasks

QUEUE = re.compile(r"(sqlite:///|sqs:|cloud-tasks:)\S.*")
CLOUD_TASKS = re.compile(r"cloud-tasks:projects/[^/\s]+/locations/[^/\s]+/queues/[A-Za-z0-9-]+")
CLOUD_RUN = "K_SERVICE"  # set on Cloud Run, which runs Google's functions
LOSES_ITS_DISK = ("AWS_LAMBDA_FUNCTION_NAME", CLOUD_RUN)


class Chosen(TypedDict):
    """The settings that belong to the queue."""

    queue: str | None
    dead_letter_queue: str | None
    counts: str | None
    cloud_tasks: CloudTasks


def choose_queue(raw: Mapping[str, object], environ: Mapping[str, str]) -> Chosen:
    """Return the queue: the environment wins over ``raw``, the file; ``none`` is none.

    How Cloud Tasks delivers only the deployment knows.
    """
    queue = environ.get("RINGBACK_QUEUE") or raw.get("queue")
    letters = environ.get("RINGBACK_DEAD_LETTER_QUEUE") or raw.get("dead_letter_queue")
    stand_ins = ("CLOUD_TASKS_EMULATOR_HOST", "FIRESTORE_EMULATOR_HOST")
    names = ("RINGBACK_DELIVER_URL", "RINGBACK_SERVICE_ACCOUNT", *stand_ins)
    known = [environ.get(name) or None for name in names]
    return {
        "queue": queue if isinstance(queue, str) and queue != "none" else None,
        "dead_letter_queue": letters if isinstance(letters, str) else None,
        "counts": environ.get("RINGBACK_COUNTS") or None,
        "cloud_tasks": CloudTasks(CLOUD_RUN in environ, *known),
    }


def only_accepts(raw: object, environ: Mapping[str, str]) -> bool:
    """Return whether this is the function that puts events into a cloud's queue, out of which another delivers them.

    The platforms name a function's entry point in its environment: Lambda as ``aws.webhook``, Google as ``webhook``.
    """
    entry = environ.get("_HANDLER") or environ.get("FUNCTION_TARGET") or ""
    queue = choose_queue(raw if isinstance(raw, Mapping) else {}, environ)["queue"] or ""
    return entry.rpartition(".")[2] == "webhook" and queue.startswith(("sqs:", "cloud-tasks:"))


def find_queue_mistakes(chosen: Chosen, environ: Mapping[str, str], *, is_paused: bool) -> Iterator[tuple[str, str]]:
    """Yield where it is said, and what is wrong with the queue, here and with this configuration."""
    queue, where = chosen["queue"], "RINGBACK_QUEUE" if environ.get("RINGBACK_QUEUE") else "queue"
    if queue is None:
        if is_paused:
            yield "paused", "nothing keeps what comes in meanwhile; name a `queue` too"
    elif not QUEUE.fullmatch(queue):
        yield where, "no such queue; write sqlite:///file.db, sqs:<url>, cloud-tasks:<name>, or leave it out"
    elif queue == "sqlite:///:memory:":
        yield where, "memory keeps nothing; write sqlite:///file.db"
    elif queue.startswith("cloud-tasks:") and not CLOUD_TASKS.fullmatch(queue):
        yield where, "not its full name; write cloud-tasks:projects/<project>/locations/<region>/queues/<queue>"
    elif queue.startswith("sqs:") and not chosen["dead_letter_queue"]:
        yield "dead_letter_queue", "an sqs queue needs one, for what a person has to look at"
    elif queue.startswith("sqlite:") and any(name in environ for name in LOSES_ITS_DISK):
        yield where, "the disk is not kept here, and its leads would be lost; take the cloud's own queue"
