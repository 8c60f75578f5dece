"""Who leaves when, and what must be true of them afterwards."""

from itertools import product
from random import Random

import msgspec

from tests.accept import dialects
from tests.accept.dialects import Dialect
from tests.accept.stage import UsageLine
from tests.gateway_catalog import FAMILIES, SUFFIXES
from tests.upstream.journal import Entry

DRAIN_S = 2.0
TICK_S = 0.5
CANCEL_WITHIN_MS = 1000
KEEN, STUBBORN = "keen", "stubborn"
"""Providers: one stops its charge when it is cut off, the other goes on counting."""
PAIRS = tuple(product(dialects.ALL, FAMILIES))


class Departure(msgspec.Struct, frozen=True):
    """One request and its point of leaving: after so many seconds or words, whichever comes first.

    Of an unheard one only a `share` of the request is sent.
    """

    model: str
    dialect: Dialect
    provider: str
    script: str
    tokens: int
    max_tokens: int
    is_streaming: bool
    is_endless: bool
    after_s: float
    after_words: int
    share: float = 1.0

    @property
    def is_heard(self) -> bool:
        return self.share == 1.0

    @property
    def stops_billing(self) -> bool:
        """Whether its source's charge ends when it is cut off."""
        return self.provider.startswith(KEEN)

    def __str__(self) -> str:
        kind = "stream" if self.is_streaming else "whole"
        point = f"after {self.after_s:.2f} s or {self.after_words} words of {self.tokens}, {self.share:.0%} sent"
        return f"{self.dialect.name} {kind} by {self.provider} {self.script} left {point}"


class Left(msgspec.Struct, frozen=True):
    """How it went: words read, whether the reply was cut by leaving, when that was."""

    asked: Departure
    words: int
    has_left: bool
    left_at_ms: int

    def __str__(self) -> str:
        return f"{self.asked}; {self.words} words, {'left' if self.has_left else 'stayed'} at {self.left_at_ms}"


class Found(msgspec.Struct):
    """What is wrong, by figure."""

    unbilled_tokens: int = 0
    overbilled_tokens: int = 0
    delivered_tokens: int = 0
    left_count: int = 0
    rows: list[str] = []
    unheard: list[str] = []
    charges: list[str] = []
    not_cancelled: list[str] = []
    not_drained: list[str] = []
    endless: list[str] = []
    leaked: list[str] = []
    blamed: list[str] = []
    violations: list[str] = []
    pairs: set[tuple[str, str]] = set()


def departure(number: int, dice: Random) -> Departure:
    """A stream or a whole answer of 0.3 to 2.5 s, left before its head, in its middle, or not at all."""
    dialect, family = PAIRS[number % len(PAIRS)]
    is_keen, is_streaming = dice.random() < 0.5, dice.random() < 0.7
    tokens = dice.randrange(60, 100) if is_keen else dice.randrange(10, 30)
    is_endless = is_streaming and not is_keen and dice.random() < 0.1
    word = f"word=r{number}x"
    after_s, after_words, share = _point(tokens, is_streaming, is_endless, dice)
    return Departure(
        model=f"d{number}",
        dialect=dialect,
        provider=(KEEN if is_keen else STUBBORN) + SUFFIXES[family],
        script=f"script:paced:interval_ms=30,events=0,{word}" if is_endless else _script(tokens, is_keen, word, dice),
        tokens=tokens,
        max_tokens=100_000 if is_endless else 200,
        is_streaming=is_streaming,
        is_endless=is_endless,
        after_s=after_s,
        after_words=after_words,
        share=share,
    )


def _script(tokens: int, is_keen: bool, word: str, dice: Random) -> str:
    pace = f"{word},tokens={tokens},delay_ms={25 if is_keen else 20}"
    kind = dice.choice(("ok", "ok", "no-usage", "slow"))
    if kind != "slow":
        return f"script:{kind}:{pace}"
    head_s = dice.choice((0.4, 1.5)) if is_keen else 0.4
    return f"script:slow-first-byte:s={head_s},head={dice.randrange(2)},{pace}"


def _point(tokens: int, is_streaming: bool, is_endless: bool, dice: Random) -> tuple[float, int, float]:
    """Seconds, words (0: however many) and share of the request: in it, right behind it, later, at the last word."""
    kind = dice.random()
    if kind < 0.05:
        return 0.0, 0, dice.uniform(0.05, 0.95)
    if kind < 0.1:
        return 0.0, 0, 1.0
    if kind < 0.2 and not is_endless:
        return 20.0, 0, 1.0
    if kind < 0.25 and is_streaming and not is_endless:
        return 20.0, tokens, 1.0
    after_words = 0 if not is_streaming or dice.random() < 0.3 else dice.randrange(1, tokens)
    return dice.uniform(0.01, 0.7), after_words, 1.0


def check(lefts: list[Left], rows: list[UsageLine], log: list[Entry], found: Found) -> None:
    """Hold every request against its usage row and what the upstream saw of it."""
    by_model: dict[str, list[UsageLine]] = {}
    for row in rows:
        by_model.setdefault(row.model, []).append(row)
    entries = {entry.model: entry for entry in log}
    for left in lefts:
        found.left_count += left.has_left
        found.delivered_tokens += left.words
        _check_one(left, by_model.get(left.asked.model, []), entries.get(left.asked.script), found)


def _check_one(left: Left, rows: list[UsageLine], entry: Entry | None, found: Found) -> None:
    what = f"{left} {rows} {entry and (entry.outcome, entry.tokens_sent, entry.ended_at)}"
    if entry is not None:
        found.pairs.add((left.asked.dialect.name, entry.dialect))
    if not left.asked.is_heard:
        if rows or entry is not None:
            found.unheard.append(what)
        return
    if len(rows) != 1:
        if rows or entry is not None or left.words:  # who left before being heard has cost nobody anything
            found.rows.append(what)
        return
    (row,) = rows
    if sum(row.charges) != row.cost or len(row.charges) > 1:
        found.charges.append(what)
    sent = entry.tokens_sent if entry is not None else 0
    found.unbilled_tokens += max(0, left.words - row.output_tokens)
    if left.asked.is_streaming or not row.is_estimated:  # a whole answer's own count goes by bytes
        found.overbilled_tokens += max(0, row.output_tokens - sent)
    if entry is not None and left.has_left:
        _check_upstream(left, row, entry, what, found)
    elif not left.has_left and row.status != "finished":
        found.charges.append(what)


def _check_upstream(left: Left, row: UsageLine, entry: Entry, what: str, found: Found) -> None:
    """What became of the source after its customer had left."""
    ended_after_ms = entry.ended_at - left.left_at_ms if entry.ended_at is not None else None
    asked = left.asked
    if asked.is_endless:
        if ended_after_ms is None or ended_after_ms > (DRAIN_S + 2 * TICK_S + 1) * 1000 or row.status != "cancelled":
            found.endless.append(what)
    elif not asked.is_streaming:  # let finish and billed, or cut off in time
        is_cut_off = ended_after_ms is not None and ended_after_ms <= CANCEL_WITHIN_MS
        if not row.output_tokens and not is_cut_off:
            found.not_cancelled.append(what)
    elif asked.stops_billing:
        if ended_after_ms is None or ended_after_ms > CANCEL_WITHIN_MS:
            found.not_cancelled.append(what)
    elif entry.outcome != "finished" or row.output_tokens != entry.tokens_sent:
        found.not_drained.append(what)
