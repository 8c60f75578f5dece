"""What `GET /v1/models` may be asked, and what of it is a filter."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field, field_validator

from kyma.catalog import PURPOSES, Filter, SkuCapability, SkuModality
from kyma.core.errors import InvalidRequest
from kyma.core.media import PickerTier
from kyma.core.model import CostTier, LatencyTier, QualityTier

IGNORED = ("beta", "client_version")
"""What Anthropic's beta clients and Codex add to their question by themselves."""

NAME_SHOWN = 80


class ModelQuery(BaseModel):
    recommended_for: str | None = Field(None, description=f"Any of a comma list: {', '.join(PURPOSES)}")
    tools: bool | None = Field(None, description="Models that call tools; false: the others. So with the next three")
    vision: bool | None = Field(None, description="Models that see images")
    reasoning: bool | None = Field(None, description="Models that think before they answer")
    structured_outputs: bool | None = Field(None, description="Models that answer in JSON when told to")
    latency_tier: LatencyTier | None = None
    cost_tier: CostTier | None = None
    quality_tier: Literal[QualityTier, "frontier"] | None = Field(
        None, description="`frontier` is another word for `frontier-open`"
    )
    min_context_window: int | None = Field(None, ge=0, description="Tokens")
    max_input_price: float | None = Field(None, ge=0, allow_inf_nan=False, description="USD per 1M input tokens")
    tier: PickerTier | None = Field(None, description="Of images, videos and audio")
    capability: SkuCapability | None = None
    modality: SkuModality | None = None
    q: str | None = Field(None, max_length=200, description="Words that stand in id, name, description or creator")
    include: Literal["available", "all"] = Field("available", description="`all`: what is not served here too")
    limit: int | None = Field(None, ge=1, le=1000, description="Rows of this page; all of them if left out")
    before_id: str | None = Field(None, max_length=200, description="The page that ends before this row")
    after_id: str | None = Field(None, max_length=200, description="The page that begins after this row")

    @field_validator("recommended_for")
    @classmethod
    def known_purposes(cls, text: str | None) -> str | None:
        if text is not None and not set(_listed(text)) <= set(PURPOSES):
            raise ValueError(f"a comma list of {', '.join(PURPOSES)}")
        return text

    @property
    def filter(self) -> Filter:
        """What of it says which SKUs are meant."""
        price = self.max_input_price
        return Filter(
            recommended_for=tuple(_listed(self.recommended_for or "")),
            tools=self.tools,
            vision=self.vision,
            reasoning=self.reasoning,
            structured_outputs=self.structured_outputs,
            latency_tier=self.latency_tier,
            cost_tier=self.cost_tier,
            quality_tier="frontier-open" if self.quality_tier == "frontier" else self.quality_tier,
            min_context_window=self.min_context_window,
            max_input_price=None if price is None else int(Decimal(str(price)) * 1_000_000),
            tier=self.tier,
            capability=self.capability,
            modality=self.modality,
            words=tuple((self.q or "").lower().split()),
        )


def query_of(request: Request, query: Annotated[ModelQuery, Query()]) -> ModelQuery:
    """Raises: InvalidRequest for a parameter that there is not."""
    names = tuple(ModelQuery.model_fields)
    if unknown := [name for name in request.query_params if name not in (*names, *IGNORED)]:
        shown = unknown[0][:NAME_SHOWN]
        raise InvalidRequest(f"there is no parameter {shown!r}; there are {', '.join(names)}", param=shown)
    return query


def _listed(text: str) -> list[str]:
    return [word for item in text.split(",") if (word := item.strip())]


TheQuery = Annotated[ModelQuery, Depends(query_of)]
