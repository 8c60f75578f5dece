"""What the operators' API shows of sources, and what it takes."""

from typing import Literal

from pydantic import BaseModel, Field, model_validator

from kyma.api.times import iso
from kyma.calls import Considered, Explanation
from kyma.core.model import Kind
from kyma.core.money import usd_float
from kyma.gateway import Gateway
from kyma.routing import RouteState


class Switched(BaseModel):
    """Who switched it off, as a user's id, and when."""

    by: str
    at: str


class RouteRow(BaseModel):
    """A source. Latencies are to the first token, of a whole answer to its end, over the last answers."""

    route: str = Field(description="provider/upstream-model")
    provider: str
    models: list[str]
    is_on: bool = Field(description="False while it or its provider is switched off")
    switched_off: Switched | None = Field(description="By the route's own switch; a provider has one of its own")
    weight: float
    breaker: Literal["closed", "open", "half_open"]
    opens_until_s: float | None
    recent_calls: int
    recent_failures: int
    p50_ms: int | None
    p95_ms: int | None
    tokens_per_s: float | None
    in_flight: int
    last_error: str | None = Field(description="In the gateway's words: never a vendor's, which may quote a prompt")
    last_error_at: str | None


class KeyRow(BaseModel):
    """A key of a provider, by the name that logs know it by."""

    id: str
    state: Literal["ready", "cooling", "parked", "off"]
    seconds_left: float | None = Field(description="Until it is used again")
    reason: str


class ProviderRow(BaseModel):
    id: str
    switched_off: Switched | None
    keys: list[KeyRow]


class RouteList(BaseModel):
    object: Literal["list"]
    gateway: str = Field(description="The id of the process that tells this; another one has another view")
    data: list[RouteRow]
    providers: list[ProviderRow]


class CandidateRow(BaseModel):
    """A source as a request would find it, in the order of trying; those that would not be tried come last."""

    route: str
    provider: str
    model: str
    layer: int = Field(description="0 primary, 1 first other source, 2 a further source, 3 an equivalent model")
    share: float
    would_try: bool
    reason: str
    dropped: list[str] = Field(description="Fields of the request that it could not be told")
    emulated: list[str] = Field(description="Fields that it would be told another way")
    problem: str | None = Field(description="Why it could not be asked at all")


class ExplanationView(BaseModel):
    object: Literal["explanation"]
    model: str
    alias: str | None
    auto_reason: str | None = Field(description="Why auto picked this model")
    kind: Kind
    input_tokens: int | None = Field(description="About how many the model would read")
    hold: float | None = Field(description="USD that the call would set aside")
    candidates: list[CandidateRow]


class Switching(BaseModel):
    """Exactly one of `route` and `provider`."""

    route: str | None = None
    provider: str | None = None
    on: bool

    @model_validator(mode="after")
    def one_target(self) -> "Switching":
        if (self.route is None) == (self.provider is None):
            raise ValueError("name exactly one of route and provider")
        return self


class SwitchView(BaseModel):
    target: str
    on: bool


class Probing(BaseModel):
    """One source, all sources of a model, or with neither every source."""

    route: str | None = None
    model: str | None = None


class ProbeRow(BaseModel):
    route: str
    model: str
    ok: bool
    latency_ms: int
    error: str | None


class ProbeList(BaseModel):
    object: Literal["list"]
    data: list[ProbeRow]


class ReloadedView(BaseModel):
    models: int
    offered: int
    providers: list[str]
    price_version: str
    changed: list[str] = Field(description="Settings taken up")
    needs_restart: list[str] = Field(description="Settings that differ and wait for a restart")
    warnings: list[str]


def route_row(gateway: Gateway, state: RouteState) -> RouteRow:
    """What operators see of a source."""
    copied = {name: getattr(state, name) for name in RouteRow.model_fields if name in RouteState.__struct_fields__}
    copied["last_error_at"] = None if state.last_error_at is None else iso(state.last_error_at)
    return RouteRow(switched_off=_switched(gateway, state.route), **copied)


def provider_row(gateway: Gateway, provider_id: str) -> ProviderRow:
    """What operators see of a provider and its keys."""
    keys = [
        KeyRow(id=key.id, state=key.state, seconds_left=key.seconds_left, reason=key.reason)
        for key in gateway.key_states(provider_id)
    ]
    return ProviderRow(id=provider_id, switched_off=_switched(gateway, provider_id), keys=keys)


def explanation_view(told: Explanation) -> ExplanationView:
    """What operators see of an explanation."""
    return ExplanationView(
        object="explanation",
        model=told.resolved.model.id,
        alias=told.resolved.alias,
        auto_reason=told.resolved.auto_reason or None,
        kind=told.resolved.model.kind,
        input_tokens=told.input_tokens,
        hold=None if told.hold is None else usd_float(told.hold),
        candidates=[_candidate(considered) for considered in told.considered],
    )


def _switched(gateway: Gateway, target: str) -> Switched | None:
    row = gateway.switches.find(target)
    return None if row is None else Switched(by=row.switched_by, at=iso(row.switched_at))


def _candidate(considered: Considered) -> CandidateRow:
    source = considered.explained
    return CandidateRow(
        route=source.route.id,
        provider=source.route.provider.id,
        model=source.model.id,
        layer=source.layer,
        share=source.share,
        would_try=source.would_try,
        reason=source.reason,
        dropped=list(considered.dropped),
        emulated=list(considered.emulated),
        problem=considered.problem,
    )
