"""Whole answers: a vendor's message read, and ours written."""

from functools import partial
from typing import Any

import msgspec

from kyma.core.answer import Bill, ChatResponse, Choice, FinishReason, Relay
from kyma.core.chat import ChatRequest
from kyma.core.errors import Garbled
from kyma.core.model import Quirks
from kyma.dialects.anthropic_messages.content import (
    WireAnswerBlock,
    WireOuter,
    outer_fields,
    read_blocks,
    read_choice,
    render_blocks,
)
from kyma.dialects.anthropic_messages.errors import stream_error
from kyma.dialects.anthropic_messages.wire import (
    FINISH_REASONS,
    NAME,
    NULL,
    OUTER_FIELDS,
    UsageTally,
    encoder,
    render_usage,
    stop_reason,
)
from kyma.dialects.base import Reply
from kyma.dialects.thinking import split_thinking


class WireAnswer(WireOuter):
    type: str = "message"
    content: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer)


def parse_response(body: bytes, quirks: Quirks) -> ChatResponse:
    """Read a vendor's 200. Raises: Garbled when it is no message, another UpstreamError when it holds an error."""
    try:
        if not body.isascii():
            body.decode()  # what is passed on as it came is decoded nowhere else
        wire = _answer_decoder.decode(body)
        if wire.error is not NULL and wire.error != NULL:
            raise stream_error(wire.error)
        blocks = read_blocks(wire.content)
        relayed = None if quirks.thinks_first else _relay(wire, blocks)
        said = relayed or (read_choice(wire.content, wire, quirks.thinks_first),)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is not a message") from None
    return ChatResponse(said, UsageTally().see(wire.usage))


def render_response(response: ChatResponse, reply: Reply, bill: Bill, request: ChatRequest | None = None) -> bytes:
    """The body of a `message`, usage with Kyma's additions."""
    said = response.said
    if isinstance(said, Relay) and said.dialect == NAME:
        middle: bytes | msgspec.Raw = said.raw
    else:
        choice = response.choices[0]
        middle = write_choice(choice, render_blocks(choice.parts))
    head = b'{"id":"%b","type":"message","role":"assistant","model":%b,' % (
        message_id(reply).encode(),
        encoder.encode(reply.model_id),
    )
    return b"".join((head, middle, b',"usage":', encoder.encode(render_usage(bill)), b"}"))


def message_id(reply: Reply) -> str:
    """`msg_` and the digits of our request id, so that a customer can look the request up."""
    return "msg_" + reply.request_id.removeprefix("req_")


def write_choice(choice: Choice, content: list[Any]) -> bytes:
    """An answer's members from `content` on, which are its blocks."""
    outer = choice.outer_native
    beside = outer.fields if outer is not None and outer.dialect == NAME else {}
    reason = choice.finish
    if reason is FinishReason.STOP and any(
        isinstance(block, dict) and block["type"] == "tool_use" for block in content
    ):
        reason = FinishReason.TOOL_CALLS
    word = stop_reason(reason, choice.word, choice.origin, choice.stop_sequence)
    beside = {name: raw for name, raw in beside.items() if name in OUTER_FIELDS}
    return _members(encoder.encode(content), word, choice.stop_sequence, beside)


def _relay(wire: WireAnswer, blocks: list[WireAnswerBlock]) -> Relay | None:
    """The members from `content` on, as they came; None if we would say any of them differently."""
    if wire.stop_reason not in FINISH_REASONS:
        return None
    is_blank = wire.stop_reason in ("end_turn", "stop_sequence")
    for block in blocks:
        match block.type:
            case "text":
                text = block.text or ""
                if text[:1] in "< \t\r\n" and split_thinking(text)[0]:
                    return None
                is_blank = is_blank and not text.strip()
            case "thinking":
                if block.signature is None:
                    return None
                is_blank = is_blank and not (block.thinking or "").strip()
            case "tool_use" if wire.stop_reason == "end_turn" or not block.id:
                return None
            case _:
                is_blank = False
    raw = _members(wire.content, wire.stop_reason, wire.stop_sequence, outer_fields(wire))
    return Relay(NAME, msgspec.Raw(raw), is_blank, partial(_read, wire))


def _read(wire: WireAnswer) -> tuple[Choice, ...]:
    return (read_choice(wire.content, wire),)


def _members(
    content: bytes | msgspec.Raw, reason: str | None, stop_sequence: str | None, beside: dict[str, msgspec.Raw]
) -> bytes:
    members = b'"stop_reason":%b,"stop_sequence":%b' % (encoder.encode(reason), encoder.encode(stop_sequence))
    more = b"," + encoder.encode(beside)[1:-1] if beside else b""
    return b"".join((b'"content":', content, b",", members, more))
