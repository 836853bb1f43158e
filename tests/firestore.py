"""A stand-in for Firestore that adds to the fields of documents: an HTTP server on loopback.

https://cloud.google.com/firestore/docs/reference/rest/v1/projects.databases.documents/commit
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Firestore:
    """``documents`` are by their full names. ``failures`` are the answers to the next calls: status and body."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}
        self.failures: list[tuple[int, bytes]] = []
        self.calls: list[str] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        """Listen."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), make_handler(self))
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Return the answer to a POST."""
        with self._lock:
            self.calls.append(path)
            if self.failures:
                return self.failures.pop(0)
            assert path.endswith("/documents:commit")
            return 200, json.dumps(
                {"writeResults": [self._write(each) for each in json.loads(body)["writes"]]}
            ).encode()

    def _write(self, write: dict[str, Any]) -> dict[str, Any]:
        """Do a write: only the fields of the mask are set, and additions are to what is there."""
        document = self.documents.setdefault(write["update"]["name"], {})
        document.update({name: write["update"]["fields"][name] for name in write["updateMask"]["fieldPaths"]})
        results = []
        for each in write["updateTransforms"]:
            before = int(document.get(each["fieldPath"], {"integerValue": "0"})["integerValue"])
            document[each["fieldPath"]] = {"integerValue": str(before + int(each["increment"]["integerValue"]))}
            results.append(document[each["fieldPath"]])
        return {"updateTime": "2026-03-02T09:30:00Z", "transformResults": results}


def make_handler(store: Firestore) -> type[BaseHTTPRequestHandler]:
    """Return what answers requests for a store."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, content = store.answer(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
