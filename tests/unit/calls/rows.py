"""Rows and requests as tests need them: a model with sources, a chat of so many bytes."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from kyma.core.chat import Chat, ChatRequest, Native
from kyma.core.model import Model, Price, Provider, Quirks, Route
from kyma.core.upstream import Origin, Timeouts
from kyma.credentials import Vault

PRICE = Price(
    input=1_000_000,
    cached_input=100_000,
    cache_write=1_250_000,
    output=2_000_000,
    cache_write_1h=2_000_000,
    search=10_000_000_000,
)
"""A thousand nano-dollars a fresh input token, two thousand an output token, a cent a search."""

PLAIN_PRICE = Price(input=1_000_000, cached_input=100_000, cache_write=0, output=2_000_000, cache_write_1h=0)


def provider(
    provider_id: str = "acme",
    *,
    name: str = "Acme Cloud",
    host: str = "api.acme.example",
    key_header: Literal["authorization", "x-api-key", "api-key"] = "authorization",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    quirks: Quirks | None = None,
    timeouts: Timeouts | None = None,
) -> Provider:
    return Provider(
        id=provider_id,
        name=name,
        dialect="openai_chat",
        origin=Origin(host, 443, True),
        base_path="/openai/v1",
        key_env="ACME_API_KEY",
        key_header=key_header,
        headers=headers,
        quirks=quirks or Quirks(),
        timeouts=timeouts or Timeouts(),
        is_local=False,
        cancel_stops_billing=False,
        source="tests",
    )


def route(
    provider_id: str = "acme", upstream_model: str = "acme-owl-v2", *, weight: float = 1.0, **fields: str
) -> Route:
    """A source; `fields` are those of `provider`."""
    source = provider(provider_id, **fields)  # type: ignore[arg-type]
    return Route(f"{provider_id}/owl", source, upstream_model, PRICE, "tests", weight=weight)


def in_order(count: int) -> list[Route]:
    """Sources p0, p1 … of which each is asked only when those before it do not answer."""
    return [route(f"p{number}", weight=0.0 if number else 1.0) for number in range(count)]


def vault(*provider_ids: str) -> Vault:
    """A key for each of these providers."""
    found = Vault()
    found.replace({provider_id: [f"key-of-{provider_id}"] for provider_id in provider_ids})
    return found


def model(
    routes: Sequence[Route] = (),
    *,
    price: Price = PRICE,
    context_window: int = 8_000,
    max_output_tokens: int | None = 4_000,
    image_tokens: int = 0,
) -> Model:
    return Model(
        id="owl",
        name="Owl",
        description="A model of tests.",
        owned_by="Forest",
        created=0,
        context_window=context_window,
        max_output_tokens=max_output_tokens,
        price=price,
        price_source="tests",
        best_for="Tests",
        input_modalities=("text",),
        output_modalities=("text",),
        supported_parameters=(),
        supports_tools=True,
        supports_vision=image_tokens > 0,
        supports_reasoning=False,
        supports_structured_outputs=True,
        supports_caching=False,
        latency_tier="fast",
        cost_tier="cheap",
        quality_tier="efficient",
        status="stable",
        recommended_for=(),
        recommended=False,
        hot=False,
        retires_on=None,
        routes=tuple(routes),
        image_tokens=image_tokens,
    )


def chat(
    *,
    max_tokens: int = 100,
    n: int = 1,
    input_bytes: int = 40,
    image_count: int = 0,
    is_streaming: bool = False,
    document_bytes: int = 0,
    keeps_an_hour: bool = False,
    searches: int = 0,
    fetches: int = 0,
    unpriced: str = "",
    fields: Mapping[str, object] | None = None,
) -> ChatRequest:
    body = {"model": "owl", "messages": [{"role": "user", "content": "hello"}], **(fields or {})}
    raw = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in body.items()}
    return ChatRequest(
        model="owl",
        chat=lambda: Chat(messages=(), max_tokens=1),
        max_tokens=max_tokens,
        is_streaming=is_streaming,
        n=n,
        native=Native("openai_chat", raw),
        input_bytes=input_bytes,
        image_count=image_count,
        document_bytes=document_bytes,
        keeps_an_hour=keeps_an_hour,
        searches=searches,
        fetches=fetches,
        unpriced=unpriced,
    )
