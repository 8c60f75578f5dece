"""Answers that need no translation: a vendor's choices that a customer of this dialect may be given as they came.

They hold only members that we know, none of which can name the vendor, and say nothing that we would say differently.
"""

from functools import partial
from typing import Literal

import msgspec

from kyma.core.answer import Relay
from kyma.core.model import Quirks
from kyma.dialects.openai_chat.choices import read_choices
from kyma.dialects.openai_chat.wire import NAME, NULL
from kyma.dialects.thinking import split_thinking


class CleanFunction(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    arguments: str


class CleanCall(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    type: Literal["function"]
    function: CleanFunction


class CleanMessage(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["assistant"]
    content: str | None
    refusal: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[CleanCall] | None = None
    annotations: msgspec.Raw = NULL


class CleanChoice(msgspec.Struct, forbid_unknown_fields=True):
    message: CleanMessage
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter"]
    index: int
    logprobs: msgspec.Raw = NULL


_decoder = msgspec.json.Decoder(list[CleanChoice])


def relay(raw: msgspec.Raw, quirks: Quirks) -> Relay | None:
    """Choices to be given back as they came; None if anything about them is out of the ordinary."""
    if quirks.thinks_first:
        return None
    try:
        choices = _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return None
    is_blank = True
    for choice in choices:
        message = choice.message
        if message.tool_calls is not None and (not message.tool_calls or choice.finish_reason == "stop"):
            return None
        content = message.content
        if content and content[0] in "< \t\r\n" and split_thinking(content)[0]:
            return None
        if choice.finish_reason != "stop" or message.refusal or (content and not content.isspace()):
            is_blank = False
        elif message.reasoning_content and not message.reasoning_content.isspace():
            is_blank = False
    return Relay(NAME, raw, is_blank, partial(read_choices, raw, quirks)) if choices else None
