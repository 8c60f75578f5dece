"""A whole answer as a `response` object."""

from collections.abc import Iterator

from kyma.core.answer import (
    Bill,
    ChatEvent,
    ChatResponse,
    Choice,
    Finish,
    PartEnd,
    RefusalDelta,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    ToolCallStart,
)
from kyma.core.chat import ChatRequest, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from kyma.dialects.base import Reply
from kyma.dialects.openai_responses.envelope import Envelope, digits, final_status
from kyma.dialects.openai_responses.sequence import ItemSequence


def render_response(response: ChatResponse, reply: Reply, bill: Bill, request: ChatRequest) -> bytes:
    """The body of a `response`. `request` has the settings to repeat and the names under which tools were offered."""
    sequence = ItemSequence(request, digits(reply), None)
    for event in _events(response.choices[0]):
        sequence.take(event)
    envelope = Envelope(request.native.fields, reply)
    return envelope.write(final_status(sequence.finish), sequence.output, finish=sequence.finish, bill=bill)


def _events(choice: Choice) -> Iterator[ChatEvent]:
    """The answer as a stream would tell it; further choices are not of this dialect."""
    for index, part in enumerate(choice.parts):
        match part:
            case TextPart(text=text):
                yield TextDelta(0, text)
            case RefusalPart(text=text):
                yield RefusalDelta(0, text)
            case ThinkingPart(redacted=str(redacted), origin=origin):
                yield SignatureDelta(0, redacted, origin, is_redacted=True)
            case ThinkingPart(text, signature, origin):
                yield ThinkingDelta(0, text)
                if signature:
                    yield SignatureDelta(0, signature, origin)
            case ToolCallPart(call_id, name, arguments, signature=signature, origin=origin):
                yield ToolCallStart(0, index, call_id, name, arguments, signature, origin)
        yield PartEnd(0)
    yield Finish(0, choice.finish)
