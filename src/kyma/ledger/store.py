"""Statements on accounts and transfers. Every function runs inside the caller's transaction.

On Postgres rows are locked in one order everywhere: holds, then customers' accounts, then the operator's.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Connection, text

from kyma.core.errors import NotFound
from kyma.core.money import MAX_NANOS, Nanos
from kyma.ledger.settlement import Outcome, Settlement
from kyma.ledger.tables import OP_CASH, OP_PROMO_EXPENSE, OP_REVENUE, transfer
from kyma.storage.bulk import Changes, Lookup, NewRows, Row

CUSTOMER = "credit"
GrantKind = Literal["signup", "grant", "topup"]

_SOURCES: dict[GrantKind, str] = {"signup": OP_PROMO_EXPENSE, "grant": OP_PROMO_EXPENSE, "topup": OP_CASH}

_transfers = NewRows(transfer, "id")
_insert_account = text("insert into account (id, owner_id, kind, created_at) values (:id, :owner_id, :kind, :now)")
_fetch_account = text(
    "select credits_posted, debits_posted, debits_pending, purchased from account where id = :id and kind = 'credit'"
)
_credit_customer = text(
    "update account set credits_posted = credits_posted + :amount, purchased = purchased + :purchased,"
    " version = version + 1 where id = :id and kind = 'credit' and credits_posted <= :limit"
)
_debit_operator = text(
    "update account set debits_posted = debits_posted + :amount, version = version + 1"
    " where id = :id and debits_posted <= :limit"
)
_live_leases = Lookup(
    sqlite="select id, amount - resolved from hold where state = 'pending' and id in (select value from json_each(?1))",
    postgres="select id, amount - resolved from hold"
    " where state = 'pending' and id = any($1::text[]) order by id for update",
)
_resolve = Changes(
    sqlite="update hold set resolved = resolved + ?2 where id = ?1 and state = 'pending' and resolved + ?2 <= amount",
    postgres="update hold set resolved = resolved + v.amount from unnest($1::text[], $2::bigint[]) as v(id, amount)"
    " where hold.id = v.id and state = 'pending' and resolved + v.amount <= hold.amount",
)
_charge = Changes(
    sqlite="update account set debits_posted = debits_posted + ?2, debits_pending = debits_pending - ?3,"
    " version = version + 1 where id = ?1",
    postgres="update account set debits_posted = debits_posted + v.posted, debits_pending = debits_pending - v.held,"
    " version = version + 1 from unnest($1::text[], $2::bigint[], $3::bigint[]) as v(id, posted, held)"
    " where account.id = v.id",
)
_credit_revenue = Changes(
    sqlite="update account set credits_posted = credits_posted + ?1, version = version + 1 where id = 'op_revenue'",
    postgres="update account set credits_posted = credits_posted + v.amount, version = version + 1"
    " from unnest($1::bigint[]) as v(amount) where account.id = 'op_revenue'",
)


class AccountRow(msgspec.Struct, frozen=True):
    """A customer's account as the books have it."""

    credits_posted: Nanos
    debits_posted: Nanos
    debits_pending: Nanos
    purchased: Nanos

    @property
    def posted(self) -> Nanos:
        return self.credits_posted - self.debits_posted

    @property
    def available(self) -> Nanos:
        return self.posted - self.debits_pending


def insert_account(connection: Connection, id: str, owner_id: str, kind: str, now: int) -> None:
    """Open an account with nothing on it; a customer's is of kind `credit`."""
    connection.execute(_insert_account, {"id": id, "owner_id": owner_id, "kind": kind, "now": now})


def fetch_account(connection: Connection, account_id: str) -> AccountRow:
    """Raises: NotFound if no customer has that account."""
    row = connection.execute(_fetch_account, {"id": account_id}).one_or_none()
    if row is None:
        raise NotFound(f"There is no account {account_id}.", code="account_not_found")
    return AccountRow(*row)


def grant(
    connection: Connection, account_id: str, amount: Nanos, kind: GrantKind, ref_kind: str, ref_id: str, now: int
) -> bool:
    """Credit a customer; False, and no effect, if this kind was granted for this reference before.

    A `topup` is paid for and counts as purchased, `signup` and `grant` are promotion.
    Raises: NotFound without such an account, ValueError unless 0 < amount and the sum fits the books.
    """
    if not 0 < amount <= MAX_NANOS:
        raise ValueError(f"cannot grant {amount} nano-dollars")
    source, limit = _SOURCES[kind], MAX_NANOS - amount
    row = (transfer_id(kind, ref_kind, ref_id), kind, source, account_id, amount, None, ref_kind, ref_id, False, now)
    if not _transfers.insert(connection, [row]):
        return False
    purchased = amount if kind == "topup" else 0
    changed = connection.execute(
        _credit_customer, {"id": account_id, "amount": amount, "purchased": purchased, "limit": limit}
    )
    if changed.rowcount == 0:
        fetch_account(connection, account_id)
        raise ValueError(f"{amount} nano-dollars more than account {account_id} can hold")
    if connection.execute(_debit_operator, {"id": source, "amount": amount, "limit": limit}).rowcount == 0:
        raise ValueError(f"{amount} nano-dollars more than account {source} can hold")
    return True


def transfer_id(kind: str, ref_kind: str, ref_id: str) -> str:
    """A transfer is named by its reason, so the books of two equal histories are equal."""
    return f"{kind}:{ref_kind}:{ref_id}"


def apply_settlements(connection: Connection, settlements: Sequence[Settlement]) -> list[Outcome]:
    """Write a batch of charges: transfers, leases and balances together; a replayed request id changes nothing.

    A charge whose lease was swept meanwhile goes straight to the account, marked late. What no hold covered is a
    transfer of its own, kind `overrun`.
    """
    charged = [settlement for settlement in settlements if settlement.cost]
    if not charged:
        return ["free"] * len(settlements)
    live = _live_leases.rows(connection, {settlement.lease_id for settlement in charged})
    rows = _transfer_rows(charged, {id: left for id, left in live})
    fresh = _transfers.insert(connection, rows)
    late: dict[str, bool] = {}
    written: list[Row] = []
    for row in rows:
        if row[0] in fresh:
            fresh.remove(row[0])  # the same id twice in one batch was written once
            written.append(row)
            late[str(row[7])] = late.get(str(row[7]), False) or bool(row[8])
    if written:
        _post(connection, written)
    return [_outcome(settlement, late) for settlement in settlements]


def _transfer_rows(settlements: Iterable[Settlement], left: dict[str, Nanos]) -> list[Row]:
    rows: list[Row] = []
    for s in settlements:
        if s.covered:
            is_late = left.get(s.lease_id, -1) < s.covered
            if not is_late:
                left[s.lease_id] -= s.covered
            rows.append(_row("usage", s, s.covered, None if is_late else s.lease_id, is_late))
        if s.overrun:
            rows.append(_row("overrun", s, s.overrun, None, False))
    return rows


def _row(kind: str, s: Settlement, amount: Nanos, hold_id: str | None, is_late: bool) -> Row:
    id = transfer_id(kind, "request", s.request_id)
    return (id, kind, s.account_id, OP_REVENUE, amount, hold_id, "request", s.request_id, is_late, s.settled_at)


def _post(connection: Connection, rows: Sequence[Row]) -> None:
    leases: defaultdict[str, Nanos] = defaultdict(int)
    posted: defaultdict[str, Nanos] = defaultdict(int)
    held: defaultdict[str, Nanos] = defaultdict(int)
    total = 0
    for _, _, account_id, _, amount, hold_id, *_ in rows:
        assert isinstance(amount, int) and isinstance(account_id, str)
        total += amount
        posted[account_id] += amount
        if isinstance(hold_id, str):
            leases[hold_id] += amount
            held[account_id] += amount
    if leases and _resolve.run(connection, sorted(leases.items())) != len(leases):
        raise ValueError(f"a lease changed hands under its lock: {sorted(leases)}")
    charges = [(id, amount, held[id]) for id, amount in sorted(posted.items())]
    if _charge.run(connection, charges) != len(charges):
        raise ValueError(f"a charge names an account that does not exist: {sorted(posted)}")
    if _credit_revenue.run(connection, [(total,)]) != 1:
        raise ValueError(f"the operator has no account {OP_REVENUE}")


def _outcome(settlement: Settlement, late: dict[str, bool]) -> Outcome:
    if not settlement.cost:
        return "free"
    if settlement.request_id not in late:
        return "already"
    return "late" if late[settlement.request_id] else "posted"
