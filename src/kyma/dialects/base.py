"""What dialect modules offer to the two sides of a call."""

from typing import Any, Protocol

from kyma.core.answer import Answer, Bill, ChatEvent, ChatResponse
from kyma.core.chat import ChatRequest, Rendered
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


class CustomerDialect(Protocol):
    """A wire format as customers speak it. A module satisfies this; all functions are pure.

    How a request is parsed differs, because dialects put model and streaming in different places. What kind of request
    and answer it is about, the call's kind says.
    """

    NAME: str

    def render_response(self, response: Any, reply: "Reply", bill: Bill, request: Any) -> bytes:
        """A whole answer; `request` is for dialects that repeat it."""
        ...

    def render_error(self, error: KymaError) -> bytes: ...


class ChatDialect(CustomerDialect, Protocol):
    """A dialect of chats, which may be streamed."""

    def stream_encoder(self, request: ChatRequest, reply: "Reply") -> StreamEncoder: ...


class UpstreamDialect(Protocol):
    """A wire format as vendors speak it. A module satisfies this; all functions are pure."""

    NAME: str

    def target(self, upstream_model: str, is_streaming: bool) -> str:
        """Path and query behind the provider's base path."""
        ...

    def render_request(self, request: Any, upstream_model: str, quirks: Quirks) -> Rendered:
        """The body to send. A request of this dialect keeps its bytes as far as it can; any other is translated, and
        what that leaves out or says another way is reported by the customer's own paths."""
        ...

    def parse_error(self, status: int, headers: Headers, body: bytes) -> UpstreamError: ...


class ChatUpstreamDialect(UpstreamDialect, Protocol):
    """A vendor's dialect of chats."""

    def parse_response(self, body: bytes, quirks: Quirks) -> ChatResponse:
        """A 200 as an answer. Raises: UpstreamError when it is none."""
        ...

    def stream_decoder(self, quirks: Quirks) -> StreamDecoder: ...


class WholeUpstreamDialect(UpstreamDialect, Protocol):
    """A vendor's dialect of what is answered whole, in the order of what was asked."""

    def parse_response(self, body: bytes, request: Any) -> Answer:
        """A 200 as the answer to `request`. Raises: UpstreamError when it is none."""
        ...


class Reply(Protocol):
    """How an answer names itself: our request id (`req_…`), the model that answered, epoch seconds."""

    @property
    def request_id(self) -> str: ...

    @property
    def model_id(self) -> str: ...

    @property
    def created(self) -> int: ...

    @property
    def input_estimate(self) -> int:
        """About how many tokens the request has: for dialects that say it before the upstream has counted."""
        ...
