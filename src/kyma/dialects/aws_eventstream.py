"""Amazon's binary event stream: the framing under Bedrock's streams. What a frame says is the dialect's business.

A frame is, big-endian: 4 bytes of its whole length, 4 of its headers' length, a CRC32 of these 8, the headers, the
payload, a CRC32 of all that. A header is a byte of name length, the name, a byte of type, the value.
Source: botocore 1.43 `eventstream.py`, read in August 2026; Smithy's page on `vnd.amazon.eventstream`, 2026.
"""

from collections.abc import Iterator
from struct import Struct
from zlib import crc32

import msgspec

MEDIA_TYPE = "application/vnd.amazon.eventstream"

MAX_FRAME_BYTES = 16 * 1024 * 1024
"""Amazon allows 24 MiB of payload; no event of a chat comes near."""
MAX_HEADERS_BYTES = 128 * 1024
MAX_KNOWN_HEADERS = 64

HeaderValue = bool | int | bytes | str

_PRELUDE = Struct(">III")
_LENGTHS_BYTES, _CRC_BYTES = 8, 4
_LEAST_BYTES = _PRELUDE.size + _CRC_BYTES

_TRUE, _FALSE, _BYTES, _STRING = 0, 1, 6, 7
_INTEGER_BYTES = {2: 1, 3: 2, 4: 4, 5: 8, 8: 8}
"""Integers by type; the last is a time in epoch milliseconds."""
_UUID, _UUID_BYTES = 9, 16


class BrokenFrame(ValueError):
    """Bytes that are no frame: a checksum that is wrong, a length that cannot be, headers that are none."""


class Frame(msgspec.Struct, frozen=True, gc=False):
    headers: dict[str, HeaderValue]
    payload: bytes


class FrameParser:
    """Bytes, cut anywhere, to whole frames."""

    __slots__ = ("_known", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._known: dict[bytes, dict[str, HeaderValue]] = {}
        """Headers read before: the events of a stream differ in their payloads alone."""

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes, those before a broken one too. Raises: BrokenFrame."""
        rest = self._rest + data if self._rest else data
        start, size = 0, len(rest)
        while size - start >= _PRELUDE.size:
            total, headers_size, checksum = _PRELUDE.unpack_from(rest, start)
            if crc32(rest[start : start + _LENGTHS_BYTES]) != checksum:
                raise BrokenFrame("the lengths of a frame do not have their checksum")
            if not _LEAST_BYTES + headers_size <= total <= MAX_FRAME_BYTES or headers_size > MAX_HEADERS_BYTES:
                raise BrokenFrame("a frame has a length that cannot be")
            if size - start < total:
                break
            end = start + total - _CRC_BYTES
            if crc32(rest[start:end]) != int.from_bytes(rest[end : start + total]):
                raise BrokenFrame("a frame does not have its checksum")
            payload_start = start + _PRELUDE.size + headers_size
            yield Frame(self._headers(rest[start + _PRELUDE.size : payload_start]), rest[payload_start:end])
            start += total
        self._rest = rest[start:]

    def _headers(self, raw: bytes) -> dict[str, HeaderValue]:
        headers = self._known.get(raw)
        if headers is None:
            headers = read_headers(raw)
            if len(self._known) < MAX_KNOWN_HEADERS:
                self._known[raw] = headers
        return headers


def read_headers(raw: bytes) -> dict[str, HeaderValue]:
    """A frame's headers by name; times are integers, UUIDs bytes. Raises: BrokenFrame."""
    headers: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(raw):
            name_end = at + 1 + raw[at]
            name = raw[at + 1 : name_end].decode()
            if name in headers or name_end >= len(raw):
                raise BrokenFrame("a frame has a header twice, or half a header")
            headers[name], at = _value(raw, name_end + 1, raw[name_end])
    except UnicodeDecodeError:
        raise BrokenFrame("a header of a frame is no text") from None
    return headers


def _value(raw: bytes, at: int, kind: int) -> tuple[HeaderValue, int]:
    """The value of type `kind` that starts at `at`, and where the next header starts."""
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if size := _INTEGER_BYTES.get(kind):
        return int.from_bytes(_cut(raw, at, size), signed=True), at + size
    if kind == _UUID:
        return _cut(raw, at, _UUID_BYTES), at + _UUID_BYTES
    if kind not in (_BYTES, _STRING):
        raise BrokenFrame("a header of a frame is of a type that there is not")
    size = int.from_bytes(_cut(raw, at, 2))
    value = _cut(raw, at + 2, size)
    return value.decode() if kind == _STRING else value, at + 2 + size


def _cut(raw: bytes, at: int, size: int) -> bytes:
    if at + size > len(raw):
        raise BrokenFrame("a header of a frame is longer than its headers")
    return raw[at : at + size]
