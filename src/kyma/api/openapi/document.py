"""The document itself: FastAPI's own routes, the hot ones, the components of both, and what holds for all of them."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from kyma.api.depends import principal_if_any
from kyma.api.openapi.answers import ANSWERS
from kyma.api.openapi.errors import (
    ANY_ROUTE,
    REFUSALS,
    WITH_A_KEY,
    error_responses,
    error_schemas,
    refusals,
    told_apart,
)
from kyma.api.openapi.operations import GOOGLE_KEY, hot_operation
from kyma.api.openapi.requests import request_schemas
from kyma.api.openapi.routing import MODELS, PROVIDER
from kyma.api.openapi.structs import REF, Schema

TAGS = {
    "Chat": "Text, in the words of OpenAI, Anthropic and Google",
    "Vectors and verdicts": "Embeddings, rerank and moderations",
    "Models": "What is sold, what it can do, and which model to take",
    "Discovery": "What this gateway is and how it is doing; no key needed",
    "Credits": "Balance and prices",
    "Usage": "What was used and charged, call by call and in sums",
    "Auth": "Accounts, sessions and API keys",
    "Provider keys": "Keys of your own for a provider's models",
    "Operators": "Sources and configuration, for whoever runs this gateway",
}
"""What each tag is about, in the order in which pages show them."""

RENAMED = {"ModelRow": "Model"}
"""Names of the contract for schemas whose class is called otherwise here."""

LEFT_OUT = ("HTTPValidationError", "ValidationError")
"""FastAPI's own form of a refusal, which never leaves this gateway."""


def served_document(app: FastAPI, hot_paths: tuple[str, ...], base_url: str) -> dict[str, Any]:
    """The document. Raises: KeyError when a hot path has no description."""
    document = app.openapi()
    document["info"] |= {
        "contact": {"name": app.title, "url": base_url},
        "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    }
    document["servers"] = [{"url": base_url}]
    document["security"] = [{"BearerAuth": []}]
    components = document["components"]
    components["securitySchemes"]["GoogleApiKeyAuth"] = GOOGLE_KEY
    components["schemas"] |= request_schemas() | ANSWERS | error_schemas()
    components["schemas"] |= {"ProviderPreferences": PROVIDER, "Models": MODELS}
    components["responses"] = error_responses()
    for name in LEFT_OUT:
        components["schemas"].pop(name, None)
    document["paths"] = {path: {"post": hot_operation(path)} for path in hot_paths} | document["paths"]
    with_key_if_any = {context.path_format for context in iter_route_contexts(app.routes) if _takes_key_if_any(context)}
    for path, operation in _operations(document):
        if path not in hot_paths:
            _complete(operation, path in with_key_if_any)
    _rename(document)
    document["tags"] = [{"name": name, "description": said} for name, said in TAGS.items() if name in _used(document)]
    return document


def _operations(document: Schema) -> Iterator[tuple[str, Schema]]:
    for path, item in document["paths"].items():
        for operation in item.values():
            yield path, operation


def _takes_key_if_any(context: RouteContext) -> bool:
    """Whether a route asks for no key, but refuses a wrong one."""
    route = context.original_route
    return isinstance(route, APIRoute) and any(
        dependency.call is principal_if_any for dependency in route.dependant.dependencies
    )


def _complete(operation: Schema, takes_key_if_any: bool) -> None:
    """What FastAPI leaves out of an operation: that no key is needed, and every refusal."""
    keys = operation.setdefault("security", [])
    responses = operation["responses"]
    responses.pop("422", None)
    for status, response in responses.items():
        if int(status) in REFUSALS and "$ref" not in str(response.get("content")):
            responses[status] = told_apart(int(status), response["description"])
    expected = refusals((*ANY_ROUTE, *(WITH_A_KEY if keys or takes_key_if_any else ())))
    operation["responses"] = expected | responses


def _rename(document: Schema) -> None:
    schemas = document["components"]["schemas"]
    for old, new in RENAMED.items():
        schemas[new] = schemas.pop(old) | {"title": new}
    _point(document, {f"{REF}{old}": f"{REF}{new}" for old, new in RENAMED.items()})


def _point(node: object, moved: dict[str, str]) -> None:
    """Every reference below `node` to where its schema has moved."""
    inside: Iterable[object] = ()
    if isinstance(node, dict):
        if node.get("$ref") in moved:
            node["$ref"] = moved[node["$ref"]]
        inside = node.values()
    elif isinstance(node, list):
        inside = node
    for below in inside:
        _point(below, moved)


def _used(document: Schema) -> set[str]:
    return {tag for _, operation in _operations(document) for tag in operation["tags"]}
