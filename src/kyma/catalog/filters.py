"""Which SKUs somebody asks for: text and media alike, by what their rows say.

Whether a SKU can be served here is not its business.
"""

from typing import Literal, get_args

import msgspec

from kyma.catalog.rows import Purpose
from kyma.core.media import Capability, MediaModel, Modality, PickerTier, Sku
from kyma.core.model import Kind
from kyma.core.money import Picos

SkuModality = Literal["text", Modality]
SkuCapability = Literal[Kind, Capability]

PURPOSES: tuple[str, ...] = get_args(Purpose)


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """All of it must hold; what is None or empty is not asked. A media SKU has no answer to what is asked of texts."""

    recommended_for: tuple[str, ...] = ()
    """Any one of them."""
    tools: bool | None = None
    vision: bool | None = None
    reasoning: bool | None = None
    structured_outputs: bool | None = None
    latency_tier: str | None = None
    cost_tier: str | None = None
    quality_tier: str | None = None
    min_context_window: int | None = None
    max_input_price: Picos | None = None
    """A token's."""
    tier: PickerTier | None = None
    capability: SkuCapability | None = None
    modality: SkuModality | None = None
    words: tuple[str, ...] = ()
    """In lower case; each stands somewhere in id, name, description or creator."""

    def takes(self, sku: Sku) -> bool:
        """Whether a SKU is among those that are asked for."""
        alike = (
            (self.latency_tier, sku.latency_tier),
            (self.cost_tier, sku.cost_tier),
            (self.quality_tier, sku.quality_tier),
            (self.tier, sku.tier if isinstance(sku, MediaModel) else None),
            (self.capability, capability_of(sku)),
            (self.modality, modality_of(sku)),
        )
        return (
            all(asked is None or asked == said for asked, said in alike)
            and (not self.recommended_for or not set(self.recommended_for).isdisjoint(sku.recommended_for))
            and self._takes_abilities(sku)
            and self._takes_words(sku)
        )

    def _takes_abilities(self, sku: Sku) -> bool:
        asked = (self.tools, self.vision, self.reasoning, self.structured_outputs)
        if isinstance(sku, MediaModel):
            return not any(asked) and self.min_context_window is None and self.max_input_price is None
        said = (sku.supports_tools, sku.supports_vision, sku.supports_reasoning, sku.supports_structured_outputs)
        return (
            all(wanted is None or wanted == able for wanted, able in zip(asked, said, strict=True))
            and (self.min_context_window is None or sku.context_window >= self.min_context_window)
            and (self.max_input_price is None or sku.price.input <= self.max_input_price)
        )

    def _takes_words(self, sku: Sku) -> bool:
        text = f"{sku.id} {sku.name} {sku.description} {sku.owned_by}".lower()
        return all(word in text for word in self.words)


def capability_of(sku: Sku) -> SkuCapability:
    """What is done with it: the kind of a text model, the capability of a media SKU."""
    return sku.capability if isinstance(sku, MediaModel) else sku.kind


def modality_of(sku: Sku) -> SkuModality:
    """Which part of the catalog it belongs to."""
    return sku.modality if isinstance(sku, MediaModel) else "text"
