"""JSON objects whose fields are looked at by name and travel on as they came."""

import msgspec

RawFields = dict[str, msgspec.Raw]
NULL = msgspec.Raw(b"null")

fields_decoder = msgspec.json.Decoder(RawFields)
encoder = msgspec.json.Encoder()


def raw(value: object) -> msgspec.Raw:
    """A value as JSON."""
    return msgspec.Raw(encoder.encode(value))
