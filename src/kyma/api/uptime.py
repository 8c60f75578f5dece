"""GET /v1/models/uptime: how many of the requests for each model were served."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from kyma.api.depends import TheGateway
from kyma.api.public import public
from kyma.api.times import iso_day
from kyma.core.ids import DAY_MS
from kyma.core.tally import Tally
from kyma.gateway import Gateway
from kyma.uptime.uptime import MOST_DAYS

router = public(30, ["Discovery"])


class UptimeDay(BaseModel):
    date: str = Field(description="UTC, YYYY-MM-DD")
    uptime_pct: float | None
    requests: int
    successes: int


class ModelUptime(BaseModel):
    """`requests` are those that should have been served, `successes` those that were, `probes` how many of the requests
    were the gateway's own. Figures are null where there was nothing to measure.

    Latencies are to the first token of streams; where nothing was streamed, to the end of whole answers. They come from
    counts by bucket, so they are right to within a fifth."""

    id: str
    uptime_pct: float | None = Field(description="100 × successes / requests, rounded down to three decimals")
    requests: int
    successes: int
    probes: int
    p50_ms: int | None
    p95_ms: int | None
    tokens_per_s: float | None = Field(description="Once they come; of streams")
    days: list[UptimeDay] | None = Field(
        default=None, description="With by=day: each day of the window, the oldest first"
    )


class UptimeList(BaseModel):
    object: Literal["model.uptime"]
    window_days: int
    models: list[ModelUptime]


def _in_range(said: object) -> object:
    if str(said).isdecimal() and 1 <= int(str(said)[:9]) <= MOST_DAYS:
        return said
    raise PydanticCustomError("days_range", f"a whole number from 1 to {MOST_DAYS}")


Days = Annotated[
    int, BeforeValidator(_in_range), Query(ge=1, le=MOST_DAYS, description="Today (UTC) and the days before it")
]


@router.get("/v1/models/uptime", summary="Model uptime statistics", response_model_exclude_unset=True)
async def get_uptime(gateway: TheGateway, days: Days = 7, by: Literal["day"] | None = None) -> UptimeList:
    """Requests served out of requests that should have been, for every model offered here.

    A request is served when the model that it asked for answered to the end. It is lost when no source of that model
    did: all failed, the answer broke off or was empty, or the gateway itself failed; also when a substitute stepped in.
    Not counted: what the caller did wrong, what the caller left before the end, what was refused before it was admitted
    (limits, credit, a gateway that is full or shutting down), and what failed with the caller's own key alone. While a
    model has little traffic, scheduled probes count as requests. Figures are at most about a minute old.
    """
    window = gateway.uptime.window(days)
    models = [_row(model.id, window.get(model.id) or Tally()) for model in gateway.catalog.offered()]
    if by == "day":
        for model in models:
            model.days = _days(gateway, model.id, days)
    return UptimeList(object="model.uptime", window_days=days, models=models)


def _row(model_id: str, tally: Tally) -> ModelUptime:
    return ModelUptime(
        id=model_id,
        uptime_pct=tally.uptime_pct,
        requests=tally.requests,
        successes=tally.served,
        probes=tally.probes,
        p50_ms=tally.latency_ms(50),
        p95_ms=tally.latency_ms(95),
        tokens_per_s=tally.tokens_per_s,
    )


def _days(gateway: Gateway, model_id: str, days: int) -> list[UptimeDay]:
    today = gateway.uptime.today
    tallies = {day: gateway.uptime.day(day, model_id) for day in range(today - days + 1, today + 1)}
    return [
        UptimeDay(
            date=iso_day(day * DAY_MS),
            uptime_pct=tally.uptime_pct,
            requests=tally.requests,
            successes=tally.served,
        )
        for day, tally in tallies.items()
    ]
