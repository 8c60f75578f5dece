"""GET /v1/credits/balance: what is left, exactly."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from kyma.api.depends import Caller, TheGateway
from kyma.core.money import usd_float, usd_to_nanos

router = APIRouter(tags=["Credits"])


class BalanceView(BaseModel):
    """USD; every figure reads back to the exact nano-dollar. `reserved` is set aside for calls under way."""

    object: Literal["balance"]
    balance: float
    reserved: float
    currency: Literal["USD"]
    low_balance: bool
    tier: int
    lifetime_purchased: float
    lifetime_spent: float


@router.get("/v1/credits/balance", summary="Check credit balance")
async def get_balance(gateway: TheGateway, caller: Caller) -> BalanceView:
    found = await gateway.ledger.balance(caller.account_id)
    return BalanceView(
        object="balance",
        balance=usd_float(found.posted),
        reserved=usd_float(found.reserved),
        currency="USD",
        low_balance=found.posted < usd_to_nanos(gateway.settings.low_balance_usd),
        tier=caller.tier,
        lifetime_purchased=usd_float(found.lifetime_purchased),
        lifetime_spent=usd_float(found.lifetime_spent),
    )
