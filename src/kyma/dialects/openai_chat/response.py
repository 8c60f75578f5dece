"""Whole answers: a vendor's chat completion read, and ours written."""

from typing import Any

import msgspec

from kyma.core.answer import Bill, ChatResponse, Choice, Relay
from kyma.core.chat import ChatRequest, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from kyma.core.errors import Garbled
from kyma.core.model import Quirks
from kyma.dialects.base import Reply
from kyma.dialects.openai_chat.choices import read_choices, usage_of_choices
from kyma.dialects.openai_chat.relay import relay
from kyma.dialects.openai_chat.wire import NAME, NULL, encoder, parse_usage
from kyma.dialects.openai_shared import render_usage
from kyma.dialects.vendor_errors import error_in_answer


class WireAnswer(msgspec.Struct):
    choices: msgspec.Raw = NULL
    usage: msgspec.Raw = NULL
    error: msgspec.Raw = NULL


_answer_decoder = msgspec.json.Decoder(WireAnswer)


class MessageOut(msgspec.Struct, omit_defaults=True):
    role: str
    content: str | None
    reasoning_content: str | None = None
    refusal: str | None = None
    tool_calls: list[dict[str, Any]] | None = None


class ChoiceOut(msgspec.Struct):
    index: int
    message: MessageOut | dict[str, Any]
    finish_reason: str


def parse_response(body: bytes, quirks: Quirks) -> ChatResponse:
    """Read a vendor's 200. Raises: Garbled when it is no completion, UpstreamFailed when it holds an error."""
    try:
        wire = _answer_decoder.decode(body)
        if wire.error is not NULL and wire.error != NULL:
            raise error_in_answer(wire.error)
        said = relay(wire.choices, quirks) or read_choices(wire.choices, quirks)
        usage = wire.usage if isinstance(said, Relay) or wire.usage != NULL else usage_of_choices(wire.choices)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Garbled("the answer is not a chat completion") from None
    if not said:
        raise Garbled("the answer has no choices")
    return ChatResponse(said, parse_usage(usage, quirks))


def render_response(response: ChatResponse, reply: Reply, bill: Bill, request: ChatRequest | None = None) -> bytes:
    """The body of a `chat.completion`, usage with Kyma's additions."""
    said = response.said
    if isinstance(said, Relay) and said.dialect == NAME:
        choices: bytes | msgspec.Raw = said.raw
    else:
        choices = encoder.encode([_render_choice(choice) for choice in response.choices])
    head = f'{{"id":"{chat_id(reply)}","object":"chat.completion","created":{reply.created},"model":"{reply.model_id}",'
    return b"".join((head.encode(), b'"choices":', choices, b',"usage":', encoder.encode(render_usage(bill)), b"}"))


def chat_id(reply: Reply) -> str:
    """`chatcmpl-` and the digits of our request id, so that a customer can look the request up."""
    return "chatcmpl-" + reply.request_id.removeprefix("req_")


def _render_choice(choice: Choice) -> ChoiceOut | dict[str, Any]:
    text = thought = refusal = ""
    calls: list[dict[str, Any]] = []
    for part in choice.parts:
        if isinstance(part, TextPart):
            text += part.text
        elif isinstance(part, ThinkingPart):
            thought += part.text
        elif isinstance(part, RefusalPart):
            refusal += part.text
        elif isinstance(part, ToolCallPart):
            function = {"name": part.name, "arguments": part.arguments}
            calls.append({"id": part.id, "type": "function", "function": function})
    message = MessageOut(
        "assistant", text if text or not (calls or refusal) else None, thought or None, refusal or None, calls or None
    )
    said = ChoiceOut(choice.index, message, choice.word if choice.word and choice.origin == NAME else choice.finish)
    if choice.message_native is None and choice.outer_native is None:
        return said
    if choice.message_native and choice.message_native.dialect == NAME:
        said.message = msgspec.to_builtins(message) | choice.message_native.fields
    beside = choice.outer_native.fields if choice.outer_native and choice.outer_native.dialect == NAME else {}
    return msgspec.structs.asdict(said) | beside
