"""What of the catalog is sold here: text models that have a source, media that have a vendor and a path to ask at.

The paths are those that this process really serves, so a new endpoint puts its media on the shelf by itself.
"""

from collections.abc import Collection
from typing import Annotated

from fastapi import Depends, Request

from kyma.api.depends import gateway_of
from kyma.catalog import Catalog
from kyma.core.media import MediaModel, Sku
from kyma.core.model import Kind

ENDPOINTS: dict[Kind, str] = {
    "chat": "/v1/chat/completions",
    "embedding": "/v1/embeddings",
    "rerank": "/v1/rerank",
    "moderation": "/v1/moderations",
}
"""Where a text model is asked; chats in other dialects too."""


class Shelf:
    """One catalog as this process sells it. `served` are operations, as `POST /v1/chat/completions`."""

    def __init__(self, catalog: Catalog, served: Collection[str]) -> None:
        self.catalog = catalog
        self.served = served

    def known(self) -> list[Sku]:
        """Every SKU, texts before media, each by id."""
        return [*self.catalog.all(), *(self.catalog.media[sku_id] for sku_id in sorted(self.catalog.media))]

    def offered(self) -> list[Sku]:
        """Those that can be served now, in the same order."""
        return [sku for sku in self.known() if self.is_available(sku)]

    def is_available(self, sku: Sku) -> bool:
        """Whether a request for it could be answered."""
        if isinstance(sku, MediaModel):
            return self._has_endpoint(sku) and any(route.vendor in self.catalog.vendors for route in sku.routes)
        return bool(sku.routes)

    def missing(self, sku: Sku) -> list[str]:
        """What would make it available here: variables to set, any one of them; empty where it is, or nothing would."""
        if self.is_available(sku):
            return []
        if isinstance(sku, MediaModel) and sku.status != "retired" and not self._has_endpoint(sku):
            return [f"a version of Kyma that serves POST {sku.endpoint}"]
        return list(self.catalog.missing(sku.id))

    def aliases(self, *, include_all: bool) -> dict[str, str]:
        """What each alias stands for here; with `include_all` also those that stand for nothing here."""
        firsts = self.catalog.first_targets
        media = {alias: sku_id for alias, sku_id in firsts.items() if sku_id in self.catalog.media}
        served = {alias: sku_id for alias, sku_id in media.items() if self.is_available(self.catalog.media[sku_id])}
        return {**(firsts if include_all else served), **self.catalog.aliases}

    def _has_endpoint(self, sku: MediaModel) -> bool:
        return f"POST {sku.endpoint}" in self.served


def endpoint_of(sku: Sku) -> str:
    """The path that it is asked at."""
    return sku.endpoint if isinstance(sku, MediaModel) else ENDPOINTS[sku.kind]


def shelf_of(request: Request) -> Shelf:
    return Shelf(gateway_of(request).catalog, request.app.state.served)


TheShelf = Annotated[Shelf, Depends(shelf_of)]
