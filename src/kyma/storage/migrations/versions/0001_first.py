"""The first schema: users, keys and sessions; accounts, transfers and holds; usage and price books."""

import sqlalchemy as sa
from alembic import op

from kyma.storage.migrations.guards import allow_update_delete, refuse_update_delete

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("transfer", "usage", "price_book")
OPERATOR_ACCOUNTS = ("cash", "revenue", "promo_expense", "refund_due", "dispute", "write_off")


def upgrade() -> None:
    _create_people()
    _create_books()
    _create_usage()
    for table in APPEND_ONLY:
        refuse_update_delete(table)
    _open_operator_accounts()


def downgrade() -> None:
    for table in APPEND_ONLY:
        allow_update_delete(table)
    for table in ("session", "api_key", "app_user", "price_book", "usage", "hold", "transfer", "account"):
        op.drop_table(table)


def _create_people() -> None:
    op.create_table(
        "app_user",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("email", sa.Text, nullable=False, unique=True),
        sa.Column("password_hash", sa.Text),
        sa.Column("account_id", sa.Text, nullable=False, index=True),
        sa.Column("tier_override", sa.Integer),
        sa.Column("is_operator", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("app_user.id"), nullable=False, index=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("key_hash", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_used_at", sa.BigInteger),
        sa.Column("revoked_at", sa.BigInteger),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, sa.ForeignKey("app_user.id"), nullable=False, index=True),
        sa.Column("token_hash", sa.Text, nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("last_seen_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )


def _create_books() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner_id", sa.Text, nullable=False, index=True),
        sa.Column("kind", sa.Text, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))
            for name in (
                "debits_posted",
                "credits_posted",
                "debits_pending",
                "credits_pending",
                "purchased",
                "version",
            )
        ),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("debits_pending >= 0", name="debits_pending"),
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("debit", sa.Text, nullable=False),
        sa.Column("credit", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("hold_id", sa.Text),
        sa.Column("ref_kind", sa.Text, nullable=False),
        sa.Column("ref_id", sa.Text, nullable=False),
        sa.Column("is_late", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.CheckConstraint("id = kind || ':' || ref_kind || ':' || ref_id", name="id"),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("resolved", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("released", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("ref", sa.Text),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount >= 0 and resolved >= 0 and released >= 0", name="amounts"),
        sa.CheckConstraint("resolved + released <= amount", name="parts"),
    )
    pending = sa.text("state = 'pending'")
    op.create_index("ix_hold_pending", "hold", ["owner"], sqlite_where=pending, postgresql_where=pending)


def _create_usage() -> None:
    op.create_table(
        "usage",
        sa.Column("request_id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("requested_model", sa.Text, nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("layer", sa.Integer, nullable=False),
        sa.Column("dialect", sa.Text, nullable=False),
        sa.Column("input_tokens", sa.BigInteger, nullable=False),
        sa.Column("cached_input_tokens", sa.BigInteger, nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger, nullable=False),
        sa.Column("output_tokens", sa.BigInteger, nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger, nullable=False),
        sa.Column("price_version", sa.Text, nullable=False),
        sa.Column("cost", sa.BigInteger, nullable=False),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("flagged", sa.Boolean, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("http_status", sa.Integer, nullable=False),
        sa.Column("is_streaming", sa.Boolean, nullable=False),
        sa.Column("first_token_ms", sa.BigInteger),
        sa.Column("duration_ms", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "price_book",
        sa.Column("version", sa.Text, primary_key=True),
        sa.Column("prices", sa.Text, nullable=False),
        sa.Column("published_at", sa.BigInteger, nullable=False),
    )


def _open_operator_accounts() -> None:
    # A migration has no clock: the operator's accounts are as old as the books, so their time is zero.
    account = sa.table("account", *(sa.column(name) for name in ("id", "owner_id", "kind", "created_at")))
    op.bulk_insert(
        account,
        [{"id": f"op_{kind}", "owner_id": "operator", "kind": kind, "created_at": 0} for kind in OPERATOR_ACCOUNTS],
    )
