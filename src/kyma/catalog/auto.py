"""What `auto` stands for: rules from what a request needs to the models that are tried for it, in order.

Pure, and the same for the same needs: health, credit and the hour decide nothing here.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from kyma.core.model import Model

AUTO = "auto"
AUTO_NAMES = (AUTO, "kyma/auto", "openrouter/auto")
"""Our own, with our prefix, and the one that users of OpenRouter know."""

Need = Literal["audio", "documents", "images", "tools", "json", "reasoning"]

QUALITY = ("frontier-open", "strong", "efficient")


class Needs(msgspec.Struct, frozen=True):
    """What a request needs of a model. Tokens are an estimate of its text, and the most that one answer may have."""

    abilities: frozenset[Need] = frozenset()
    input_tokens: int = 0
    output_tokens: int = 0


class Rule(msgspec.Struct, frozen=True):
    """For requests that need all of `when` and are so long: models by id, the first choice first."""

    reason: str
    when: frozenset[Need]
    min_input_tokens: int
    min_output_tokens: int
    targets: tuple[str, ...]

    def holds(self, needs: Needs) -> bool:
        """Whether it speaks of such requests."""
        return (
            self.when <= needs.abilities
            and needs.input_tokens >= self.min_input_tokens
            and needs.output_tokens >= self.min_output_tokens
        )

    @property
    def is_last(self) -> bool:
        """It holds for every request."""
        return self.holds(Needs())


class Choice(msgspec.Struct, frozen=True):
    """Whom `auto` may pick, the best first, and the words of the rule that says so."""

    reason: str
    models: tuple[Model, ...]


def choose(rules: Sequence[Rule], needs: Needs, models: Mapping[str, Model]) -> Choice:
    """By the first rule that holds; behind its targets those of later ones, then every other chat model.

    `models` need not have a source here: one without is left out by whoever picks.
    """
    holding = [rule for rule in rules if rule.holds(needs)]
    targets = dict.fromkeys(target for rule in holding for target in rule.targets)
    others = _by_quality(model for model in models.values() if model.kind == "chat" and model.id not in targets)
    return Choice(holding[0].reason, (*(models[target] for target in targets), *others))


def _by_quality(models: Iterable[Model]) -> list[Model]:
    return sorted(models, key=lambda model: (QUALITY.index(model.quality_tier), -model.context_window, model.id))
