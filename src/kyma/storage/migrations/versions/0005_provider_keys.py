"""Keys of providers, sealed, in the database."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tenant_key",
        sa.Column("tenant", sa.Text, primary_key=True),
        sa.Column("master_id", sa.Text, nullable=False),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "provider_key",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("provider_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("last4", sa.Text, nullable=False),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    own = sa.text("tenant <> 'operator'")
    place = ["tenant", "provider_id"]
    op.create_index("ix_provider_key_own", "provider_key", place, unique=True, sqlite_where=own, postgresql_where=own)
    change = op.create_table(
        "provider_key_change",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(change, [{"id": 1, "number": 0}])


def downgrade() -> None:
    for table in ("provider_key_change", "provider_key", "tenant_key"):
        op.drop_table(table)
