"""Which price book came into force when, and which great moves of a price were meant."""

import sqlalchemy as sa
from alembic import op

from kyma.storage.migrations.guards import allow_update_delete, refuse_update_delete

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

APPEND_ONLY = ("price_release", "price_acceptance")


def upgrade() -> None:
    op.create_table(
        "price_release",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("released_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "price_acceptance",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
    )
    op.execute(  # the newest book is the best guess at the one in force
        "insert into price_release (number, version, released_at)"
        " select 1, version, published_at from price_book order by published_at desc limit 1"
    )
    for table in APPEND_ONLY:
        refuse_update_delete(table)


def downgrade() -> None:
    for table in APPEND_ONLY:
        allow_update_delete(table)
        op.drop_table(table)
