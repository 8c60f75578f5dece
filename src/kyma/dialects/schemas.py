"""JSON schemas of tools and answers, made into what vendors of more than one dialect take."""

from typing import Any

import msgspec

NO_PARAMETERS = msgspec.Raw(b'{"type":"object","properties":{}}')
FREE_TEXT = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
"""The parameters of a tool that takes free text."""

_OBJECT = msgspec.Raw(b'"object"')
_fields_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


def of_object(schema: msgspec.Raw | None) -> msgspec.Raw | dict[str, msgspec.Raw]:
    """A schema of an object, as it came if it is one."""
    if schema is None:
        return NO_PARAMETERS
    try:
        members = _fields_decoder.decode(schema)
    except msgspec.DecodeError:
        return NO_PARAMETERS
    return schema if members.get("type") == _OBJECT else {"type": _OBJECT, **members, **{"type": _OBJECT}}


def closed(schema: Any) -> Any:
    """A schema whose objects say that they take no further members: some vendors refuse one that does not say so."""
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    members = {name: closed(inner) for name, inner in schema.items()}
    if members.get("type") == "object" and isinstance(members.get("properties", {}), dict):
        members.setdefault("additionalProperties", False)
    return members
