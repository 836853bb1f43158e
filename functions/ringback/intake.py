"""Request -> verified events: path, size, handshake and method, signature, content type, body, in this order."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from ringback.body import blank_out, parse, parse_form
from ringback.errors import BadBody, BadSignature, TooLarge, UnsupportedType, WrongMethod
from ringback.event import Event
from ringback.expressions.expression import ExpressionFailed, is_true
from ringback.expressions.path import drop_paths
from ringback.identity import Seen, make_event, name_event
from ringback.secret import Secret
from ringback.settings import Settings, Source
from ringback.verification.handshake import answer_handshake
from ringback.verification.scheme import Scheme, Token, strip
from ringback.verification.signature import verify
from ringback.web import MAX_BODY, Request, Response

URL_TOKEN: tuple[Scheme, ...] = (Token(query="token"),)

MAX_EVENTS = 1000  # of one request; Meta, which sends most, sends as many
MAX_HEAD = 32 * 1024  # bytes of headers and query, which each event is kept with
# Credentials, and the addresses of people: what proxies add, each under a name of its own.
DROPPED_HEADERS = re.compile(
    "(proxy-)?authorization|cookie|forwarded|via|x-forwarded-.*|cf-.*|.*(client|connecting|real|user|remote)-?ip.*"
    "|.*(auth|access|session)-?token.*"
)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def take_in(request: Request, settings: Settings, now: datetime) -> tuple[Source, list[Event]] | Response:
    """Return the source and the verified events of a request, or the answer to what brings no event.

    Raises RefusedRequest: its status and text are the answer.
    """
    source = find_source(request, settings)
    if not request.is_whole:
        raise BadBody("the body breaks off")
    if len(request.body) > MAX_BODY:
        raise TooLarge(f"the body is larger than {MAX_BODY} bytes")
    answer = greet(request, source)
    if answer is not None:
        return answer
    authenticate(request, source, settings, now)
    body, bare = open_up(request, source)
    return source, cut_events(body, bare, source, now, settings.log_key)


def find_source(request: Request, settings: Settings) -> Source:
    """Return the source that the path names. Raises BadSignature: a 404 makes some senders switch a hook off."""
    source = settings.sources.get(request.path.strip("/"))
    if source is None:
        raise BadSignature("unknown source")
    return source


def greet(request: Request, source: Source) -> Response | None:
    """Return the answer to a HEAD, or to what the sender asks before it sends. Raises WrongMethod, BadSignature."""
    if request.method == "HEAD":
        return Response(200)
    answer = answer_handshake(source.handshake, request, secrets=source.secrets, verify_tokens=source.verify_tokens)
    if answer is None and request.method not in source.methods:
        raise WrongMethod(source.methods)
    return answer


def authenticate(request: Request, source: Source, settings: Settings, now: datetime) -> None:
    """Return if the request comes from somebody with the source's secret, and its URL token where one is set."""

    def parse_body() -> object:
        return read_body(request, source)

    if source.tokens:
        verify(URL_TOKEN, source.tokens, request, now, parse=parse_body)
    verify(source.verify, source.secrets, request, now, public_url=settings.public_url, parse=parse_body)


def open_up(request: Request, source: Source) -> tuple[object, Request]:
    """Return what a request says, and the request, both without what proves who sent it. Raises RefusedRequest."""
    bare = strip((*source.verify, *URL_TOKEN), request)
    if len(bare.query) + sum(len(name) + len(value) for name, value in bare.headers.items()) > MAX_HEAD:
        raise TooLarge(f"headers and query are larger than {MAX_HEAD} bytes")
    return drop_paths(blank_out(read_body(bare, source), source.empty), source.proofs), bare


def read_body(request: Request, source: Source) -> object:
    """Return what a request says: its body's content, of a GET its query's. Raises RefusedRequest.

    A body of no type, or of one that is not read here, is taken for the source's assumed one; so is a body that
    begins like JSON where JSON is assumed: many a script forgets to say so.
    """
    if request.method == "GET":
        return parse_form(request.query)
    declared = request.headers.get("content-type", "")
    if (
        source.body
        and "json" in source.body
        and request.body.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] in (b"{", b"[")
    ):
        return parse(request.body, source.body)
    try:
        return parse(request.body, declared)
    except UnsupportedType:
        if not source.body:
            raise
        return parse(request.body, source.body)


def cut_events(body: object, request: Request, source: Source, now: datetime, key: Secret | None) -> list[Event]:
    """Return the events in a body, without those that are no lead at all; ``key`` hashes ids that tell of people.

    A list has one each, an object is one, anything else is one that will be INVALID. Raises TooLarge.
    """
    seen = describe_request(request)
    try:
        found = source.items.search(body)
    except ExpressionFailed as error:
        return [make_event(None, body, seen, source, now, problem={"items": str(error)})]
    if isinstance(found, list):
        items = [item if isinstance(item, Mapping) else {"value": item} for item in found]
        if len(items) > MAX_EVENTS:
            raise TooLarge(f"the request has more than {MAX_EVENTS} events")
        events = [read_event(item, body, seen, source, now, key=key) for item in items]
    else:
        events = [read_event(found, body, seen, source, now, key=key)]
    return [event for event in events if event is not None]


def describe_request(request: Request) -> Seen:
    """Return what expressions see as ``_request``. Cookies, credentials and addresses of people are not in it."""
    headers = {name: value for name, value in request.headers.items() if not DROPPED_HEADERS.fullmatch(name)}
    query = dict(reversed(parse_qsl(request.query, keep_blank_values=True)))
    return {"headers": headers, "query": query}


def read_event(  # noqa: PLR0913 - an event, and all that it came with
    data: object, body: object, request: Seen, source: Source, now: datetime, *, key: Secret | None
) -> Event | None:
    """Return the event in ``data``; None when the preset says that it is no lead."""
    if not isinstance(data, Mapping):
        return make_event(None, data, request, source, now)
    context = {**data, "_body": body, "_request": {**request, "received_at": now.isoformat()}}
    try:
        if not all(is_true(only.search(context)) for only in source.only):
            return None
        event_id = source.event_id.search(context) if source.event_id else None
    except ExpressionFailed as error:
        return make_event(None, data, request, source, now, problem={error.text: str(error)})
    return make_event(name_event(event_id, context, source, key), data, request, source, now)
