"""What every dialect module offers; `kyma.dialects.openai_chat` is the first to satisfy it."""

from typing import Protocol

from kyma.core.chat import Bill, ChatEvent, ChatRequest, ChatResponse
from kyma.core.errors import KymaError, UpstreamError
from kyma.core.model import Quirks
from kyma.core.upstream import Headers


class StreamDecoder(Protocol):
    """Upstream bytes to events, cut anywhere. Never raises: what is wrong becomes one `StreamFailure`."""

    def feed(self, data: bytes) -> list[ChatEvent]:
        """The events completed by `data`."""
        ...

    def close(self) -> list[ChatEvent]:
        """The upstream ended; a `StreamFailure` unless it had said that it was done."""
        ...


class StreamEncoder(Protocol):
    """Events to the customer's bytes; every call returns whole frames."""

    def encode(self, event: ChatEvent) -> bytes: ...

    def end(self, bill: Bill) -> bytes:
        """What closes a complete stream: usage if it was asked for, then the terminal frame."""
        ...

    def error(self, error: KymaError) -> bytes:
        """What tells the customer that the stream is broken; nothing follows it."""
        ...

    def keep_alive(self) -> bytes:
        """A frame that means nothing."""
        ...


class Dialect(Protocol):
    """A wire format. A module satisfies this; all functions are pure."""

    NAME: str

    def parse_request(self, body: bytes) -> ChatRequest: ...

    def render_response(self, response: ChatResponse, reply: "Reply", bill: Bill) -> bytes: ...

    def stream_encoder(self, request: ChatRequest, reply: "Reply") -> StreamEncoder: ...

    def render_error(self, error: KymaError) -> bytes: ...

    def render_request(self, request: ChatRequest, upstream_model: str, quirks: Quirks) -> bytes: ...

    def parse_response(self, body: bytes, quirks: Quirks) -> ChatResponse: ...

    def stream_decoder(self, quirks: Quirks) -> StreamDecoder: ...

    def parse_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError: ...


class Reply(Protocol):
    """How an answer names itself: our request id, the model that answered, epoch seconds."""

    @property
    def request_id(self) -> str: ...

    @property
    def model_id(self) -> str: ...

    @property
    def created(self) -> int: ...
