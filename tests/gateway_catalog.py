"""The catalog of a test gateway: providers that are scripted upstreams, models whose sources are scripts."""

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tests.upstream.aws_signature import ACCESS_KEY_ID, SECRET_ACCESS_KEY

PROVIDER_KEY = "sk-test-upstream"

FAMILIES: Sequence[str] = ("openai_chat", "anthropic_messages", "gemini", "cohere_chat", "bedrock_converse")
"""The dialects in which test gateways talk to the scripted upstream."""

SUFFIXES = {
    **{"openai_chat": "", "anthropic_messages": "-anthropic", "gemini": "-gemini"},
    **{"cohere_chat": "-cohere", "bedrock_converse": "-bedrock"},
}
BASE_PATHS = {
    **{"openai_chat": "/v1", "anthropic_messages": "/v1", "gemini": "/v1beta"},
    **{"cohere_chat": "/v2", "bedrock_converse": ""},
}
DIALECT_FIELDS: Mapping[str, Mapping[str, object]] = {
    "openai_chat": {},
    "anthropic_messages": {"key_header": "x-api-key", "headers": {"anthropic-version": "2023-06-01"}},
    "gemini": {"key_header": "x-goog-api-key"},
    "cohere_chat": {"quirks": {"rerank_form": "cohere"}},
    "bedrock_converse": {"auth": "aws"},
}
"""What a provider row of that dialect says besides."""


class ProviderSpec(msgspec.Struct, frozen=True):
    """A row of `providers.toml`; `fields` are further ones, e.g. `{"first_byte_s": 0.5}`."""

    id: str
    base_url: str
    fields: Mapping[str, object] = {}
    dialect: str = "openai_chat"


class RouteSpec(msgspec.Struct, frozen=True):
    """One source of a model: `script` is the upstream's model field, e.g. `script:cut:k=3`."""

    provider: str
    script: str
    fields: Mapping[str, object] = {}


class ModelSpec(msgspec.Struct, frozen=True):
    """A model and its sources, asked in this order unless one says a weight; prices in USD per 1M tokens.

    Cached input costs a tenth of fresh.
    """

    id: str
    routes: Sequence[RouteSpec]
    input: str = "1"
    output: str = "2"
    fields: Mapping[str, object] = {}


def in_family(provider: ProviderSpec, dialect: str) -> ProviderSpec:
    """The same upstream as another provider (`spare` -> `spare-gemini`), spoken to in another dialect."""
    return msgspec.structs.replace(
        provider,
        id=provider.id + SUFFIXES[dialect],
        base_url=provider.base_url.removesuffix(BASE_PATHS[provider.dialect]) + BASE_PATHS[dialect],
        dialect=dialect,
    )


def model_in_family(model: ModelSpec, dialect: str) -> ModelSpec:
    """The same scripts as another model (`good` -> `good-gemini`), by the providers of that family."""
    suffix = SUFFIXES[dialect]
    routes = [msgspec.structs.replace(route, provider=route.provider + suffix) for route in model.routes]
    return msgspec.structs.replace(model, id=model.id + suffix, routes=routes)


def write_catalog(config_dir: Path, providers: Sequence[ProviderSpec], models: Sequence[ModelSpec]) -> None:
    """Write the overlay: `providers.toml` and `models/tests.toml`, in place of what was there."""
    (config_dir / "models").mkdir(parents=True, exist_ok=True)
    (config_dir / "providers.toml").write_text("\n".join(_provider_toml(row) for row in providers))
    catalog = ['owned_by = "Tests"', *(_model_toml(row) for row in models)]
    (config_dir / "models" / "tests.toml").write_text("\n".join(catalog))


def key_env(provider: ProviderSpec) -> str:
    """The variable that holds a provider's key; the provider is on when it is set."""
    return f"{provider.id.upper().replace('-', '_')}_API_KEY"


def key_variables(provider: ProviderSpec) -> Mapping[str, str]:
    """What switches a provider on: its key, or one of AWS's, with which its requests are signed."""
    if provider.dialect != "bedrock_converse":
        return {key_env(provider): PROVIDER_KEY}
    return {"AWS_ACCESS_KEY_ID": ACCESS_KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY}


def _provider_toml(provider: ProviderSpec) -> str:
    row = {
        "name": provider.id.capitalize(),
        "dialect": provider.dialect,
        "base_url": provider.base_url,
        "key_env": key_env(provider),
        "source": "tests",
        **DIALECT_FIELDS[provider.dialect],
        **provider.fields,
    }
    return _table(provider.id, row)


def _model_toml(model: ModelSpec) -> str:
    price = {"input": model.input, "output": model.output, "source": "tests"}
    routes = [
        {"provider": route.provider, "model": route.script, "input": "0.5", "output": "1", "source": "tests"}
        | ({} if place == 0 else {"weight": 0.0})
        | dict(route.fields)
        for place, route in enumerate(model.routes)
    ]
    row = {
        "name": model.id,
        "description": "A scripted model.",
        "best_for": "Tests",
        "created": datetime.date(2026, 1, 1),
        "context_window": 131_072,
        "max_output_tokens": 65_536,
        "supports": ["tools", "reasoning", "structured_outputs"],
        "latency_tier": "fast",
        "cost_tier": "cheap",
        "quality_tier": "strong",
        "recommended_for": ["general"],
        "list_price": price,
        "routes": routes,
        **model.fields,
    }
    return _table(f'model."{model.id}"', row)


def _table(name: str, row: Mapping[str, object]) -> str:
    return "\n".join([f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in row.items()), ""])


def _toml(value: object) -> str:
    """A value as TOML; strings, numbers and booleans are written as in JSON."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)
