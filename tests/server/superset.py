"""Whether one OpenAPI document has everything that another one, the seed, has: what clients of the seed rely on.

Everything that the seed names must be there under its name. Beyond that a client must not be hurt: each request that
the seed allows is allowed, and each answer that may come is one that the seed allows. So types may only get wider in
requests, narrower in answers. Where the seed leaves an object open, its members may be given a meaning.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Any
Schema = dict[str, Any]

BOUNDS_BELOW = ("minimum", "minLength", "minItems")
BOUNDS_ABOVE = ("maximum", "maxLength", "maxItems")
METHODS = ("get", "put", "post", "delete", "patch")


class Walk:
    """Every difference between two documents that a client of `seed` may notice in `ours`, as lines of text."""

    def __init__(self, seed: Json, ours: Json) -> None:
        self._seed, self._ours = seed, ours

    def differences(self) -> list[str]:
        """All of them, each once."""
        return list(dict.fromkeys(itertools.chain(self._about(), self._names(), self._paths())))

    def _about(self) -> Iterator[str]:
        if self._ours["info"]["title"] != self._seed["info"]["title"]:
            yield "info: another title"
        described = {tag["name"] for tag in self._ours["tags"] if tag["description"]}
        for tag in self._seed["tags"]:
            if tag["name"] not in described:
                yield f"tags: no {tag['name']} with a description"

    def _names(self) -> Iterator[str]:
        """Components by name, security schemes with what a client sends."""
        for kind, members in self._seed["components"].items():
            for name, wanted in members.items():
                found = self._ours["components"].get(kind, {}).get(name)
                if found is None:
                    yield f"{kind}: no {name}"
                elif kind == "securitySchemes":
                    for word in ("type", "scheme", "in", "name"):
                        if word in wanted and found.get(word) != wanted[word]:
                            yield f"{kind}.{name}.{word}: {found.get(word)!r} instead of {wanted[word]!r}"

    def _paths(self) -> Iterator[str]:
        """The seed's server ends in the prefix that our paths begin with."""
        prefix = "/v1" if self._seed["servers"][0]["url"].endswith("/v1") else ""
        for path, item in self._seed["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                where = f"{method.upper()} {prefix}{path}"
                found = self._ours["paths"].get(f"{prefix}{path}", {}).get(method)
                if found is None:
                    yield f"{where}: not there"
                else:
                    yield from self._operation(item[method], found, where)

    def _operation(self, wanted: Json, found: Json, where: str) -> Iterator[str]:
        for word in ("operationId", "summary"):
            if wanted[word] != found.get(word):
                yield f"{where}: {word} {found.get(word)!r} instead of {wanted[word]!r}"
        for tag in set(wanted["tags"]) - set(found["tags"]):
            yield f"{where}: no tag {tag}"
        yield from self._security(wanted, found, where)
        yield from self._parameters(wanted, found, where)
        yield from self._body(wanted, found, where)
        yield from self._responses(wanted, found, where)

    def _security(self, wanted: Json, found: Json, where: str) -> Iterator[str]:
        """Every way in that the seed has; an empty list is a way in without a key."""
        theirs = wanted.get("security", self._seed.get("security")) or [{}]
        mine = found.get("security", self._ours.get("security")) or [{}]
        for way in theirs:
            if way not in mine:
                yield f"{where}: no access by {way or 'nobody'}"

    def _parameters(self, wanted: Json, found: Json, where: str) -> Iterator[str]:
        mine = {(parameter["in"], parameter["name"]): parameter for parameter in found.get("parameters", ())}
        theirs = {(parameter["in"], parameter["name"]): parameter for parameter in wanted.get("parameters", ())}
        for place, parameter in theirs.items():
            if place not in mine:
                yield f"{where}: no parameter {place[1]} in {place[0]}"
            else:
                yield from self._request(parameter["schema"], mine[place]["schema"], f"{where} ?{place[1]}")
        for place, parameter in mine.items():
            if parameter.get("required") and not theirs.get(place, {}).get("required"):
                yield f"{where}: parameter {place[1]} is required"

    def _body(self, wanted: Json, found: Json, where: str) -> Iterator[str]:
        theirs, mine = wanted.get("requestBody"), found.get("requestBody")
        if theirs is None:
            if mine is not None and mine.get("required"):
                yield f"{where}: a body is required"
            return
        for media, content in theirs["content"].items():
            if mine is None or media not in mine["content"]:
                yield f"{where}: no body of {media}"
            else:
                yield from self._request(content["schema"], mine["content"][media]["schema"], f"{where} body")

    def _responses(self, wanted: Json, found: Json, where: str) -> Iterator[str]:
        for status, theirs in wanted["responses"].items():
            if status not in found["responses"]:
                yield f"{where}: no response {status}"
                continue
            at = f"{where} {status}"
            theirs = _resolved(theirs, self._seed)
            mine = _resolved(found["responses"][status], self._ours)
            for name, header in theirs.get("headers", {}).items():
                if name not in mine.get("headers", {}):
                    yield f"{at}: no header {name}"
                else:
                    yield from self._answer(header["schema"], mine["headers"][name]["schema"], f"{at} {name}")
            for media, content in theirs.get("content", {}).items():
                if media not in mine.get("content", {}):
                    yield f"{at}: no {media}"
                elif "schema" in content:
                    yield from self._answer(content["schema"], mine["content"][media].get("schema", {}), at)

    def _request(self, theirs: Schema, mine: Schema, where: str) -> Iterator[str]:
        yield from _unnamed(Node(theirs, self._seed), Node(mine, self._ours), where)
        yield from _outside(Node(theirs, self._seed), Node(mine, self._ours), where)

    def _answer(self, theirs: Schema, mine: Schema, where: str) -> Iterator[str]:
        yield from _unnamed(Node(theirs, self._seed), Node(mine, self._ours), where)
        yield from _outside(Node(mine, self._ours), Node(theirs, self._seed), where)


class Node:
    """A schema in its document."""

    def __init__(self, schema: Schema, document: Json) -> None:
        self._document = document
        self.alternatives: Sequence[Schema] = list(_alternatives(schema, document))

    def at(self, alternative: Schema, word: str, name: str = "") -> "Node":
        """What stands below one of its alternatives."""
        inner = alternative[word]
        return Node(inner[name] if name else inner, self._document)

    def below(self, name: str) -> "Node | None":
        """The member of that name, whichever alternative has it."""
        found = [one["properties"][name] for one in self.alternatives if name in one.get("properties", {})]
        return Node({"anyOf": found}, self._document) if found else None

    @property
    def members(self) -> Sequence[str]:
        return list(dict.fromkeys(name for one in self.alternatives for name in one.get("properties", {})))

    @property
    def items(self) -> "Node | None":
        found = [one["items"] for one in self.alternatives if "items" in one]
        return Node({"anyOf": found}, self._document) if found else None

    @property
    def words(self) -> Sequence[Json]:
        """What it may be, where that is listed."""
        return [word for one in self.alternatives for word in _listed(one) or ()]


def _unnamed(seed: Node, ours: Node, where: str) -> Iterator[str]:
    """What the seed names, and ours does not."""
    for word in seed.words:
        if word not in ours.words:
            yield f"{where}: no value {word!r}"
    for name in seed.members:
        inner, mine = seed.below(name), ours.below(name)
        if mine is None:
            yield f"{where}.{name}: not there"
        elif inner is not None:
            yield from _unnamed(inner, mine, f"{where}.{name}")
    if (inner := seed.items) is not None and (mine := ours.items) is not None:
        yield from _unnamed(inner, mine, f"{where}[]")


def _outside(inner: Node, outer: Node, where: str) -> Iterator[str]:
    """Why some instance of `inner` is none of `outer`: for each alternative of the one the least that each of the other
    holds against it."""
    for one in inner.alternatives:
        likely = [other for other in outer.alternatives if other.get("type") == one.get("type")]
        against = [list(_against(inner, one, outer, other, where)) for other in likely or outer.alternatives]
        if against and (least := min(against, key=len)):
            yield from least


def _against(inner: Node, one: Schema, outer: Node, other: Schema, where: str) -> Iterator[str]:
    kind, wanted = one.get("type"), other.get("type")
    if wanted is not None and kind != wanted and (kind, wanted) != ("integer", "number"):
        yield f"{where}: {kind or 'anything'} is not {wanted}"
        return
    if (allowed := _listed(other)) is not None:
        said = _listed(one)
        if said is None:
            yield f"{where}: more than {allowed}"
        else:
            yield from (f"{where}: {word!r} is not allowed" for word in said if word not in allowed)
    for bound in BOUNDS_BELOW:
        if bound in other and one.get(bound, float("-inf")) < other[bound]:
            yield f"{where}: {bound} {other[bound]}"
    for bound in BOUNDS_ABOVE:
        if bound in other and one.get(bound, float("inf")) > other[bound]:
            yield f"{where}: {bound} {other[bound]}"
    if "properties" in one:
        for name in sorted(set(other.get("required", ())) - set(one.get("required", ()))):
            yield f"{where}.{name}: may be absent"
    for name in one.get("properties", {}).keys() & other.get("properties", {}).keys():
        yield from _outside(inner.at(one, "properties", name), outer.at(other, "properties", name), f"{where}.{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(one.get(word), dict) and isinstance(other.get(word), dict):
            yield from _outside(inner.at(one, word), outer.at(other, word), f"{where}[]")


def _alternatives(schema: Schema, document: Json) -> Iterator[Schema]:
    """A schema as alternatives without references, each of one type."""
    schema = _resolved(schema, document)
    for word in ("anyOf", "oneOf"):
        if word in schema:
            beside = {key: value for key, value in schema.items() if key != word}
            for inner in schema[word]:
                for alternative in _alternatives(inner, document):
                    yield from _alternatives(_together(beside, alternative), document)
            return
    kinds = schema.get("type")
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        listed = _listed(schema)
        fitting = None if listed is None else [word for word in listed if kind is None or _is_of(kind, word)]
        if fitting == []:
            continue
        alternative = schema if kind is None else schema | {"type": kind}
        yield alternative if fitting is None else alternative | {"enum": fitting}


def _together(beside: Schema, alternative: Schema) -> Schema:
    """An alternative with what stands beside the list it is in."""
    both = beside | alternative
    if required := [*beside.get("required", ()), *alternative.get("required", ())]:
        both["required"] = required
    if properties := {**beside.get("properties", {}), **alternative.get("properties", {})}:
        both["properties"] = properties
    return both


def _resolved(node: Json, document: Json) -> Json:
    """What a reference leads to, with what stands beside it."""
    while "$ref" in node:
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node


def _listed(schema: Mapping[str, Json]) -> Sequence[Json] | None:
    if "const" in schema:
        return [schema["const"]]
    listed: Sequence[Json] | None = schema.get("enum")
    return listed


def _is_of(kind: str, word: Json) -> bool:
    match word:
        case None:
            return kind == "null"
        case bool():
            return kind == "boolean"
        case str():
            return kind == "string"
        case int() | float():
            return kind in ("integer", "number")
    return True
