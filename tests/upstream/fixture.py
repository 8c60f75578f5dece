"""The upstream as pytest fixtures: one process a session, with a clean log for every test that asks for it."""

from collections.abc import Iterator

import pytest

from tests.upstream.process import UpstreamProcess


@pytest.fixture(scope="session")
def upstream_process() -> Iterator[UpstreamProcess]:
    """The session's upstream; its log holds what every test left there."""
    with UpstreamProcess() as process:
        yield process


@pytest.fixture
def upstream(upstream_process: UpstreamProcess) -> UpstreamProcess:
    """The session's upstream with an empty log."""
    upstream_process.reset()
    return upstream_process
