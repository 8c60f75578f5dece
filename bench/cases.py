"""What is asked in which dialect, and what speaks to the mock behind the gateway: the cases of requests and streams,
and that of routing.

Responses has no upstream side, so there is no case of it in which nothing is translated.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec

REQUEST_BYTES = 1024
PACED = "bench-paced-"
TRANSLATED = 1.6
"""How much dearer than its own dialect a request or an event may be for a vendor of another one."""


class Case(msgspec.Struct, frozen=True):
    """A dialect and the vendor's own; `family` is the provider's dialect, `asks` makes a body of model and words.

    The model for requests has so many `sources`, all of them the mock.
    """

    name: str
    path: str
    family: str
    is_translated: bool
    asks: Callable[[str, str], dict[str, Any]]
    sources: int = 1

    @property
    def provider(self) -> str:
        return f"mock-{self.family.replace('_', '-')}"

    @property
    def providers(self) -> list[str]:
        """One for each source."""
        return [self.provider, *(f"{self.provider}-{number}" for number in range(2, self.sources + 1))]

    @property
    def plain_model(self) -> str:
        return f"{self.provider}-bench-plain" + (f"-{self.sources}" if self.sources > 1 else "")

    def paced_model(self, interval_ms: int) -> str:
        """What the mock answers with an event each `interval_ms`."""
        return f"{self.provider}-{PACED}{interval_ms}"

    def budget(self, same_dialect: float) -> float:
        """What the ratio of this case may be where `same_dialect` is the budget without translation."""
        return round(same_dialect * TRANSLATED, 2) if self.is_translated else same_dialect

    def plain_body(self) -> str:
        """A request of 1 KB for a whole answer."""
        size = len(json.dumps(self.asks(self.plain_model, "")))
        return json.dumps(self.asks(self.plain_model, ("word " * REQUEST_BYTES)[: REQUEST_BYTES - size]))

    def stream_body(self, interval_ms: int) -> str:
        """A request for a paced stream."""
        return json.dumps(self.asks(self.paced_model(interval_ms), "word " * 20) | {"stream": True})


def _chat(model: str, words: str) -> dict[str, Any]:
    return {"model": model, "max_tokens": 256, "messages": [{"role": "user", "content": words}]}


def _responses(model: str, words: str) -> dict[str, Any]:
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}
    return {"model": model, "max_output_tokens": 256, "store": False, "input": [message]}


CHAT = Case("chat", "/v1/chat/completions", "openai_chat", False, _chat)
CASES = (
    CHAT,
    Case("messages", "/v1/messages", "anthropic_messages", False, _chat),
    Case("messages-translated", "/v1/messages", "openai_chat", True, _chat),
    Case("responses-translated", "/v1/responses", "openai_chat", True, _responses),
)
ROUTED = Case("routing", "/v1/chat/completions", "openai_chat", False, _chat, sources=5)
BY_NAME = {case.name: case for case in CASES}
