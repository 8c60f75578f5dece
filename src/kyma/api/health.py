"""Whether the gateway lives and is ready for calls."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from kyma.api.depends import TheGateway

router = APIRouter(tags=["Discovery"])


class Health(BaseModel):
    status: Literal["ok"]


class Ready(BaseModel):
    status: Literal["ready", "not_ready"]
    reasons: list[str]


@router.get("/healthz", summary="Is the process alive")
async def get_health() -> Health:
    return Health(status="ok")


@router.get("/readyz", summary="Does it take calls", responses={503: {"model": Ready}})
async def get_readiness(gateway: TheGateway, response: Response) -> Ready:
    reasons = gateway.why_not_ready()
    if reasons:
        response.status_code = 503
    return Ready(status="not_ready" if reasons else "ready", reasons=reasons)
