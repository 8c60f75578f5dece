"""What Converse does for the models of one maker and not for all: as data, found by the id of the model."""

from typing import Literal

import msgspec

from kyma.core.chat import CacheMark, Effort


class Maker(msgspec.Struct, frozen=True):
    """How requests to a maker's models are said. Defaults are what any model of Converse takes."""

    top_k: Literal["flat", "nested"] | None = None
    """Where `top_k` stands in `additionalModelRequestFields`; None: it is a 400."""
    reasoning: Literal["adaptive", "reasoning_effort", "reasoning_config"] | None = None
    """In which words it is asked to think there; None: it cannot be asked."""
    efforts: tuple[Effort, ...] = ()
    caches: tuple[CacheMark, ...] = ()
    """For how long it keeps what stands before a cache point; empty: a cache point is a 400."""
    is_claude: bool = False
    """Takes no `temperature` beside `top_p`, neither beside thoughts, and one call at a time if so asked."""
    media_in_results: bool = False
    """Its tool results may hold images and documents."""


MAKERS = {
    "anthropic": Maker(
        top_k="flat",
        reasoning="adaptive",
        efforts=("low", "medium", "high", "xhigh", "max"),
        caches=("5m", "1h"),
        is_claude=True,
        media_in_results=True,
    ),
    "amazon": Maker(top_k="nested", caches=("5m",), media_in_results=True),
    "openai": Maker(reasoning="reasoning_effort", efforts=("low", "medium", "high")),
    "qwen": Maker(reasoning="reasoning_config", efforts=("low", "high")),
}
"""By the word that names them in a model's id.

Source: requests that Bedrock answered, in pydantic-ai's recordings, May to August 2026; AWS's pages on adaptive
thinking (Claude from 4.6 on) and on prompt caching (an hour for Claude from 4.5 on), 2026.
"""

OTHER = Maker()


def maker_of(model: str) -> Maker:
    """The maker of a model id, an inference profile's too (`us.anthropic.claude-…`, or an ARN that ends in one)."""
    words = model.rpartition("/")[2].split(".")
    return next((maker for name, maker in MAKERS.items() if name in words), OTHER)
