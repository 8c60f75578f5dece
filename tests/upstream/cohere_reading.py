"""Reads a request for Cohere's chat v2, its embeddings, or its ranking."""

import msgspec

from tests.upstream.reading import Reading, without_texts, words_in
from tests.upstream.talk import Asked, Called, Json, Offered, Result
from tests.upstream.wire import Request

CHAT = "/v2/chat"
WHOLE = ("/v2/embed", "/v2/rerank")


class _Function(msgspec.Struct):
    name: str
    parameters: Json = {}
    arguments: str = "{}"


class _Call(msgspec.Struct):
    id: str
    function: _Function


class _Message(msgspec.Struct):
    role: str
    content: str | list[Json] | None = None
    tool_calls: list[_Call] = []
    tool_plan: str = ""
    tool_call_id: str = ""


class _Tool(msgspec.Struct):
    function: _Function


class _Chat(msgspec.Struct):
    model: str
    messages: list[_Message]
    stream: bool = False
    max_tokens: int | None = None
    tools: list[_Tool] = []


class _Lists(msgspec.Struct):
    """`input_type` and `embedding_types` are needed for texts, a query for documents."""

    model: str
    texts: list[str] = []
    input_type: str = ""
    embedding_types: list[str] = []
    query: str = ""
    documents: list[str] = []


_read_chat = msgspec.json.Decoder(_Chat).decode
_read_lists = msgspec.json.Decoder(_Lists).decode


def owns_chat(path: str) -> bool:
    """Whether chats live there."""
    return path == CHAT


def owns_whole(path: str) -> bool:
    """Whether embeddings or rankings live there."""
    return path in WHOLE


def read_chat(request: Request) -> Reading:
    """The request, understood. Raises: msgspec.DecodeError."""
    chat = _read_chat(request.body)
    if any(message.role == "system" for message in chat.messages[1:]):
        raise msgspec.ValidationError("system turn must be the first in the list")
    body = msgspec.json.decode(request.body, type=Json)
    return Reading(chat.model, _asked(chat), body | {"messages": without_texts(body["messages"])})


def read_whole(request: Request) -> Reading:
    """The same of what is answered in one list."""
    wanted = _read_lists(request.body)
    if wanted.texts and not (wanted.input_type and wanted.embedding_types):
        raise msgspec.ValidationError("valid input_type must be provided with the provided model")
    given = [*wanted.texts, *wanted.documents, wanted.query]
    asked = Asked(False, True, words_in(given), None, " ".join(given), (), (), (), (), False)
    body = msgspec.json.decode(request.body, type=Json)
    kept = {name: without_texts(value) for name, value in body.items()}
    return Reading(wanted.model, asked, kept | {"at": request.path, "input_type": wanted.input_type})


def _asked(chat: _Chat) -> Asked:
    texts = [(message.role, _text(message.content)) for message in chat.messages]
    return Asked(
        is_streaming=chat.stream,
        wants_usage=True,
        prompt_tokens=words_in(text for _, text in texts),
        max_tokens=chat.max_tokens,
        last_user_text=next((text for role, text in reversed(texts) if role == "user"), ""),
        texts=tuple(text for role, text in texts if role not in ("assistant", "tool")),
        tools=tuple(Offered(tool.function.name, tool.function.parameters) for tool in chat.tools),
        calls=tuple(
            Called(call.id, call.function.name, msgspec.json.decode(call.function.arguments, type=Json))
            for message in chat.messages
            for call in message.tool_calls
        ),
        results=tuple(Result(said.tool_call_id, _text(said.content)) for said in chat.messages if said.role == "tool"),
        ends_in_tool_result=chat.messages[-1].role == "tool",
    )


def _text(content: str | list[Json] | None) -> str:
    if isinstance(content, list):
        return " ".join(str(part.get("text", "")) for part in content)
    return content or ""
