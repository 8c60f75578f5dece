"""Chat completions as OpenAPI schemas: what the codec in `dialects/openai_chat` reads and writes."""

from kyma.api.openapi_routing import NAMES_A_MODEL, SAID_OF_ROUTING

INTEGER, STRING = {"type": "integer"}, {"type": "string"}

MESSAGE = {
    "type": "object",
    "required": ["role"],
    "properties": {
        "role": {"type": "string", "enum": ["system", "developer", "user", "assistant", "tool"]},
        "content": {
            "oneOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "object"}, "description": "Parts: text, images, audio, files"},
                {"type": "null"},
            ]
        },
        "name": {"type": ["string", "null"]},
        "tool_calls": {
            "type": ["array", "null"],
            "items": {"type": "object"},
            "description": "Calls it made",
        },
        "tool_call_id": {"type": ["string", "null"], "description": "The call a tool message answers"},
        "reasoning_content": {"type": ["string", "null"], "description": "Earlier reasoning, given back"},
    },
}

CHAT_REQUEST = {
    "type": "object",
    "required": ["messages"],
    "anyOf": NAMES_A_MODEL,
    "properties": {
        "model": {"type": "string", "minLength": 1, "description": "A model id or an alias", "examples": ["best"]},
        "messages": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Message"}},
        "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2, "default": 1},
        "top_p": {"type": ["number", "null"], "minimum": 0, "maximum": 1, "default": 1},
        "max_tokens": {
            "type": ["integer", "null"],
            "minimum": 1,
            "description": "4096 when absent; forwarded as it is, never capped",
        },
        "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1, "description": "The same; it wins"},
        "n": {"type": ["integer", "null"], "minimum": 1, "maximum": 128},
        "stream": {"type": ["boolean", "null"], "default": False},
        "stream_options": {
            "type": ["object", "null"],
            "properties": {"include_usage": {"type": ["boolean", "null"], "description": "A last chunk with usage"}},
        },
        "stop": {"oneOf": [{"type": "string"}, {"type": "array", "items": STRING}, {"type": "null"}]},
        "tools": {"type": ["array", "null"], "items": {"type": "object"}},
        "tool_choice": {"description": "none, auto, required, or a named function"},
        "response_format": {
            "type": "object",
            "properties": {"type": {"type": "string", "enum": ["text", "json_object", "json_schema"]}},
        },
        **SAID_OF_ROUTING,
    },
}

CHAT_COMPLETION = {
    "type": "object",
    "required": ["id", "object", "created", "model", "choices", "usage"],
    "properties": {
        "id": STRING,
        "object": {"const": "chat.completion"},
        "created": INTEGER,
        "model": {"type": "string", "description": "The model that answered"},
        "choices": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "index": INTEGER,
                    "message": {"type": "object"},
                    "finish_reason": {"enum": ["stop", "length", "tool_calls", "content_filter"]},
                },
            },
        },
        "usage": {
            "type": "object",
            "properties": {
                "prompt_tokens": INTEGER,
                "completion_tokens": INTEGER,
                "total_tokens": INTEGER,
                "cached_tokens": INTEGER,
                "cache_write_tokens": INTEGER,
                "cost": {"type": "number", "description": "USD charged, exact"},
                "cache_discount": {"type": "number", "description": "USD saved by reading from the cache"},
            },
        },
    },
}
