"""Accounts over HTTP: register, sign in, who am I, keys, limits."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from kyma.accounts import KeyRow, masked
from kyma.api.depends import Caller, TheGateway
from kyma.api.times import iso
from kyma.core.errors import Forbidden
from kyma.core.money import usd_float
from kyma.limits import LimitsView

router = APIRouter(prefix="/v1/auth", tags=["Auth"])

THROTTLED: dict[int | str, dict[str, Any]] = {429: {"description": "Too many attempts"}}


class Registering(BaseModel):
    email: str = Field(max_length=320)
    password: str | None = Field(default=None, max_length=1024, description="At least 6 characters")


class RegisteredView(BaseModel):
    user_id: str
    api_key: str = Field(description="Starts with ky-; shown once")
    session_token: str = Field(description="Starts with ks-")


class SigningIn(BaseModel):
    email: str = Field(max_length=320)
    password: str = Field(max_length=1024)


class SignedInView(BaseModel):
    user_id: str
    email: str
    session_token: str


class KeyView(BaseModel):
    id: str
    name: str
    prefix: str
    masked: str
    created_at: str
    last_used_at: str | None


class NewKeyView(KeyView):
    api_key: str = Field(description="The whole key; shown once")


class KeyList(BaseModel):
    object: Literal["list"]
    data: list[KeyView]


class KeyDeleted(BaseModel):
    id: str
    deleted: Literal[True]


class Naming(BaseModel):
    name: str = "key"


class UserView(BaseModel):
    id: str
    email: str
    created_at: str


class Me(BaseModel):
    user: UserView
    user_id: str
    email: str
    balance: float
    tier: int
    keys: list[KeyView]


class NextTier(BaseModel):
    tier: int
    min_deposit: int


class LimitsBody(BaseModel):
    """Your tier's limits and what is used of them now. The older names stay for clients that read them."""

    tier: int
    tier_name: str
    rpm_limit: int
    rpm_used: int
    rpm_remaining: int
    remaining: int
    per_model_rpm: int
    tpm_limit: int
    tpm_used: int
    tpm_remaining: int
    max_single_request: int
    used_today: int
    resets_at: str
    has_credits: bool
    lifetime_purchased: float
    next_tier: NextTier | None


@router.post(
    "/register",
    summary="Create account",
    responses={
        403: {"description": "Registration is closed here"},
        409: {"description": "The address has an account"},
        **THROTTLED,
    },
)
async def register(gateway: TheGateway, request: Request, body: Registering) -> RegisteredView:
    """A new account with its signup credit, a first API key and a session."""
    if not gateway.settings.open_registration:
        raise Forbidden("registration is closed here; ask the operator for a key", code="registration_closed")
    made = await gateway.registration.register(body.email, body.password, _ip(request))
    return RegisteredView(user_id=made.user_id, api_key=made.api_key, session_token=made.session_token)


@router.post("/login", summary="Login", responses={401: {"description": "Wrong address or password"}, **THROTTLED})
async def login(gateway: TheGateway, request: Request, body: SigningIn) -> SignedInView:
    signed_in = await gateway.accounts.login(body.email, body.password, _ip(request))
    return SignedInView(user_id=signed_in.user_id, email=signed_in.email, session_token=signed_in.session_token)


@router.get("/me", summary="Get current user")
async def get_me(gateway: TheGateway, caller: Caller) -> Me:
    profile = await gateway.accounts.profile(caller.user_id)
    balance = await gateway.ledger.balance(caller.account_id)
    user = UserView(id=profile.user.id, email=profile.user.email, created_at=iso(profile.user.created_at))
    return Me(
        user=user,
        user_id=user.id,
        email=user.email,
        balance=usd_float(balance.posted),
        tier=profile.tier,
        keys=[key_view(key) for key in profile.keys],
    )


@router.get("/keys", summary="List API keys")
async def list_keys(gateway: TheGateway, caller: Caller) -> KeyList:
    return KeyList(object="list", data=[key_view(key) for key in await gateway.accounts.list_keys(caller.user_id)])


@router.post(
    "/keys",
    summary="Create an API key",
    status_code=201,
    responses={409: {"description": "There are too many already"}},
)
async def create_key(gateway: TheGateway, caller: Caller, body: Naming) -> NewKeyView:
    """A further key of the same account. Needs a session or an existing key."""
    new = await gateway.accounts.create_key(caller.user_id, body.name)
    return NewKeyView(api_key=new.token, **key_view(new.key).model_dump())


@router.delete("/keys/{key_id}", summary="Revoke an API key", responses={404: {"description": "No such key"}})
async def revoke_key(gateway: TheGateway, caller: Caller, key_id: str) -> KeyDeleted:
    """The key stops working within five seconds, everywhere."""
    await gateway.accounts.revoke_key(caller.user_id, key_id)
    return KeyDeleted(id=key_id, deleted=True)


@router.get("/limits", summary="Check rate limits")
async def get_limits(gateway: TheGateway, caller: Caller) -> LimitsBody:
    view = gateway.limits.snapshot(caller, gateway.catalog.tiers)
    balance = await gateway.ledger.balance(caller.account_id)
    copied = {name: getattr(view, name) for name in LimitsBody.model_fields if name in COUNTED}
    return LimitsBody(
        has_credits=balance.posted > 0,
        lifetime_purchased=usd_float(balance.lifetime_purchased),
        resets_at=iso(view.resets_at),
        next_tier=NextTier(tier=view.next_tier.tier, min_deposit=view.next_tier.min_deposit_usd)
        if view.next_tier
        else None,
        **copied,
    )


COUNTED = tuple(name for name in LimitsView.__struct_fields__ if name not in ("resets_at", "next_tier"))


def key_view(key: KeyRow) -> KeyView:
    """What may be shown of a key."""
    return KeyView(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        masked=masked(key.prefix),
        created_at=iso(key.created_at),
        last_used_at=None if key.last_used_at is None else iso(key.last_used_at),
    )


def _ip(request: Request) -> str:
    return request.client.host if request.client else ""
