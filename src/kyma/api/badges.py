"""JSON outside `/v1`, for pages and readmes: the registry of image models, and badges in the form of shields.io.

Source of the badges' form: shields.io/badges/endpoint-badge, 2026-11. A credential is not looked at here.
"""

from typing import Literal

from pydantic import BaseModel

from kyma.api.depends import TheGateway
from kyma.api.media_pricing import MediaPricing, media_pricing
from kyma.api.public import public
from kyma.api.shelf import TheShelf
from kyma.api.times import iso
from kyma.core.media import Capability, MediaModel
from kyma.core.money import usd_text, usd_to_nanos

router = public(300, ["Discovery"], checks_keys=False)

COLOR = "7c3aed"


class ImageModel(BaseModel):
    id: str
    name: str
    description: str
    best_for: str
    capability: Capability
    input_modalities: list[str]
    output_modalities: list[str]
    pricing: MediaPricing
    hot: bool
    recommended: bool


class ImageRegistry(BaseModel):
    """Every image model of the catalog, whether or not it is served here."""

    object: Literal["registry"]
    updated_at: str
    models: list[ImageModel]


class Badge(BaseModel):
    schemaVersion: Literal[1]
    label: str
    message: str
    color: str


@router.get(
    "/registry/image-models.json",
    summary="Image models",
    response_model_exclude_unset=True,
)
async def get_image_registry(shelf: TheShelf) -> ImageRegistry:
    """`updated_at` is when its newest model came."""
    found = [sku for sku in shelf.known() if isinstance(sku, MediaModel) and sku.modality == "image"]
    return ImageRegistry(
        object="registry",
        updated_at=iso(max((sku.created for sku in found), default=0) * 1000),
        models=[_image_model(sku) for sku in found],
    )


@router.get("/api/badge/models.json", summary="Badge: how many models are served")
async def get_models_badge(shelf: TheShelf) -> Badge:
    return _badge("models", str(len(shelf.offered())))


@router.get("/api/badge/creators.json", summary="Badge: how many made them")
async def get_creators_badge(shelf: TheShelf) -> Badge:
    return _badge("creators", str(len({sku.owned_by for sku in shelf.offered()})))


@router.get("/api/badge/free-credit.json", summary="Badge: the sign-up credit")
async def get_free_credit_badge(gateway: TheGateway) -> Badge:
    return _badge("free credit", dollars(gateway.settings.signup_credit_usd))


def dollars(text: str) -> str:
    """An amount as people write it: to the cent, or finer where it is."""
    whole, _, fraction = usd_text(usd_to_nanos(text)).partition(".")
    return f"${whole}.{fraction:0<2}"


def _image_model(sku: MediaModel) -> ImageModel:
    return ImageModel(
        id=sku.id,
        name=sku.name,
        description=sku.description,
        best_for=sku.best_for,
        capability=sku.capability,
        input_modalities=list(sku.input_modalities),
        output_modalities=list(sku.output_modalities),
        pricing=media_pricing(sku.rate),
        hot=sku.hot,
        recommended=sku.recommended,
    )


def _badge(label: str, message: str) -> Badge:
    return Badge(schemaVersion=1, label=label, message=message, color=COLOR)
