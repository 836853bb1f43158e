"""Deletes requests about a person that `serve --capture` has kept, in any form."""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote_plus

from ringback.encoding import find_charset, inflate
from ringback.errors import RefusedRequest
from ringback.known import list_digits, list_words
from ringback.reports.kept_request import load_request

_NUMBER = re.compile(r"""\d[^a-zA-Z"&=,;:<>{}\[\]\n]{5,}\d""")  # with whatever people write between its digits
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


def forget_captures(folder: Path, *, phone: str | None, texts: list[str], words: list[str]) -> int:
    """Delete the requests in a folder that have all that is given, and return how many.

    ``phone`` are the digits of a number without its country code, ``texts`` an address and an identifier,
    ``words`` those of a name. One thing at least has to be given.
    """
    found = [file for file in folder.glob("*.http") if _mentions(file.read_bytes(), phone, texts, words)]
    for file in found:
        file.unlink()
    return len(found)


def _mentions(content: bytes, phone: str | None, texts: list[str], words: list[str]) -> bool:
    text = "\n".join(_list_readings(_decode(content)))
    if phone and not any(phone in list_digits(found[0]) for found in _NUMBER.finditer(text)):
        return False
    return all(each.casefold() in text.casefold() for each in texts) and set(list_words(text, most=None)).issuperset(
        words
    )


def _decode(content: bytes) -> str:
    """Return a kept request as text, its body unpacked."""
    request = load_request(content)
    if request is None:
        return content.decode("utf-8", "replace")
    try:
        body = inflate(request.body, request.headers.get("content-encoding", ""))
    except RefusedRequest:
        body = request.body
    text = body.decode(find_charset(body, request.headers.get("content-type", "")), "replace")
    return "\n".join((request.path, request.query, *request.headers.values(), text))


def _list_readings(text: str) -> Iterator[str]:
    """Yield a text as it is, as a form reads it, as JSON does, and as XML does."""
    yield text
    yield unquote_plus(text)
    yield _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    yield html.unescape(text)
