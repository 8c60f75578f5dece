"""What the ledger answers: a balance, or why there will be no hold."""

import msgspec

from kyma.core.errors import InsufficientCredits, ServiceError
from kyma.core.money import Nanos, usd_text


class Balance(msgspec.Struct, frozen=True):
    """A customer's account in nano-dollars."""

    posted: Nanos
    """Credits less charges: the balance."""
    pending: Nanos
    """What leases and holds have set aside of it in the books, unspent leases included."""
    available: Nanos
    """`posted - pending`: what nobody has set aside."""
    reserved: Nanos
    """Set aside for calls under way and by other processes."""
    spendable: Nanos
    """What a new call could still take here: `posted - reserved`."""
    lifetime_purchased: Nanos
    lifetime_spent: Nanos


class CreditShort(InsufficientCredits):
    """The account cannot cover the hold: `needed` of it, `available` to new calls, `posted` balance."""

    def __init__(self, needed: Nanos, available: Nanos, posted: Nanos) -> None:
        super().__init__(
            f"Insufficient credits: this request needs ${usd_text(needed)} set aside, "
            f"${usd_text(max(available, 0))} of your balance of ${usd_text(posted)} is available."
        )
        self.needed = needed
        self.available = max(available, 0)
        self.posted = posted


class LedgerAway(ServiceError):
    """The books cannot be asked, and without them nothing is started."""

    default_code = "ledger_unavailable"


class HoldClosed(Exception):
    """The hold was settled or released before."""
