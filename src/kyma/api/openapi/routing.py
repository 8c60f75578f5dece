"""What callers may say about who serves them, as OpenAPI: what `dialects/preferences` reads, and request headers."""

from typing import Any

NAMES = {"type": ["array", "null"], "items": {"type": "string"}}
PRICE = {"type": ["number", "string", "null"], "description": "USD per million tokens"}
SORT = {"enum": ["price", "latency", "throughput", None]}

PROVIDER: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "Which sources may serve, and in which order, in OpenRouter's words; no vendor is told",
    "additionalProperties": False,
    "properties": {
        "order": NAMES | {"description": "Providers to try first, in this order"},
        "only": NAMES | {"description": "No others"},
        "ignore": NAMES | {"description": "None of these"},
        "sort": {
            "description": "Sources by one figure, instead of by weight",
            "oneOf": [
                SORT,
                {"type": "object", "properties": {"by": SORT, "partition": {"enum": ["model", None]}}},
            ],
        },
        "max_price": {
            "type": ["object", "null"],
            "description": "What the model may cost at most; nothing has a price per request, image or audio",
            "properties": {"prompt": PRICE, "completion": PRICE, "request": {}, "image": {}, "audio": {}},
            "additionalProperties": False,
        },
        "allow_fallbacks": {"type": ["boolean", "null"], "default": True, "description": "Whether others may follow"},
        "require_parameters": {
            "type": ["boolean", "null"],
            "default": False,
            "description": "Only sources that can be told every field of the request",
        },
        "data_collection": {
            "enum": ["allow", "deny", None],
            "default": "allow",
            "description": "deny: only sources that neither train on prompts nor keep them",
        },
        "zdr": {"type": ["boolean", "null"], "description": "true: as data_collection deny"},
        "preferred_min_throughput": {"description": "Accepted; sources are weighed by what they do anyway"},
        "preferred_max_latency": {"description": "Accepted; sources are weighed by what they do anyway"},
        "quantizations": {"type": ["array", "null"], "maxItems": 0, "description": "Not supported"},
        "enforce_distillable_text": {"enum": [False, None], "description": "Not supported"},
    },
}
MODELS = {
    "type": ["array", "null"],
    "items": {"type": "string", "minLength": 1},
    "maxItems": 16,
    "description": "Models to ask in turn when `model` cannot answer; without `model`, the first of them is it",
}

SAID_OF_ROUTING: dict[str, Any] = {
    "provider": {"$ref": "#/components/schemas/ProviderPreferences"},
    "models": {"$ref": "#/components/schemas/Models"},
}
"""The members of a body."""

NAMES_A_MODEL = [{"required": ["model"]}, {"required": ["models"]}]
"""One of these is enough."""

REQUEST_HEADERS = {
    "X-Kyma-No-Substitute": "true: rather no answer than one of another model than was asked for; all else is false",
    "X-Kyma-Strict": "true: rather no answer than one to a request of which something was left out; all else is false",
}
HEADER_PARAMETERS = [
    {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
    for name, text in REQUEST_HEADERS.items()
]
