"""Whole answers that take long: asked for as streams, so that no idle time-out cuts them, and put together here.

The customer sees a whole answer either way. Short ones are asked for whole, which is cheaper: a stream costs us work
for each of its tokens.
"""

from collections.abc import Callable

from kyma.core.answer import ChatResponse
from kyma.core.chat import CallRequest, ChatRequest
from kyma.core.errors import Garbled
from kyma.core.model import Route
from kyma.providers.compat import Adapter, ChatAdapter
from kyma.transport import Response

TOKENS_PER_S = 50.0
"""What a source is taken to write where nobody has measured it. Anthropic's SDK reckons with 36, fast hosts do 100 and
more (anthropic-python 2.12, `_calculate_nonstreaming_timeout`)."""

SILENCE_S = 30.0
"""The longest wait for a whole answer that is left to chance: half of the 60 s after which nginx and Amazon's load
balancers, at their defaults, cut a connection without a byte (`proxy_read_timeout`, `idle_timeout.timeout_seconds`).
Half, because a source may be half as fast as it was."""

PATIENCE_SHARE = 0.5
"""The same of our own patience with a provider, where that is shorter."""


def is_streamed_inside(request: CallRequest, route: Route, adapter: Adapter, tokens_per_s: float | None = None) -> bool:
    """Whether `route` is asked for a stream although the customer wants a whole answer.

    So it is when all the tokens asked for would take too long at `tokens_per_s`, and the stream says all that the
    customer would be told. The default of `max_tokens` counts as asked for.
    """
    if not isinstance(request, ChatRequest) or not isinstance(adapter, ChatAdapter) or request.is_streaming:
        return False
    timeouts = route.provider.timeouts
    bearable_s = min(SILENCE_S, PATIENCE_SHARE * max(timeouts.first_byte_s, timeouts.idle_s))
    return request.max_tokens > bearable_s * (tokens_per_s or TOKENS_PER_S) and adapter.can_assemble(request)


async def read_stream(
    response: Response, adapter: ChatAdapter, route: Route, limit_bytes: int, on_begun: Callable[[], None]
) -> ChatResponse:
    """A stream read to its end, as the whole answer it comes to; `on_begun` is told of its first content.

    Raises: UpstreamError when it breaks; nothing of it has reached anybody then. Garbled beyond `limit_bytes`.
    """
    decoder, assembler = adapter.stream_decoder(route), adapter.assembler()
    size = 0

    def take(data: bytes) -> bool:
        nonlocal size
        size += len(data)
        if size > limit_bytes:
            raise Garbled(f"the stream is larger than {limit_bytes} bytes")
        for event in decoder.feed(data):
            assembler.see(event)
            on_begun()
        return True

    await response.pour(take)
    for event in decoder.close():
        assembler.see(event)
    return assembler.response
