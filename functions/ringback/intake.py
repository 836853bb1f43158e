"""Request -> verified events: path, size, handshake and method, signature, content type, body, in this order."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import NamedTuple

from ringback.body import JSON, blank_out, parse
from ringback.encoding import inflate
from ringback.errors import BadBody, BadSignature, RefusedRequest, TooLarge, WrongMethod
from ringback.event import Event
from ringback.expressions.expression import ExpressionFailed, is_true
from ringback.expressions.path import drop_paths
from ringback.form import parse_form
from ringback.identity import find_signed_id, make_event, name_event, read_id
from ringback.settings import Settings, Source
from ringback.verification.arrival import Arrival, arrive
from ringback.verification.handshake import answer_handshake
from ringback.verification.scheme import Scheme, Token, strip
from ringback.verification.signature import verify
from ringback.web import MAX_BODY, Request, Response

URL_TOKEN: tuple[Scheme, ...] = (Token(query="token"),)

MAX_EVENTS = 1000  # of one request; Meta, which sends most, sends as many
MAX_HEAD = 32 * 1024  # bytes of headers and query; no sender is known to need a tenth of it


class Taken(NamedTuple):
    """The events of a verified request; if there are none, ``why_none`` says why."""

    source: Source
    events: list[Event]
    why_none: str | None


def take_in(request: Request, settings: Settings, now: datetime) -> Taken | Response:
    """Return the source and the events of a verified request, or the answer to a request that is no delivery.

    Raises RefusedRequest: its status and text are the answer.
    """
    source = find_source(request, settings)
    if not request.is_whole:
        raise BadBody("the body breaks off")
    if len(request.body) > MAX_BODY:
        raise TooLarge(f"the body is larger than {MAX_BODY} bytes")
    answer = greet(request, source, now)
    if answer is not None:
        return answer
    scheme = authenticate(request, source, settings, now)
    body, bare = open_up(request, source)
    events = cut_events(arrive(bare, body, scheme, now, source.reads), source, settings)
    return Taken(source, events, None if events else explain_none(body, source))


def find_source(request: Request, settings: Settings) -> Source:
    """Return the source that the path names. Raises BadSignature: a 404 makes some senders switch a hook off."""
    source = settings.sources.get(request.path.strip("/"))
    if source is None:
        raise BadSignature("unknown source")
    return source


def greet(request: Request, source: Source, now: datetime) -> Response | None:
    """Return the answer to a HEAD, or to what the sender asks before it sends. Raises WrongMethod, BadSignature."""
    if request.method == "HEAD":
        return Response(200)
    secrets, tokens = (
        [secret for secret in some if not secret.has_ended(now)] for some in (source.secrets, source.verify_tokens)
    )
    answer = answer_handshake(source.handshake, request, secrets=secrets, verify_tokens=tokens)
    if answer is None and request.method not in source.methods:
        raise WrongMethod(source.methods)
    return answer


def authenticate(request: Request, source: Source, settings: Settings, now: datetime) -> Scheme | None:
    """Return the scheme that proves that the sender has the source's secret. Raises BadSignature.

    The signature of a compressed body may be made before or after it was compressed.
    """
    try:
        return prove(request, source, settings, now)
    except BadSignature:
        unpacked = unpack(request)
        if unpacked == request:
            raise
        return prove(unpacked, source, settings, now)


def unpack(request: Request) -> Request:
    """Return the request with its body inflated; as it is if the body is not compressed, or can't be inflated."""
    try:
        return replace(request, body=inflate(request.body, request.headers.get("content-encoding", "")))
    except RefusedRequest:
        return request


def prove(request: Request, source: Source, settings: Settings, now: datetime) -> Scheme | None:
    """Return the scheme whose signature or token the request has; it has the URL token too, if the source has one.

    If the token is in the body, only the types in the source's ``body`` are parsed for it, or else JSON. Raises
    BadSignature.
    """

    def parse_body() -> object:
        return read_body(request, source.body or (JSON,))

    if source.tokens:
        verify(URL_TOKEN, source.tokens, request, now, parse=parse_body)
    return verify(source.verify, source.secrets, request, now, public_url=settings.public_url, parse=parse_body)


def open_up(request: Request, source: Source) -> tuple[object, Request]:
    """Return a request's content, and the request, both without its credentials. Raises RefusedRequest."""
    bare = strip((*source.verify, *URL_TOKEN), request)
    if len(bare.query) + sum(len(name) + len(value) for name, value in bare.headers.items()) > MAX_HEAD:
        raise TooLarge(f"headers and query are larger than {MAX_HEAD} bytes")
    return drop_paths(blank_out(read_body(bare, source.body), source.empty), source.proofs), bare


def read_body(request: Request, types: Sequence[str]) -> object:
    """Return the content of a request's body, of a GET the fields of its query. Raises RefusedRequest."""
    if request.method == "GET":
        return parse_form(request.query)
    body = inflate(request.body, request.headers.get("content-encoding", ""))
    return parse(body, request.headers.get("content-type", ""), types)


def cut_events(arrival: Arrival, source: Source, settings: Settings) -> list[Event]:
    """Return the events in a body, without those that are no lead at all.

    A list has one each, an object is one, anything else is one that will be INVALID. Raises TooLarge.
    """
    try:
        found = source.items.search(arrival.body)
    except ExpressionFailed as error:
        return [make_event(arrival.body, arrival, source, settings.log_key, problem={"items": str(error)})]
    items = [as_object(item) for item in found] if isinstance(found, list) else [found]
    if len(items) > MAX_EVENTS:
        raise TooLarge(f"the request has more than {MAX_EVENTS} events")
    if len(items) * len(json.dumps(arrival.seen)) > MAX_BODY:
        raise TooLarge("the headers and the query that each of the events is kept with are too large for so many")
    events = [read_event(item, arrival, source, settings) for item in items]
    return [event for event in events if event is not None]


def as_object(item: object) -> Mapping[str, object]:
    """Return an element of a list as an event: one that is no object becomes the ``value`` of one."""
    return item if isinstance(item, Mapping) else {"value": item}


def explain_none(body: object, source: Source) -> str:
    """Return why a body has no event, without any text of the body."""
    found = source.items.search(body)
    if not isinstance(found, list):
        return "`only` does not hold"
    return f"`only` holds for none of {len(found)}" if found else "`items` finds an empty list"


def read_event(data: object, arrival: Arrival, source: Source, settings: Settings) -> Event | None:
    """Return the event in ``data``; None when the preset says that it is no lead."""
    make = partial(make_event, data, arrival, source, settings.log_key)
    if not isinstance(data, Mapping):
        return make()
    context = arrival.surround(data, arrival.seen)
    try:
        if not all(is_true(only.search(context)) for only in source.only):
            return None
        event_id = read_id(source.event_id.search(context)) if source.event_id else None
    except ExpressionFailed as error:
        return make(problem={error.text: str(error)})
    name = name_event(event_id, context, source, settings) if event_id else None
    return make(name=name, signed_id=find_signed_id(event_id, data, arrival, source))
