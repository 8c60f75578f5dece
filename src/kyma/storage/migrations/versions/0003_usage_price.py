"""Usage says at what price a call was sold: that of another model asked for, or a share of the price."""

import sqlalchemy as sa
from alembic import op

from kyma.storage.migrations.guards import rebuild

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:  # added in place: no copy of a large table, and its guards stay where they are
    op.add_column("usage", sa.Column("asked_model", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("usage", sa.Column("price_share", sa.BigInteger, nullable=False, server_default=sa.text("10000")))


def downgrade() -> None:
    with rebuild("usage") as batch:
        batch.drop_column("asked_model")
        batch.drop_column("price_share")
