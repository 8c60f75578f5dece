"""A customer's own keys of providers: stored sealed, used for that account's calls alone, never shown again."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from kyma.api.depends import Caller, TheGateway
from kyma.api.times import iso
from kyma.core.errors import NotFound
from kyma.core.model import Auth
from kyma.credentials.safe import checked_key
from kyma.credentials.store import KeyRow
from kyma.gateway import Gateway

router = APIRouter(prefix="/v1/auth/provider-keys", tags=["Provider keys"])

UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "No such provider, or no key of yours for it"}}
UNSEALED: dict[int | str, dict[str, Any]] = {403: {"description": "This gateway has no master key to seal it with"}}


class Bringing(BaseModel):
    key: str = Field(description="As the provider gave it to you; of AWS the id and the secret, a line each")


class ProviderKeyView(BaseModel):
    """Never the key itself. `last4` is empty for a short one."""

    object: Literal["provider_key"]
    provider: str
    last4: str
    created_at: str


class ProviderKeyList(BaseModel):
    object: Literal["list"]
    data: list[ProviderKeyView]


class ProviderKeyDeleted(BaseModel):
    provider: str
    deleted: Literal[True]


@router.get("", summary="List your own provider keys")
async def list_provider_keys(gateway: TheGateway, caller: Caller) -> ProviderKeyList:
    return ProviderKeyList(object="list", data=[_view(row) for row in await gateway.safe.own(caller.account_id)])


@router.get("/{provider}", summary="See whether you have stored a key", responses=UNKNOWN)
async def get_provider_key(gateway: TheGateway, caller: Caller, provider: str) -> ProviderKeyView:
    for row in await gateway.safe.own(caller.account_id):
        if row.provider_id == provider:
            return _view(row)
    raise NotFound("You have stored no key for this provider.", code="provider_key_not_found")


@router.put("/{provider}", summary="Store your own key for a provider", responses=UNKNOWN | UNSEALED)
async def put_provider_key(gateway: TheGateway, caller: Caller, provider: str, body: Bringing) -> ProviderKeyView:
    """From now on your calls that this provider serves go out under your key, for a fee instead of the token price."""
    key = checked_key(body.key, _auth_of(gateway, provider))
    row = await gateway.safe.put_own(caller.account_id, provider, key)
    await gateway.publisher.follow_keys()
    return _view(row)


@router.delete("/{provider}", summary="Erase your own key for a provider", responses=UNKNOWN)
async def delete_provider_key(gateway: TheGateway, caller: Caller, provider: str) -> ProviderKeyDeleted:
    await gateway.safe.remove_own(caller.account_id, provider)
    await gateway.publisher.follow_keys()
    return ProviderKeyDeleted(provider=provider, deleted=True)


def _auth_of(gateway: Gateway, provider_id: str) -> Auth:
    """How a provider that is on here takes its key. Raises: NotFound."""
    provider = gateway.catalog.providers.get(provider_id)
    if provider is None or provider.is_local:
        raise NotFound("There is no such provider here.", code="provider_not_found", param="provider")
    return provider.auth


def _view(row: KeyRow) -> ProviderKeyView:
    return ProviderKeyView(
        object="provider_key", provider=row.provider_id, last4=row.last4, created_at=iso(row.created_at)
    )
