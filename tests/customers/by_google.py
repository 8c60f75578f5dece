"""A customer of Gemini's generateContent, by the `google-genai` SDK."""

from typing import Any

from google import genai
from google.genai import errors, types

from tests.customers.heard import TOOLS, Broken, Heard, arguments

GEMINI_TOOLS = [types.Tool(function_declarations=[types.FunctionDeclaration(name=name) for name in TOOLS])]
CONFIG = types.GenerateContentConfig(
    tools=list(GEMINI_TOOLS),
    max_output_tokens=500,
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)
ENDS = {"MAX_TOKENS": "length", "SAFETY": "refusal"}


class ByGoogle:
    """`models.generate_content`."""

    def __init__(self, client: genai.Client) -> None:
        self.close = client.close
        self._models = client.models

    def hear(self, model: str, *, is_streaming: bool) -> Heard:
        asked: Any = {"model": model, "contents": "one two three", "config": CONFIG}
        if not is_streaming:
            return _heard([self._models.generate_content(**asked)])
        pieces: list[types.GenerateContentResponse] = []
        try:
            for piece in self._models.generate_content_stream(**asked):
                pieces.append(piece)
        except errors.APIError:
            if not pieces:
                raise
            raise Broken("".join(part.text or "" for part in _parts(pieces) if not part.thought)) from None
        if not any(candidate.finish_reason for piece in pieces for candidate in piece.candidates or ()):
            raise Broken("".join(part.text or "" for part in _parts(pieces) if not part.thought))
        return _heard(pieces)


def _heard(pieces: list[types.GenerateContentResponse]) -> Heard:
    parts = _parts(pieces)
    called = [part.function_call for part in parts if part.function_call is not None]
    calls = tuple((str(call.name), arguments(call.args or {})) for call in called)
    ends = [candidate.finish_reason for piece in pieces for candidate in piece.candidates or ()]
    end = next(str(end.value) for end in reversed(ends) if end is not None)
    usage = pieces[-1].usage_metadata
    assert usage is not None and all(call.id for call in called)
    output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    return Heard(
        "".join(part.text or "" for part in parts if not part.thought),
        "".join(part.text or "" for part in parts if part.thought),
        calls,
        ENDS.get(end, "tool_calls" if calls else "stop"),
        (usage.prompt_token_count or 0, output),
    )


def _parts(pieces: list[types.GenerateContentResponse]) -> list[types.Part]:
    found = [candidate.content for piece in pieces for candidate in piece.candidates or ()]
    return [part for content in found if content is not None for part in content.parts or ()]
