"""Gemini's own schema language, a part of OpenAPI 3.0, as JSON schema."""

from typing import Any

import msgspec

from kyma.dialects.gemini.wire import to_raw

SCHEMAS = ("items", "additionalProperties", "not")
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
MAPS = ("properties", "$defs", "defs")
COUNTS = ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
"""Sent as strings by clients that write 64-bit numbers the way protobuf does."""

SNAKE = {
    "any_of": "anyOf",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
    "property_ordering": "propertyOrdering",
    "additional_properties": "additionalProperties",
}

_decoder = msgspec.json.Decoder()


def json_schema(raw: msgspec.Raw) -> msgspec.Raw:
    """The same schema as JSON schema: types in lower case, `nullable` among them; words of both stay as they are."""
    return to_raw(_schema(_decoder.decode(raw)))


def _schema(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    schema: dict[str, Any] = {}
    for word, said in value.items():
        name = SNAKE[word] if word in SNAKE else word
        if name in SCHEMAS:
            said = _schema(said)
        elif name in LISTS and isinstance(said, list):
            said = [_schema(item) for item in said]
        elif name in MAPS and isinstance(said, dict):
            said = {key: _schema(item) for key, item in said.items()}
        elif name in COUNTS and isinstance(said, str) and said.isdigit():
            said = int(said)
        elif name == "type" and isinstance(said, str):
            said = said.lower()
        schema[name] = said
    if schema.pop("nullable", False) is True:
        _allow_null(schema)
    if schema.get("type") == "type_unspecified":
        del schema["type"]
    return schema


def _allow_null(schema: dict[str, Any]) -> None:
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    elif isinstance(schema.get("anyOf"), list):
        schema["anyOf"].append({"type": "null"})
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
