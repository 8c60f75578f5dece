"""Whether the gateway lives, is ready for calls, and which models it serves."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from kyma import __version__
from kyma.api.depends import TheGateway
from kyma.gateway import LOCAL, LOCAL_EMBED, Gateway

router = APIRouter(tags=["Discovery"])


class Health(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    status: Literal["ready", "not_ready"]
    reasons: list[str]


class LocalModelStatus(BaseModel):
    state: str
    model: str


class Status(BaseModel):
    object: Literal["status"]
    status: Literal["operational", "degraded"]
    version: str
    models_available: int
    models_known: int
    local_model: LocalModelStatus | None
    local_embedding: LocalModelStatus | None


@router.get("/healthz", summary="Is the process alive")
async def get_health() -> Health:
    return Health(status="ok")


@router.get("/readyz", summary="Does it take calls", responses={503: {"model": Ready}})
async def get_readiness(gateway: TheGateway, response: Response) -> Ready:
    reasons = gateway.why_not_ready()
    if reasons:
        response.status_code = 503
    return Ready(status="not_ready" if reasons else "ready", reasons=reasons)


@router.get("/v1/status", summary="Service status")
async def get_status(gateway: TheGateway) -> Status:
    offered = gateway.catalog.offered()
    return Status(
        object="status",
        status="operational" if offered and not gateway.why_not_ready() else "degraded",
        version=__version__,
        models_available=len(offered),
        models_known=len(gateway.catalog.all()),
        local_model=_engine(gateway, LOCAL),
        local_embedding=_engine(gateway, LOCAL_EMBED),
    )


def _engine(gateway: Gateway, provider_id: str) -> LocalModelStatus | None:
    engine = gateway.engines.get(provider_id)
    return LocalModelStatus(state=engine.state, model=engine.name) if engine else None
