"""Keys of providers, sealed. Times are epoch milliseconds.

`provider_key_change` has one row: every change takes the next number, so the writers come one after another and a
reader that asks for what has changed since a number misses nothing. A key that was removed keeps its row without the
secret, for readers to see.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, Table, Text, text

from kyma.storage.database import metadata

tenant_key = Table(
    "tenant_key",
    metadata,
    Column("tenant", Text, primary_key=True),
    Column("master_id", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

provider_key = Table(
    "provider_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("tenant", Text, nullable=False),  # an account, or the operator
    Column("provider_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("sealed", LargeBinary),  # null: removed
    Column("last4", Text, nullable=False),
    Column("is_on", Boolean, nullable=False),
    Column("changed", BigInteger, nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Index(  # a customer has one key for a provider
        "ix_provider_key_own",
        "tenant",
        "provider_id",
        unique=True,
        sqlite_where=text("tenant <> 'operator'"),
        postgresql_where=text("tenant <> 'operator'"),
    ),
)

provider_key_change = Table(
    "provider_key_change",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
