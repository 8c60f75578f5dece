"""What operators see of sources and keys, gathered from whoever knows."""

from collections.abc import Callable

from kyma.catalog import Catalog
from kyma.core.model import Route
from kyma.credentials import Vault
from kyma.routing import Health, RouteState


def sources(catalog: Catalog) -> dict[str, tuple[Route, tuple[str, ...]]]:
    """Every source that is on here, by id, with the models that it serves."""
    found: dict[str, tuple[Route, tuple[str, ...]]] = {}
    for model in catalog.all():
        for route in model.routes:
            _, models = found.get(route.id, (route, ()))
            found[route.id] = (route, (*models, model.id))
    return dict(sorted(found.items()))


def route_states(catalog: Catalog, health: Health) -> list[RouteState]:
    """Each source once, by id."""
    weights = {
        (model.id, entry.route.id): entry.weight for model in catalog.all() for entry in health.table(model).entries
    }
    return [
        health.state(route, models, max((weights.get((model, route_id), 0.0) for model in models), default=0.0))
        for route_id, (route, models) in sources(catalog).items()
    ]


def out_of_service(health: Health, vault: Vault) -> Callable[[Route], bool]:
    """Whether a source is switched off, left alone for its faults, or without a key that its provider takes.

    A key that cools down is back within a minute at most, and is no reason.
    """
    states = vault.states()
    keyed = {state.provider_id for state in states if state.state in ("ready", "cooling")}
    keyless = {state.provider_id for state in states} - keyed
    return lambda route: not health.is_on(route) or health.is_left_alone(route) or route.provider.id in keyless
