"""Request -> verified events: path, size, handshake and method, signature, content type, body, in this order."""

from collections.abc import Mapping
from datetime import datetime

from ringback.body import blank_out, parse, parse_form
from ringback.errors import BadBody, BadSignature, TooLarge, UnsupportedType, WrongMethod
from ringback.event import Event
from ringback.expressions.expression import ExpressionFailed, is_true
from ringback.expressions.path import drop_paths
from ringback.identity import find_signed_id, make_event, name_event
from ringback.secret import Secret
from ringback.settings import Settings, Source
from ringback.verification.arrival import Arrival, arrive
from ringback.verification.handshake import answer_handshake
from ringback.verification.scheme import Scheme, Token, strip
from ringback.verification.signature import verify
from ringback.web import MAX_BODY, Request, Response

URL_TOKEN: tuple[Scheme, ...] = (Token(query="token"),)

MAX_EVENTS = 1000  # of one request; Meta, which sends most, sends as many
MAX_HEAD = 32 * 1024  # bytes of headers and query, which each event is kept with
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
    answer = greet(request, source, now)
    if answer is not None:
        return answer
    scheme = authenticate(request, source, settings, now)
    body, bare = open_up(request, source)
    return source, cut_events(arrive(bare, body, scheme, now), source, settings.log_key)


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
    """Return the scheme that proves that the sender has the source's secret, and its URL token where one is set."""

    def parse_body() -> object:
        return read_body(request, source)

    if source.tokens:
        verify(URL_TOKEN, source.tokens, request, now, parse=parse_body)
    return verify(source.verify, source.secrets, request, now, public_url=settings.public_url, parse=parse_body)


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


def cut_events(arrival: Arrival, source: Source, key: Secret | None) -> list[Event]:
    """Return the events in a body, without those that are no lead at all; ``key`` hashes ids that tell of people.

    A list has one each, an object is one, anything else is one that will be INVALID. Raises TooLarge.
    """
    try:
        found = source.items.search(arrival.body)
    except ExpressionFailed as error:
        return [make_event(arrival.body, arrival, source, problem={"items": str(error)})]
    if isinstance(found, list):
        items = [item if isinstance(item, Mapping) else {"value": item} for item in found]
        if len(items) > MAX_EVENTS:
            raise TooLarge(f"the request has more than {MAX_EVENTS} events")
        events = [read_event(item, arrival, source, key) for item in items]
    else:
        events = [read_event(found, arrival, source, key)]
    return [event for event in events if event is not None]


def read_event(data: object, arrival: Arrival, source: Source, key: Secret | None) -> Event | None:
    """Return the event in ``data``; None when the preset says that it is no lead."""
    if not isinstance(data, Mapping):
        return make_event(data, arrival, source)
    context = arrival.surround(data, arrival.seen)
    try:
        if not all(is_true(only.search(context)) for only in source.only):
            return None
        event_id = source.event_id.search(context) if source.event_id else None
    except ExpressionFailed as error:
        return make_event(data, arrival, source, problem={error.text: str(error)})
    name = name_event(event_id, context, source, key)
    signed = find_signed_id(name, data, arrival, source, key)
    return make_event(data, arrival, source, event_id=name, signed_id=signed)
