"""Request bodies of the hot routes: what each codec checks, and beside it what types alone do not say."""

from collections.abc import Mapping
from typing import Literal

import msgspec

from kyma.api.openapi.routing import NAMES_A_MODEL, SAID_OF_ROUTING
from kyma.api.openapi.structs import REF, Schema, component_schemas
from kyma.dialects.anthropic_messages.request import CountRequest, MessagesRequest
from kyma.dialects.gemini.request import GenerateContentRequest
from kyma.dialects.openai_chat.request import ChatCompletionRequest
from kyma.dialects.openai_completions.request import CompletionRequest
from kyma.dialects.openai_embeddings.request import MAX_INPUTS, EmbeddingsBody
from kyma.dialects.openai_moderations import DEFAULT_MODEL, ModerationsBody
from kyma.dialects.openai_responses.request import ResponsesRequest
from kyma.dialects.rerank.request import MAX_DOCUMENTS, RerankBody

Words = Mapping[str, Schema]
"""By field: what is added to its schema."""


class Body(msgspec.Struct, frozen=True):
    """A request's struct, its name in the document, and the prefix of what stands in it.

    `words` are about its own fields, `inner` about those of structs in it, by their names in the document; `needs`
    are fields that the codec misses later than the struct does.
    """

    struct: type[msgspec.Struct]
    name: str
    prefix: str
    words: Words = {}
    inner: Mapping[str, Words] = {}
    renamed: Mapping[str, str] = {}
    model: Literal["needed", "optional", "in the path"] = "needed"
    needs: tuple[str, ...] = ()


MODEL: Schema = {"minLength": 1, "description": "A model id or an alias", "examples": ["best"]}
STREAM: Schema = {"default": False, "description": "Answer as server-sent events"}
TEMPERATURE: Schema = {"description": "Lower is more focused, higher more varied"}
TOP_P: Schema = {"description": "Sample only from the likeliest tokens that make up this share"}
TOKEN_IDS: Schema = {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 2**31}, "minItems": 1}
TEXT: Schema = {"type": "string", "minLength": 1}

CHAT = Body(
    ChatCompletionRequest,
    "ChatCompletionRequest",
    "Chat",
    {
        "model": MODEL,
        "messages": {"minItems": 1, "description": "The conversation so far"},
        "stream": STREAM,
        "max_tokens": {"description": "4096 when absent; forwarded as it is, never capped"},
        "max_completion_tokens": {"description": "The same as max_tokens; it wins"},
        "temperature": TEMPERATURE,
        "top_p": TOP_P,
        "tools": {"description": "Functions that the model may ask to be called"},
        "tool_choice": {"description": "none, auto, required, or a named function"},
        "response_format": {
            "type": ["object", "null"],
            "description": "json_object for any JSON, json_schema for JSON of a schema",
            "properties": {"type": {"type": "string", "enum": ["text", "json_object", "json_schema"]}},
        },
    },
    {
        "Message": {
            "tool_calls": {"description": "Calls that the model made"},
            "tool_call_id": {"description": "The call that a tool message answers"},
            "reasoning_content": {"description": "Earlier reasoning, given back"},
        },
        "ChatStreamOptions": {"include_usage": {"description": "A last chunk with usage"}},
    },
    renamed={"WireMessage": "Message"},
)
MESSAGES_WORDS: Words = {
    "model": MODEL,
    "messages": {"minItems": 1},
    "system": {"description": "Instructions, as a text or as blocks"},
    "stream": STREAM,
    "temperature": TEMPERATURE,
    "top_p": TOP_P,
    "thread": {"type": "null", "description": "Not supported: nothing is stored"},
}
MESSAGES = Body(
    MessagesRequest,
    "AnthropicMessageRequest",
    "Anthropic",
    {**MESSAGES_WORDS, "max_tokens": {"description": "0 asks for nothing but that the prompt be cached"}},
)
COUNT = Body(CountRequest, "AnthropicCountRequest", "Anthropic", MESSAGES_WORDS)
GENERATE = Body(GenerateContentRequest, "GenerateContentRequest", "Gemini", model="in the path")
RESPONSES = Body(
    ResponsesRequest,
    "ResponsesRequest",
    "Responses",
    {
        "model": MODEL,
        "input": {"description": "A text, or items: messages, calls, their results, reasoning"},
        "stream": STREAM,
        "temperature": TEMPERATURE,
        "top_p": TOP_P,
        "store": {"description": "Nothing is stored, whatever stands here"},
        "background": {"type": ["boolean", "null"], "enum": [False, None], "description": "Not supported"},
    },
    needs=("input",),
)
COMPLETION = Body(
    CompletionRequest,
    "CompletionRequest",
    "Completion",
    {
        "model": MODEL,
        "prompt": {"anyOf": [TEXT, {"type": "array", "items": TEXT, "minItems": 1, "maxItems": 1}]},
        "stream": STREAM,
        "suffix": {"type": ["string", "null"], "maxLength": 0, "description": "Not supported"},
        "echo": {"type": ["boolean", "null"], "enum": [False, None], "description": "Not supported"},
    },
)
EMBEDDINGS = Body(
    EmbeddingsBody,
    "EmbeddingsRequest",
    "Embeddings",
    {
        "model": MODEL,
        "input": {
            "anyOf": [
                TEXT,
                {"type": "array", "items": TEXT, "minItems": 1, "maxItems": MAX_INPUTS},
                TOKEN_IDS,
                {"type": "array", "items": TOKEN_IDS, "minItems": 1, "maxItems": MAX_INPUTS},
            ],
            "description": "Texts; token ids only for models whose tokenizer made them",
        },
        "dimensions": {"description": "Fewer than the model has"},
    },
)
RERANK = Body(
    RerankBody,
    "RerankRequest",
    "Rerank",
    {
        "model": MODEL,
        "query": {"minLength": 1},
        "documents": {"minItems": 1, "maxItems": MAX_DOCUMENTS},
        "top_n": {"description": "No more than so many results; top_k says the same"},
        "return_documents": {"default": False},
    },
)
MODERATIONS = Body(
    ModerationsBody,
    "ModerationsRequest",
    "Moderations",
    {
        "model": {"default": DEFAULT_MODEL},
        "input": {"description": "A text, texts judged each by itself, or parts judged together"},
    },
    model="optional",
)

BODIES = (CHAT, MESSAGES, COUNT, GENERATE, RESPONSES, COMPLETION, EMBEDDINGS, RERANK, MODERATIONS)

GEMINI_COUNT: Schema = {
    "anyOf": [
        {"$ref": f"{REF}{GENERATE.name}"},
        {
            "type": "object",
            "required": ["generateContentRequest"],
            "properties": {"generateContentRequest": {"$ref": f"{REF}{GENERATE.name}"}},
        },
    ],
}


def request_schemas() -> dict[str, Schema]:
    """Every body and what stands in it, by component name."""
    schemas = {name: schema for body in BODIES for name, schema in _schemas(body).items()}
    return schemas | {"GeminiCountRequest": GEMINI_COUNT}


def _schemas(body: Body) -> dict[str, Schema]:
    names = {body.struct.__name__: body.name, **body.renamed}
    components = component_schemas(body.struct, body.prefix, names)
    for name, words in {body.name: body.words, **body.inner}.items():
        properties = components[name]["properties"]
        for field, said in words.items():
            properties[field] = _with_words(properties.get(field, {}), said)
    whole = components[body.name]
    if body.needs:
        whole["required"] = list(body.needs)
    if body.model == "needed":
        whole["anyOf"] = NAMES_A_MODEL
    if body.model != "in the path":
        whole["properties"] |= SAID_OF_ROUTING
    return components


def _with_words(schema: Schema, said: Schema) -> Schema:
    """What is said with a type of its own takes the schema's place."""
    return said if said.keys() & {"type", "anyOf"} else schema | said
