"""Completes a thin event: one GET whose reply is merged under it."""

import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

from ringback.encoding import find_charset
from ringback.errors import CallFailed, RefusedRequest
from ringback.event import Event
from ringback.expressions.expression import ExpressionFailed, is_true
from ringback.json_text import parse_json
from ringback.outcome import Outcome, Status
from ringback.settings import Fetch
from ringback.thulium.replies import is_success, read_retry_after
from ringback.thulium.url import PLACEHOLDER
from ringback.thulium.wire import Reply, Wire

GONE = (404, 410)  # what does not exist, with every sender


def complete(event: Event, fetch: Fetch, wire: Wire, seconds: float) -> Event | Outcome:
    """Return ``event`` with what its sender says of it when asked, or the outcome of an event that can't be completed.

    What does not exist is FAILED, all else that fails DEFERRED: a person can mend it, and the event comes back.
    """
    data = event.data if isinstance(event.data, Mapping) else {}
    values = {path: find(data, path) for path in PLACEHOLDER.findall(fetch.url)}
    missing = [path for path, value in values.items() if not fits(value)]
    if missing:
        fields = dict.fromkeys(missing, "missing, and needed to fetch the rest")
        reason = "; ".join(f"{name}: {why}" for name, why in fields.items())
        return Outcome(Status.INVALID, reason, fields=fields)
    url = PLACEHOLDER.sub(lambda found: quote(str(values[found[1]]), safe=""), fetch.url)
    headers = {name: secret.text for name, secret in fetch.headers.items()}
    if seconds <= 0:
        return Outcome(Status.DEFERRED, "fetch: no time left")
    try:
        return merge(event, data, wire.call("GET", url, seconds=seconds, headers=headers), fetch)
    except CallFailed as error:
        return Outcome(Status.DEFERRED, f"fetch: {error.reason}")


def find(data: object, path: str) -> object:
    """Return what is at a path of names and dots, None for nothing."""
    for name in path.split("."):
        data = data.get(name) if isinstance(data, Mapping) else None
    return data


def fits(value: object) -> bool:
    """Return whether a value can stand in a path: dots alone would lead elsewhere, and nothing to all there is."""
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip(". ") != ""


def merge(event: Event, data: Mapping[str, object], reply: Reply, fetch: Fetch) -> Event | Outcome:
    """Return the event with the reply's fields under its own, or what the reply means if it is no object."""
    try:
        charset = find_charset(reply.body, reply.headers.get("content-type", ""))
        content = parse_json(reply.body.decode(charset, "replace"))
    except RefusedRequest:
        content = None
    if is_success(reply):
        if isinstance(content, dict):
            return replace(event, data={**content, **data})
        return Outcome(Status.DEFERRED, "fetch: the reply is no object", http_status=reply.status)
    if reply.status in GONE or says_gone(content, fetch):
        return Outcome(Status.FAILED, "fetch: it does not exist any more", http_status=reply.status)
    retry_after = read_retry_after(reply.headers.get("retry-after", ""), time.time())
    reason = f"fetch: refused with {reply.status}"
    return Outcome(Status.DEFERRED, reason, http_status=reply.status, retry_after=retry_after)


def says_gone(content: object, fetch: Fetch) -> bool:
    """Return whether an error reply says that the thing does not exist, where that needs more than a status."""
    try:
        return fetch.gone is not None and is_true(fetch.gone.search(content))
    except ExpressionFailed:
        return False
