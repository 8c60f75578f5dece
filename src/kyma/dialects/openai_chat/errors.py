"""An error object that a vendor sends with a 200 or inside a stream."""

import msgspec

from kyma.core.errors import Garbled, Throttled, UpstreamError, UpstreamFailed
from kyma.dialects.vendor_errors import for_log

_any_decoder = msgspec.json.Decoder()


def stream_error(raw: msgspec.Raw) -> UpstreamError:
    """An error object that came with a 200 or inside a stream."""
    try:
        value = _any_decoder.decode(raw)
    except msgspec.DecodeError:
        return Garbled("an error object that is no JSON")
    said = for_log("error in a 200", value)
    if isinstance(value, dict) and value.get("code") in (429, "429", "rate_limit_exceeded"):
        return Throttled(said, upstream_status=429)
    return UpstreamFailed(said)
