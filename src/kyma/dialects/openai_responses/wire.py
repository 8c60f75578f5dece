"""What the parts of this dialect share: raw JSON and its checks, and opaque proofs of thought on their way home."""

from typing import NoReturn

import msgspec

from kyma.core.errors import InvalidRequest

NAME = "openai_responses"
NULL = msgspec.Raw(b"null")
EMPTY = (NULL, msgspec.Raw(b"[]"))
"""Members that say nothing, as clients send back with the items they were given."""

RawFields = dict[str, msgspec.Raw]
fields_decoder = msgspec.json.Decoder(RawFields)
encoder = msgspec.json.Encoder()

_raws_decoder = msgspec.json.Decoder(list[msgspec.Raw] | None)


class Sealed(msgspec.Struct, frozen=True):
    """Something opaque of the dialect `origin`: a `signature`, a whole `redacted` thought, or the proof of a `call`."""

    opaque: str
    origin: str
    kind: str = "signature"


def seal(sealed: Sealed) -> str:
    """`sealed` as `encrypted_content`: this dialect's own as it came, any other's with its origin in front."""
    if sealed.origin == NAME:
        return sealed.opaque
    kind = "" if sealed.kind == "signature" else f":{sealed.kind}"
    return f"kyma.{sealed.origin}{kind}.{sealed.opaque}"


def unseal(text: str) -> Sealed | None:
    """What `seal` closed; None for what did not come from here."""
    prefix, _, rest = text.partition(".")
    origin, dot, opaque = rest.partition(".")
    if prefix != "kyma" or not dot:
        return None
    name, _, kind = origin.partition(":")
    return Sealed(opaque, name, kind or "signature")


def raws(raw: msgspec.Raw) -> list[msgspec.Raw]:
    """The elements of a checked array; none for `null`."""
    return _raws_decoder.decode(raw) or []


def head(raw: msgspec.Raw) -> bytes:
    """The first byte of a raw value: what kind of JSON it is, without decoding it."""
    return bytes(memoryview(raw)[:1])


def refuse(message: str, param: str, code: str | None = None) -> NoReturn:
    """Raises: InvalidRequest."""
    raise InvalidRequest(message, param=param, code=code)
