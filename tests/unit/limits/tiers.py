"""Tiers and callers for the limiter's tests."""

from kyma.core.principal import Principal, Tier

TIER_0 = Tier(
    tier=0, name="Tier 0", min_deposit_usd=0, rpm=30, per_model_rpm=25, tpm=200_000, max_single_request=200_000
)
TIER_1 = Tier(
    tier=1, name="Tier 1", min_deposit_usd=5, rpm=60, per_model_rpm=40, tpm=500_000, max_single_request=500_000
)


def tier(
    rpm: int = 1_000, per_model_rpm: int = 1_000, tpm: int = 1_000_000, max_single_request: int = 10_000_000
) -> Tier:
    """A tier whose other limits are out of the way."""
    return Tier(
        tier=9,
        name="Tier 9",
        min_deposit_usd=0,
        rpm=rpm,
        per_model_rpm=per_model_rpm,
        tpm=tpm,
        max_single_request=max_single_request,
    )


def caller(name: str = "ada", key: str = "laptop", tier: int = 0) -> Principal:
    return Principal(
        user_id=f"usr_{name}",
        account_id=f"acc_{name}",
        email=f"{name}@example.com",
        key_id=f"key_{key}",
        key_name=key,
        tier=tier,
        is_session=False,
        is_operator=False,
    )
