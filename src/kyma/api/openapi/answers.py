"""Answers of the hot routes as schemas: what their codecs write, whatever a vendor's relayed answer adds to it."""

from kyma.api.openapi.structs import REF, Schema

INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
STRING: Schema = {"type": "string"}
STRING_OR_NULL: Schema = {"type": ["string", "null"]}
OBJECT: Schema = {"type": "object"}
OBJECTS: Schema = {"type": "array", "items": OBJECT}
ANSWERED_BY: Schema = {"type": "string", "description": "The model that answered"}
COST: Schema = {"type": "number", "description": "USD charged, exact"}
SAVED: Schema = {"type": "number", "description": "USD saved by reading from the cache"}


def _object(description: str = "", optional: tuple[str, ...] = (), **properties: Schema) -> Schema:
    """Its members are always there, but for the optional ones."""
    required = [name for name in properties if name not in optional]
    told = {"description": description} if description else {}
    return {"type": "object", **told, "required": required, "properties": properties}


def _list_of(items: Schema, description: str = "") -> Schema:
    return {"type": "array", **({"description": description} if description else {}), "items": items}


CHAT_USAGE = _object(
    prompt_tokens=INTEGER,
    completion_tokens=INTEGER,
    total_tokens=INTEGER,
    prompt_tokens_details=_object(cached_tokens=INTEGER, cache_write_tokens=INTEGER),
    completion_tokens_details=_object(reasoning_tokens=INTEGER),
    cached_tokens=INTEGER | {"description": "Of the prompt, what came from the cache"},
    cache_write_tokens=INTEGER,
    cost=COST,
    cache_discount=SAVED,
)
CHAT_COMPLETION = _object(
    id=STRING,
    object={"type": "string", "const": "chat.completion"},
    created=INTEGER,
    model=ANSWERED_BY,
    choices=_list_of(
        _object(
            index=INTEGER,
            message={"$ref": f"{REF}AnswerMessage"},
            finish_reason={"type": "string", "enum": ["stop", "length", "tool_calls", "content_filter"]},
        )
    ),
    usage=CHAT_USAGE,
)
ANSWER_MESSAGE = _object(
    "What the model said",
    optional=("reasoning_content", "refusal", "tool_calls"),
    role={"type": "string", "enum": ["assistant"]},
    content=STRING_OR_NULL,
    reasoning_content=STRING_OR_NULL,
    refusal=STRING_OR_NULL,
    tool_calls={"type": ["array", "null"], "items": OBJECT, "description": "Calls that the model asks for"},
)
COMPLETION = _object(
    id=STRING,
    object={"const": "text_completion"},
    created=INTEGER,
    model=ANSWERED_BY,
    choices=_list_of(
        _object(
            text=STRING,
            index=INTEGER,
            logprobs={"type": "null"},
            finish_reason={"enum": ["stop", "length", "content_filter"]},
        )
    ),
    usage=CHAT_USAGE,
)
ANTHROPIC_MESSAGE = _object(
    "Anthropic's message",
    id=STRING,
    type={"const": "message"},
    role={"const": "assistant"},
    model=ANSWERED_BY,
    content=_list_of(_object(type=STRING), "Text, thinking and tool_use blocks"),
    stop_reason=STRING | {"examples": ["end_turn", "max_tokens", "stop_sequence", "tool_use", "refusal"]},
    stop_sequence=STRING_OR_NULL,
    usage=_object(
        optional=("output_tokens_details", "server_tool_use"),
        input_tokens=INTEGER,
        cache_creation_input_tokens=INTEGER,
        cache_read_input_tokens=INTEGER,
        cache_creation=_object(ephemeral_5m_input_tokens=INTEGER, ephemeral_1h_input_tokens=INTEGER),
        output_tokens=INTEGER,
        output_tokens_details=OBJECT,
        server_tool_use=OBJECT,
        cost=COST,
        cache_discount=SAVED,
    ),
)
RESPONSE = _object(
    "OpenAI's response object",
    optional=("error", "incomplete_details"),
    id=STRING,
    object={"const": "response"},
    created_at=INTEGER,
    status={"enum": ["completed", "incomplete", "failed"]},
    model=ANSWERED_BY,
    output=_list_of(_object(type=STRING), "Messages, reasoning and calls"),
    error={"type": ["object", "null"]},
    incomplete_details={"type": ["object", "null"]},
    usage=_object(
        input_tokens=INTEGER,
        input_tokens_details=_object(cached_tokens=INTEGER, cache_write_tokens=INTEGER),
        output_tokens=INTEGER,
        output_tokens_details=_object(reasoning_tokens=INTEGER),
        total_tokens=INTEGER,
        cost=COST,
        cache_discount=SAVED,
    ),
)
GENERATED = _object(
    "Google's GenerateContentResponse; a prompt that was refused has promptFeedback in place of candidates",
    optional=("candidates", "promptFeedback"),
    candidates=_list_of(
        _object(
            optional=("content", "finishReason"),
            index=INTEGER,
            content=_object(optional=("parts",), role={"const": "model"}, parts=OBJECTS),
            finishReason=STRING | {"examples": ["STOP", "MAX_TOKENS", "SAFETY"]},
        )
    ),
    promptFeedback=OBJECT,
    usageMetadata=_object(
        optional=("cachedContentTokenCount", "thoughtsTokenCount"),
        promptTokenCount=INTEGER,
        candidatesTokenCount=INTEGER,
        totalTokenCount=INTEGER,
        cost=COST,
        cacheDiscount=SAVED,
        cachedContentTokenCount=INTEGER,
        thoughtsTokenCount=INTEGER,
    ),
    modelVersion=ANSWERED_BY,
    responseId=STRING,
)
INPUT_USAGE = _object(prompt_tokens=INTEGER, total_tokens=INTEGER, cost=COST)
EMBEDDINGS = _object(
    object={"const": "list"},
    data=_list_of(
        _object(
            object={"const": "embedding"},
            index=INTEGER,
            embedding={"oneOf": [_list_of(NUMBER), STRING], "description": "Numbers, or base64 where that was asked"},
        )
    ),
    model=ANSWERED_BY,
    usage=INPUT_USAGE,
)
RANKING = _object(
    id=STRING,
    object={"const": "list"},
    model=ANSWERED_BY,
    results=_list_of(
        _object(optional=("document",), index=INTEGER, relevance_score=NUMBER, document=OBJECT), "The best first"
    ),
    usage=_object(
        optional=("search_units",), prompt_tokens=INTEGER, total_tokens=INTEGER, cost=COST, search_units=INTEGER
    ),
)
MODERATIONS = _object(
    id=STRING,
    model=ANSWERED_BY,
    results=_list_of(OBJECT, "As the model's vendor words them"),
    usage=INPUT_USAGE,
)

ANSWERS: dict[str, Schema] = {
    "ChatCompletionResponse": CHAT_COMPLETION,
    "AnswerMessage": ANSWER_MESSAGE,
    "CompletionResponse": COMPLETION,
    "AnthropicMessageResponse": ANTHROPIC_MESSAGE,
    "AnthropicTokenCount": _object(input_tokens=INTEGER),
    "Response": RESPONSE,
    "GenerateContentResponse": GENERATED,
    "GenerateContentPieces": _list_of(OBJECT, "Pieces of a GenerateContentResponse; the last has its usageMetadata"),
    "GeminiTokenCount": _object(totalTokens=INTEGER),
    "EmbeddingsResponse": EMBEDDINGS,
    "RerankResponse": RANKING,
    "ModerationsResponse": MODERATIONS,
}
"""By component name."""
