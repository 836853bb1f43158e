"""What a Lambda function is given of an HTTP request, in both of the forms that there are.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from ringback.web import MAX_BODY, Request


def to_request(event: Mapping[str, Any]) -> Request:
    """Return the request that an event is about: of a Function URL or an HTTP API (2.0), or of a REST API (1.0)."""
    context = event["requestContext"]
    method, path, query, headers = read_first(event) if "httpMethod" in event else read_second(event)
    return Request(method, without_stage(path, context.get("stage", "$default")), query, headers, read_body(event))


def read_first(event: Mapping[str, Any]) -> tuple[str, str, str, dict[str, str]]:
    """Return method, path, query and headers of payload format 1.0.

    It has the query's parameters, and not as they were written: so they are written anew, each character escaped that
    may be. Of a header that came several times the values are joined, as format 2.0 does.
    """
    parameters = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
    headers = event.get("multiValueHeaders") or {name: [text] for name, text in (event.get("headers") or {}).items()}
    joined = {name.lower(): ",".join(values) for name, values in headers.items()}
    query = urlencode(parameters, doseq=True, quote_via=quote, errors="surrogatepass")
    return event["httpMethod"], event["path"], query, joined


def read_second(event: Mapping[str, Any]) -> tuple[str, str, str, dict[str, str]]:
    """Return method, path, query and headers of payload format 2.0, as they came."""
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    return event["requestContext"]["http"]["method"], event["rawPath"], event.get("rawQueryString", ""), headers


def without_stage(path: str, stage: str) -> str:
    """Return the path that the sender means: an API puts the name of a stage, if it has one, before it."""
    return path.removeprefix(f"/{stage}") if path.startswith(f"/{stage}/") else path


def read_body(event: Mapping[str, Any]) -> bytes:
    """Return the body's bytes, of one that is too large the first ``MAX_BODY + 1``."""
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    return raw[: MAX_BODY + 1]
