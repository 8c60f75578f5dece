"""Counts by bucket, and what is read off them."""

from bisect import bisect_right

import pytest

from kyma.core.errors import Garbled, RefusedUs, Throttled, Unreachable, UpstreamError, UpstreamFailed, UpstreamTimeout
from kyma.core.tally import BOUNDS_MS, COUNTERS, Tallies, Tally, summed


def test_the_bounds_of_stored_counts_are_what_they_always_were() -> None:
    assert BOUNDS_MS == (
        *(16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024),
        *(1448, 2048, 2896, 4096, 5793, 8192, 11585, 16384, 23170, 32768),
    )


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (UpstreamTimeout("5 s"), "timed_out"),
        (Unreachable("refused"), "unreachable"),
        (Throttled("429"), "throttled"),
        (UpstreamFailed("500"), "failed"),
        (Garbled("html"), "garbled"),
        (RefusedUs("401"), "refused_us"),
    ],
)
def test_every_failure_is_counted_by_its_reason(error: UpstreamError, name: str) -> None:
    tally = Tally()
    tally.blame(error)
    assert {counter for counter in COUNTERS if getattr(tally, counter)} == {name}
    assert tally.attempts == 1


@pytest.mark.parametrize(
    ("served", "lost", "percent"), [(0, 0, None), (3, 0, 100.0), (2, 1, 66.666), (0, 5, 0.0), (999_999, 1, 99.999)]
)
def test_uptime_is_rounded_down(served: int, lost: int, percent: float | None) -> None:
    tally = Tally()
    tally.served, tally.lost = served, lost
    assert tally.uptime_pct == percent


def with_latencies(first_token: list[int], whole: list[int]) -> Tally:
    tally = Tally()
    for ms in first_token:
        tally.first_token[bisect_right(BOUNDS_MS, ms)] += 1
    for ms in whole:
        tally.whole[bisect_right(BOUNDS_MS, ms)] += 1
    return tally


def test_percentiles_are_the_middles_of_buckets() -> None:
    tally = with_latencies([200] * 90 + [3000] * 10, [])
    assert (tally.latency_ms(50), tally.latency_ms(90), tally.latency_ms(95)) == (215, 215, 3444)


def test_whole_answers_tell_a_latency_only_where_nothing_was_streamed() -> None:
    assert with_latencies([200], [3000] * 9).latency_ms(50) == 215
    assert with_latencies([], [3000] * 9).latency_ms(50) == 3444
    assert with_latencies([], []).latency_ms(50) is None


def test_speed_is_all_tokens_over_all_the_time_they_took() -> None:
    tally = Tally()
    assert tally.tokens_per_s is None
    tally.tokens, tally.speaking_ms = 300, 4000
    assert tally.tokens_per_s == 75.0


def test_what_is_taken_is_counted_once_and_by_the_same_tally() -> None:
    tallies = Tallies()
    tally = tallies.of("owl", "acme/owl")
    tallies.of("idle")
    tally.served += 2
    taken = tallies.take()
    assert {key: counts.served for key, counts in taken.items()} == {("owl", "acme/owl"): 2}
    tally.served += 1
    assert tallies.of("owl", "acme/owl") is tally and tally.served == 1
    tallies.give_back(taken)
    assert tally.served == 3 and tallies.take()["owl", "acme/owl"].served == 3
    assert tallies.take() == {}


def test_sums_are_count_by_count() -> None:
    one, other = with_latencies([200], []), with_latencies([200, 3000], [20])
    one.served, other.lost = 5, 2
    both = Tally(summed([one.values(), other.values()]))
    assert (both.served, both.lost, sum(both.first_token), sum(both.whole)) == (5, 2, 3, 1)
    assert both.latency_ms(50) == 215
