"""A checked completion request in Kyma's words, with the report of what they cannot hold."""

from typing import Any

import msgspec

from kyma.core.chat import Chat, Message, TextPart
from kyma.dialects.openai_completions.wire import NULL, RawFields

OURS = ("model", "prompt", "stream", "stream_options", "max_tokens", "idempotency_key")
"""Fields that Kyma itself acts on, and those that every dialect can say."""
SAID = ("temperature", "top_p", "top_k", "n", "seed", "presence_penalty", "frequency_penalty", "user")
"""Fields that a chat calls by the same name."""
CHECKED = ("suffix", "echo")
"""Fields that were refused unless they ask for nothing."""

_decode = msgspec.json.Decoder().decode


def read_chat(fields: RawFields, prompt: str, max_tokens: int) -> Chat:
    """The prompt as one user message. `max_tokens` is what holds after defaults."""
    left = {name: raw for name, raw in fields.items() if raw != NULL and name not in OURS and name not in CHECKED}
    said: dict[str, Any] = {name: _decode(left.pop(name)) for name in SAID if name in left}
    names = {name: name for name in said}
    if "stop" in left and (stop := _decode(left.pop("stop"))):
        said["stop"] = (stop,) if isinstance(stop, str) else tuple(stop)
        names["stop"] = "stop"
    if "logit_bias" in left:
        said["logit_bias"] = left.pop("logit_bias")
        names["logit_bias"] = "logit_bias"
    if "best_of" in left and _decode(left["best_of"]) == said.get("n", 1):  # as many as are shown: nothing is chosen
        del left["best_of"]
    if "logprobs" in left and _decode(left["logprobs"]) is False:
        del left["logprobs"]
    message = Message("user", (TextPart(prompt),))
    return Chat(messages=(message,), max_tokens=max_tokens, names=names, lost=tuple(left), **said)
