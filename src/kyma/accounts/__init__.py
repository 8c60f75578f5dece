"""Who calls: users, API keys, sessions and sign-in. Money, tiers and limits are other features' business."""

from kyma.accounts.accounts import Accounts, NewKey, NewSession, Profile, PurchasedOf, SignedIn
from kyma.accounts.emails import normal_email
from kyma.accounts.keys import masked
from kyma.accounts.store import KeyLabel, KeyRow, UserRow

__all__ = [
    "Accounts",
    "KeyLabel",
    "KeyRow",
    "NewKey",
    "NewSession",
    "Profile",
    "PurchasedOf",
    "SignedIn",
    "UserRow",
    "masked",
    "normal_email",
]
