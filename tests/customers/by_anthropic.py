"""A customer of Anthropic Messages, by the `anthropic` SDK and its streaming helper."""

from typing import Any

import anthropic
from anthropic.types import Message

from tests.customers.heard import TOOLS, Broken, Heard, arguments

MESSAGES_TOOLS: Any = [{"name": name, "input_schema": {"type": "object", "properties": {}}} for name in TOOLS]
HI: Any = [{"role": "user", "content": "one two three"}]
ENDS = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


class ByMessages:
    """`messages`."""

    def __init__(self, client: anthropic.Anthropic) -> None:
        self.close = client.close
        self._messages = client.messages

    def hear(self, model: str, *, is_streaming: bool) -> Heard:
        asked: Any = {"model": model, "max_tokens": 500, "messages": HI, "tools": MESSAGES_TOOLS}
        if not is_streaming:
            return _message(self._messages.create(**asked))
        said = ""
        has_begun = False
        try:
            with self._messages.stream(**asked) as stream:
                for event in stream:
                    has_begun = True
                    if event.type == "text":
                        said += event.text
                final = stream.get_final_message()
        except anthropic.APIError:
            if not has_begun:
                raise
            raise Broken(said) from None
        heard = _message(final)
        assert heard.text == said
        return heard


def _message(message: Message) -> Heard:
    blocks: list[Any] = list(message.content)
    return Heard(
        "".join(block.text for block in blocks if block.type == "text"),
        "".join(block.thinking for block in blocks if block.type == "thinking"),
        tuple((block.name, arguments(block.input)) for block in blocks if block.type == "tool_use"),
        ENDS.get(str(message.stop_reason), str(message.stop_reason)),
        (message.usage.input_tokens + (message.usage.cache_read_input_tokens or 0), message.usage.output_tokens),
    )
