"""Events as a customer's stream of Responses events. It ends with the whole response, and has no `[DONE]`."""

from kyma.core.answer import Bill, ChatEvent, TextDelta
from kyma.core.chat import ChatRequest
from kyma.core.errors import KymaError
from kyma.dialects.base import Reply
from kyma.dialects.openai_responses.envelope import Envelope, digits, final_status
from kyma.dialects.openai_responses.errors import failure
from kyma.dialects.openai_responses.output import Pen
from kyma.dialects.openai_responses.output_message import MessageItem
from kyma.dialects.openai_responses.sequence import ItemSequence
from kyma.dialects.sse import KEEP_ALIVE


def stream_encoder(request: ChatRequest, reply: Reply) -> "ResponseEncoder":
    """An encoder for one stream."""
    return ResponseEncoder(request, reply)


class ResponseEncoder:
    """See `StreamEncoder`. `response.created` waits for the first event, when it is known which model answers."""

    __slots__ = ("_envelope", "_is_open", "_pen", "_sequence", "_speaking")

    def __init__(self, request: ChatRequest, reply: Reply) -> None:
        self._envelope = Envelope(request.native.fields, reply)
        self._pen = Pen()
        self._sequence = ItemSequence(request, digits(reply), self._pen)
        self._is_open = False
        self._speaking: MessageItem | None = None

    def encode(self, event: ChatEvent) -> bytes:
        if self._speaking is not None and type(event) is TextDelta and event.choice == 0:  # nearly all there is
            return self._speaking.say(event.text)
        told = self._opening() + self._sequence.take(event)
        self._speaking = self._sequence.speaking
        return told

    def end(self, bill: Bill) -> bytes:
        sequence = self._sequence
        told = self._opening() + sequence.close()
        status = final_status(sequence.finish)
        response = self._envelope.write(status, sequence.output, finish=sequence.finish, bill=bill)
        return told + self._state(status, response)

    def error(self, error: KymaError) -> bytes:
        told = self._opening() + self._sequence.abandon()
        return told + self._state("failed", self._envelope.write("failed", self._sequence.output, error=failure(error)))

    def keep_alive(self) -> bytes:
        return KEEP_ALIVE

    def _opening(self) -> bytes:
        if self._is_open:
            return b""
        self._is_open = True
        response = self._envelope.write("in_progress", [])
        return self._state("created", response) + self._state("in_progress", response)

    def _state(self, state: str, response: bytes) -> bytes:
        word = b"response." + state.encode()
        start = b'event: %b\ndata: {"type":"%b","response":%b,"sequence_number":' % (word, word, response)
        return self._pen.write(start, b"}\n\n")
