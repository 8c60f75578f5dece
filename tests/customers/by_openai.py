"""Customers of OpenAI's three dialects, by the `openai` SDK and its streaming helpers."""

from typing import Any

import openai
from openai.lib.streaming.chat import ChatCompletionStream
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from tests.customers.heard import TOOLS, Broken, Heard, arguments

CHAT_TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in TOOLS
]
RESPONSES_TOOLS: Any = [
    {"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}, "strict": False}
    for name in TOOLS
]
HI: Any = [{"role": "user", "content": "one two three"}]
ENDS = {"content_filter": "refusal"}


class ByChat:
    """`chat.completions`."""

    def __init__(self, client: openai.OpenAI) -> None:
        self.close = client.close
        self._completions = client.chat.completions

    def hear(self, model: str, *, is_streaming: bool) -> Heard:
        if not is_streaming:
            return _completion(self._completions.create(model=model, messages=HI, tools=CHAT_TOOLS))
        options: Any = {"include_usage": True}
        said = thought = ""
        try:
            with self._completions.stream(model=model, messages=HI, tools=CHAT_TOOLS, stream_options=options) as stream:
                for event in stream:
                    if event.type == "content.delta":
                        said += event.delta
                    elif event.type == "chunk":
                        for choice in event.chunk.choices:
                            thought += getattr(choice.delta, "reasoning_content", None) or ""
                final = _final(stream)
        except openai.APIStatusError:
            raise
        except openai.APIError:
            raise Broken(said) from None
        heard = _completion(final)
        assert (heard.text or "").startswith(said) and heard.thought == thought
        return heard


class ByCompletions:
    """Legacy `completions`: text, and nothing else."""

    def __init__(self, client: openai.OpenAI) -> None:
        self.close = client.close
        self._completions = client.completions

    def hear(self, model: str, *, is_streaming: bool) -> Heard:
        if not is_streaming:
            whole = self._completions.create(model=model, prompt="one two three", max_tokens=500)
            assert whole.usage is not None
            usage = (whole.usage.prompt_tokens, whole.usage.completion_tokens)
            return Heard(whole.choices[0].text, "", (), _ended(whole.choices[0].finish_reason), usage)
        said, ended, counted = "", "", (0, 0)
        options: Any = {"include_usage": True}
        try:
            for chunk in self._completions.create(
                model=model, prompt="one two three", max_tokens=500, stream=True, stream_options=options
            ):
                for choice in chunk.choices:
                    said += choice.text
                    ended = _ended(choice.finish_reason) if choice.finish_reason else ended
                if chunk.usage is not None:
                    counted = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        except openai.APIStatusError:
            raise
        except openai.APIError:
            raise Broken(said) from None
        return Heard(said, "", (), ended, counted)


class ByResponses:
    """`responses`."""

    def __init__(self, client: openai.OpenAI) -> None:
        self.close = client.close
        self._responses = client.responses

    def hear(self, model: str, *, is_streaming: bool) -> Heard:
        if not is_streaming:
            return _response(self._responses.create(model=model, input="one two three", tools=RESPONSES_TOOLS))
        said, numbers, last = "", [], ""
        with self._responses.stream(model=model, input="one two three", tools=RESPONSES_TOOLS) as stream:
            for event in stream:
                numbers.append(event.sequence_number)
                last = event.type
                if event.type == "response.output_text.delta":
                    said += event.delta
            assert numbers == list(range(len(numbers))), "events are numbered without a gap"
            if last == "response.failed":
                raise Broken(said)
            final = stream.get_final_response() if last == "response.completed" else event.response  # type: ignore[union-attr]
        heard = _response(final)
        assert heard.text.startswith(said)
        return heard


def _final(stream: ChatCompletionStream[None]) -> ChatCompletion:
    """The answer put together; the helper raises where one that should be parsed was cut short or filtered."""
    try:
        return stream.get_final_completion()
    except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
        return stream.current_completion_snapshot


def _completion(completion: ChatCompletion) -> Heard:
    (choice,) = completion.choices
    message = choice.message
    calls = tuple((call.function.name, arguments(call.function.arguments)) for call in _functions(message.tool_calls))
    assert completion.usage is not None
    return Heard(
        (message.content or "") + (message.refusal or ""),
        getattr(message, "reasoning_content", None) or "",
        calls,
        "refusal" if message.refusal else _ended(choice.finish_reason),
        (completion.usage.prompt_tokens, completion.usage.completion_tokens),
    )


def _functions(calls: Any) -> Any:
    return [call for call in calls or () if call.type == "function"]


def _response(response: Response) -> Heard:
    thoughts: list[str] = []
    calls: list[tuple[str, str]] = []
    refusal = ""
    for item in response.output:
        match item.type:
            case "reasoning":
                thoughts += [part.text for part in item.summary]
            case "function_call":
                calls.append((item.name, arguments(item.arguments)))
            case "message":
                refusal += "".join(part.refusal for part in item.content if part.type == "refusal")
    ended = "tool_calls" if calls else "stop"
    if response.status == "incomplete":
        assert response.incomplete_details is not None
        ended = {"max_output_tokens": "length"}.get(str(response.incomplete_details.reason), "refusal")
    assert response.usage is not None
    usage = (response.usage.input_tokens, response.usage.output_tokens)
    said = response.output_text + refusal
    return Heard(said, "".join(thoughts), tuple(calls), "refusal" if refusal else ended, usage)


def _ended(word: str) -> str:
    return ENDS.get(word, word)
