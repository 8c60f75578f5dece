"""The codecs' own structs as JSON schemas, so that the document says of a request what the gateway checks of it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import inspect

Schema = dict[str, Any]

REF = "#/components/schemas/"
SCALARS: Mapping[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.BoolType: "boolean",
    inspect.NoneType: "null",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
}
BOUNDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def component_schemas(struct: type[msgspec.Struct], prefix: str, names: Mapping[str, str]) -> dict[str, Schema]:
    """Schemas of a struct and of all that stand in it, by component name.

    `names` says which name a class has in the document; the others have `prefix` in place of their `Wire`.
    """
    writer = _Writer(prefix, names)
    writer.write(inspect.type_info(struct))
    return writer.components


class _Writer:
    def __init__(self, prefix: str, names: Mapping[str, str]) -> None:
        self._prefix = prefix
        self._names = names
        self.components: dict[str, Schema] = {}

    def write(self, kind: inspect.Type) -> Schema:
        """A type as a schema; structs become components."""
        match kind:
            case inspect.StructType():
                return self._struct(kind)
            case inspect.UnionType():
                return _union([self.write(alternative) for alternative in kind.types])
            case inspect.ListType():
                return {"type": "array", "items": self.write(kind.item_type)}
            case inspect.DictType():
                values = self.write(kind.value_type)
                return {"type": "object", "additionalProperties": values} if values else {"type": "object"}
            case inspect.LiteralType():
                return {"type": "string", "enum": sorted(kind.values, key=str)}
            case inspect.AnyType() | inspect.RawType():
                return {}
        schema: Schema = {"type": SCALARS[type(kind)]}
        bounds = {word: getattr(kind, bound, None) for bound, word in BOUNDS.items()}
        return schema | {word: bound for word, bound in bounds.items() if bound is not None}

    def _struct(self, kind: inspect.StructType) -> Schema:
        class_name = kind.cls.__name__
        name = self._names.get(class_name) or self._prefix + class_name.removeprefix("Wire")
        if name not in self.components:
            schema: Schema = {"type": "object"}
            self.components[name] = schema  # before its fields: they may hold it
            if required := [field.encode_name for field in kind.fields if field.required]:
                schema["required"] = required
            schema["properties"] = {field.encode_name: self.write(field.type) for field in kind.fields}
        return {"$ref": f"{REF}{name}"}


def _union(alternatives: list[Schema]) -> Schema:
    """A plain type that may be null keeps its form; anything else is a list of alternatives."""
    plain = [schema["type"] for schema in alternatives if schema.keys() == {"type"}]
    if len(plain) == len(alternatives):
        return {"type": plain}
    return {"anyOf": alternatives}
