"""Media that travels inside a request as a `data:` URL (RFC 2397)."""

from base64 import b64encode
from urllib.parse import unquote_to_bytes


def inline(url: str) -> tuple[str, str] | None:
    """`(media type, base64)`; the type is empty if none is said. None for an address of any other kind."""
    if not url.startswith("data:"):
        return None
    head, _, data = url.removeprefix("data:").partition(",")
    kind, *parameters = head.split(";")
    return kind, data if "base64" in parameters else b64encode(unquote_to_bytes(data)).decode()
