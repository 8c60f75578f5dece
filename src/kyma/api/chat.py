"""POST /v1/chat/completions: OpenAI chat in, OpenAI chat or server-sent events out."""

from kyma.api.asgi import ExchangeOutlet, identify
from kyma.dialects import openai_chat
from kyma.gateway import Gateway
from kyma.server.exchange import Exchange


async def create_completion(gateway: Gateway, exchange: Exchange) -> None:
    """Answer one chat. Raises: KymaError for what is wrong before a call is opened; then nothing was sent."""
    principal = await identify(gateway.accounts, exchange.scope)
    call = await gateway.calls.open(principal, openai_chat.parse_request(exchange.take_body()))
    exchange.watch(call.abandon)
    await gateway.calls.run(call, openai_chat, ExchangeOutlet(exchange, openai_chat.render_error))
