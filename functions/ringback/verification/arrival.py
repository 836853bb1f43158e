"""What came with an event: the body that it was in, and of its request what expressions may see, signed or not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl

from ringback.verification.scheme import Hmac, Jws, Scheme, needs_url
from ringback.web import Request

Seen = Mapping[str, Mapping[str, str]]

# Credentials, and the addresses of people: what proxies add, each under a name of its own.
DROPPED_HEADERS = re.compile(
    "(proxy-)?authorization|cookie|forwarded|via|x-forwarded-.*|cf-.*|.*(client|connecting|real|user|remote)-?ip.*"
    "|.*(auth|access|session)-?token.*"
)


@dataclass(frozen=True)
class Arrival:
    """All that is around an event: ``body`` is the whole one, ``at`` when it came (aware, UTC).

    ``seen`` has the ``headers`` and the ``query`` of the request, ``signed`` those of them that the sender has signed,
    and ``id`` is the id that it has signed. Of a sender that signs nothing, and sends a token, all is in ``signed``.
    """

    body: object = field(repr=False)
    seen: Seen = field(repr=False)
    signed: Seen = field(repr=False)
    id: str | None
    at: datetime

    def surround(self, data: Mapping[str, object], seen: Seen) -> dict[str, object]:
        """Return an event as expressions see it before it is stored, with so much of its request."""
        return {**data, "_body": self.body, "_request": {**seen, "id": self.id, "received_at": self.at.isoformat()}}


def arrive(request: Request, body: object, scheme: Scheme | None, at: datetime) -> Arrival:
    """Return what came with the events of a request, which was verified by ``scheme``, at that time.

    Cookies, credentials and addresses of people are not in it.
    """
    headers = {name: value for name, value in request.headers.items() if not DROPPED_HEADERS.fullmatch(name)}
    query = dict(reversed(parse_qsl(request.query, keep_blank_values=True)))
    seen: Seen = {"headers": headers, "query": query}
    if not isinstance(scheme, Hmac | Jws):
        return Arrival(body, seen, seen, None, at)
    name = scheme.id.lower() if isinstance(scheme, Hmac) and scheme.id else ""
    signed = {name: headers[name]} if name in headers else {}
    return Arrival(body, seen, {"headers": signed, "query": query if needs_url(scheme) else {}}, signed.get(name), at)
