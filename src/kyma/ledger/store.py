"""Statements on accounts and transfers. Every function runs inside the caller's transaction.

On Postgres rows are locked in one order everywhere: holds, then customers' accounts, then the operator's.
"""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec
from sqlalchemy import Connection, text

from kyma.core.errors import NotFound
from kyma.core.money import MAX_NANOS, Nanos
from kyma.ledger.settlement import Outcome, Settlement
from kyma.ledger.tables import OP_CASH, OP_PROMO_EXPENSE, OP_REVENUE, transfer
from kyma.storage.bulk import Chain, Lookup, NewRows, Value

CUSTOMER = "credit"
GrantKind = Literal["signup", "grant", "topup"]
TransferRow: TypeAlias = tuple[str, str, str, str, Nanos, str | None, str, str, int, int]

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
# Steps: leases (id, amount), accounts (id, posted, held), the operator's total. On Postgres the counts in the guards
# make each step wait for the one before, and `locked` takes the accounts in their order.
_post_all = Chain(
    sqlite=(
        "update hold set resolved = resolved + ?2 where id = ?1 and state = 'pending' and resolved + ?2 <= amount",
        "update account set debits_posted = debits_posted + ?2, debits_pending = debits_pending - ?3,"
        " version = version + 1 where id = ?1",
        "update account set credits_posted = credits_posted + ?1, version = version + 1 where id = 'op_revenue'",
    ),
    postgres="""with resolved as (
        update hold set resolved = resolved + (r ->> 1)::bigint from jsonb_array_elements($1::jsonb) as v(r)
        where id = r ->> 0 and state = 'pending' and resolved + (r ->> 1)::bigint <= amount returning 1
      ), locked as (
        select id from account where id in (select r ->> 0 from jsonb_array_elements($2::jsonb) as v(r))
          and (select count(*) from resolved) = jsonb_array_length($1::jsonb)
        order by id for no key update
      ), charged as (
        update account set debits_posted = debits_posted + (r ->> 1)::bigint,
          debits_pending = debits_pending - (r ->> 2)::bigint, version = version + 1
        from jsonb_array_elements($2::jsonb) as v(r)
        where id = r ->> 0 and (select count(*) from locked) = jsonb_array_length($2::jsonb) returning 1
      )
      update account set credits_posted = credits_posted + ($3::jsonb -> 0 ->> 0)::bigint, version = version + 1
      where id = 'op_revenue' and (select count(*) from charged) = jsonb_array_length($2::jsonb)""",
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
    row = (transfer_id(kind, ref_kind, ref_id), kind, source, account_id, amount, None, ref_kind, ref_id, 0, now)
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
    written = rows if len(fresh) == len(rows) else _first_of_each(rows, fresh)
    if written:
        _post(connection, written)
    return _outcomes(settlements, written)


def _transfer_rows(settlements: Iterable[Settlement], left: dict[str, Nanos]) -> list[TransferRow]:
    rows: list[TransferRow] = []
    for s in settlements:
        id, account_id, at = s.request_id, s.account_id, s.settled_at
        if covered := s.covered:
            hold_id: str | None = s.lease_id
            rest = left.get(s.lease_id, -1) - covered
            if rest >= 0:
                left[s.lease_id] = rest
            else:
                hold_id = None
            is_late = 1 if hold_id is None else 0
            name = f"usage:request:{id}"
            rows.append((name, "usage", account_id, OP_REVENUE, covered, hold_id, "request", id, is_late, at))
        if s.overrun:
            name = f"overrun:request:{id}"
            rows.append((name, "overrun", account_id, OP_REVENUE, s.overrun, None, "request", id, 0, at))
    return rows


def _first_of_each(rows: Iterable[TransferRow], fresh: set[Value]) -> list[TransferRow]:
    """The rows that were written: the same id twice in one batch was written once."""
    first: dict[str, TransferRow] = {}
    for row in rows:
        if row[0] in fresh:
            first.setdefault(row[0], row)
    return list(first.values())


def _post(connection: Connection, rows: Iterable[TransferRow]) -> None:
    leases: dict[str, Nanos] = {}
    posted: dict[str, Nanos] = {}
    held: dict[str, Nanos] = {}
    for _, _, account_id, _, amount, hold_id, _, _, _, _ in rows:
        posted[account_id] = posted.get(account_id, 0) + amount
        if hold_id is not None:
            leases[hold_id] = leases.get(hold_id, 0) + amount
            held[account_id] = held.get(account_id, 0) + amount
    charges = [(id, amount, held.get(id, 0)) for id, amount in posted.items()]
    if not _post_all.run(connection, list(leases.items()), charges, [(sum(posted.values()),)]):
        raise ValueError(
            f"a lease changed hands under its lock, or no such account: {sorted(leases)}, {sorted(posted)}"
        )


def _outcomes(settlements: Iterable[Settlement], written: Iterable[TransferRow]) -> list[Outcome]:
    outcomes: dict[str, Outcome] = {}
    for _, _, _, _, _, _, _, request_id, is_late, _ in written:
        if is_late:
            outcomes[request_id] = "late"
        else:
            outcomes.setdefault(request_id, "posted")
    return [outcomes.get(s.request_id, "already") if s.cost else "free" for s in settlements]
