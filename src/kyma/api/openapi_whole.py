"""Embeddings, rerank and moderations as OpenAPI schemas: what their codecs read and write."""

from typing import Any

from kyma.api.openapi_routing import NAMES_A_MODEL, SAID_OF_ROUTING

INTEGER, NUMBER, STRING = {"type": "integer"}, {"type": "number"}, {"type": "string"}
STRINGS = {"type": "array", "items": STRING, "minItems": 1}
TOKEN_IDS = {"type": "array", "items": INTEGER, "minItems": 1}
MODEL = {"type": "string", "minLength": 1, "description": "A model id or an alias"}
ANSWERED_BY = {"type": "string", "description": "The model that answered"}
USAGE = {
    "type": "object",
    "properties": {
        "prompt_tokens": INTEGER,
        "total_tokens": INTEGER,
        "cost": {"type": "number", "description": "USD charged, exact"},
    },
}

EMBEDDINGS_REQUEST = {
    "type": "object",
    "required": ["input"],
    "anyOf": NAMES_A_MODEL,
    "properties": {
        "model": MODEL,
        "input": {
            "oneOf": [STRING, STRINGS, TOKEN_IDS, {"type": "array", "items": TOKEN_IDS, "minItems": 1}],
            "description": "Texts; token ids only for models whose tokenizer made them",
        },
        "encoding_format": {"type": ["string", "null"], "enum": ["float", "base64", None], "default": "float"},
        "dimensions": {"type": ["integer", "null"], "minimum": 1, "description": "Fewer than the model has"},
        "user": {"type": ["string", "null"]},
        **SAID_OF_ROUTING,
    },
}
EMBEDDINGS = {
    "type": "object",
    "required": ["object", "data", "model", "usage"],
    "properties": {
        "object": {"const": "list"},
        "data": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "object": {"const": "embedding"},
                    "index": INTEGER,
                    "embedding": {"oneOf": [{"type": "array", "items": NUMBER}, STRING]},
                },
            },
        },
        "model": ANSWERED_BY,
        "usage": USAGE,
    },
}

RERANK_REQUEST = {
    "type": "object",
    "required": ["query", "documents"],
    "anyOf": NAMES_A_MODEL,
    "properties": {
        "model": MODEL,
        "query": {"type": "string", "minLength": 1},
        "documents": {
            "type": "array",
            "minItems": 1,
            "items": {"oneOf": [STRING, {"type": "object", "required": ["text"], "properties": {"text": STRING}}]},
        },
        "top_n": {"type": ["integer", "null"], "minimum": 1, "description": "No more than so many; top_k is the same"},
        "return_documents": {"type": ["boolean", "null"], "default": False},
        **SAID_OF_ROUTING,
    },
}
RANKING = {
    "type": "object",
    "required": ["id", "object", "model", "results", "usage"],
    "properties": {
        "id": STRING,
        "object": {"const": "list"},
        "model": ANSWERED_BY,
        "results": {
            "type": "array",
            "description": "The best first",
            "items": {
                "type": "object",
                "required": ["index", "relevance_score"],
                "properties": {"index": INTEGER, "relevance_score": NUMBER, "document": {"type": "object"}},
            },
        },
        "usage": USAGE,
    },
}

MODERATIONS_REQUEST = {
    "type": "object",
    "required": ["input"],
    "properties": {
        "model": {"type": ["string", "null"], "default": "omni-moderation-latest"},
        "input": {
            "oneOf": [STRING, STRINGS, {"type": "array", "items": {"type": "object"}, "minItems": 1}],
            "description": "A text, texts judged each by itself, or text and image_url parts judged together",
        },
        **SAID_OF_ROUTING,
    },
}
MODERATIONS = {
    "type": "object",
    "required": ["id", "model", "results", "usage"],
    "properties": {
        "id": STRING,
        "model": ANSWERED_BY,
        "results": {"type": "array", "items": {"type": "object"}, "description": "As the model's vendor words them"},
        "usage": USAGE,
    },
}

WHOLE: dict[str, tuple[str, str, str, dict[str, Any], dict[str, Any]]] = {
    "/v1/embeddings": (
        "createEmbedding",
        "Create embeddings",
        "OpenAI embeddings. Fields that are not listed travel to the model unchanged.",
        EMBEDDINGS_REQUEST,
        EMBEDDINGS,
    ),
    "/v1/rerank": (
        "createRanking",
        "Put documents in order",
        "Documents by how well they answer a query, in the form of Jina and Cohere.",
        RERANK_REQUEST,
        RANKING,
    ),
    "/v1/moderations": (
        "createModeration",
        "Judge texts and images",
        "OpenAI moderations, where the gateway has a source of them.",
        MODERATIONS_REQUEST,
        MODERATIONS,
    ),
}
"""Operation id, summary, description, request and answer of the routes that answer whole."""
