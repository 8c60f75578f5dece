"""Events as a customer's stream of chat completion chunks."""

import msgspec

from kyma.core.answer import (
    Bill,
    ChatEvent,
    Finish,
    NativeDelta,
    RefusalDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallDelta,
    ToolCallStart,
)
from kyma.core.chat import ChatRequest
from kyma.core.errors import KymaError
from kyma.dialects.base import Reply
from kyma.dialects.openai_chat.response import chat_id
from kyma.dialects.openai_chat.wire import NAME, encoder
from kyma.dialects.openai_shared import error_object, render_usage
from kyma.dialects.sse import KEEP_ALIVE

DONE = b"data: [DONE]\n\n"
TAIL, USAGE_TAIL = b"}\n\n", b',"usage":null}\n\n'
TEXT_START, TEXT_END = b'{"index":0,"delta":{"content":', b'},"finish_reason":null}]'
TEXT_TAIL, TEXT_USAGE_TAIL = TEXT_END + TAIL, TEXT_END + USAGE_TAIL

_encode = encoder.encode


def stream_encoder(request: ChatRequest, reply: Reply) -> "ChunkEncoder":
    """An encoder for one stream; usage is shown only if the request asked for it."""
    return ChunkEncoder(reply, request.wants_usage_chunk)


class ChunkEncoder:
    """See `StreamEncoder`. The first delta of each choice has the role; no chunk has empty `choices` unasked."""

    __slots__ = ("_head", "_reply", "_started", "_tail", "_text_tail", "_wants_usage")

    def __init__(self, reply: Reply, wants_usage: bool) -> None:
        self._reply = reply
        self._wants_usage = wants_usage
        self._head = b""
        self._tail = USAGE_TAIL if wants_usage else TAIL
        self._text_tail = TEXT_USAGE_TAIL if wants_usage else TEXT_TAIL
        self._started: tuple[int, ...] = ()

    def encode(self, event: ChatEvent) -> bytes:
        if type(event) is TextDelta and event.choice == 0 and 0 in self._started:  # nearly all there is
            return self._head + TEXT_START + _encode(event.text) + self._text_tail
        match event:
            case TextDelta(choice, text):
                return self._chunk(choice, b'"content":' + _encode(text))
            case ThinkingDelta(choice, text):
                return self._chunk(choice, b'"reasoning_content":' + _encode(text))
            case RefusalDelta(choice, text):
                return self._chunk(choice, b'"refusal":' + _encode(text))
            case ToolCallStart(choice, index, call_id, name, arguments):
                function = {"name": name, "arguments": arguments}
                call = {"index": index, "id": call_id, "type": "function", "function": function}
                return self._chunk(choice, b'"tool_calls":' + _encode([call]))
            case ToolCallDelta(choice, index, arguments):
                return self._chunk(
                    choice, b'"tool_calls":' + _encode([{"index": index, "function": {"arguments": arguments}}])
                )
            case NativeDelta(choice, dialect, delta, outer) if dialect == NAME:
                return self._chunk(choice, _members(delta), outer=_members(outer))
            case Finish(choice, reason, word, origin):
                return self._chunk(choice, b"", finish=_encode(word if word and origin == NAME else reason.value))
            case _:
                return b""

    def end(self, bill: Bill) -> bytes:
        if not self._wants_usage:
            return DONE
        return self._prefix() + b'],"usage":' + _encode(render_usage(bill)) + b"}\n\n" + DONE

    def error(self, error: KymaError) -> bytes:
        return b"data: " + _encode({"error": error_object(error)}) + b"\n\n"

    def keep_alive(self) -> bytes:
        return KEEP_ALIVE

    def _chunk(self, choice: int, delta: bytes, finish: bytes = b"null", outer: bytes = b"") -> bytes:
        if choice not in self._started:
            self._started += (choice,)
            delta = b'"role":"assistant"' + (b"," + delta if delta else b"")
        return b'%b{"index":%d,"delta":{%b},"finish_reason":%b%b}]%b' % (
            self._head or self._prefix(),
            choice,
            delta,
            finish,
            b"," + outer if outer else b"",
            self._tail,
        )

    def _prefix(self) -> bytes:
        """Everything up to the choices, written once the model that answers is known."""
        if not self._head:
            reply = self._reply
            self._head = b'data: {"id":%b,"object":"chat.completion.chunk","created":%d,"model":%b,"choices":[' % (
                _encode(chat_id(reply)),
                reply.created,
                _encode(reply.model_id),
            )
        return self._head


def _members(fields: dict[str, msgspec.Raw]) -> bytes:
    return _encode(fields)[1:-1] if fields else b""
