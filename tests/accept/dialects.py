"""The five dialects of customers: how a plain question is put, and what the events and bodies of an answer say."""

from collections.abc import Callable
from typing import Any

import msgspec

Json = dict[str, Any]
OPENAI_ERROR = frozenset(("message", "type", "param", "code"))


class Said(msgspec.Struct, frozen=True):
    """One event or one whole body. `is_finish`: it says why the answer ended; `is_last`: nothing may follow it."""

    text: str = ""
    is_finish: bool = False
    is_last: bool = False
    error: Json | None = None
    usage: Json | None = None


class Dialect(msgspec.Struct, frozen=True):
    """How one dialect is spoken. A stream ends with `[DONE]` where `ends_with_done`, else with an event.

    `error_fields` stand in every error, `broken_fields` in one inside a stream.
    """

    name: str
    path: Callable[[str, bool], str]
    ask: Callable[[str, str, int, bool], Json]
    read_event: Callable[[Json], Said]
    read_body: Callable[[Json], Said]
    error_fields: frozenset[str]
    broken_fields: frozenset[str]
    key_header: str = "authorization: Bearer"
    ends_with_done: bool = False
    names_events: bool = False


def _ask(prompt: Json, model: str, max_tokens: int, is_streaming: bool) -> Json:
    return prompt | {"model": model, "max_tokens": max_tokens} | ({"stream": True} if is_streaming else {})


def _ask_openai(prompt: Json, model: str, max_tokens: int, is_streaming: bool) -> Json:
    usage = {"stream_options": {"include_usage": True}} if is_streaming else {}
    return _ask(prompt, model, max_tokens, is_streaming) | usage


def _ask_responses(prompt: str, model: str, max_tokens: int, is_streaming: bool) -> Json:
    fields = _ask({"input": prompt, "store": False}, model, max_tokens, is_streaming)
    return fields | {"max_output_tokens": fields.pop("max_tokens")}


def _turn(prompt: str) -> list[Json]:
    return [{"role": "user", "content": prompt}]


def _choices(event: Json, text: Callable[[Json], str | None]) -> Said:
    choices = event.get("choices", ())
    return Said(
        "".join(text(choice) or "" for choice in choices),
        is_finish=any(choice.get("finish_reason") for choice in choices),
        error=event.get("error"),
        usage=event.get("usage"),
    )


def _read_message_event(event: Json) -> Said:
    match event["type"]:
        case "content_block_delta":
            return Said(event["delta"].get("text", ""))
        case "message_delta":
            return Said(is_finish=event["delta"]["stop_reason"] is not None, usage=event["usage"])
        case "message_stop":
            return Said(is_last=True)
        case "error":
            return Said(error=event["error"])
    return Said()


def _read_message(body: Json) -> Said:
    text = "".join(block.get("text", "") for block in body.get("content", ()))
    return Said(text, error=body.get("error"), usage=body.get("usage"))


def _read_response_event(event: Json) -> Said:
    match event["type"]:
        case "response.output_text.delta":
            return Said(event["delta"])
        case "response.completed" | "response.incomplete":
            return Said(is_finish=True, is_last=True, usage=event["response"]["usage"])
        case "response.failed":
            assert event["response"]["status"] == "failed", event
            return Said(error=event["response"]["error"])
    return Said()


def _read_response(body: Json) -> Said:
    parts = [part for item in body.get("output", ()) for part in item.get("content", ())]
    return Said("".join(part["text"] for part in parts), error=body.get("error"), usage=body.get("usage"))


def _read_piece(body: Json) -> Said:
    candidates = body.get("candidates", ())
    parts = [part for candidate in candidates for part in candidate.get("content", {}).get("parts", ())]
    is_finish = any("finishReason" in candidate for candidate in candidates)
    text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    return Said(text, is_finish, is_finish, body.get("error"), body.get("usageMetadata"))


def _gemini_path(model: str, is_streaming: bool) -> str:
    return f"/v1beta/models/{model}:" + ("streamGenerateContent?alt=sse" if is_streaming else "generateContent")


CHAT = Dialect(
    "openai_chat",
    lambda model, is_streaming: "/v1/chat/completions",
    lambda prompt, *more: _ask_openai({"messages": _turn(prompt)}, *more),
    lambda event: _choices(event, lambda choice: choice["delta"].get("content")),
    lambda body: _choices(body, lambda choice: choice["message"]["content"]),
    OPENAI_ERROR,
    OPENAI_ERROR,
    ends_with_done=True,
)
COMPLETIONS = Dialect(
    "openai_completions",
    lambda model, is_streaming: "/v1/completions",
    lambda prompt, *more: _ask_openai({"prompt": prompt}, *more),
    lambda event: _choices(event, lambda choice: choice["text"]),
    lambda body: _choices(body, lambda choice: choice["text"]),
    OPENAI_ERROR,
    OPENAI_ERROR,
    ends_with_done=True,
)
MESSAGES = Dialect(
    "anthropic_messages",
    lambda model, is_streaming: "/v1/messages",
    lambda prompt, *more: _ask({"messages": _turn(prompt)}, *more),
    _read_message_event,
    _read_message,
    frozenset(("type", "message")),
    frozenset(("type", "message")),
    key_header="x-api-key:",
    names_events=True,
)
RESPONSES = Dialect(
    "openai_responses",
    lambda model, is_streaming: "/v1/responses",
    _ask_responses,
    _read_response_event,
    _read_response,
    OPENAI_ERROR,
    frozenset(("code", "message")),
    names_events=True,
)
GEMINI = Dialect(
    "gemini",
    _gemini_path,
    lambda prompt, model, max_tokens, is_streaming: {
        "contents": [{"role": "user", "parts": [{"text": prompt}]}],
        "generationConfig": {"maxOutputTokens": max_tokens},
    },
    _read_piece,
    _read_piece,
    frozenset(("code", "message", "status")),
    frozenset(("code", "message", "status")),
    key_header="x-goog-api-key:",
)
ALL = (CHAT, MESSAGES, RESPONSES, GEMINI, COMPLETIONS)
