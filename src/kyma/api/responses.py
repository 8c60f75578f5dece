"""GET /v1/responses/{id}: there is nothing to get, and the answer says why."""

from fastapi import APIRouter

from kyma.api.depends import Caller
from kyma.core.errors import NotFound

router = APIRouter(tags=["Chat"])


@router.get("/v1/responses/{response_id}", summary="Never found: responses are not stored", status_code=404)
async def get_response(response_id: str, _caller: Caller) -> None:
    """Raises: NotFound."""
    raise NotFound(
        f"There is no response {response_id}: this gateway stores no answers. Send the whole conversation as input.",
        code="response_not_stored",
    )
