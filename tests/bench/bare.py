"""The bare handler: what any function in Python has, and nothing of its own."""

import flask
import marshmallow  # noqa: F401 - what any such function imports
import requests  # noqa: F401 - as above


def webhook(_: flask.Request) -> str:
    """Answer."""
    return "ok"
