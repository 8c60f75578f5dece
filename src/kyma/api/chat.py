"""POST /v1/chat/completions: OpenAI chat in, OpenAI chat or server-sent events out."""

from kyma.api.asgi import ExchangeOutlet, credential, read_body
from kyma.dialects import openai_chat
from kyma.gateway import Gateway
from kyma.server.exchange import Receive, Scope, Send


async def create_completion(gateway: Gateway, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one chat. Raises: KymaError for what is wrong before a call is opened; then nothing was sent."""
    token = credential(scope)
    principal = gateway.accounts.cached(token) or await gateway.accounts.authenticate(token)
    body = await read_body(scope, receive)
    request = openai_chat.parse_request(body)
    call = await gateway.calls.open(principal, request)
    scope["on_leave"](call.abandon)
    await gateway.calls.run(call, openai_chat, ExchangeOutlet(scope["exchange"], openai_chat.render_error))
