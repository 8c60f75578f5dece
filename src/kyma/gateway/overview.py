"""What operators see of sources and keys, gathered from whoever knows."""

from collections.abc import Callable, Sequence

import msgspec

from kyma.catalog import Catalog
from kyma.core.model import Route
from kyma.credentials import Vault
from kyma.routing import RouteState


class KeyState(msgspec.Struct, frozen=True):
    """One key of a provider, by the name that operators and logs know it by."""

    id: str


def sources(catalog: Catalog) -> dict[str, tuple[Route, tuple[str, ...]]]:
    """Every source that is on here, by id, with the models that it serves."""
    found: dict[str, tuple[Route, tuple[str, ...]]] = {}
    for model in catalog.all():
        for route in model.routes:
            _, models = found.get(route.id, (route, ()))
            found[route.id] = (route, (*models, model.id))
    return dict(sorted(found.items()))


def route_states(
    catalog: Catalog, is_healthy: Callable[[Route], bool], is_on: Callable[[Route], bool]
) -> list[RouteState]:
    """Each source once, by id."""
    return [
        RouteState(
            route=route_id,
            provider=route.provider.id,
            models=models,
            is_on=is_on(route),
            weight=route.weight,
            breaker="closed" if is_healthy(route) else "open",
            opens_until_s=None,
            recent_calls=0,
            recent_failures=0,
            p50_ms=None,
            p95_ms=None,
            tokens_per_s=None,
            in_flight=0,
            last_error=None,
            last_error_at=None,
        )
        for route_id, (route, models) in sources(catalog).items()
    ]


def key_states(vault: Vault, provider_id: str) -> Sequence[KeyState]:
    """The keys of a provider, in their order."""
    return [KeyState(credential.id) for credential in vault.usable(provider_id, "")]
