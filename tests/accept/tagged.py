"""Requests with a mark in every place where a customer can say something, in every dialect."""

from base64 import b64encode
from collections.abc import Callable, Mapping

from tests.accept import dialects
from tests.accept.dialects import Dialect, Json
from tests.accept.marks import Marks

Tag = Callable[[Marks], Json]
LAST = "last"
"""The place of the last words of a user: what an answer says backwards and a refusal quotes."""
MAX_TOKENS = 500
PNG = b"\x89PNG\r\n\x1a\n"
TOOL = "look_up"


def tagged(dialect: Dialect, marks: Marks) -> Json:
    """A conversation with tools, an image and all kinds of settings, without its model."""
    body = WRITERS[dialect.name](marks)
    return body | {f"x_{marks.stem}": marks("an unknown field")}


def last_words(dialect: Dialect, marks: Marks) -> str:
    """What the user says last."""
    return marks(f"{dialect.name} {LAST}")


def image(marks: Marks, place: str) -> str:
    """Base64 of something that begins like an image and goes on with a mark."""
    return b64encode(PNG + marks(place).encode()).decode()


def schema(marks: Marks, place: str) -> Json:
    said = {"type": "string", "description": marks(f"{place} description"), "enum": [marks(f"{place} enum"), "b"]}
    return {"type": "object", "properties": {"said": said, f"p_{marks.stem}": {"type": "string"}}}


def _chat(marks: Marks) -> Json:
    function = {"name": TOOL, "description": marks("chat tool"), "parameters": schema(marks, "chat tool")}
    call = {"name": TOOL, "arguments": f'{{"said":"{marks("chat arguments")}"}}'}
    url = {"url": f"data:image/png;base64,{image(marks, 'chat image')}"}
    return {
        "messages": [
            {"role": "system", "content": marks("chat system")},
            {"role": "user", "content": marks("chat user"), "name": marks.stem},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "type": "function", "function": call}]},
            {"role": "tool", "tool_call_id": "c1", "content": marks("chat result")},
            {"role": "assistant", "content": marks("chat assistant"), "reasoning_content": marks("chat thought")},
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": url},
                    {"type": "text", "text": last_words(dialects.CHAT, marks)},
                ],
            },
        ],
        "tools": [{"type": "function", "function": function}],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": schema(marks, "chat format")},
        },
        "stop": [marks("chat stop")],
        "user": marks("chat user id"),
        "metadata": {"note": marks("chat metadata")},
        "prompt_cache_key": marks("chat cache key"),
        "prediction": {"type": "content", "content": marks("chat prediction")},
    }


def _messages(marks: Marks) -> Json:
    png = {"type": "base64", "media_type": "image/png", "data": image(marks, "messages image")}
    text = {"type": "text", "media_type": "text/plain", "data": marks("messages document")}
    use = {"type": "tool_use", "id": "t1", "name": TOOL, "input": {"said": marks("messages arguments")}}
    thought = {"type": "thinking", "thinking": marks("messages thought"), "signature": image(marks, "messages proof")}
    result = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": [{"type": "text", "text": marks("messages result")}, {"type": "image", "source": png}],
    }
    cache = {"cache_control": {"type": "ephemeral"}}
    return {
        "system": [{"type": "text", "text": marks("messages system"), **cache}],
        "messages": [
            {"role": "user", "content": marks("messages user")},
            {"role": "assistant", "content": [thought, use]},
            {
                "role": "user",
                "content": [
                    result,
                    {"type": "image", "source": png},
                    {"type": "document", "source": text, "title": marks("messages title")},
                    {"type": "text", "text": last_words(dialects.MESSAGES, marks), **cache},
                ],
            },
        ],
        "tools": [{"name": TOOL, "description": marks("messages tool"), "input_schema": schema(marks, "messages")}],
        "stop_sequences": [marks("messages stop")],
        "metadata": {"user_id": marks("messages user id")},
    }


def _responses(marks: Marks) -> Json:
    call = {"type": "function_call", "call_id": "c1", "name": TOOL}
    png = f"data:image/png;base64,{image(marks, 'responses image')}"
    form = {"type": "json_schema", "name": "a", "schema": schema(marks, "responses format")}
    tool = {"type": "function", "name": TOOL, "description": marks("responses tool")}
    return {
        "instructions": marks("responses instructions"),
        "input": [
            {"role": "developer", "content": marks("responses developer")},
            {"role": "user", "content": marks("responses user")},
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": marks("responses thought")}],
                "encrypted_content": image(marks, "responses proof"),
            },
            call | {"arguments": f'{{"said":"{marks("responses arguments")}"}}'},
            {"type": "function_call_output", "call_id": "c1", "output": marks("responses result")},
            {
                "role": "user",
                "content": [
                    {"type": "input_image", "image_url": png},
                    {"type": "input_text", "text": last_words(dialects.RESPONSES, marks)},
                ],
            },
        ],
        "tools": [tool | {"parameters": schema(marks, "responses tool")}],
        "text": {"format": form},
        "metadata": {"note": marks("responses metadata")},
        "prompt_cache_key": marks("responses cache key"),
        "safety_identifier": marks("responses identifier"),
        "store": False,
    }


def _gemini(marks: Marks) -> Json:
    png = {"mimeType": "image/png", "data": image(marks, "gemini image")}
    call = {"name": TOOL, "args": {"said": marks("gemini arguments")}}
    answer = {"name": TOOL, "response": {"said": marks("gemini result")}}
    tool = {"name": TOOL, "description": marks("gemini tool"), "parametersJsonSchema": schema(marks, "gemini tool")}
    return {
        "systemInstruction": {"parts": [{"text": marks("gemini system")}]},
        "contents": [
            {"role": "user", "parts": [{"text": marks("gemini user")}]},
            {"role": "model", "parts": [{"text": marks("gemini thought"), "thought": True}, {"functionCall": call}]},
            {"role": "user", "parts": [{"functionResponse": answer}]},
            {"role": "user", "parts": [{"inlineData": png}, {"text": last_words(dialects.GEMINI, marks)}]},
        ],
        "tools": [{"functionDeclarations": [tool]}],
        "generationConfig": {"stopSequences": [marks("gemini stop")], "maxOutputTokens": MAX_TOKENS},
        "labels": {"note": marks("gemini label")},
    }


def _completions(marks: Marks) -> Json:
    return {
        "prompt": last_words(dialects.COMPLETIONS, marks),
        "stop": [marks("completions stop")],
        "user": marks("completions user id"),
    }


WRITERS: Mapping[str, Tag] = {
    dialects.CHAT.name: _chat,
    dialects.MESSAGES.name: _messages,
    dialects.RESPONSES.name: _responses,
    dialects.GEMINI.name: _gemini,
    dialects.COMPLETIONS.name: _completions,
}
