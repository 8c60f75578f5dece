"""How well models and their sources have served, by the hour, and what scheduled probes share."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BUCKETS = 24
COUNTS = (
    *("served", "lost", "probes", "answered", "broke_off", "tokens", "speaking_ms"),
    *("timed_out", "unreachable", "throttled", "failed", "garbled", "refused_us"),
    *(f"first_token_{number}" for number in range(BUCKETS)),
    *(f"whole_{number}" for number in range(BUCKETS)),
)


def upgrade() -> None:
    op.create_table(
        "uptime",
        sa.Column("hour", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, primary_key=True),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
    )
    op.create_table(
        "source_asked",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("route", sa.Text, primary_key=True),
        sa.Column("asked_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "probe_budget",
        sa.Column("day", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("taken", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in ("probe_budget", "source_asked", "uptime"):
        op.drop_table(table)
