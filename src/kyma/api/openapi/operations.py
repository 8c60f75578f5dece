"""The hot routes as operations: FastAPI, which describes the others, does not know them."""

from collections.abc import Sequence

import msgspec

from kyma.api.openapi.errors import ANY_ROUTE, METERED, WITH_A_KEY, Envelope, refusals
from kyma.api.openapi.routing import HEADER_PARAMETERS
from kyma.api.openapi.structs import REF, Schema

STRING: Schema = {"type": "string"}
CALL_HEADERS: dict[str, tuple[str, Schema]] = {
    "X-Kyma-Model": ("The model that answered", STRING),
    "X-Kyma-Alias": ("The alias that was resolved, if one was used", STRING),
    "X-Kyma-Auto-Reason": ("What the request needed, if the model was picked by auto", STRING),
    "X-Kyma-Fallback": ("true if another source than the primary answered", {"type": "boolean"}),
    "X-Kyma-Fallback-Layer": (
        "1 first other source, 2 a further source, 3 an equivalent model",
        {"type": "integer", "enum": [1, 2, 3]},
    ),
    "X-Kyma-Dropped": ("Fields that the model's source could not be told, comma-separated", STRING),
    "X-Kyma-Emulated": ("Fields that were said another way", STRING),
    "X-Request-Id": ("The request's id", STRING),
}

KEYS = ("BearerAuth", "ApiKeyAuth")
GOOGLE_KEYS = (*KEYS, "GoogleApiKeyAuth")
GOOGLE_KEY: Schema = {
    "type": "apiKey",
    "in": "header",
    "name": "x-goog-api-key",
    "description": "As Google's SDKs send it",
}

EVENTS: dict[Envelope, str] = {
    "": 'data: {"id":"…"}\n\ndata: [DONE]\n\n',
    "Anthropic": 'event: message_start\ndata: {"type":"message_start"}\n\n',
    "Gemini": 'data: {"candidates":[]}\n\n',
}
"""How a stream looks, by whose events they are."""

HELLO = [{"role": "user", "content": "Say hello."}]


class Hot(msgspec.Struct, frozen=True):
    """One of them: its words, the components of request and answer, whose errors it tells.

    One that is not `metered` calls nobody. `example` is a request body.
    """

    operation_id: str
    summary: str
    description: str
    request: str
    answer: str
    example: Schema
    tag: str = "Chat"
    envelope: Envelope = ""
    streams: bool = False
    metered: bool = True
    parameters: Sequence[Schema] = ()


def _header(name: str, description: str) -> Schema:
    return {"name": name, "in": "header", "required": False, "description": description, "schema": STRING}


NAMED: Schema = {
    "name": "model",
    "in": "path",
    "required": True,
    "description": "A model id or an alias",
    "schema": STRING,
    "examples": {"alias": {"value": "best"}},
}
ANTHROPIC_HEADERS = (
    _header("anthropic-version", "Any; there is one form"),
    _header("anthropic-beta", "Passed to sources that speak Anthropic too"),
)
ALT: Schema = {
    "name": "alt",
    "in": "query",
    "required": False,
    "description": "sse: server-sent events; else one JSON array that grows",
    "schema": {"type": "string", "enum": ["sse", "json"]},
}
CONTENTS = [{"role": "user", "parts": [{"text": "Say hello."}]}]

HOT: dict[str, Hot] = {
    "/v1/chat/completions": Hot(
        "createChatCompletion",
        "Create chat completion",
        "OpenAI chat completions: streams, tools, structured answers. Fields that are not listed travel to the model "
        "unchanged.",
        "ChatCompletionRequest",
        "ChatCompletionResponse",
        {"model": "best", "messages": HELLO, "max_tokens": 64},
        streams=True,
    ),
    "/v1/messages": Hot(
        "createMessage",
        "Create message (Anthropic format)",
        "Anthropic Messages; any version, any beta. Models and prices are those of chat completions.",
        "AnthropicMessageRequest",
        "AnthropicMessageResponse",
        {"model": "best", "messages": HELLO, "max_tokens": 64},
        envelope="Anthropic",
        streams=True,
        parameters=ANTHROPIC_HEADERS,
    ),
    "/v1/messages/count_tokens": Hot(
        "countMessageTokens",
        "Count a message's tokens",
        "An estimate; it costs nothing.",
        "AnthropicCountRequest",
        "AnthropicTokenCount",
        {"model": "best", "messages": HELLO},
        envelope="Anthropic",
        metered=False,
        parameters=ANTHROPIC_HEADERS,
    ),
    "/v1/responses": Hot(
        "createResponse",
        "Create a response",
        "OpenAI Responses, stateless: nothing is stored.",
        "ResponsesRequest",
        "Response",
        {"model": "best", "input": "Say hello.", "max_output_tokens": 64},
        streams=True,
    ),
    "/v1/completions": Hot(
        "createCompletion",
        "Create a completion",
        "The older OpenAI form: a prompt in, text out.",
        "CompletionRequest",
        "CompletionResponse",
        {"model": "best", "prompt": "Say hello.", "max_tokens": 64},
        streams=True,
    ),
    "/v1beta/models/{model}:generateContent": Hot(
        "generateContent",
        "Generate content",
        "Gemini's own form.",
        "GenerateContentRequest",
        "GenerateContentResponse",
        {"contents": CONTENTS},
        envelope="Gemini",
        parameters=(NAMED,),
    ),
    "/v1beta/models/{model}:streamGenerateContent": Hot(
        "streamGenerateContent",
        "Generate content as a stream",
        "Gemini's own form, piece by piece.",
        "GenerateContentRequest",
        "GenerateContentPieces",
        {"contents": CONTENTS},
        envelope="Gemini",
        streams=True,
        parameters=(NAMED, ALT),
    ),
    "/v1beta/models/{model}:countTokens": Hot(
        "countTokens",
        "Count tokens",
        "An estimate; it costs nothing.",
        "GeminiCountRequest",
        "GeminiTokenCount",
        {"contents": CONTENTS},
        envelope="Gemini",
        metered=False,
        parameters=(NAMED,),
    ),
    "/v1/embeddings": Hot(
        "createEmbedding",
        "Create embeddings",
        "OpenAI embeddings. Fields that are not listed travel to the model unchanged.",
        "EmbeddingsRequest",
        "EmbeddingsResponse",
        {"model": "all-minilm-l6-v2", "input": ["red apples", "green pears"]},
        tag="Vectors and verdicts",
    ),
    "/v1/rerank": Hot(
        "createRanking",
        "Put documents in order",
        "Documents by how well they answer a query, in the form of Jina and Cohere.",
        "RerankRequest",
        "RerankResponse",
        {"model": "all-minilm-l6-v2-rerank", "query": "which fruit", "documents": ["red apples", "blue sky"]},
        tag="Vectors and verdicts",
    ),
    "/v1/moderations": Hot(
        "createModeration",
        "Judge texts and images",
        "OpenAI moderations, where the gateway has a source of them.",
        "ModerationsRequest",
        "ModerationsResponse",
        {"input": "Say hello."},
        tag="Vectors and verdicts",
    ),
}
"""By path; all of them are POST."""


def hot_operation(path: str) -> Schema:
    """The operation of a hot route. Raises: KeyError when it is not described here."""
    hot = HOT[path]
    asked = {"schema": {"$ref": f"{REF}{hot.request}"}, "example": hot.example}
    content: Schema = {"application/json": {"schema": {"$ref": f"{REF}{hot.answer}"}}}
    if hot.streams:
        content["text/event-stream"] = {"example": EVENTS[hot.envelope]}
    told = CALL_HEADERS if hot.metered else {}
    statuses = (*ANY_ROUTE, *WITH_A_KEY, *(METERED if hot.metered else (404,)))
    return {
        "operationId": hot.operation_id,
        "summary": hot.summary,
        "description": hot.description,
        "tags": [hot.tag],
        "security": [{name: []} for name in (GOOGLE_KEYS if hot.envelope == "Gemini" else KEYS)],
        "parameters": [*hot.parameters, *(HEADER_PARAMETERS if hot.metered else ())],
        "requestBody": {"required": True, "content": {"application/json": asked}},
        "responses": {
            "200": {
                "description": "The answer, whole or as a stream of events" if hot.streams else "The answer",
                "headers": {name: {"description": said, "schema": schema} for name, (said, schema) in told.items()},
                "content": content,
            },
            **refusals(statuses, hot.envelope),
        },
    }
