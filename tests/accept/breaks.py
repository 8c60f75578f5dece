"""How sources break: before any byte, before the first word, or after some; with what behind them."""

from collections.abc import Sequence
from itertools import product
from random import Random

import msgspec

from tests.accept import dialects
from tests.accept.dialects import Dialect
from tests.gateway_catalog import FAMILIES, SUFFIXES, ProviderSpec, RouteSpec, in_family

TOKENS = 16
PAIRS = tuple(product(dialects.ALL, FAMILIES))
SHORT = {"first_byte_s": 0.4, "idle_s": 0.4}

AT_ONCE = (
    *("cut-before", "cut-before:mode=rst", "status:code=500", "status:code=503", "status:code=404"),
    *("status:code=502,body=html", "html-200", "empty:body=none"),
)
"""Breaks without one byte of an answer."""
BUSY = ("429:s=1", "status:code=401", "status:code=402", "status:code=529")
"""Breaks after which the whole provider is left alone for a while."""
ON_THE_WAY = ("cut:k={k}", "cut:k={k},mode=rst", "garbage-chunk:k={k}", "error-in-stream:k={k},code=500", "stall:k={k}")
"""Breaks after `k` words, at none right behind the head. An error of 503 would leave an Anthropic provider alone."""
IN_A_CALL = ("cut-call:k=1", "cut-call:k=2")
"""Breaks after a word, in a tool call: not every dialect can say half a call, and so much may be billed unseen."""
HALF_CALL_TOKENS = 3


class Break(msgspec.Struct, frozen=True):
    """One request. The first source says `a…` words and breaks after `k`; the second, if any, says `b…` words.

    At most `unseen` tokens may have been delivered that are no words.
    """

    model: str
    dialect: Dialect
    family: str
    second_family: str
    provider: str
    script: str
    k: int
    has_second: bool
    is_streaming: bool
    unseen: int = 0

    @property
    def is_told(self) -> bool:
        """The customer has read something, so the break must be told."""
        return self.is_streaming and self.k > 0

    def words(self, stem: str, count: int) -> list[str]:
        return [f"{stem}{self.model}x{number}" for number in range(count)]

    def __str__(self) -> str:
        kind = "stream" if self.is_streaming else "whole"
        behind = f"before {self.second_family}" if self.has_second else "alone"
        return f"{self.model} {self.dialect.name} {kind} on {self.family} {self.script} {behind}"


def breaking(number: int, dice: Random) -> Break:
    """Every pair of dialect and family by turns, how it breaks by chance."""
    dialect, family = PAIRS[number % len(PAIRS)]
    kind, k, unseen = dice.random(), 0, 0
    if kind < 0.15:
        provider, script = "first", dice.choice(AT_ONCE)
    elif kind < 0.2:
        provider, script = "busy", dice.choice(BUSY)
    elif kind < 0.3:
        provider, script, k = "first", dice.choice(IN_A_CALL), 1
        unseen = HALF_CALL_TOKENS
    else:
        k = dice.choice((0, 1, 1, 2, dice.randrange(3, TOKENS)))
        script = dice.choice(ON_THE_WAY).format(k=k)
        provider = "slow" if script.startswith("stall") else "first"
    return Break(
        model=f"m{number}",
        dialect=dialect,
        family=family,
        second_family=dice.choice(FAMILIES),
        provider=provider,
        script=script,
        k=k,
        has_second=dice.random() < 0.7,
        is_streaming=dice.random() < 0.8,
        unseen=unseen,
    )


def providers(base_url: str) -> list[ProviderSpec]:
    """What breaks, what is left alone after that, what is not waited for long, and what is good; in every family."""
    rows = [
        ProviderSpec(name, base_url, SHORT if name == "slow" else {}) for name in ("first", "busy", "slow", "second")
    ]
    return [in_family(row, family) for row in rows for family in FAMILIES]


def routes(one: Break) -> Sequence[RouteSpec]:
    """The sources of its model."""
    comma = "," if ":" in one.script else ":"
    word = "" if one.provider == "busy" else f"{comma}tokens={TOKENS},word=a{one.model}x"
    first = RouteSpec(one.provider + SUFFIXES[one.family], f"script:{one.script}{word}")
    good = RouteSpec(f"second{SUFFIXES[one.second_family]}", f"script:ok:tokens={TOKENS},word=b{one.model}x")
    return [first, good] if one.has_second else [first]
