"""A whole answer as a `response` object."""

from kyma.core.answer import Bill, ChatResponse
from kyma.core.chat import AnswerPart, ChatRequest, RefusalPart, TextPart, ThinkingPart, ToolCallPart
from kyma.dialects.base import Reply
from kyma.dialects.openai_responses.envelope import Envelope, digits, final_status
from kyma.dialects.openai_responses.sequence import ItemSequence
from kyma.dialects.openai_responses.wire import Sealed


def render_response(response: ChatResponse, reply: Reply, bill: Bill, request: ChatRequest) -> bytes:
    """The body of a `response`. `request` has the settings to repeat and the names under which tools were offered.

    Choices beyond the first are not of this dialect.
    """
    sequence, choice = ItemSequence(request, digits(reply), None), response.choices[0]
    for index, part in enumerate(choice.parts):
        _put(part, index, sequence)
        sequence.end_part()
    sequence.end(choice.finish)
    envelope = Envelope(request.native.fields, reply)
    return envelope.write(final_status(sequence.finish), sequence.output, finish=sequence.finish, bill=bill)


def _put(part: AnswerPart, index: int, sequence: ItemSequence) -> None:
    match part:
        case TextPart(text=text):
            sequence.say(text)
        case RefusalPart(text=text):
            sequence.refuse(text)
        case ThinkingPart(redacted=str(redacted), origin=origin):
            sequence.prove(Sealed(redacted, origin, "redacted"))
        case ThinkingPart(text, signature, origin):
            sequence.think(text)
            if signature:
                sequence.prove(Sealed(signature, origin))
        case ToolCallPart(call_id, name, arguments, signature=signature, origin=origin):
            sequence.call(index, call_id, name, arguments, Sealed(signature, origin, "call") if signature else None)
