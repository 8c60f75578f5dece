"""Errors: ours in OpenAI's envelope, and an error object that a vendor sends with a 200 or inside a stream."""

from typing import Any

import msgspec

from kyma.core.errors import Garbled, KymaError, Throttled, UpstreamError, UpstreamFailed
from kyma.dialects.openai_chat.wire import encoder
from kyma.dialects.vendor_errors import MAX_MESSAGE_CHARS

_any_decoder = msgspec.json.Decoder()


def render_error(error: KymaError) -> bytes:
    """`{"error": {message, type, param, code}}`."""
    return encoder.encode({"error": error_object(error)})


def error_object(error: KymaError) -> dict[str, Any]:
    """The inner object, also what stands in a broken stream."""
    return {"message": error.message, "type": error.type, "param": error.param, "code": error.code}


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
