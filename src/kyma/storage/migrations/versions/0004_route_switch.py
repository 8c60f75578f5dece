"""Sources and providers that operators have switched off, and on again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "route_switch",
        sa.Column("target", sa.Text, primary_key=True),
        sa.Column("is_on", sa.Boolean, nullable=False),
        sa.Column("switched_by", sa.Text, nullable=False),
        sa.Column("switched_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("route_switch")
