"""The OpenAPI 3.1 document of everything served: FastAPI's own routes, and the hot ones as described beside it."""

from typing import Any

from fastapi import FastAPI

from kyma.api.openapi_chat import CHAT_COMPLETION, CHAT_REQUEST, MESSAGE
from kyma.api.openapi_routing import HEADER_PARAMETERS, MODELS, PROVIDER, SAID_OF_ROUTING
from kyma.api.openapi_whole import WHOLE

ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}

ERRORS = {
    "400": "What is wrong with the request, and where",
    "401": "Missing or invalid API key",
    "402": "Insufficient credits: balance, hold needed, largest max_tokens that fits",
    "404": "Unknown model, with the closest names",
    "405": "Wrong method",
    "413": "The body is too large",
    "415": "The body is encoded",
    "429": "Rate limit; Retry-After says when to come back",
    "500": "An error of ours",
    "503": "No source could answer; nothing was charged",
}

CALL_HEADERS = {
    "X-Kyma-Model": "The model that answered",
    "X-Kyma-Alias": "The alias that was resolved, if one was used",
    "X-Kyma-Auto-Reason": "What the request needed, if the model was picked by auto",
    "X-Kyma-Fallback": "true if another source than the primary answered",
    "X-Kyma-Fallback-Layer": "1 first other source, 2 a further source, 3 an equivalent model",
    "X-Kyma-Dropped": "Fields that the model's source could not be told, comma-separated",
    "X-Kyma-Emulated": "Fields that were said another way",
    "X-Request-Id": "The request's id",
}


OTHER_DIALECTS = {
    "/v1/messages": ("createMessage", "Create a message", "Anthropic Messages; any version, any beta."),
    "/v1/messages/count_tokens": ("countMessageTokens", "Count a message's tokens", "An estimate; it costs nothing."),
    "/v1/responses": ("createResponse", "Create a response", "OpenAI Responses, stateless: nothing is stored."),
    "/v1/completions": ("createCompletion", "Create a completion", "The older OpenAI form: a prompt in, text out."),
    "/v1beta/models/{model}:generateContent": ("generateContent", "Generate content", "Gemini's own form."),
    "/v1beta/models/{model}:streamGenerateContent": (
        "streamGenerateContent",
        "Generate content as a stream",
        "Gemini's own form, as server-sent events.",
    ),
    "/v1beta/models/{model}:countTokens": ("countTokens", "Count tokens", "An estimate; it costs nothing."),
}
"""Operation id, summary and description of the hot routes whose bodies are other dialects'."""


def served_document(app: FastAPI, hot_paths: tuple[str, ...], base_url: str) -> dict[str, object]:
    """The document. Raises: KeyError when a hot path has no description here."""
    document = app.openapi()
    document["servers"] = [{"url": base_url}]
    components = document.setdefault("components", {}).setdefault("schemas", {})
    components["Error"] = ERROR_SCHEMA
    components |= {"ChatCompletionRequest": CHAT_REQUEST, "Message": MESSAGE, "ChatCompletionResponse": CHAT_COMPLETION}
    components |= {"ProviderPreferences": PROVIDER, "Models": MODELS}
    operations = {"/v1/chat/completions": _chat_operation()}
    operations |= {path: _text_operation(path, *words) for path, words in OTHER_DIALECTS.items()}
    operations |= {path: _whole_operation(*words) for path, words in WHOLE.items()}
    for path in hot_paths:
        document["paths"][path] = {"post": operations[path]}
    for path in document["paths"].values():
        for operation in path.values():
            _describe_errors(operation)
    return document


def _chat_operation() -> dict[str, Any]:
    return {
        "operationId": "createChatCompletion",
        "summary": "Create chat completion",
        "description": "OpenAI chat completions. Fields that are not listed travel to the model unchanged.",
        "tags": ["Chat"],
        "security": [{"BearerAuth": []}, {"ApiKeyAuth": []}],
        "parameters": HEADER_PARAMETERS,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ChatCompletionRequest"}}},
        },
        "responses": {
            "200": {
                "description": "The completion, or a stream of chat.completion.chunk events",
                "headers": {
                    name: {"description": text, "schema": {"type": "string"}} for name, text in CALL_HEADERS.items()
                },
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/ChatCompletionResponse"}},
                    "text/event-stream": {"schema": {"type": "string"}},
                },
            },
            **{status: _error(text) for status, text in ERRORS.items()},
        },
    }


def _text_operation(path: str, operation_id: str, summary: str, description: str) -> dict[str, Any]:
    """A route whose request and answer are defined by whoever made the dialect."""
    operation = _chat_operation() | {"operationId": operation_id, "summary": summary, "description": description}
    anything: dict[str, Any] = {"schema": {"type": "object"}}
    asked = anything if "{model}" in path else {"schema": {"type": "object", "properties": SAID_OF_ROUTING}}
    operation["requestBody"] = {"required": True, "content": {"application/json": asked}}
    content = {"application/json": anything, "text/event-stream": {"schema": {"type": "string"}}}
    operation["responses"]["200"] = operation["responses"]["200"] | {"description": "The answer", "content": content}
    if "{model}" in path:
        named = {"name": "model", "in": "path", "required": True, "schema": {"type": "string"}}
        operation["parameters"] = [named, *HEADER_PARAMETERS]
    return operation


def _whole_operation(
    operation_id: str, summary: str, description: str, asked: dict[str, Any], answered: dict[str, Any]
) -> dict[str, Any]:
    """A route that never streams."""
    operation = _chat_operation() | {"operationId": operation_id, "summary": summary, "description": description}
    operation["tags"] = ["Vectors and verdicts"]
    operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": asked}}}
    content = {"application/json": {"schema": answered}}
    operation["responses"]["200"] = operation["responses"]["200"] | {"description": "The answer", "content": content}
    return operation


def _describe_errors(operation: dict[str, Any]) -> None:
    """What any route may answer; FastAPI's own 422 never leaves this gateway."""
    responses = operation["responses"]
    responses.pop("422", None)
    for status in ("400", "405", "413", "415", "500"):
        responses.setdefault(status, _error(ERRORS[status]))
    if operation.get("security"):
        responses.setdefault("401", _error(ERRORS["401"]))


def _error(text: str) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
