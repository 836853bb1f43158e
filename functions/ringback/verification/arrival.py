"""What came with an event: the body that it was in, and of its request what expressions may see, signed or not."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

from ringback.leads.telling import is_random_hex
from ringback.verification.scheme import Hmac, Jws, Scheme, needs_url
from ringback.web import Request

Seen = Mapping[str, Mapping[str, str]]

# The platforms' ids of a request, each in its own form: whoever calls may write into these headers what they like.
# https://www.w3.org/TR/trace-context/, https://cloud.google.com/trace/docs/trace-context, and
# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
TRACES = {
    "traceparent": re.compile("[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}"),
    "x-cloud-trace-context": re.compile("([0-9a-f]{32})"),
    "x-amzn-trace-id": re.compile("Root=1-[0-9a-f]{8}-([0-9a-f]{24})"),
}


@dataclass(frozen=True)
class Arrival:
    """All that is around an event: ``body`` is the whole one, ``at`` when it came (aware, UTC).

    ``seen`` has, of the request's ``headers`` and ``query``, those that the source's rules read, ``signed`` those of
    them that the sender has signed, and ``id`` is the id that it has signed. Of a sender that signs nothing, and sends
    a token, all is in ``signed``. ``trace`` is the platform's id of the request.
    """

    body: object = field(repr=False)
    seen: Seen = field(repr=False)
    signed: Seen = field(repr=False)
    id: str | None
    trace: str | None
    at: datetime

    def surround(self, data: Mapping[str, object], seen: Seen) -> dict[str, object]:
        """Return an event as expressions see it before it is stored, with so much of its request."""
        return {**data, "_body": self.body, "_request": {**seen, "id": self.id, "received_at": self.at.isoformat()}}


def arrive(
    request: Request, body: object, scheme: Scheme | None, at: datetime, reads: AbstractSet[tuple[str, ...]]
) -> Arrival:
    """Return what came with the events of a request, which was verified by ``scheme``, at that time.

    Of headers and query it has what ``reads`` names: ``("headers", "x-topic")``, ``("query", "page")``.
    """
    query = dict(reversed(parse_qsl(request.query, keep_blank_values=True)))
    trace = find_trace(request.headers)
    if not isinstance(scheme, Hmac | Jws):
        seen = _keep(reads, request.headers, query)
        return Arrival(body, seen, seen, None, trace, at)
    name = scheme.id.lower() if isinstance(scheme, Hmac) and scheme.id else ""
    signed = {name: request.headers[name]} if name in request.headers else {}
    return Arrival(
        body,
        seen=_keep(reads, request.headers, query),
        signed=_keep(reads, signed, query if needs_url(scheme) else {}),
        id=signed.get(name),
        trace=trace,
        at=at,
    )


def _keep(reads: AbstractSet[tuple[str, ...]], headers: Mapping[str, str], query: Mapping[str, str]) -> Seen:
    parts = {"headers": headers, "query": query}
    return {
        part: {name: value for name, value in values.items() if (part, name) in reads} for part, values in parts.items()
    }


def find_trace(headers: Mapping[str, str]) -> str | None:
    """Return the platform's id of the request, by which its own lines in the log are found.

    It is one that a machine has made: what is a number written long is none.
    """
    found = (form.match(headers.get(name, "")) for name, form in TRACES.items())
    return next((each[0] for each in found if each and all(map(is_random_hex, each.groups()))), None)
