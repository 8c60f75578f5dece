"""GET /v1/limits/tiers: what each deposit tier may do at once."""

from typing import Literal, get_args

from pydantic import BaseModel, Field

from kyma.api.depends import TheGateway
from kyma.api.public import public
from kyma.core.media import Pool
from kyma.core.principal import Tier

router = public(300, ["Discovery"])

SLOTS = ("image_concurrent", "image_queue_depth_cap", "video_concurrent", "video_queue_depth_cap")
COMBINED = ("combined_media_concurrent", "combined_queue_depth_cap")


class TierRow(BaseModel):
    """Deposits in USD over an account's life. No video slots: no videos."""

    tier: int
    name: str
    min_deposit: int
    rpm: int
    per_model_rpm: int
    tpm: int
    max_single_request: int
    image_concurrent: int
    image_queue_depth_cap: int
    video_concurrent: int
    video_queue_depth_cap: int
    audio_concurrent: int = Field(description="The largest of the pools; kept for clients that read it")
    audio_concurrent_per_provider: dict[Pool, int]
    combined_media_concurrent: int | None = Field(None, description="Shared by images and videos, where it is said")
    combined_queue_depth_cap: int | None = None


class TierMatrix(BaseModel):
    object: Literal["tier.matrix"]
    tiers: list[TierRow]


@router.get(
    "/v1/limits/tiers",
    summary="Limits by deposit tier",
    response_model_exclude_unset=True,
)
async def get_tiers(gateway: TheGateway) -> TierMatrix:
    return TierMatrix(object="tier.matrix", tiers=[_row(tier) for tier in gateway.catalog.tiers])


def _row(tier: Tier) -> TierRow:
    pools: dict[Pool, int] = {name: getattr(tier.media.audio, name) for name in get_args(Pool)}
    slots = {name: getattr(tier.media, name) for name in SLOTS}
    combined = {name: value for name in COMBINED if (value := getattr(tier.media, name)) is not None}
    return TierRow(
        tier=tier.tier,
        name=tier.name,
        min_deposit=tier.min_deposit_usd,
        rpm=tier.rpm,
        per_model_rpm=tier.per_model_rpm,
        tpm=tier.tpm,
        max_single_request=tier.max_single_request,
        audio_concurrent=max(pools.values()),
        audio_concurrent_per_provider=pools,
        **slots,
        **combined,
    )
