"""What everybody may know of a model's speed and reliability."""

from pathlib import Path

from kyma.api.performance import Performance, performance
from kyma.config import load_config
from kyma.gateway import open_gateway
from tests.clock import ManualClock


async def test_a_models_performance_is_over_all_its_sources(tmp_path: Path, clock: ManualClock) -> None:
    settings = {"KYMA_CONFIG_DIR": str(tmp_path / "config"), "KYMA_DATA_DIR": str(tmp_path / "data")}
    config = load_config(settings | {"KYMA_LOCAL_ENABLED": "false", "KYMA_UPTIME_FLUSH_S": "3600"})
    async with open_gateway(config, clock) as gateway:
        quick, slow = gateway.tallies.of("owl", "acme/owl"), gateway.tallies.of("owl", "other/owl")
        quick.served, quick.answered, quick.first_token[8] = 90, 90, 90
        quick.tokens, quick.speaking_ms = 3000, 40_000
        slow.served, slow.answered, slow.first_token[16] = 9, 9, 9
        gateway.tallies.of("owl").lost = 1
        await gateway.uptime.flush()
        assert performance(gateway, "owl") is None, "not read yet"
        await gateway.uptime.refresh()
        assert performance(gateway, "owl") == Performance(
            window_days=7,
            requests=100,
            uptime_pct=99.0,
            latency_p50_ms=215,
            latency_p95_ms=3444,
            tokens_per_s=75.0,
        )
        assert performance(gateway, "cat") is None
