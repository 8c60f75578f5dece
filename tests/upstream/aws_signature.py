"""Whether a request is signed as AWS wants it, worked out anew from what arrived.

Source: AWS's IAM user guide, "Create a signed AWS API request", 2026.
"""

import hmac
import re
from hashlib import sha256
from urllib.parse import quote

from tests.upstream.wire import Request

ACCESS_KEY_ID, SECRET_ACCESS_KEY = "AKIDTESTUPSTREAM", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYTESTUPSTREAM"
API_KEY = "bedrock-api-key-test-upstream"

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<id>[^/]+)/(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/bedrock/aws4_request, "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_NEEDED = {"host", "x-amz-date"}


class Unsigned(Exception):
    """The request is not from the one who holds the key; the message says what is wrong with it."""


def check(request: Request) -> None:
    """Raises: Unsigned."""
    said = request.headers.get("authorization", "")
    if said == f"Bearer {API_KEY}":
        return
    found = _AUTHORIZATION.fullmatch(said)
    if found is None:
        raise Unsigned("the authorization header is neither a key nor a signature")
    names = found["names"].split(";")
    needed = _NEEDED | {name for name in request.headers if name.startswith("x-amz-")}
    if names != sorted(names) or not needed <= set(names):
        raise Unsigned(f"these headers are to be signed in order: {sorted(needed)}")
    stamp = request.headers["x-amz-date"]
    if found["id"] != ACCESS_KEY_ID or not stamp.startswith(found["day"]):
        raise Unsigned("the security token included in the request is invalid")
    if not hmac.compare_digest(_signature(request, names, stamp, found["region"]), found["signature"]):
        raise Unsigned("the request signature we calculated does not match the signature you provided")


def _signature(request: Request, names: list[str], stamp: str, region: str) -> str:
    canonical = [request.method, quote(request.path, safe="/-_.~"), request.query]
    canonical += [f"{name}:{' '.join(request.headers[name].split())}" for name in names]
    canonical += ["", ";".join(names), sha256(request.body).hexdigest()]
    scope = f"{stamp[:8]}/{region}/bedrock/aws4_request"
    to_sign = ["AWS4-HMAC-SHA256", stamp, scope, sha256("\n".join(canonical).encode()).hexdigest()]
    key = b"AWS4" + SECRET_ACCESS_KEY.encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), sha256).digest()
    return hmac.new(key, "\n".join(to_sign).encode(), sha256).hexdigest()
