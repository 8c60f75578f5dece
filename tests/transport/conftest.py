"""Every test here runs on uvloop, which serves in production, and on asyncio's own loop."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import uvloop

from kyma.transport import HttpClient
from tests.transport.peer import settled


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture
async def client() -> AsyncIterator[HttpClient]:
    """A client with default settings that must end with every connection closed."""
    client = HttpClient()
    yield client
    await client.close()
    await settled(lambda: client.open_connections == 0)
