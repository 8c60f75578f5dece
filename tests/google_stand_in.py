"""A stand-in for Google on loopback: the token endpoint of a service account, and Vertex AI behind its tokens.

The token endpoint checks an assertion as Google does, with the account's public key. Answers of Vertex AI are the
recordings of `tests/dialects/conversations/vertex*`.
"""

import base64
import json
import threading
import time
from collections.abc import Mapping
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

CONVERSATIONS = Path(__file__).parent / "dialects" / "conversations"
EMAIL = "kyma-tests@acme-1.iam.gserviceaccount.com"
PROJECT = "acme-1"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""What the library puts into every assertion, wherever it sends it."""
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
FAMILIES = {"google": "vertex", "anthropic": "vertex_anthropic", "openapi": "vertex_maas"}


class Asked(msgspec.Struct, frozen=True):
    """One call of Vertex AI, with the token that came along."""

    path: str
    token: str
    body: Mapping[str, Any]


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class GoogleStandIn:
    """Both servers at one address; a context manager. `life_s` is that of the next tokens."""

    def __init__(self, life_s: float = 3600) -> None:
        self.life_s = life_s
        self.is_down = False
        self.refusal: tuple[int, Mapping[str, str]] | None = None
        self.assertions: list[Mapping[str, Any]] = []
        self.asked: list[Asked] = []
        self.cut = False
        self._valid: dict[str, float] = {}
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def service_account(self) -> str:
        """The key file of the account, which names this token endpoint."""
        pem = private_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        info = {"type": "service_account", "project_id": PROJECT, "private_key_id": "k1", "private_key": pem.decode()}
        return json.dumps(info | {"client_email": EMAIL, "client_id": "1", "token_uri": f"{self.url}/token"})

    def revoke(self) -> None:
        """No token that was given out is good any more."""
        with self._changed:
            self._valid.clear()

    def wait_minted(self, count: int, within_s: float = 10.0) -> None:
        """Until so many assertions have come in, refused ones too."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.assertions) >= count, within_s), self.assertions

    def is_good(self, token: str) -> bool:
        return self._valid.get(token, 0) > time.monotonic()

    def grant(self, form: Mapping[str, list[str]]) -> tuple[int, Mapping[str, Any]]:
        """The token endpoint. Source: developers.google.com/identity/protocols/oauth2/service-account, 2026-11-21."""
        with self._changed:
            claims = _verified(form["assertion"][0])
            self.assertions.append(claims)
            self._changed.notify_all()
            if self.refusal is not None:
                return self.refusal
            if form["grant_type"] != [GRANT] or not _is_proper(claims):
                return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
            token = f"ya29.c.stand-in-{len(self.assertions)}"
            self._valid[token] = time.monotonic() + self.life_s
            return 200, {"access_token": token, "expires_in": int(self.life_s), "token_type": "Bearer"}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def recording(path: str, *, is_known: bool) -> tuple[int, bytes]:
    """Status and body of what Vertex AI says at this address."""
    family = next(name for word, name in FAMILIES.items() if f"/{word}" in path)
    if not is_known:
        return 401, (CONVERSATIONS / family / "error_token.json").read_bytes()
    name = "stream.sse" if "stream" in path else "plain.json"
    return 200, (CONVERSATIONS / family / name).read_bytes()


def _handler(google: GoogleStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if google.is_down:
                self.close_connection = True
                return
            if self.path == "/token":
                status, answer = google.grant(parse_qs(body.decode()))
                self._say(status, "application/json", json.dumps(answer).encode())
                return
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            asked = json.loads(body)
            google.asked.append(Asked(self.path, token, asked))
            at = self.path + ("/stream" if asked.get("stream") else "")
            status, said = recording(at, is_known=google.is_good(token))
            kind = "text/event-stream" if status == 200 and "stream" in at else "application/json"
            self._say(status, kind, said)

        def _say(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


def _verified(assertion: str) -> Mapping[str, Any]:
    """The claims, if the account's key signed them; none otherwise."""
    signed, _, signature = assertion.rpartition(".")
    try:
        private_key().public_key().verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return {}
    claims: Mapping[str, Any] = json.loads(_decoded(signed.partition(".")[2]))
    return claims


def _is_proper(claims: Mapping[str, Any]) -> bool:
    if not claims:
        return False
    is_timely = claims["iat"] - 60 <= time.time() < claims["exp"] <= claims["iat"] + 3600
    return is_timely and (claims["iss"], claims["aud"], claims["scope"]) == (EMAIL, AUDIENCE, SCOPE)


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
