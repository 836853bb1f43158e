"""Google Cloud's door: turn a request of the Functions Framework into our own, and our answer into Flask's."""

import os

import flask

from ringback import app
from ringback.hosts.reading import read_body
from ringback.hosts.task import Tasks
from ringback.web import Handle, Request

APP = app.build(os.environ)  # before the framework serves: a bad configuration keeps the old revision running
TASKS = Tasks(APP)
flask.Response.default_mimetype = None  # an answer has the content type that it is given, and no other


def webhook(request: flask.Request) -> flask.Response:
    """Answer one HTTP request of a sender."""
    return answer(request, APP.handle)


def deliver(request: flask.Request) -> flask.Response:
    """Answer one HTTP request of Cloud Tasks, and of no other caller."""
    return answer(request, TASKS.handle)


def answer(request: flask.Request, handle: Handle) -> flask.Response:
    """Return our answer."""
    try:
        connection = request.environ.get("gunicorn.socket")
        body, is_whole = read_body(request.stream, request.content_length or 0, connection), True
    except Exception:  # noqa: BLE001 - each server has errors of its own for a body that is badly framed
        body, is_whole = b"", False
    path, _, query = request.environ["RAW_URI"].partition("?")
    headers = {k.lower(): v for k, v in request.headers.items()}
    found = handle(Request(request.method, path, query, headers, body, is_whole))
    return flask.Response(found.body, found.status, dict(found.headers))


if flask.has_app_context():  # the framework keeps some paths (/robots.txt) from the function: they are answered here
    flask.current_app.register_error_handler(404, lambda _: webhook(flask.request))
