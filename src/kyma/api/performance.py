"""How fast and how reliably a model has answered of late, over all its sources."""

from pydantic import BaseModel, Field

from kyma.gateway import Gateway

DAYS = 7


class Performance(BaseModel):
    """Over today and the six days before (UTC). Latencies are to the first token of streams; where nothing was
    streamed, to the end of whole answers."""

    window_days: int
    requests: int
    uptime_pct: float | None
    latency_p50_ms: int | None
    latency_p95_ms: int | None
    tokens_per_s: float | None = Field(description="Once they come; of streams")


def performance(gateway: Gateway, model_id: str) -> Performance | None:
    """None while nobody has asked that model for anything."""
    tally = gateway.uptime.window(DAYS).get(model_id)
    if tally is None or not (tally.requests or tally.attempts):
        return None
    return Performance(
        window_days=DAYS,
        requests=tally.requests,
        uptime_pct=tally.uptime_pct,
        latency_p50_ms=tally.latency_ms(50),
        latency_p95_ms=tally.latency_ms(95),
        tokens_per_s=tally.tokens_per_s,
    )
