"""How much of an account a process takes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kyma.core.money import NANOS_PER_USD
from kyma.ledger.lease import LeaseShare, lease_size

DOLLAR = NANOS_PER_USD


def test_a_single_process_takes_everything() -> None:
    assert lease_size("all", 7 * DOLLAR, 1, 0, 1) == 7 * DOLLAR


@pytest.mark.parametrize(
    ("available", "needed", "recent_spend", "live_replicas", "expected"),
    [
        (100 * DOLLAR, 1_000, 5_000, 4, 7_000),
        (100 * DOLLAR, 1_000, 90 * DOLLAR, 4, 100 * DOLLAR // 8),
        (100 * DOLLAR, 1_000, 0, 1, 2_000),
        (DOLLAR // 4 - 1, 1_000, 5_000, 4, 1_000),
        (DOLLAR // 4, 1_000, 5_000, 4, 7_000),
        (19 * DOLLAR, DOLLAR, 0, 1, DOLLAR),
        (20 * DOLLAR, DOLLAR, 0, 1, 2 * DOLLAR),
        (20 * DOLLAR, DOLLAR, 0, 40, DOLLAR),
    ],
)
def test_replicas_take_what_they_need_soon_and_leave_room(
    available: int, needed: int, recent_spend: int, live_replicas: int, expected: int
) -> None:
    assert lease_size("clamp", available, needed, recent_spend, live_replicas) == expected


@given(
    share=st.sampled_from(["all", "clamp"]),
    needed=st.integers(1, 10**12),
    more=st.integers(0, 10**12),
    recent_spend=st.integers(0, 10**12),
    live_replicas=st.integers(1, 64),
)
def test_a_lease_covers_the_need_and_never_exceeds_what_is_there(
    share: LeaseShare, needed: int, more: int, recent_spend: int, live_replicas: int
) -> None:
    assert needed <= lease_size(share, needed + more, needed, recent_spend, live_replicas) <= needed + more
