"""GET /v1/rankings: what is used most here, for everybody to see, with nobody to be made out in it."""

from typing import Literal

from pydantic import BaseModel, Field

from kyma.api.depends import TheGateway
from kyma.api.public import public
from kyma.api.times import iso
from kyma.usage.rankings import FRESH_S, Line, Period

router = public(int(FRESH_S), ["Discovery"])

Tab = Literal["models", "apps", "cache"]


class RankingRow(BaseModel):
    """Figures have two significant digits."""

    rank: int
    name: str = Field(description="A model's id or an app; `other` are the apps that few accounts use")
    tokens: int = Field(description="Read and written")
    requests: int
    input_tokens: int = Field(description="All that was read")
    cached_input_tokens: int
    cache_hit_percent: float = Field(description="How much of what was read came from a cache")


class RankingView(BaseModel):
    object: Literal["ranking"]
    tab: Tab
    period: Period
    start: str = Field(alias="from")
    to: str
    data: list[RankingRow]


@router.get("/v1/rankings", summary="What is used most")
async def get_rankings(gateway: TheGateway, period: Period = "week", tab: Tab = "models") -> RankingView:
    """Models and apps by tokens, models by how much caches spared. Today and so many whole UTC days before it."""
    found = await gateway.rankings.get(period)
    lines: dict[Tab, tuple[Line, ...]] = {"models": found.models, "apps": found.apps, "cache": found.cache}
    members = {"object": "ranking", "tab": tab, "period": period, "from": iso(found.start), "to": iso(found.end)}
    return RankingView.model_validate(
        members | {"data": [_row(rank, one) for rank, one in enumerate(lines[tab], start=1)]}
    )


def _row(rank: int, one: Line) -> RankingRow:
    copied = {name: getattr(one, name) for name in RankingRow.model_fields if hasattr(one, name)}
    return RankingRow(rank=rank, cache_hit_percent=one.cache_share, **copied)
