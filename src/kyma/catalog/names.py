"""Which names may have been meant by one that nobody has."""

from collections.abc import Mapping
from difflib import SequenceMatcher

UNSERVED = 0.2
"""So much more alike, of 1, must a name be that asks for what cannot be had."""


def closest(wanted: str, names: Mapping[str, bool], count: int = 3) -> list[str]:
    """The most alike of `names`, each with whether what it stands for can be had: that counts for it."""
    matcher = SequenceMatcher(b=wanted)
    scores: dict[str, float] = {}
    for name, can_be_had in names.items():
        matcher.set_seq1(name)
        scores[name] = matcher.ratio() - (0 if can_be_had else UNSERVED)
    return sorted(scores, key=lambda name: (-scores[name], name))[:count]
