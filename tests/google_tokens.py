"""Tokens as Google signs them, with keys of our own, and a server on loopback that has their certificates."""

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from google.auth import crypt, jwt

URL = "https://deliver.example.com"
ACCOUNT = "ringback@acme.example.com"


class Key:
    """A key with its certificate."""

    def __init__(self, name: str) -> None:
        key = rsa.generate_private_key(65537, 2048)
        self.name = name
        self._pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "invented")])
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(key, SHA256())
        )
        self.certificate = certificate.public_bytes(Encoding.PEM).decode()

    def sign(self, **changes: Any) -> str:
        """Return a token as Cloud Tasks sends it, some claims changed; None takes one away."""
        now = int(time.time())
        claims = {
            "iss": "https://accounts.google.com",
            "aud": URL,
            "azp": "1234567890",
            "sub": "1234567890",
            "email": ACCOUNT,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
            **changes,
        }
        signer = crypt.RSASigner.from_string(self._pem, self.name)
        return bytes(jwt.encode(signer, {name: value for name, value in claims.items() if value is not None})).decode()


class Certificates:
    """The server, while the ``with`` lasts. ``answer`` is what it says of the keys it has; ``calls`` counts."""

    def __init__(self, *keys: Key) -> None:
        self.calls = 0
        self.answer: Callable[[], tuple[int, bytes]] = lambda: (200, json.dumps(self.known).encode())
        self.known = {key.name: key.certificate for key in keys}

    def __enter__(self) -> Self:
        """Listen."""
        certificates = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                certificates.calls += 1
                status, content = certificates.answer()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/certs"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
