"""The books: accounts, the transfers between them, and holds on what is not spent yet.

Amounts are nano-dollars. An account's columns are sums over its transfers and open holds, kept in the same
transaction; transfers are append-only. Rows of these tables point at each other without foreign keys: the writer
would pay for a look-up a row, and `verify` finds an orphan.
"""

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Column, Index, Integer, Table, Text, text

from kyma.storage.database import metadata

OP_CASH = "op_cash"
OP_REVENUE = "op_revenue"
OP_PROMO_EXPENSE = "op_promo_expense"
OP_REFUND_DUE = "op_refund_due"
OP_DISPUTE = "op_dispute"
OP_WRITE_OFF = "op_write_off"

account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner_id", Text, nullable=False, index=True),
    Column("kind", Text, nullable=False),  # `credit` for a customer, else what the operator's account is for
    Column("debits_posted", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_posted", BigInteger, nullable=False, server_default=text("0")),
    Column("debits_pending", BigInteger, nullable=False, server_default=text("0")),
    Column("credits_pending", BigInteger, nullable=False, server_default=text("0")),
    Column("purchased", BigInteger, nullable=False, server_default=text("0")),  # top-ups alone: they set the tier
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("debits_pending >= 0", name="debits_pending"),
)

transfer = Table(
    "transfer",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("debit", Text, nullable=False),
    Column("credit", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("hold_id", Text),  # the hold that paid; null if it went straight to the account
    Column("ref_kind", Text, nullable=False),
    Column("ref_id", Text, nullable=False),
    Column("is_late", Boolean, nullable=False),  # its hold was gone when the charge came
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("amount > 0", name="amount"),
    # So the primary key alone allows one of a kind for a reason; a unique index would say it again at every insert.
    CheckConstraint("id = kind || ':' || ref_kind || ':' || ref_id", name="id"),
)

hold = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("purpose", Text, nullable=False),  # lease | job | slice
    Column("state", Text, nullable=False),  # pending, then once: posted | voided | expired
    Column("resolved", BigInteger, nullable=False, server_default=text("0")),
    Column("released", BigInteger, nullable=False, server_default=text("0")),
    Column("attempt", Integer, nullable=False, server_default=text("0")),
    Column("owner", Text, nullable=False),
    Column("ref", Text),
    Column("expires_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    CheckConstraint("amount >= 0 and resolved >= 0 and released >= 0", name="amounts"),
    CheckConstraint("resolved + released <= amount", name="parts"),
    # As partial on Postgres, where the migration makes it; to say so here would load that dialect into every gateway.
    Index("ix_hold_pending", "owner", sqlite_where=text("state = 'pending'")),
)
