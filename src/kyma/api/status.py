"""GET /v1/status: whether the service is in order, for a status page. Names no source and no vendor."""

from typing import Literal

from pydantic import BaseModel, Field

from kyma import __version__
from kyma.api.depends import TheGateway
from kyma.api.public import public
from kyma.api.times import iso
from kyma.gateway import LOCAL, LOCAL_EMBED, Gateway
from kyma.gateway.standing import ModelWord, Word

router = public(10, ["Discovery"])


class LocalModelStatus(BaseModel):
    state: str
    model: str


class ModelStatus(BaseModel):
    id: str
    status: ModelWord


class Components(BaseModel):
    api: Word
    database: Word
    models: list[ModelStatus]


class Status(BaseModel):
    object: Literal["status"]
    status: Word
    since: str = Field(description="When the gateway that answers first saw it so: no earlier than its own start")
    components: Components
    version: str
    models_available: int
    models_known: int
    local_model: LocalModelStatus | None
    local_embedding: LocalModelStatus | None


@router.get("/v1/status", summary="Service status")
async def get_status(gateway: TheGateway) -> Status:
    """As the gateway that answers sees it, from its last ten minutes of traffic.

    A model is `down` when none of its sources may be asked, or of three or more requests none was served; `degraded`
    when one request in twenty was lost, or half of its sources may not be asked. The service has an `outage` when it is
    shutting down, its database takes no settlements, or every model is down; it is `degraded` when it takes no more
    calls, offers no model, or one of its models is not operational.
    """
    standing = gateway.board.look()
    return Status(
        object="status",
        status=standing.status,
        since=iso(standing.since),
        components=Components(
            api=standing.api,
            database=standing.database,
            models=[ModelStatus(id=model_id, status=word) for model_id, word in standing.models.items()],
        ),
        version=__version__,
        models_available=len(standing.models),
        models_known=len(gateway.catalog.all()),
        local_model=_engine(gateway, LOCAL),
        local_embedding=_engine(gateway, LOCAL_EMBED),
    )


def _engine(gateway: Gateway, provider_id: str) -> LocalModelStatus | None:
    engine = gateway.engines.get(provider_id)
    return LocalModelStatus(state=engine.state, model=engine.name) if engine else None
