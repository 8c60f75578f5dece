"""What this gateway is, for programs that configure themselves: GET /v1/config and GET /v1/capabilities."""

from collections import Counter
from typing import Literal

from pydantic import BaseModel, Field

from kyma import __version__
from kyma.api.depends import TheGateway
from kyma.api.public import public
from kyma.api.shelf import Shelf, TheShelf, endpoint_of
from kyma.catalog import SkuCapability, SkuModality, capability_of, modality_of
from kyma.core.media import Sku
from kyma.core.model import Model
from kyma.core.money import usd_float, usd_to_nanos
from kyma.dialects.openai_chat.request import DEFAULT_MAX_TOKENS

router = public(60, ["Discovery"])

ENDPOINTS = {
    "chat_completions": "POST /v1/chat/completions",
    "messages": "POST /v1/messages",
    "responses": "POST /v1/responses",
    "completions": "POST /v1/completions",
    "embeddings": "POST /v1/embeddings",
    "rerank": "POST /v1/rerank",
    "moderations": "POST /v1/moderations",
    "images": "POST /v1/images/generations",
    "videos": "POST /v1/videos/generations",
    "jobs": "GET /v1/jobs/{job_id}",
    "transcriptions": "POST /v1/audio/transcriptions",
    "understand": "POST /v1/audio/understand",
    "speech": "POST /v1/audio/speech",
    "music": "POST /v1/audio/music",
    "sfx": "POST /v1/audio/sfx",
    "models": "GET /v1/models",
    "recommend": "GET /v1/models/recommend",
    "uptime": "GET /v1/models/uptime",
    "status": "GET /v1/status",
    "pricing": "GET /v1/pricing",
    "tiers": "GET /v1/limits/tiers",
    "capabilities": "GET /v1/capabilities",
    "openapi": "GET /v1/openapi.json",
    "rankings": "GET /v1/rankings",
    "balance": "GET /v1/credits/balance",
    "limits": "GET /v1/auth/limits",
    "usage": "GET /v1/usage",
    "logs": "GET /v1/logs",
}
"""Names of operations; those are told that are served."""

FALLBACK_LAYERS = {
    "1": "the same model, its first other source",
    "2": "the same model, a further source",
    "3": "an equivalent model, never dearer",
}
FALLBACK_HEADERS = ("X-Kyma-Model", "X-Kyma-Alias", "X-Kyma-Fallback", "X-Kyma-Fallback-Layer")


class ModelName(BaseModel):
    id: str
    name: str
    capability: SkuCapability
    modality: SkuModality
    endpoint: str


class Links(BaseModel):
    """Null: there is none here."""

    docs: str | None
    openapi: str
    llms: str
    mcp: str | None
    dashboard: str | None


class ConfigView(BaseModel):
    """`bases` are the addresses to give to each maker's SDK; `base_url` is the one for OpenAI's."""

    object: Literal["config"]
    base_url: str
    bases: dict[str, str]
    format: Literal["openai"]
    formats: list[str]
    streaming: Literal[True]
    auth: str
    default_model: str | None = Field(description="What the alias `best` stands for; else the first model for chats")
    recommended_models: list[str]
    models: list[ModelName]
    aliases: dict[str, str]
    endpoints: dict[str, str]
    links: Links


class OutputLimits(BaseModel):
    gateway_output_limit: None
    max_tokens_passthrough: Literal[True]
    default_max_tokens: int
    request_body_bytes: int


class Counts(BaseModel):
    available: int
    known: int
    creators: int
    by_capability: dict[str, int] = Field(description="Of those that are available")


class Reliability(BaseModel):
    automatic_failover: Literal[True]
    fallback_layers: dict[str, str]
    headers: list[str]
    failed_calls_are_charged: Literal[False]
    substitutes_can_be_refused: Literal[True]


class PricingModel(BaseModel):
    type: Literal["prepaid"]
    currency: Literal["USD"]
    unit: str
    signup_credit_usd: float
    credits_expire: Literal[False]
    cached_input: str
    details: str


class Capabilities(BaseModel):
    object: Literal["capabilities"]
    version: str
    model_count: int
    models: Counts
    limits: OutputLimits
    reliability: Reliability
    compatibility: dict[str, bool]
    pricing: PricingModel


@router.get("/v1/config", summary="Agent auto-configuration")
async def get_config(gateway: TheGateway, shelf: TheShelf) -> ConfigView:
    """Everything a program needs to set itself up, without a key."""
    base, offered, aliases = gateway.base_url, shelf.offered(), shelf.aliases(include_all=False)
    chats = [sku.id for sku in shelf.catalog.offered() if sku.kind == "chat"]
    bases = {"openai": f"{base}/v1", "anthropic": base, "gemini": base}
    return ConfigView(
        object="config",
        base_url=f"{base}/v1",
        bases=bases,
        format="openai",
        formats=list(bases),
        streaming=True,
        auth="Authorization: Bearer <key>",
        default_model=aliases.get("best") or next(iter(chats), None),
        recommended_models=[sku.id for sku in offered if sku.recommended],
        models=[_name(sku) for sku in offered],
        aliases=aliases,
        endpoints={name: operation for name, operation in ENDPOINTS.items() if operation in shelf.served},
        links=Links(
            docs=_link(shelf, base, "/docs"),
            openapi=f"{base}/v1/openapi.json",
            llms=f"{base}/llms.txt",
            mcp=_link(shelf, base, "/mcp"),
            dashboard=_link(shelf, base, "/dashboard"),
        ),
    )


@router.get("/v1/capabilities", summary="Gateway capabilities")
async def get_capabilities(gateway: TheGateway, shelf: TheShelf) -> Capabilities:
    """What may be relied on here, in short."""
    offered, settings = shelf.offered(), gateway.settings
    return Capabilities(
        object="capabilities",
        version=__version__,
        model_count=len(offered),
        models=Counts(
            available=len(offered),
            known=len(shelf.known()),
            creators=len({sku.owned_by for sku in offered}),
            by_capability=dict(sorted(Counter(map(capability_of, offered)).items())),
        ),
        limits=OutputLimits(
            gateway_output_limit=None,
            max_tokens_passthrough=True,
            default_max_tokens=DEFAULT_MAX_TOKENS,
            request_body_bytes=settings.body_limit_bytes,
        ),
        reliability=Reliability(
            automatic_failover=True,
            fallback_layers=FALLBACK_LAYERS,
            headers=list(FALLBACK_HEADERS),
            failed_calls_are_charged=False,
            substitutes_can_be_refused=True,
        ),
        compatibility=_compatibility(shelf, [sku for sku in offered if isinstance(sku, Model)]),
        pricing=PricingModel(
            type="prepaid",
            currency="USD",
            unit="per 1M tokens for texts; per image, second, minute, character, song or call for media",
            signup_credit_usd=usd_float(usd_to_nanos(settings.signup_credit_usd)),
            credits_expire=False,
            cached_input="a tenth of the input price, unless a model's row says otherwise",
            details=f"{gateway.base_url}/v1/pricing",
        ),
    )


def _compatibility(shelf: Shelf, texts: list[Model]) -> dict[str, bool]:
    """What can be asked here: dialects and endpoints by what is served, abilities by the models that have them."""
    asked = {
        "openai_chat_completions": "POST /v1/chat/completions",
        "openai_responses": "POST /v1/responses",
        "openai_completions": "POST /v1/completions",
        "anthropic_messages": "POST /v1/messages",
        "embeddings": "POST /v1/embeddings",
        "rerank": "POST /v1/rerank",
        "moderations": "POST /v1/moderations",
        "images": "POST /v1/images/generations",
        "videos": "POST /v1/videos/generations",
        "audio": "POST /v1/audio/speech",
    }
    return {
        **{name: operation in shelf.served for name, operation in asked.items()},
        "gemini_generate_content": True,
        "streaming": True,
        "tools": any(model.supports_tools for model in texts),
        "vision": any(model.supports_vision for model in texts),
        "reasoning": any(model.supports_reasoning for model in texts),
        "structured_outputs": any(model.supports_structured_outputs for model in texts),
        "prompt_caching": any(model.supports_caching for model in texts),
    }


def _name(sku: Sku) -> ModelName:
    return ModelName(
        id=sku.id,
        name=sku.name,
        capability=capability_of(sku),
        modality=modality_of(sku),
        endpoint=endpoint_of(sku),
    )


def _link(shelf: Shelf, base: str, path: str) -> str | None:
    return f"{base}{path}" if f"GET {path}" in shelf.served else None
