"""Amazon's frames: its own published examples, cut anywhere, and what is refused."""

import struct
from zlib import crc32

import pytest

from kyma.dialects.aws_eventstream import BrokenFrame, Frame, FrameParser
from tests.dialects import bedrock_frames as frames

EVERY_TYPE = (
    b"\x010\x00\x011\x01\x012\x02\x02\x013\x03\x00\x03\x014\x04\x00\x00\x00\x04\x015\x05\x00\x00\x00\x00\x00\x00\x00\x05"
    b"\x016\x06\x00\x05bytes\x017\x07\x00\x04utf8\x018\x08\x00\x00\x00\x00\x00\x00\x00\x08\x019\x090123456789abcdef"
)
PUBLISHED = [
    (bytes.fromhex("00000010 00000000 05c248eb 7d98c8ff"), Frame({}, b"")),
    (
        bytes.fromhex("00000017 00000007 29860158") + b"\x04byte\x02\xff" + bytes.fromhex("c2f869dc"),
        Frame({"byte": -1}, b""),
    ),
    (
        bytes.fromhex("0000003d 00000020 07fd8396")
        + b"\x0ccontent-type\x07\x00\x10application/json{'foo':'bar'}"
        + bytes.fromhex("8d9c08b1"),
        Frame({"content-type": "application/json"}, b"{'foo':'bar'}"),
    ),
    (
        bytes.fromhex("00000062 00000052 03b5cb9c") + EVERY_TYPE + bytes.fromhex("63353671"),
        Frame(
            {
                **{"0": True, "1": False, "2": 2, "3": 3, "4": 4, "5": 5},
                **{"6": b"bytes", "7": "utf8", "8": 8, "9": b"0123456789abcdef"},
            },
            b"",
        ),
    ),
]
"""Checksums are Amazon's own. Source: github.com/boto/botocore, tests/unit/test_eventstream.py, August 2026."""

TWICE = bytes.fromhex("00000024 00000014 4bb982d0") + b"\x04test\x04asdf" * 2 + bytes.fromhex("f3f47563")
ALL = b"".join(raw for raw, _ in PUBLISHED)


@pytest.mark.parametrize(("raw", "frame"), PUBLISHED)
def test_amazons_examples_are_read(raw: bytes, frame: Frame) -> None:
    assert list(FrameParser().feed(raw)) == [frame]


def test_frames_cut_anywhere_are_the_same_frames() -> None:
    wanted = [frame for _, frame in PUBLISHED]
    assert list(FrameParser().feed(ALL)) == wanted
    by_byte = FrameParser()
    assert [frame for at in range(len(ALL)) for frame in by_byte.feed(ALL[at : at + 1])] == wanted
    for at in range(len(ALL)):
        parser = FrameParser()
        assert [*parser.feed(ALL[:at]), *parser.feed(ALL[at:])] == wanted


@pytest.mark.parametrize(("raw", "frame"), PUBLISHED)
def test_a_frame_with_any_byte_changed_is_no_frame(raw: bytes, frame: Frame) -> None:
    for at in range(len(raw)):
        broken = bytearray(raw)
        broken[at] ^= 0x20
        with pytest.raises(BrokenFrame):
            list(FrameParser().feed(bytes(broken)))


def test_a_frame_before_a_broken_one_is_read() -> None:
    found = []
    with pytest.raises(BrokenFrame):
        for frame in FrameParser().feed(PUBLISHED[0][0] + b"\x00" * 16):
            found.append(frame)
    assert found == [PUBLISHED[0][1]]


def test_a_header_that_comes_twice_is_refused() -> None:
    with pytest.raises(BrokenFrame):
        list(FrameParser().feed(TWICE))


@pytest.mark.parametrize(
    "headers", [b"\x04", b"\x09half", b"\x01a", b"\x01a\x0a", b"\x01a\x07\x00\x09x", b"\x01\xff\x00"]
)
def test_headers_that_are_none_are_refused(headers: bytes) -> None:
    with pytest.raises(BrokenFrame):
        list(FrameParser().feed(_framed(headers)))


def test_a_length_that_cannot_be_is_refused_before_it_is_waited_for() -> None:
    for total, headers_size in ((15, 0), (20, 5), (2**31, 0), (200_000, 140_000)):
        lengths = struct.pack(">II", total, headers_size)
        with pytest.raises(BrokenFrame):
            list(FrameParser().feed(lengths + struct.pack(">I", crc32(lengths))))


def test_headers_that_were_read_before_belong_to_their_frames() -> None:
    stream = frames.delta(0, text="a") + frames.stop(0) + frames.delta(0, text="b")
    kinds = [frame.headers[":event-type"] for frame in FrameParser().feed(stream)]
    assert kinds == ["contentBlockDelta", "contentBlockStop", "contentBlockDelta"]


def _framed(headers: bytes) -> bytes:
    """Headers as they are, in a frame whose checksums are right."""
    lengths = struct.pack(">II", 16 + len(headers), len(headers))
    head = lengths + struct.pack(">I", crc32(lengths)) + headers
    return head + struct.pack(">I", crc32(head))
