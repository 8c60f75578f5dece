"""A request shown in another dialect, with the report on what that costs, and nobody called."""

from collections.abc import Callable, Mapping

import msgspec

from kyma.core.chat import ChatRequest
from kyma.core.errors import InvalidRequest
from kyma.core.model import Quirks
from kyma.dialects import anthropic_messages, gemini, openai_chat, openai_completions, openai_responses
from kyma.providers.compat import DIALECTS, chat_adapter

READERS: Mapping[str, Callable[[bytes], ChatRequest]] = {
    openai_chat.NAME: openai_chat.parse_request,
    anthropic_messages.NAME: anthropic_messages.parse_request,
    openai_responses.NAME: openai_responses.parse_request,
    openai_completions.NAME: openai_completions.parse_request,
    gemini.NAME: lambda body: gemini.parse_request(body, "gemini", False),
}
"""Who reads a customer's request, by dialect."""

SHORT_NAMES = {
    "openai": openai_chat.NAME,
    "chat": openai_chat.NAME,
    "anthropic": anthropic_messages.NAME,
    "messages": anthropic_messages.NAME,
    "responses": openai_responses.NAME,
    "completions": openai_completions.NAME,
}


class Translated(msgspec.Struct, frozen=True):
    """The request as an upstream of the target dialect would get it; paths are the source dialect's."""

    request: msgspec.Raw
    dropped: tuple[str, ...]
    emulated: tuple[str, ...]


def translate(source: str, target: str, body: bytes) -> Translated:
    """`body`, a request in dialect `source`, in the words of `target`. Raises: InvalidRequest."""
    read = READERS.get(SHORT_NAMES.get(source, source))
    if read is None:
        raise InvalidRequest(f"from is one of {', '.join(READERS)}, not {source}", param="from")
    name = SHORT_NAMES.get(target, target)
    if name not in DIALECTS:
        raise InvalidRequest(f"to is one of {', '.join(DIALECTS)}, not {target}", param="to")
    request = read(body)
    rendered = chat_adapter(name).dialect.render_request(request, request.model, Quirks())
    return Translated(msgspec.Raw(rendered.body), rendered.dropped, rendered.emulated)
