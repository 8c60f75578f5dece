"""Whole answers as a `text_completion`, and errors in OpenAI's envelope."""

import msgspec

from kyma.core.answer import Bill, ChatResponse, Choice
from kyma.core.chat import ChatRequest, RefusalPart, TextPart
from kyma.dialects.base import Reply
from kyma.dialects.openai_completions.wire import FINISH_WORDS, completion_id, encoder
from kyma.dialects.openai_shared import UsageOut, render_usage


class ChoiceOut(msgspec.Struct):
    text: str
    index: int
    logprobs: None
    finish_reason: str


class CompletionOut(msgspec.Struct):
    id: str
    object: str
    created: int
    model: str
    choices: list[ChoiceOut]
    usage: UsageOut


def render_response(response: ChatResponse, reply: Reply, bill: Bill, request: ChatRequest | None = None) -> bytes:
    """The body of a `text_completion`: what was said, without what was thought."""
    choices = [_choice(choice) for choice in response.choices]
    return encoder.encode(
        CompletionOut(
            completion_id(reply), "text_completion", reply.created, reply.model_id, choices, render_usage(bill)
        )
    )


def _choice(choice: Choice) -> ChoiceOut:
    text = "".join(part.text for part in choice.parts if isinstance(part, TextPart | RefusalPart))
    return ChoiceOut(text, choice.index, None, FINISH_WORDS[choice.finish])
