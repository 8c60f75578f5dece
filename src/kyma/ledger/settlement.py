"""What leaves memory for the books: one finished call's charge, as plain data that a spool file can hold."""

from typing import Literal

import msgspec

from kyma.core.money import Nanos

Outcome = Literal["posted", "late", "already", "free"]
"""`late`: the lease was gone, the account was charged directly. `already`: a replay. `free`: nothing to charge."""


class Settlement(msgspec.Struct, frozen=True, gc=False):
    """A closed hold: `cost` = `covered` (paid from the lease) + `overrun` (beyond what could be held)."""

    request_id: str
    account_id: str
    lease_id: str
    reserved: Nanos
    cost: Nanos
    covered: Nanos
    overrun: Nanos
    settled_at: int
    """Epoch milliseconds; the day the charge belongs to."""
