"""Bedrock's stream events as Amazon frames them, one call each.

Shapes: AWS API reference, ConverseStream (API_runtime_ConverseStream.html) and its event types, November 2026; the
padding `p` and the order of events as in answers of `us.anthropic.claude-…` and `openai.gpt-oss-120b-1:0`, 2025.
"""

import json
import struct
from typing import Any
from zlib import crc32

PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFG"
USAGE = {"inputTokens": 12, "outputTokens": 7, "totalTokens": 19}


def message(headers: dict[str, str], payload: bytes) -> bytes:
    """One frame; every header is a string."""
    raw = b"".join(_text(name, ">B") + b"\x07" + _text(value, ">H") for name, value in headers.items())
    lengths = struct.pack(">II", 16 + len(raw) + len(payload), len(raw))
    head = lengths + struct.pack(">I", crc32(lengths)) + raw + payload
    return head + struct.pack(">I", crc32(head))


def event(kind: str, **fields: Any) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    return message(headers, json.dumps({**fields, "p": PADDING}, ensure_ascii=False).encode())


def exception(kind: str, **fields: Any) -> bytes:
    headers = {":exception-type": kind, ":content-type": "application/json", ":message-type": "exception"}
    return message(headers, json.dumps(fields).encode())


def begin() -> bytes:
    return event("messageStart", role="assistant")


def delta(index: int, **fields: Any) -> bytes:
    return event("contentBlockDelta", contentBlockIndex=index, delta=fields)


def thought(index: int, **fields: Any) -> bytes:
    return delta(index, reasoningContent=fields)


def call(index: int, call_id: str, name: str) -> bytes:
    return event("contentBlockStart", contentBlockIndex=index, start={"toolUse": {"toolUseId": call_id, "name": name}})


def arguments(index: int, fragment: str) -> bytes:
    return delta(index, toolUse={"input": fragment})


def stop(index: int) -> bytes:
    return event("contentBlockStop", contentBlockIndex=index)


def end(reason: str, usage: dict[str, Any] | None = USAGE) -> bytes:
    """How every answer ends: its reason, and then what it counted."""
    counted = {} if usage is None else {"usage": usage}
    return event("messageStop", stopReason=reason) + event("metadata", metrics={"latencyMs": 422}, **counted)


def _text(value: str, size: str) -> bytes:
    raw = value.encode()
    return struct.pack(size, len(raw)) + raw
