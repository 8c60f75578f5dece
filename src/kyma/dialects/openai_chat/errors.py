"""An error object that a vendor sends with a 200 or inside a stream."""

import msgspec

from kyma.core.errors import Garbled, Throttled, UpstreamError, UpstreamFailed
from kyma.dialects.vendor_errors import MAX_MESSAGE_CHARS

_any_decoder = msgspec.json.Decoder()


def stream_error(raw: msgspec.Raw) -> UpstreamError:
    """An error object that came with a 200 or inside a stream."""
    try:
        value = _any_decoder.decode(raw)
    except msgspec.DecodeError:
        return Garbled("an error object that is no JSON")
    message, code = (value.get("message"), value.get("code")) if isinstance(value, dict) else (value, None)
    said = f"error in a 200: {str(message)[:MAX_MESSAGE_CHARS]}"
    if code in (429, "429", "rate_limit_exceeded"):
        return Throttled(said, upstream_status=429)
    return UpstreamFailed(said)
