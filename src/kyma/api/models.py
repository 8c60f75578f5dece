"""GET /v1/models: what is sold here, at which price, and what it can do."""

from typing import Literal

from pydantic import BaseModel

from kyma.api.admin_views import RouteRow, route_row
from kyma.api.depends import CallerIfAny, TheGateway
from kyma.api.model_query import ModelQuery, TheQuery
from kyma.api.model_rows import MediaModelRow, ModelRow, row
from kyma.api.performance import Performance, performance
from kyma.api.public import public
from kyma.api.shelf import TheShelf
from kyma.core.errors import InvalidRequest
from kyma.core.media import Sku

router = public(60, ["Models"])


class ModelList(BaseModel):
    object: Literal["list"]
    data: list[ModelRow | MediaModelRow]
    aliases: dict[str, str]
    has_more: bool
    first_id: str | None
    last_id: str | None


class OneModel(ModelRow):
    """`performance` is of the last days, over all sources. `routes` tell operators how each of them is doing; nobody
    else reads them."""

    performance: Performance | None = None
    routes: list[RouteRow] | None = None


@router.get("/v1/models", summary="List all models", response_model_exclude_unset=True)
async def list_models(shelf: TheShelf, query: TheQuery) -> ModelList:
    """The SKUs this gateway can serve now; `include=all` adds those that lack something, with what is missing."""
    wanted = query.filter
    found = [sku for sku in (shelf.known() if query.include == "all" else shelf.offered()) if wanted.takes(sku)]
    page, has_more = _page(found, query)
    return ModelList(
        object="list",
        data=[row(sku, shelf) for sku in page],
        aliases=shelf.aliases(include_all=query.include == "all"),
        has_more=has_more,
        first_id=page[0].id if page else None,
        last_id=page[-1].id if page else None,
    )


@router.get(
    "/v1/models/{model_id:path}",
    summary="One model",
    response_model_exclude_unset=True,
    responses={404: {"description": "Unknown model"}},
)
async def get_model(
    gateway: TheGateway, shelf: TheShelf, caller: CallerIfAny, model_id: str
) -> OneModel | MediaModelRow:
    """A SKU by its id or an alias, in any case, a creator's prefix allowed, whether or not it is served here."""
    sku = shelf.catalog.find(model_id)
    shown = row(sku, shelf)
    if isinstance(shown, MediaModelRow):
        return shown
    one = OneModel.model_validate(shown.model_dump(exclude_unset=True))
    one.performance = performance(gateway, sku.id)
    if caller is not None and caller.is_operator:
        one.routes = [route_row(gateway, state) for state in gateway.route_states() if sku.id in state.models]
    return one


def _page(found: list[Sku], query: ModelQuery) -> tuple[list[Sku], bool]:
    """The rows asked for, and whether there are more in that direction; as Anthropic pages."""
    start, end = 0, len(found)
    places = {sku.id: place for place, sku in enumerate(found)}
    if query.after_id is not None:
        start = _place(places, "after_id", query.after_id) + 1
    if query.before_id is not None:
        end = _place(places, "before_id", query.before_id)
    rows = found[start:end]
    if query.limit is None or len(rows) <= query.limit:
        return rows, False
    return (rows[-query.limit :] if query.before_id is not None else rows[: query.limit]), True


def _place(places: dict[str, int], param: str, sku_id: str) -> int:
    if (place := places.get(sku_id)) is None:
        raise InvalidRequest(f"{param}: no row of this list has the id {sku_id!r}", param=param)
    return place
