"""POST /v1/translate: what a model's source would be told, and what it could not be told. Nobody is called."""

from typing import Any

import msgspec
from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from kyma.api.depends import Caller
from kyma.providers.translate import translate

router = APIRouter(tags=["Discovery"])


class TranslateRequest(BaseModel):
    """A request in the dialect `from`, to be shown in the dialect `to`."""

    model_config = ConfigDict(populate_by_name=True)

    source: str = Field(alias="from", examples=["anthropic_messages"])
    target: str = Field(alias="to", examples=["openai_chat"])
    request: dict[str, Any]


class TranslateResponse(BaseModel):
    """The translated request, and the paths of what was left out or said another way."""

    request: dict[str, Any]
    dropped: list[str]
    emulated: list[str]


@router.post("/v1/translate", response_model=TranslateResponse, summary="Show a request in another dialect")
async def translate_request(body: TranslateRequest, _caller: Caller) -> Response:
    translated = translate(body.source, body.target, msgspec.json.encode(body.request))
    return Response(msgspec.json.encode(translated), media_type="application/json")
