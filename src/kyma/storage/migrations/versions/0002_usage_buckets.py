"""Usage has a bucket for input that is cached for an hour, and a count of searches."""

import sqlalchemy as sa
from alembic import op

from kyma.storage.migrations.guards import rebuild

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COLUMNS = ("cache_write_1h_tokens", "searches")


def upgrade() -> None:
    for name in COLUMNS:  # added in place: no copy of a large table, and its guards stay where they are
        op.add_column("usage", sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0")))


def downgrade() -> None:
    with rebuild("usage") as batch:
        for name in COLUMNS:
            batch.drop_column(name)
