"""A price list's word on a model at a provider, in our units, and what any such list can be asked."""

from collections.abc import Iterator
from datetime import date
from typing import Protocol

import msgspec

from kyma.catalog.rows import Support
from kyma.core.money import Picos


class Cost(msgspec.Struct, frozen=True):
    """Pico-dollars a token, at the dearest hour; None: the list does not say."""

    input: Picos
    output: Picos
    cached_input: Picos | None = None
    cache_write: Picos | None = None
    cache_write_1h: Picos | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """A model as a provider sells it; None is what the list does not say."""

    model: str
    """The provider's own id."""
    name: str | None = None
    cost: Cost | None = None
    context_window: int | None = None
    max_output_tokens: int | None = None
    created: date | None = None
    supports: tuple[Support, ...] | None = None
    sees_images: bool | None = None


class PriceList(Protocol):
    """A public list. Providers go by our ids."""

    @property
    def label(self) -> str:
        """Its name and version, for `source`."""
        ...

    def find(self, provider_id: str, model: str, longest: int) -> Listing | None:
        """What the list says of a provider's model, by the id that requests name; None if it does not know it.

        The cost is the dearest of any prompt of up to `longest` tokens.
        """
        ...

    def every(self) -> Iterator[tuple[str, Listing]]:
        """All models of our providers, for prompts of any length; of ours that are one provider there, at the first."""
        ...
