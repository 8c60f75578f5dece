"""What the mock says, in the words of each dialect: one reply of 1 KB, how a stream opens, and its event."""

import json
from typing import Any

import msgspec

REPLY_BYTES = 1024
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n"
)


class Speech(msgspec.Struct, frozen=True):
    """Bytes as they go on the wire; `opening` ends with a first event."""

    reply: bytes
    opening: bytes
    event: bytes


def chat() -> Speech:
    """OpenAI chat completions."""
    message = {"role": "assistant", "content": ""}
    answer = {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "bench",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 150, "total_tokens": 350},
    }
    message["content"] = _words(answer)
    chunk = {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "bench",
        "choices": [{"index": 0, "delta": {"content": " word"}, "finish_reason": None}],
    }
    event = _event(None, chunk)
    return Speech(_reply(answer), STREAM_HEAD + event, event)


def messages() -> Speech:
    """Anthropic Messages."""
    usage = {"input_tokens": 200, "output_tokens": 150}
    block = {"type": "text", "text": ""}
    answer = {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": "bench",
        "content": [block],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    started = answer | {"content": [], "stop_reason": None}
    head = _event("message_start", {"message": started})
    head += _event("content_block_start", {"index": 0, "content_block": block | {}})
    event = _event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": " word"}})
    block["text"] = _words(answer)
    return Speech(_reply(answer), STREAM_HEAD + head + event, event)


def _words(answer: dict[str, Any]) -> str:
    """As many as make `answer` a reply of 1 KB."""
    return ("word " * REPLY_BYTES)[: REPLY_BYTES - len(json.dumps(answer))]


def _reply(answer: dict[str, Any]) -> bytes:
    body = json.dumps(answer).encode()
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def _event(name: str | None, members: dict[str, Any]) -> bytes:
    """One event in one chunk, with its name where the dialect says it."""
    named = members if name is None else {"type": name, **members}
    line = b"" if name is None else f"event: {name}\n".encode()
    event = b"%bdata: %b\n\n" % (line, json.dumps(named, separators=(",", ":")).encode())
    return b"%x\r\n%b\r\n" % (len(event), event)
