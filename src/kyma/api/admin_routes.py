"""Sources of this gateway for its operators: how each is doing, what would be tried, switches, probes, reload.

Providers have names here, unlike anywhere else in the API. A gateway tells about itself alone: of several on one
database each has its own view, but switches are common to all.
"""

from fastapi import APIRouter, Request

from kyma.api.admin_views import (
    ExplanationView,
    ProbeList,
    ProbeRow,
    Probing,
    ReloadedView,
    RouteList,
    Switching,
    SwitchView,
    explanation_view,
    provider_row,
    route_row,
)
from kyma.api.any_dialect import model_named, read_request
from kyma.api.depends import Operator, TheGateway
from kyma.calls import probe
from kyma.catalog import CatalogError
from kyma.catalog.moves import PricesMoved
from kyma.config import ConfigError
from kyma.core.errors import InvalidRequest, NotFound

router = APIRouter(
    prefix="/v1/admin",
    tags=["Operators"],
    responses={
        403: {"description": "Only operators may do this"},
        404: {"description": "There is no such model, route or provider here"},
    },
)


@router.get("/routes", summary="How every source is doing")
async def list_routes(
    gateway: TheGateway, _operator: Operator, model: str | None = None, provider: str | None = None
) -> RouteList:
    """Every source that is on here, as this process sees it; `model` takes an alias too."""
    wanted = None if model is None else gateway.catalog.resolve(model).model.id
    states = [
        state
        for state in gateway.route_states()
        if (wanted is None or wanted in state.models) and provider in (None, state.provider)
    ]
    return RouteList(
        object="list",
        gateway=gateway.id,
        data=[route_row(gateway, state) for state in states],
        providers=[provider_row(gateway, provider_id) for provider_id in sorted({state.provider for state in states})],
    )


@router.get("/routes/explain", summary="What would be tried for a model")
async def explain_model(gateway: TheGateway, operator: Operator, model: str) -> ExplanationView:
    """Nobody is called."""
    resolved = gateway.catalog.resolve(model)
    return explanation_view(gateway.explain(resolved, None, operator.account_id))


@router.post(
    "/routes/explain",
    summary="What would be tried for a request",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def explain_request(
    gateway: TheGateway, operator: Operator, request: Request, model: str = "", dialect: str = ""
) -> ExplanationView:
    """A request body in any dialect, which `dialect` names if the body does not show it. Nobody is called, nothing is
    charged, nothing of it is kept."""
    body = await request.body()
    name = model or model_named(body)
    resolved = gateway.catalog.resolve(name)
    read = read_request(body, name, resolved.model.kind, dialect)
    return explanation_view(gateway.explain(resolved, read, operator.account_id))


@router.post("/routes/switch", summary="Take a source or a provider out of service, or put it back")
async def switch_source(gateway: TheGateway, operator: Operator, body: Switching) -> SwitchView:
    """Here at once, in other gateways on the same database within seconds; it outlasts a restart."""
    target = body.route or body.provider or ""
    known = {state.route for state in gateway.route_states()} if body.route else gateway.catalog.providers.keys()
    if target not in known and gateway.switches.find(target) is None:
        raise NotFound(f"there is no {'route' if body.route else 'provider'} {target} here", code="route_not_found")
    await gateway.switches.switch(target, body.on, operator.user_id)
    return SwitchView(target=target, on=body.on)


@router.post("/routes/probe", summary="Call sources once")
async def probe_routes(gateway: TheGateway, operator: Operator, body: Probing) -> ProbeList:
    """One small real call to each, on your own account, whether or not it is switched on or left alone."""
    models = (gateway.catalog.resolve(body.model).model,) if body.model else gateway.catalog.offered()
    sources = {route.id: (model, route) for model in models for route in model.routes if body.route in (None, route.id)}
    if not sources:
        raise NotFound(f"there is no route {body.route} here", code="route_not_found", param="route")
    probed = await probe(gateway.calls, gateway.clock, operator, tuple(sources.values()))
    return ProbeList(
        object="list",
        data=[
            ProbeRow(route=row.route, model=row.model, ok=row.is_ok, latency_ms=row.latency_ms, error=row.error)
            for row in probed
        ],
    )


@router.post("/reload", summary="Read the configuration anew")
async def reload_configuration(gateway: TheGateway, _operator: Operator, accept_prices: bool = False) -> ReloadedView:
    """Catalog, settings and secrets are checked first: one error, and all stays as it was. 400 then says where it is.
    It is one if a list price moves by more than 20 %, at once or on a day that is announced, unless `accept_prices`.
    Calls under way end as they began."""
    try:
        told = await gateway.reload(accept_prices=accept_prices)
    except PricesMoved as error:
        raise InvalidRequest(str(error), code="prices_not_accepted", param="accept_prices") from None
    except (ConfigError, CatalogError) as error:
        raise InvalidRequest(str(error), code="invalid_configuration") from None
    return ReloadedView(**{name: getattr(told, name) for name in ReloadedView.model_fields})
