"""A customer's legacy completion request, checked."""

from functools import partial
from typing import Annotated, NoReturn

import msgspec

from kyma.core.chat import ChatRequest, Native
from kyma.core.errors import InvalidRequest
from kyma.dialects.json_input import decode_body
from kyma.dialects.openai_completions.read import read_chat
from kyma.dialects.openai_completions.wire import NAME, fields_decoder
from kyma.dialects.preferences import take_preferences

DEFAULT_MAX_TOKENS = 16
"""OpenAI's own for this endpoint."""
MAX_CHOICES = 128

Count = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
Choices = Annotated[int, msgspec.Meta(ge=1, le=MAX_CHOICES)]
Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class WireStreamOptions(msgspec.Struct):
    include_usage: bool | None = None


class CompletionRequest(msgspec.Struct, kw_only=True):
    """Body of POST /v1/completions. Fields not listed here reach no model, and are reported."""

    model: str = ""
    prompt: str | list[str | int | list[int]]
    stream: bool | None = None
    stream_options: WireStreamOptions | None = None
    max_tokens: Count | None = None
    n: Choices | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_k: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    user: str | None = None
    suffix: str | None = None
    echo: bool | None = None
    best_of: Choices | None = None
    logprobs: int | bool | None = None


_request_decoder = msgspec.json.Decoder(CompletionRequest)


def parse_request(body: bytes) -> ChatRequest:
    """Read a request body. Raises: InvalidRequest naming the field."""
    wire = decode_body(_request_decoder, body)
    fields = fields_decoder.decode(body)
    model, preferences = wire.model, None
    if "provider" in fields or "models" in fields:
        model, preferences = take_preferences(fields, model)
    if not model:
        _refuse("model must name a model or an alias", "model")
    prompt = _prompt(wire.prompt)
    if wire.suffix:
        _cannot("suffix is not supported: these models answer a prompt, they do not fill a gap in it", "suffix")
    if wire.echo:
        _cannot("echo is not supported; put the prompt before the text yourself", "echo")
    n = wire.n or 1
    if wire.best_of is not None and wire.best_of < n:
        _refuse("best_of must not be smaller than n", "best_of")
    max_tokens = wire.max_tokens or DEFAULT_MAX_TOKENS
    return ChatRequest(
        model=model,
        preferences=preferences,
        max_tokens=max_tokens,
        is_streaming=bool(wire.stream),
        wants_usage_chunk=bool(wire.stream and wire.stream_options and wire.stream_options.include_usage),
        n=n,
        temperature=wire.temperature,
        roles=frozenset(("user",)),
        chat=partial(read_chat, fields, prompt, max_tokens),
        native=Native(NAME, fields),
        input_bytes=len(memoryview(fields["prompt"])),
    )


def _prompt(given: str | list[str | int | list[int]]) -> str:
    """The one text to be answered."""
    parts = [given] if isinstance(given, str) else given
    if any(not isinstance(part, str) for part in parts):
        _cannot("a prompt of token ids is not supported; send it as a string", "prompt")
    if len(parts) > 1:
        _cannot(f"{len(parts)} prompts in one request are not supported; send one request for each", "prompt")
    if not parts or not isinstance(parts[0], str) or not parts[0]:
        _refuse("prompt must not be empty", "prompt")
    return parts[0]


def _cannot(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, code="unsupported_parameter", param=param)


def _refuse(message: str, param: str) -> NoReturn:
    raise InvalidRequest(message, param=param)
