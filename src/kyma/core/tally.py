"""What became of attempts at sources and of requests for models, counted since somebody last took the counts.

Plain integers that only the event loop's thread adds to: no lock, and nothing made anew for a call. Knows neither hours
nor databases.
"""

import functools
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kyma.core.errors import Garbled, RefusedUs, Throttled, Unreachable, UpstreamError, UpstreamFailed, UpstreamTimeout

REASONS: Mapping[type[UpstreamError], str] = {
    UpstreamTimeout: "timed_out",
    Unreachable: "unreachable",
    Throttled: "throttled",
    UpstreamFailed: "failed",
    Garbled: "garbled",
    RefusedUs: "refused_us",
}
"""Why an attempt got no answer, by the counter of it."""

COUNTERS = (
    *("served", "lost", "probes", "answered", "broke_off", "tokens", "speaking_ms"),
    *REASONS.values(),
)
BUCKETS = 24
BOUNDS_MS = tuple(round(16 * 2 ** (n / 2)) for n in range(BUCKETS - 1))
"""Where one bucket of latencies ends and the next begins: two of them double it. Stored counts depend on them.

A latency belongs into the bucket `bisect_right(BOUNDS_MS, ms)`.
"""

MIDDLES_MS = tuple(round(16 * 2 ** ((2 * n - 1) / 4)) for n in range(BUCKETS))
"""What a latency of a bucket is taken for; at most a fifth off between the first bound and the last."""

ZEROS = (0,) * (len(COUNTERS) + 2 * BUCKETS)


Counts = Sequence[int]
"""The values of a tally."""


class Tally:
    """The counts of one model at one source; those of its requests that no source answered have an empty source.

    Of requests: `served` whole, `lost` through no fault of the caller, `probes` among both. Of attempts: `answered`, of
    these `broke_off`, and one counter for each of `REASONS`. `tokens` came in `speaking_ms` after the first of them.
    `first_token` and `whole` count latencies by bucket: of streams to the first token, of whole answers to the end.
    """

    __slots__ = (*COUNTERS, "first_token", "whole")

    served: int
    lost: int
    probes: int
    answered: int
    broke_off: int
    tokens: int
    speaking_ms: int
    timed_out: int
    unreachable: int
    throttled: int
    failed: int
    garbled: int
    refused_us: int
    first_token: list[int]
    whole: list[int]

    def __init__(self, values: Counts = ZEROS) -> None:
        self.set(values)

    def set(self, values: Counts) -> None:
        """Hold these counts and no others."""
        for name, value in zip(COUNTERS, values, strict=False):
            setattr(self, name, value)
        self.first_token = list(values[-2 * BUCKETS : -BUCKETS])
        self.whole = list(values[-BUCKETS:])

    def values(self) -> Counts:
        """Every count, in one order always."""
        return (*(getattr(self, name) for name in COUNTERS), *self.first_token, *self.whole)

    def blame(self, error: UpstreamError) -> None:
        """An attempt got no answer, and this is why."""
        name = REASONS.get(type(error), "failed")
        setattr(self, name, getattr(self, name) + 1)

    @property
    def requests(self) -> int:
        """Those that should have been served."""
        return self.served + self.lost

    @property
    def attempts(self) -> int:
        busy_or_refused = self.throttled + self.refused_us
        return self.answered + self.timed_out + self.unreachable + self.failed + self.garbled + busy_or_refused

    @property
    def uptime_pct(self) -> float | None:
        """The share of requests that were served, rounded down to a thousandth of a percent; None without any."""
        return 100_000 * self.served // self.requests / 1000 if self.requests else None

    @property
    def tokens_per_s(self) -> float | None:
        return round(1000 * self.tokens / self.speaking_ms, 1) if self.speaking_ms else None

    def latency_ms(self, percent: int) -> int | None:
        """So many of a hundred answers began no later, give or take a bucket: streams, or where there were none whole
        answers. None without any."""
        counts = self.first_token if any(self.first_token) else self.whole
        rank = -(-sum(counts) * percent // 100)
        seen = 0
        for middle, count in zip(MIDDLES_MS, counts, strict=True):
            seen += count
            if count and seen >= rank:
                return middle
        return None


def summed(counts: Iterable[Counts]) -> Counts:
    """All of them together."""
    return functools.reduce(lambda one, other: [*map(operator.add, one, other)], counts, ZEROS)


Taken = Mapping[tuple[str, str], Tally]
"""Counts by model and source."""


class Tallies:
    """The tallies of this process. One stays the same object for good, so whoever counts may keep it."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], Tally] = {}

    def of(self, model_id: str, route_id: str = "") -> Tally:
        """Where to count."""
        found = self._tallies.get((model_id, route_id))
        if found is None:
            found = self._tallies[model_id, route_id] = Tally()
        return found

    def take(self) -> Taken:
        """Whatever was counted since it was last taken; it begins at zero again."""
        return dict(self._taken())

    def give_back(self, taken: Taken) -> None:
        """Count these again: they could not be kept."""
        for (model_id, route_id), tally in taken.items():
            mine = self.of(model_id, route_id)
            mine.set(summed([mine.values(), tally.values()]))

    def _taken(self) -> Iterator[tuple[tuple[str, str], Tally]]:
        for key, tally in self._tallies.items():
            values = tally.values()
            if any(values):
                yield key, Tally(values)
                tally.set(ZEROS)
