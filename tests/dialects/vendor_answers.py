"""Answers of every kind as each family of vendors writes them, whole and streamed, and what they say.

Shapes: OpenAI's, Anthropic's and Amazon's references of streams, ai.google.dev, cohere-python's v2 types, November
2026; llama.cpp's own stream is recorded.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests.customers.heard import Heard, arguments
from tests.dialects import bedrock_frames
from tests.dialects import test_anthropic_stream as anthropic_frames
from tests.dialects import test_gemini_stream as gemini_frames
from tests.dialects import test_openai_chat_stream as openai_frames

SIGNATURE = "EqoBCkYIBxgCKkDs+3/Kyma/0123456789abcdef+/ErUBEgyUZXN0U2lnbmF0dXJlGgwx=="
TEXT = 'Grüße \U0001f914 \\ "q"\u2028'
THOUGHT = "hm – "
JSON_TEXT = '{"city":"Zürich","days":[1,2]}'
PARIS, OSLO = ("look_up", '{"city": "Paris"}'), ("book", '{"city": "Ångström", "n": 1}')
USAGE = (12, 7)


class VendorAnswer(msgspec.Struct, frozen=True):
    """Streams and whole bodies by family; `whole` is empty where only a stream can end so."""

    name: str
    heard: Heard
    streams: dict[str, bytes]
    wholes: dict[str, bytes]
    is_broken: bool = False


def answer(
    name: str,
    ended: str = "stop",
    *,
    thought: str = "",
    text: str = "",
    refusal: str = "",
    calls: Sequence[tuple[str, str]] = (),
) -> VendorAnswer:
    said = (thought, text, refusal, calls, ended)
    heard = Heard(text + refusal, thought, tuple((name, arguments(said)) for name, said in calls), ended, USAGE)
    streams = {"openai_chat": _openai_stream(*said)}
    streams |= {"anthropic_messages": _anthropic_stream(*said), "gemini": _gemini_stream(*said)}
    streams |= {} if refusal else {"cohere_chat": _cohere_stream(*said)}
    streams["bedrock_converse"] = _bedrock_stream(*said)
    wholes = {"openai_chat": _openai_whole(*said)}
    wholes |= {"anthropic_messages": _anthropic_whole(*said), "gemini": _gemini_whole(*said)}
    wholes |= {} if refusal else {"cohere_chat": _cohere_whole(*said)}
    wholes["bedrock_converse"] = _bedrock_whole(*said)
    return VendorAnswer(name, heard, streams, wholes)


def broken(name: str, ends: dict[str, bytes]) -> VendorAnswer:
    """A good answer whose stream stops in the middle of its words, with `ends` for its last bytes."""
    said = ("", "one two three", "", (), "stop")
    streams = {
        "openai_chat": _openai_stream(*said).partition(openai_frames.chunk(finish="stop"))[0],
        "anthropic_messages": _anthropic_stream(*said).partition(b"event: content_block_stop")[0],
        "gemini": _gemini_stream(*said).rpartition(b"data: ")[0],
        "cohere_chat": _cohere_stream(*said).partition(b"event: content-end")[0],
        "bedrock_converse": _bedrock_stream(*said).partition(bedrock_frames.stop(0))[0],
    }
    heard = Heard("one two three", "", (), "", (0, 0))
    return VendorAnswer(name, heard, {family: streams[family] + ends[family] for family in streams}, {}, True)


def _pieces(text: str) -> list[str]:
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def _openai_stream(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    """Arguments of calls side by side come in turn."""
    chunk = openai_frames.chunk
    frames = [chunk({"role": "assistant", "content": ""})]
    frames += [chunk({"reasoning_content": piece}) for piece in _pieces(thought)]
    frames += [chunk({"content": piece}) for piece in _pieces(text)]
    frames += [chunk({"refusal": piece}) for piece in _pieces(refusal)]
    for index, (name, _) in enumerate(calls):
        function = {"name": name, "arguments": ""}
        frames.append(chunk({"tool_calls": [{"index": index, "id": f"call_{index}", "function": function}]}))
    rows = [_pieces(said) for _, said in calls]
    for step in range(max(map(len, rows), default=0)):
        for index, row in enumerate(rows):
            for piece in row[step : step + 1]:
                frames.append(chunk({"tool_calls": [{"index": index, "function": {"arguments": piece}}]}))
    frames.append(chunk(finish="stop" if ended == "refusal" else ended))
    frames += [b'data: {"choices":[],"usage":' + json.dumps(_openai_usage(thought)).encode() + b"}", openai_frames.DONE]
    return b"\n\n".join([*frames, b""])


def _openai_whole(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    message: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": refusal or None}
    if thought:
        message["reasoning_content"] = thought
    if calls:
        message["tool_calls"] = [
            {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": said}}
            for index, (name, said) in enumerate(calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": "stop" if ended == "refusal" else ended}
    return json.dumps({"choices": [choice], "usage": _openai_usage(thought)}).encode()


def _openai_usage(thought: str) -> dict[str, Any]:
    details = {"completion_tokens_details": {"reasoning_tokens": 3}} if thought else {}
    return {"prompt_tokens": USAGE[0], "completion_tokens": USAGE[1], **details}


STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "refusal": "refusal"}


def _anthropic_stream(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    start, delta, stop = anthropic_frames.start, anthropic_frames.delta, anthropic_frames.stop
    told, index = anthropic_frames.begin(input_tokens=USAGE[0], output_tokens=1), 0
    told += anthropic_frames.frame(type="ping")
    if thought:
        told += start(index, type="thinking", thinking="", signature="")
        told += b"".join(delta(index, type="thinking_delta", thinking=piece) for piece in _pieces(thought))
        told += delta(index, type="signature_delta", signature=SIGNATURE) + stop(index)
        index += 1
    if said := text + refusal:
        told += start(index, type="text", text="")
        told += b"".join(delta(index, type="text_delta", text=piece) for piece in _pieces(said)) + stop(index)
        index += 1
    for at, (name, said) in enumerate(calls):
        told += start(index, type="tool_use", id=f"toolu_{at}", name=name, input={})
        pieces = ["", *_pieces(said)]
        told += b"".join(delta(index, type="input_json_delta", partial_json=piece) for piece in pieces) + stop(index)
        index += 1
    return told + anthropic_frames.end(STOP_REASONS[ended], output_tokens=USAGE[1])


def _anthropic_whole(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    content: list[dict[str, Any]] = []
    if thought:
        content.append({"type": "thinking", "thinking": thought, "signature": SIGNATURE})
    if text or refusal:
        content.append({"type": "text", "text": text + refusal})
    for at, (name, said) in enumerate(calls):
        content.append({"type": "tool_use", "id": f"toolu_{at}", "name": name, "input": json.loads(said)})
    usage = {"input_tokens": USAGE[0], "output_tokens": USAGE[1]}
    message = {"type": "message", "role": "assistant", "content": content, "stop_sequence": None, "usage": usage}
    return json.dumps(message | {"stop_reason": STOP_REASONS[ended]}).encode()


FINISH_WORDS = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP", "refusal": "SAFETY"}


def _gemini_stream(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    piece, counted = gemini_frames.piece, _gemini_usage(thought)
    told = [piece([{"text": said, "thought": True}], **counted) for said in _pieces(thought)]
    told += [piece([{"text": said}], **counted) for said in _pieces(text + refusal)]
    told += [piece([part], **counted) for part in _gemini_calls(calls)]
    return b"".join([*told, piece([{"text": ""}], FINISH_WORDS[ended], **counted)])


def _gemini_whole(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    parts: list[dict[str, Any]] = [{"text": thought, "thought": True}] if thought else []
    if text or refusal:
        parts.append({"text": text + refusal})
    content = {"role": "model", "parts": [*parts, *_gemini_calls(calls)]}
    candidate = {"content": content, "finishReason": FINISH_WORDS[ended], "index": 0}
    return json.dumps({"candidates": [candidate], "responseId": "r-1", **_gemini_usage(thought)}).encode()


def _gemini_calls(calls: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Without ids, as Google answers; the first is signed."""
    parts: list[dict[str, Any]] = [{"functionCall": {"name": name, "args": json.loads(said)}} for name, said in calls]
    if parts:
        parts[0]["thoughtSignature"] = "Y2FsbA=="
    return parts


def _gemini_usage(thought: str) -> dict[str, Any]:
    thoughts = 3 if thought else 0
    counts = {"promptTokenCount": USAGE[0], "candidatesTokenCount": USAGE[1] - thoughts, "totalTokenCount": sum(USAGE)}
    return {"usageMetadata": counts | ({"thoughtsTokenCount": thoughts} if thoughts else {})}


COHERE_WORDS = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}


def _cohere_event(kind: str, index: int | None = None, **message: Any) -> bytes:
    event: dict[str, Any] = {"type": kind} | ({} if index is None else {"index": index})
    if message:
        event["delta"] = {"message": message}
    return f"event: {kind}\ndata: {json.dumps(event)}\n\n".encode()


def _cohere_stream(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    """A thought before calls is their plan; nobody refuses here."""
    told = _cohere_event("message-start", role="assistant", content=[], tool_plan="", tool_calls=[], citations=[])
    for index, (kind, said) in enumerate((("thinking", thought), ("text", text))):
        if said:
            told += _cohere_event("content-start", index, content={"type": kind, kind: ""})
            told += b"".join(_cohere_event("content-delta", index, content={kind: piece}) for piece in _pieces(said))
            told += _cohere_event("content-end", index)
    for index, (name, said) in enumerate(calls):
        function = {"name": name, "arguments": ""}
        told += _cohere_event("tool-call-start", index, tool_calls={"id": f"c_{index}", "function": function})
        for piece in _pieces(said):
            told += _cohere_event("tool-call-delta", index, tool_calls={"function": {"arguments": piece}})
        told += _cohere_event("tool-call-end", index)
    end = {"type": "message-end", "delta": {"finish_reason": COHERE_WORDS[ended], "usage": _cohere_usage()}}
    return told + b"event: message-end\ndata: " + json.dumps(end).encode() + b"\n\n"


def _cohere_whole(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    content = [{"type": kind, kind: said} for kind, said in (("thinking", thought), ("text", text)) if said]
    called = [
        {"id": f"c_{index}", "type": "function", "function": {"name": name, "arguments": said}}
        for index, (name, said) in enumerate(calls)
    ]
    message = {"role": "assistant", "content": content, "tool_calls": called}
    return json.dumps({"message": message, "finish_reason": COHERE_WORDS[ended], "usage": _cohere_usage()}).encode()


def _cohere_usage() -> dict[str, Any]:
    billed = {"input_tokens": USAGE[0], "output_tokens": USAGE[1]}
    return {"billed_units": billed, "tokens": {"input_tokens": 500 + USAGE[0], "output_tokens": 3 + USAGE[1]}}


BEDROCK_REASONS = STOP_REASONS | {"refusal": "content_filtered"}


def _bedrock_stream(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    """Blocks without a start, but for those of calls."""
    blocks: list[list[bytes]] = []
    if thought:
        told = [bedrock_frames.thought(0, text=piece) for piece in _pieces(thought)]
        blocks.append([*told, bedrock_frames.thought(0, signature=SIGNATURE)])
    if said := text + refusal:
        index = len(blocks)
        blocks.append([bedrock_frames.delta(index, text=piece) for piece in _pieces(said)])
    for at, (name, said) in enumerate(calls):
        index = len(blocks)
        start = bedrock_frames.call(index, f"tooluse_{at}", name)
        blocks.append([start, *(bedrock_frames.arguments(index, piece) for piece in ("", *_pieces(said)))])
    framed = [frame for index, block in enumerate(blocks) for frame in (*block, bedrock_frames.stop(index))]
    return b"".join([bedrock_frames.begin(), *framed, bedrock_frames.end(BEDROCK_REASONS[ended])])


def _bedrock_whole(thought: str, text: str, refusal: str, calls: Sequence[tuple[str, str]], ended: str) -> bytes:
    content: list[dict[str, Any]] = []
    if thought:
        content.append({"reasoningContent": {"reasoningText": {"text": thought, "signature": SIGNATURE}}})
    if text or refusal:
        content.append({"text": text + refusal})
    for at, (name, said) in enumerate(calls):
        content.append({"toolUse": {"toolUseId": f"tooluse_{at}", "name": name, "input": json.loads(said)}})
    message = {"role": "assistant", "content": content}
    usage = bedrock_frames.USAGE
    return json.dumps({"output": {"message": message}, "usage": usage, "stopReason": BEDROCK_REASONS[ended]}).encode()


NOTHING = dict.fromkeys(("openai_chat", "anthropic_messages", "gemini", "cohere_chat", "bedrock_converse"), b"")
ERRORS = {
    "openai_chat": b'data: {"error":{"message":"overloaded","code":503}}\n\n',
    "anthropic_messages": anthropic_frames.frame(
        type="error", error={"type": "overloaded_error", "message": "Overloaded"}
    ),
    "gemini": b'data: {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}\r\n\r\n',
    "cohere_chat": b'data: {"type":"message-end","delta":{"error":"overloaded","finish_reason":"ERROR"}}\n\n',
    "bedrock_converse": bedrock_frames.exception("serviceUnavailableException", message="overloaded"),
}

ANSWERS = [
    answer("plain", text=TEXT),
    answer("structured", text=JSON_TEXT),
    answer("length", "length", text="so far so"),
    answer("thinking", thought=THOUGHT, text=TEXT),
    answer("thinking-and-call", "tool_calls", thought=THOUGHT, text="I look", calls=[PARIS]),
    answer("parallel-calls", "tool_calls", calls=[PARIS, OSLO]),
    answer("call-without-arguments", "tool_calls", calls=[("look_up", "{}")]),
    answer("refusal", "refusal", refusal="I can't help with that."),
    broken("cut", NOTHING),
    broken("error", ERRORS),
    broken("garbage", {family: b'data: {"cho\n\n' for family in NOTHING}),
]

RECORDED = Path(__file__).parent / "recorded" / "llama_cpp"
LLAMA_CPP = VendorAnswer(
    "llama-cpp",
    Heard(
        "Hello! I'm here to help with any math or science-related tasks. What can I help you with today?",
        "",
        (),
        "stop",
        (23, 25),
    ),
    {"openai_chat": (RECORDED / "stream.sse").read_bytes()},
    {"openai_chat": (RECORDED / "plain.json").read_bytes()},
)
"""Byte for byte what the model on this machine said."""
