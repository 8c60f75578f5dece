"""AWS Signature Version 4 for requests with a body, computed with the standard library.

Source: AWS's IAM user guide, "Create a signed AWS API request", 2026. Checked against AWS's own test suite.
"""

import hmac
import time
from hashlib import sha256
from itertools import pairwise
from urllib.parse import quote

import msgspec

from kyma.core.credential import Credential
from kyma.core.ids import Clock
from kyma.core.upstream import Origin

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "bedrock"
ENDPOINT = "bedrock-runtime"
DEFAULT_REGION = "us-east-1"
"""For an address that names none, e.g. a proxy of the operator's own."""


class AwsKey(msgspec.Struct, frozen=True):
    access_key_id: str
    secret: str
    session_token: str = ""


def aws_key(credential: Credential) -> AwsKey | None:
    """The parts of a secret of several lines; None for a single line, which is a Bedrock API key."""
    lines = credential.secret.split("\n")
    return AwsKey(*lines[:3]) if len(lines) > 1 else None


def region_of(host: str) -> str:
    """The label behind the endpoint's own: `bedrock-runtime.eu-west-1.amazonaws.com`, a VPC's endpoints alike."""
    labels = host.split(".")
    for label, following in pairwise(labels):
        if label.startswith(ENDPOINT):
            return following
    return DEFAULT_REGION


class Signer:
    """Signs requests to one region and service with one key; the key that is derived from it is good for a day."""

    def __init__(self, key: AwsKey, clock: Clock, region: str, service: str = SERVICE) -> None:
        self._key = key
        self._clock = clock
        self._region = region
        self._service = service
        self._day = ""
        self._signing_key = b""
        self._paths: dict[str, bytes] = {}

    def sign(
        self, method: str, origin: Origin, path: str, headers: tuple[tuple[bytes, bytes], ...], body: bytes
    ) -> tuple[tuple[bytes, bytes], ...]:
        """The headers to add. `path` is as it goes on the wire; `headers` may not be changed afterwards."""
        stamp = time_stamp(self._clock.now_ms())
        added = [(b"x-amz-date", stamp.encode())]
        if self._key.session_token:
            added.append((b"x-amz-security-token", self._key.session_token.encode()))
        known = ((b"host", origin.host_header.encode()), *headers, *added)
        request, names = canonical_request(method, self._encoded(path), known, body)
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        to_sign = f"{ALGORITHM}\n{stamp}\n{scope}\n{sha256(request).hexdigest()}"
        signature = hmac.digest(self._key_of(stamp[:8]), to_sign.encode(), sha256).hex()
        said = f"{ALGORITHM} Credential={self._key.access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        return (*added, (b"authorization", said.encode()))

    def _encoded(self, path: str) -> bytes:
        """The path of the wire encoded once more, so an id's `%3A` is `%253A`; only S3 does not want that."""
        encoded = self._paths.get(path)
        if encoded is None:
            encoded = self._paths[path] = quote(path, safe="/~").encode()
        return encoded

    def _key_of(self, day: str) -> bytes:
        if day != self._day:
            derived = f"AWS4{self._key.secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                derived = hmac.digest(derived, part.encode(), sha256)
            self._day, self._signing_key = day, derived
        return self._signing_key


def canonical_request(
    method: str, path: bytes, headers: tuple[tuple[bytes, bytes], ...], body: bytes
) -> tuple[bytes, str]:
    """The bytes that are hashed, and the names of the signed headers. Requests to Bedrock have no query."""
    values: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(b" ".join(value.split()))
    names = b";".join(sorted(values))
    lines = (
        *(method.encode(), path, b""),
        *(b"%b:%b" % (name, b",".join(values[name])) for name in sorted(values)),
        *(b"", names, sha256(body).hexdigest().encode()),
    )
    return b"\n".join(lines), names.decode()


def time_stamp(now_ms: int) -> str:
    """A time in AWS's form, e.g. `20150830T123600Z`."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now_ms / 1000))
