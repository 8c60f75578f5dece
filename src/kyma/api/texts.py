"""Plain texts at the root: what language models read of this gateway, whom to tell of a hole, what crawlers let be.

Sources: llmstxt.org (2026-11), RFC 9116 (security.txt), RFC 9309 (robots.txt). A credential is not looked at here.
"""

import functools
import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse

from kyma.api.about import ENDPOINTS
from kyma.api.depends import TheGateway
from kyma.api.media_pricing import media_pricing
from kyma.api.public import public
from kyma.api.shelf import Shelf, TheShelf, endpoint_of
from kyma.catalog import builtin_data
from kyma.core.ids import DAY_MS
from kyma.core.media import MediaModel, Sku
from kyma.core.money import per_million_text

router = public(300, ["Discovery"], checks_keys=False)

DISCOVERY = {
    "/v1/models": "models served here, with prices and abilities; `?include=all` for the whole catalog",
    "/v1/models/recommend": "a model for a use case or an agent, with its configuration",
    "/v1/config": "what a program needs to set itself up",
    "/v1/capabilities": "what may be relied on",
    "/v1/pricing": "every price",
    "/v1/limits/tiers": "limits by deposit tier",
    "/v1/openapi.json": "every operation, as OpenAPI 3.1",
    "/llms-full.txt": "this page, with the documentation in short",
}
ROBOTS = "User-agent: *\nDisallow: /v1/admin/\nDisallow: /v1/auth/\n"


@router.get("/llms.txt", summary="This gateway, for language models", response_class=PlainTextResponse)
async def llms(gateway: TheGateway, shelf: TheShelf) -> str:
    """What it is, where its endpoints are, which models it serves at which prices."""
    return _llms(shelf, gateway.base_url, [])


@router.get("/llms-full.txt", summary="The same, with the documentation in short", response_class=PlainTextResponse)
async def llms_full(gateway: TheGateway, shelf: TheShelf) -> str:
    """Everything that an agent needs to use it."""
    return _llms(shelf, gateway.base_url, [_text("llms-full.md", gateway.base_url)])


@router.get("/.well-known/security.txt", summary="Whom to tell of a hole", response_class=PlainTextResponse)
async def security(gateway: TheGateway) -> str:
    """RFC 9116. It is good for some days more, counted from midnight UTC."""
    settings, url = gateway.settings, f"{gateway.base_url}/.well-known/security.txt"
    today = datetime.fromtimestamp(gateway.clock.now_ms() // DAY_MS * DAY_MS / 1000, UTC)
    expires = today + timedelta(days=settings.security_expires_days)
    lines = [
        f"Contact: {settings.security_contact or default_contact(gateway.base_url)}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: en",
    ]
    if url.startswith("https://"):  # RFC 9116, 2.5.2: a web address here must be one of https
        lines.append(f"Canonical: {url}")
    return "".join(f"{line}\n" for line in lines)


@router.get("/robots.txt", summary="What crawlers leave alone", response_class=PlainTextResponse)
async def robots() -> str:
    return ROBOTS


def default_contact(base_url: str) -> str:
    """The mailbox that RFC 2142 keeps for this, at the gateway's own host."""
    host = urlsplit(base_url).hostname or "localhost"
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return f"mailto:security@{host}"
    return f"mailto:security@[{'IPv6:' if literal.version == 6 else ''}{literal}]"


def _llms(shelf: Shelf, base_url: str, chapters: list[str]) -> str:
    offered = shelf.offered()
    sections = [
        _text("llms.md", base_url),
        "## Endpoints\n\n" + "\n".join(_endpoints(shelf)),
        "## Discovery\n\n" + "\n".join(_discovery(base_url)),
        *chapters,
        "## Aliases\n\n" + "\n".join(f"- `{alias}`: {sku}" for alias, sku in shelf.aliases(include_all=False).items()),
        "## Models served here\n\n" + "\n".join(_model(sku) for sku in offered),
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _endpoints(shelf: Shelf) -> Iterator[str]:
    for name, operation in ENDPOINTS.items():
        if operation in shelf.served and operation.startswith("POST "):
            yield f"- `{operation}`: {name.replace('_', ' ')}"


def _discovery(base_url: str) -> Iterator[str]:
    return (f"- [{path}]({base_url}{path}): {what}" for path, what in DISCOVERY.items())


def _model(sku: Sku) -> str:
    return f"- `{sku.id}` ({sku.name}, {sku.owned_by}; `{endpoint_of(sku)}`): {_facts(sku)}. {sku.best_for}"


def _facts(sku: Sku) -> str:
    if isinstance(sku, MediaModel):
        figures = media_pricing(sku.rate).model_dump(exclude_unset=True, exclude={"currency"})
        return ", ".join(f"{name} {value}" for name, value in figures.items())
    price = f"${per_million_text(sku.price.input)} in, ${per_million_text(sku.price.output)} out per 1M tokens"
    return f"{price}, {sku.context_window} tokens of context"


@functools.cache
def _packaged(name: str) -> str:
    return (builtin_data() / name).read_text(encoding="utf-8")


def _text(name: str, base_url: str) -> str:
    return _packaged(name).replace("{{base_url}}", base_url)
