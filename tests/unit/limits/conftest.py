"""A limiter with a clock that the test moves."""

import pytest

from kyma.limits import Limits
from tests.unit.accounts.clock import FixedClock


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def limits(clock: FixedClock) -> Limits:
    return Limits(clock)
