"""The gateways of this folder, one of each kind a session: scripted, scripted with limits, and with the real model."""

from collections.abc import Iterator

import openai
import pytest

from tests.gateway_catalog import FAMILIES, ModelSpec, ProviderSpec, RouteSpec, in_family, model_in_family
from tests.gateway_process import GatewayProcess
from tests.local_model import model_in
from tests.server import catalog
from tests.server.api import Api
from tests.server.customers import open_account
from tests.server.waiting import wait_for_local_model
from tests.upstream.fixture import upstream, upstream_process
from tests.upstream.process import UpstreamProcess

__all__ = ["upstream", "upstream_process"]

REPEATED = (
    *("good", "slow", "empty", "think", "tools"),
    *("throttled", "cut-late", "error-in-200", "error-late", "after-throttled"),
)
"""Models of the catalog that are there for every family of upstreams: `good`, `good-anthropic`, `good-gemini`."""

BYTEWISE = {
    "bytes-plain": "script:ok:bytewise=1",
    "bytes-think": "script:think:bytewise=1",
    "bytes-calls": "script:tools:parallel=2,bytewise=1",
    "bytes-structured": "script:structured:bytewise=1",
    "bytes-decline": "script:decline:bytewise=1",
    "bytes-cut": "script:cut:k=3,bytewise=1",
    "bytes-error": "script:error-in-stream:k=3,bytewise=1",
}
"""Models whose vendor writes every byte alone."""

ADDED = BYTEWISE | {
    "tool-agent": "script:agent",
    "interleaved": "script:interleaved",
    "cached": "script:cached",
    "reasoner": "script:reasoner",
    "structured": "script:structured",
    "decline": "script:decline",
    "status-529": "script:status:code=529",
}
"""Further models of every family, and their scripts."""

UNPAID = ModelSpec("status-402", [RouteSpec(f"{catalog.VENDOR}-refused-402", "script:status:code=402")])
"""Its key is left alone from the first call on, so it has a provider of its own."""

SEARCHING = ModelSpec(
    "searching",
    [RouteSpec(f"{catalog.VENDOR}-good-anthropic", "script:cached:read=1,written=2,hour=1,searches=2")],
    fields={
        "list_price": {
            **{"input": "1", "cached_input": "0.1", "cache_write": "1.25", "cache_write_1h": "2", "output": "2"},
            **{"search": "13.5", "source": "tests"},
        }
    },
)
"""Sold with searches, and with a cache that is kept for minutes or an hour."""

CLAUDE_AT_BEDROCK = ModelSpec(
    "claude-at-bedrock", [RouteSpec(f"{catalog.VENDOR}-good-bedrock", "anthropic.script:reasoner")]
)
"""Known there as its maker's, by its id."""


@pytest.fixture(scope="session")
def gateway(upstream_process: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """Scripted upstreams, no rate limits, short patience with slow clients and silent streams."""
    env = {
        "KYMA_LIMITS_ENABLED": "false",
        "KYMA_HEADER_TIMEOUT_S": "1",
        "KYMA_BODY_TIMEOUT_S": "1",
        "KYMA_KEEP_ALIVE_S": "0.4",
    }
    folder = tmp_path_factory.mktemp("gateway")
    process = GatewayProcess(folder, *_in_families(upstream_process), env=env)
    (process.config_dir / "aliases.toml").write_text(catalog.ALIASES)
    with process:
        yield process


@pytest.fixture(scope="session")
def limited_gateway(
    upstream_process: UpstreamProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatewayProcess]:
    """Scripted upstreams and every setting as it comes."""
    folder = tmp_path_factory.mktemp("limited")
    with GatewayProcess(folder, *_in_families(upstream_process)) as process:
        yield process


@pytest.fixture(scope="session")
def local_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The real embedded model and no other provider."""
    process = GatewayProcess(tmp_path_factory.mktemp("local"), [], [], env={"KYMA_LOCAL_ENABLED": "true"})
    model_in(process.data_dir)
    with process:
        wait_for_local_model(process)
        yield process


@pytest.fixture(scope="session")
def groq_gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """The packaged catalog where one variable is set, and no local model. Nobody is called."""
    folder = tmp_path_factory.mktemp("groq")
    with GatewayProcess(folder, [], [], env={"GROQ_API_KEY": "gsk-test"}) as process:
        yield process


@pytest.fixture(scope="session")
def operator(gateway: GatewayProcess, upstream_process: UpstreamProcess) -> Api:
    """The scripted gateway's first account, with its hundred dollars."""
    return Api(gateway.port, gateway.key, catalog.forbidden(upstream_process))


@pytest.fixture
def customer(gateway: GatewayProcess, upstream_process: UpstreamProcess) -> Api:
    """An account of the test's own on the scripted gateway, with the sign-up credit."""
    return open_account(gateway.port, catalog.forbidden(upstream_process))


@pytest.fixture
def sdk(gateway: GatewayProcess) -> Iterator[openai.OpenAI]:
    """The official SDK on the scripted gateway, without its own retries."""
    with openai.OpenAI(base_url=f"{gateway.base_url}/v1", api_key=gateway.key, max_retries=0, timeout=15) as client:
        yield client


def _in_families(upstream: UpstreamProcess) -> tuple[list[ProviderSpec], list[ModelSpec]]:
    """The catalog, and some of its models again for every other family of upstreams."""
    source = f"{catalog.VENDOR}-good"
    providers = catalog.providers(upstream)
    models = catalog.models() + [ModelSpec(name, [RouteSpec(source, script)]) for name, script in ADDED.items()]
    models.append(UNPAID)
    common = [model for model in models if model.id in REPEATED or model.id in ADDED or model is UNPAID]
    used = {route.provider for model in common for route in model.routes}
    others = [dialect for dialect in FAMILIES if dialect != "openai_chat"]
    return (
        providers + [in_family(row, dialect) for dialect in others for row in providers if row.id in used],
        [*models, SEARCHING, CLAUDE_AT_BEDROCK, *catalog.whole_models()]
        + [model_in_family(model, dialect) for dialect in others for model in common],
    )
