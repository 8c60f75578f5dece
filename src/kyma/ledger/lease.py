"""A process's share of an account: how much to take, what is left of it, and the statements that move it.

A lease is a row of `hold` with purpose `lease`. Its `amount` grows when it is extended; charges move from pending to
`resolved`; when it ends, the rest is `released` and its state changes once.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Literal

from sqlalchemy import Connection, Row, text

from kyma.core.money import NANOS_PER_USD, Nanos
from kyma.ledger.store import fetch_account
from kyma.storage.database import Retry

LeaseShare = Literal["all", "clamp"]
NEAR_ZERO_HOLDS = 20
NEAR_ZERO_NANOS = NANOS_PER_USD // 4

_extend = text(
    "insert into hold (id, account_id, amount, purpose, state, owner, expires_at, created_at)"
    " values (:id, :account_id, :amount, 'lease', 'pending', :owner, :expires_at, :now)"
    " on conflict (id) do update set amount = hold.amount + excluded.amount, expires_at = excluded.expires_at"
    " where hold.state = 'pending' returning amount"
)
_set_aside = text(
    "update account set debits_pending = debits_pending + :amount, version = version + 1"
    " where id = :id and credits_posted - debits_posted - debits_pending >= :amount"
)
_give_back = text("update account set debits_pending = debits_pending - :amount, version = version + 1 where id = :id")
_close = text(
    "update hold set state = case when resolved > 0 then 'posted' else 'voided' end, released = amount - resolved"
    " where id = :id and state = 'pending' and resolved >= :at_least returning account_id, released"
)
_renew = text(
    "update hold set expires_at = :expires_at"
    " where owner = :owner and purpose = 'lease' and state = 'pending' returning id, amount"
)
_expire_old = text(
    "update hold set state = 'expired', released = amount - resolved"
    " where purpose = 'lease' and state = 'pending' and expires_at < :now returning account_id, released"
)
_expire_others = text(
    "update hold set state = 'expired', released = amount - resolved"
    " where purpose = 'lease' and state = 'pending' and owner <> :owner returning account_id, released"
)


class Lease:
    """One account's lease in this process's memory.

    `amount` is what the books are known to hold, `used` what open reservations and charges so far took from it, so
    the difference can be spent. An answer of the books replaces `amount`, which heals a commit that was never
    acknowledged.
    """

    __slots__ = ("account_id", "amount", "id", "is_lost", "open_count", "spent_before", "spent_now", "used",
                 "used_at", "valid_until")  # fmt: skip

    def __init__(self, id: str, account_id: str, now: float) -> None:
        self.id = id
        self.account_id = account_id
        self.amount: Nanos = 0
        self.used: Nanos = 0
        self.open_count = 0
        self.used_at = now
        self.valid_until = now
        self.spent_now: Nanos = 0
        self.spent_before: Nanos = 0
        self.is_lost = False

    @property
    def free(self) -> Nanos:
        return self.amount - self.used

    @property
    def recent_spend(self) -> Nanos:
        """Charges of about the last tick."""
        return max(self.spent_now, self.spent_before)


class LeaseRefused(Exception):
    """The account has less to give than is needed."""

    def __init__(self, available: Nanos, posted: Nanos) -> None:
        super().__init__(available, posted)
        self.available = available
        self.posted = posted


class LeaseLost(Exception):
    """The lease ended behind the owner's back: it expired or was taken over."""


def lease_size(share: LeaseShare, available: Nanos, needed: Nanos, recent_spend: Nanos, live_replicas: int) -> Nanos:
    """How much to take of `available`, at least `needed` (which must not exceed it).

    One process takes everything. Replicas take about five seconds of spending and room for two calls, never so much
    that the others starve; near zero just what the call needs.
    """
    if share == "all":
        return available
    if available < max(NEAR_ZERO_HOLDS * needed, NEAR_ZERO_NANOS):
        return needed
    return max(needed, min(recent_spend + 2 * needed, available // (2 * live_replicas)))


def extend(
    connection: Connection,
    lease_id: str,
    account_id: str,
    owner: str,
    needed: Nanos,
    size: Callable[[Nanos], Nanos],
    now: int,
    expires_at: int,
) -> Nanos:
    """Set at least `needed` more aside for the lease, opening it if need be; the amount it has now.

    `size(available)` says how much is wanted. With nothing needed it only renews the lease.
    Raises: LeaseRefused, LeaseLost, NotFound, Retry if another process was faster.
    """
    row = fetch_account(connection, account_id)
    if needed > max(row.available, 0):
        raise LeaseRefused(row.available, row.posted)
    more = max(needed, size(row.available)) if needed else 0
    held: Nanos | None = connection.execute(
        _extend,
        {
            "id": lease_id,
            "account_id": account_id,
            "amount": more,
            "owner": owner,
            "expires_at": expires_at,
            "now": now,
        },
    ).scalar()
    if held is None:
        raise LeaseLost(lease_id)
    if more and connection.execute(_set_aside, {"id": account_id, "amount": more}).rowcount == 0:
        raise Retry(f"account {account_id} had less than {more} left by the time it was asked")
    return held


def close(connection: Connection, lease_id: str, at_least: Nanos) -> bool:
    """End a lease and give the rest back; False if it is over or has fewer than `at_least` nano-dollars charged."""
    ended = connection.execute(_close, {"id": lease_id, "at_least": at_least}).one_or_none()
    if ended is None:
        return False
    _release(connection, [ended])
    return True


def renew_all(connection: Connection, owner: str, expires_at: int) -> dict[str, Nanos]:
    """Prolong every lease of `owner`; those that still exist, with their amounts."""
    return {id: amount for id, amount in connection.execute(_renew, {"owner": owner, "expires_at": expires_at})}


def sweep(connection: Connection, now: int) -> int:
    """End leases that nobody renewed in time; how many there were."""
    return _release(connection, connection.execute(_expire_old, {"now": now}).all())


def take_over(connection: Connection, owner: str) -> int:
    """End every lease of other owners, for a process that knows itself to be the only one; how many there were."""
    return _release(connection, connection.execute(_expire_others, {"owner": owner}).all())


def _release(connection: Connection, ended: Iterable[Row[str, Nanos]]) -> int:
    rests: defaultdict[str, Nanos] = defaultdict(int)
    count = 0
    for account_id, released in ended:
        rests[account_id] += released
        count += 1
    if any(rests.values()):
        connection.execute(_give_back, [{"id": id, "amount": rest} for id, rest in sorted(rests.items())])
    return count
