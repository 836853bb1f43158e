"""What senders ask before or beside their events, and what they want to hear.

None of it is signed: so nothing is answered but what was sent, as text, or what proves that we know a secret; and
nothing is done. A question's form is strict, so that no event is taken for one.
"""

import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ringback.errors import BadSignature
from ringback.secret import Secret
from ringback.verification.scheme import query_value
from ringback.web import Request, Response, answer_json

MAX_CHALLENGE = 1024  # characters; the longest known has some 150
MAX_QUESTION = 4096  # bytes of a body that asks something
# What is echoed is text to every browser, whatever it looks like.
ECHO_HEADERS = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}


@dataclass(frozen=True)
class AnswerGet:
    """A GET is answered 200: the sender looks whether the URL is there."""

    method: ClassVar[str] = "GET"


@dataclass(frozen=True)
class AnswerEmptyPost:
    """A POST with an empty body is answered 200."""

    method: ClassVar[str] = "POST"


@dataclass(frozen=True)
class AnswerPing:
    """A POST with a form of one ``field``, a number, is answered 200."""

    field: str
    method: ClassVar[str] = "POST"


@dataclass(frozen=True)
class EchoQuery:
    """A query parameter is answered as text, if the query also has what is ``given``, and the body is empty.

    ``token`` names the query parameter that has to hold the source's ``verify_token``; "" asks for none.
    """

    query: str
    method: str = "GET"
    token: str = ""
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EchoJson:
    """The ``field`` of a JSON object that has nothing but it and what may stand ``beside`` it is answered as JSON."""

    field: str
    beside: tuple[str, ...] = ()
    method: ClassVar[str] = "POST"


@dataclass(frozen=True)
class SignQuery:
    """A query parameter is answered, with its hex HMAC-SHA256 as ``answer``, in JSON; the key is the first secret.

    https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation has it. Whoever asks gets signatures,
    so what is signed must never be what an event's signature is over: only letters, digits and dashes are.
    """

    query: str
    answer: str
    method: ClassVar[str] = "GET"


Handshake = AnswerGet | AnswerEmptyPost | AnswerPing | EchoQuery | EchoJson | SignQuery


def answer_handshake(
    handshakes: Sequence[Handshake],
    request: Request,
    *,
    secrets: Sequence[Secret] = (),
    verify_tokens: Sequence[Secret] = (),
) -> Response | None:
    """Return what the request asks for if it is a handshake, else None: then it is to be verified like any other.

    An answer without a body says no more than its status. Raise BadSignature for a question with a wrong token.
    """
    for handshake in handshakes:
        if handshake.method == request.method:
            answer = _answer(handshake, request, secrets, verify_tokens)
            if answer:
                return answer
    return None


def _answer(
    handshake: Handshake, request: Request, secrets: Sequence[Secret], verify_tokens: Sequence[Secret]
) -> Response | None:
    match handshake:
        case EchoQuery():
            return _echo_query(handshake, request, verify_tokens)
        case EchoJson():
            return _echo_json(handshake, request)
        case AnswerPing():
            is_asked = re.fullmatch(re.escape(handshake.field.encode()) + b"=[0-9]{1,20}", request.body)
            return Response(200) if is_asked else None
        case AnswerEmptyPost():
            return None if request.body else Response(200)
        case AnswerGet():
            return Response(200)
        case _:
            return _sign_query(handshake, request, secrets)


def _echo_query(handshake: EchoQuery, request: Request, verify_tokens: Sequence[Secret]) -> Response | None:
    challenge = query_value(request.query, handshake.query)
    given = all(query_value(request.query, name) == value for name, value in handshake.given.items())
    if not challenge or len(challenge) > MAX_CHALLENGE or not given or request.body:
        return None
    if handshake.token:
        _require_token(query_value(request.query, handshake.token), verify_tokens)
    return Response(200, challenge.encode("utf-8", "replace"), ECHO_HEADERS)


def _require_token(sent: str | None, verify_tokens: Sequence[Secret]) -> None:
    if not verify_tokens or not all(token.text.strip() for token in verify_tokens):
        raise BadSignature("no verify_token is configured, or it has ended")
    told = (sent or "").encode("utf-8", "surrogatepass")
    if not any([hmac.compare_digest(told, token.encode()) for token in verify_tokens]):  # noqa: C419 - all are compared
        raise BadSignature("wrong verify_token")


def _echo_json(handshake: EchoJson, request: Request) -> Response | None:
    try:
        data = json.loads(request.body) if len(request.body) <= MAX_QUESTION else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not data.keys() <= {handshake.field, *handshake.beside}:
        return None
    challenge = data.get(handshake.field)
    if not isinstance(challenge, str) or len(challenge) > MAX_CHALLENGE:
        return None
    return answer_json(200, {handshake.field: challenge}, {"X-Content-Type-Options": "nosniff"})


def _sign_query(handshake: SignQuery, request: Request, secrets: Sequence[Secret]) -> Response | None:
    challenge = query_value(request.query, handshake.query)
    if challenge is None or not re.fullmatch("[0-9A-Za-z-]{1,64}", challenge):
        return None
    if not secrets or not secrets[0].text.strip():
        raise BadSignature("no secret is configured, or it has ended")
    answer = hmac.digest(secrets[0].encode(), challenge.encode(), "sha256").hex()
    return answer_json(200, {handshake.query: challenge, handshake.answer: answer})
