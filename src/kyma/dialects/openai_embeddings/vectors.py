"""Vectors in both of their forms on the wire, and cut to fewer dimensions."""

import base64
import binascii
import math
import struct
from collections.abc import Sequence
from typing import Annotated

import msgspec

from kyma.core.errors import Garbled, Rejected
from kyma.dialects.openai_embeddings.wire import EmbeddingRequest, EmbeddingResponse, Encoding, Vector
from kyma.dialects.raw_fields import encoder

FLOAT_BYTES = 4
MAX_FLOAT = 3.4028234663852886e38
"""The largest 32-bit float; what is larger could not be given back as base64."""

_decoder = msgspec.json.Decoder(str | list[Annotated[float, msgspec.Meta(ge=-MAX_FLOAT, le=MAX_FLOAT)]])


def read_vector(raw: msgspec.Raw) -> Vector:
    """A vendor's vector, checked. Raises: Garbled for what is none."""
    values = _values(raw)
    if not values or not all(map(math.isfinite, values)):
        raise Garbled("an embedding is empty or holds what is no number")
    return Vector(len(values), raw)


def checked(response: EmbeddingResponse, request: EmbeddingRequest) -> EmbeddingResponse:
    """The answer, if its vectors are as long as was asked. Raises: Rejected when the model has fewer dimensions."""
    most = min(vector.dimensions for vector in response.vectors)
    if request.dimensions is not None and request.dimensions > most:
        explanation = f"dimensions may be at most {most} for this model"
        raise Rejected(explanation, upstream_status=400, caller_message=explanation)
    return response


def vector_of(values: Sequence[float]) -> Vector:
    """A vector that was computed here."""
    return Vector(len(values), msgspec.Raw(encoder.encode(values)))


def render_vector(vector: Vector, encoding: Encoding, dimensions: int | None) -> msgspec.Raw:
    """The vector in the form that was asked for: as it came where that is the one, else converted."""
    is_short_enough = dimensions is None or dimensions >= vector.dimensions
    if is_short_enough and _is_base64(vector.raw) == (encoding == "base64"):
        return vector.raw
    values = _values(vector.raw)
    if not is_short_enough:
        values = _cut(values, dimensions)
    if encoding == "float":
        return msgspec.Raw(encoder.encode(values))
    packed = struct.pack(f"<{len(values)}f", *values)
    return msgspec.Raw(b'"%b"' % base64.b64encode(packed))


def _cut(values: Sequence[float], dimensions: int | None) -> Sequence[float]:
    """The first `dimensions` of them, brought back to length 1, as OpenAI's own models do it."""
    kept = values[:dimensions]
    length = math.sqrt(math.fsum(value * value for value in kept))
    return [value / length for value in kept] if length else kept


def _values(raw: msgspec.Raw) -> Sequence[float]:
    """Raises: Garbled."""
    try:
        value = _decoder.decode(raw)
        if isinstance(value, list):
            return value
        packed = base64.b64decode(value, validate=True)
        return struct.unpack(f"<{len(packed) // FLOAT_BYTES}f", packed)
    except (msgspec.DecodeError, binascii.Error, ValueError, struct.error):
        raise Garbled("an embedding is neither numbers nor base64 of 32-bit floats") from None


def _is_base64(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b'"'
