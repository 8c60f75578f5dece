"""JSON from strangers: depth bounded before it is decoded, and faults said in words that name the field."""

import re
from typing import TypeVar

import msgspec

from kyma.core.errors import InvalidRequest

T = TypeVar("T")

MAX_DEPTH = 64

_STRINGS = re.compile(rb'"[^"]*"')
_AS_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(byte for byte in range(256) if byte not in b'"[]{}')


def decode_body(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode a request body. Raises: InvalidRequest for what is no JSON, too deep, or of the wrong type."""
    if not body:
        raise InvalidRequest("the request has no body; send a JSON object", code="invalid_json")
    try:
        body.isascii() or body.decode()
    except UnicodeDecodeError:
        raise InvalidRequest("the body is not valid UTF-8", code="invalid_json") from None
    openers = 2 * len(body) - len(body.replace(b"[", b"")) - len(body.replace(b"{", b""))
    if openers > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        raise InvalidRequest(f"the JSON is nested deeper than {MAX_DEPTH} levels", code="invalid_json")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        message, path = explain(error)
        raise InvalidRequest(f"{message} at {path}" if path else message, param=path or None) from None
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"the body is not valid JSON: {error}", code="invalid_json") from None


def decode_at(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw, where: str) -> T:
    """Decode what stands at path `where` of a body. Raises: InvalidRequest naming the field."""
    try:
        return decoder.decode(raw)
    except msgspec.ValidationError as error:
        message, path = explain(error)
        full = f"{where}.{path}" if path else where
        raise InvalidRequest(f"{message} at {full}", param=full) from None


def explain(error: msgspec.ValidationError) -> tuple[str, str]:
    """`(what is wrong, dotted path of the field)`; the path is empty at the top."""
    message, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`").replace("[...]", "").replace("[", ".").replace("]", "").lstrip(".")
    missing = re.match(r"Object missing required field `(\w+)`", message)
    if missing:
        return f"missing required field {missing[1]}", f"{path}.{missing[1]}".lstrip(".")
    return message.replace("`", ""), path


def _depth(body: bytes) -> int:
    """How deep brackets are nested, up to one more than is allowed. Those in strings do not count."""
    quotes_and_brackets = body.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_AS_ONE_KIND, _OTHERS)
    brackets = _STRINGS.sub(b"", quotes_and_brackets)
    depth = 0
    while depth <= MAX_DEPTH and b"[]" in brackets:
        brackets = brackets.replace(b"[]", b"")
        depth += 1
    return depth + brackets.count(b"[")
