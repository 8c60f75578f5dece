"""Events as a customer's stream of `text_completion` chunks."""

from kyma.core.answer import Bill, ChatEvent, Finish, RefusalDelta, TextDelta
from kyma.core.chat import ChatRequest
from kyma.core.errors import KymaError
from kyma.dialects.base import Reply
from kyma.dialects.openai_completions.wire import FINISH_WORDS, completion_id, encoder
from kyma.dialects.openai_shared import error_object, render_usage
from kyma.dialects.sse import KEEP_ALIVE

DONE = b"data: [DONE]\n\n"
TAIL, USAGE_TAIL = b"}]}\n\n", b'}],"usage":null}\n\n'

_encode = encoder.encode


def stream_encoder(request: ChatRequest, reply: Reply) -> "TextChunkEncoder":
    """An encoder for one stream; usage is shown only if the request asked for it."""
    return TextChunkEncoder(reply, request.wants_usage_chunk)


class TextChunkEncoder:
    """See `StreamEncoder`. Speech and ends are all that this dialect can say; thoughts and calls are left out."""

    __slots__ = ("_head", "_reply", "_tail", "_wants_usage")

    def __init__(self, reply: Reply, wants_usage: bool) -> None:
        self._reply = reply
        self._wants_usage = wants_usage
        self._tail = USAGE_TAIL if wants_usage else TAIL
        self._head = b""

    def encode(self, event: ChatEvent) -> bytes:
        if type(event) is TextDelta:  # nearly all there is
            return self._chunk(event.choice, _encode(event.text), b"null")
        if type(event) is RefusalDelta:
            return self._chunk(event.choice, _encode(event.text), b"null")
        if type(event) is Finish:
            return self._chunk(event.choice, b'""', _encode(FINISH_WORDS[event.reason]))
        return b""

    def end(self, bill: Bill) -> bytes:
        if not self._wants_usage:
            return DONE
        return self._prefix() + b'],"usage":' + _encode(render_usage(bill)) + b"}\n\n" + DONE

    def error(self, error: KymaError) -> bytes:
        return b"data: " + _encode({"error": error_object(error)}) + b"\n\n"

    def keep_alive(self) -> bytes:
        return KEEP_ALIVE

    def _chunk(self, choice: int, text: bytes, finish: bytes) -> bytes:
        head = self._head or self._prefix()
        return b'%b{"text":%b,"index":%d,"logprobs":null,"finish_reason":%b%b' % (
            head,
            text,
            choice,
            finish,
            self._tail,
        )

    def _prefix(self) -> bytes:
        """Everything up to the choices, written once the model that answers is known."""
        if not self._head:
            reply = self._reply
            self._head = b'data: {"id":%b,"object":"text_completion","created":%d,"model":%b,"choices":[' % (
                _encode(completion_id(reply)),
                reply.created,
                _encode(reply.model_id),
            )
        return self._head
