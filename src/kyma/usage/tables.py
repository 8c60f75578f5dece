"""One row for every metered call, written with its charge, and the price books that explain the charges.

`price_release` says which book came into force when, `price_acceptance` which great moves of a price were meant.

All are append-only. Amounts are nano-dollars, times epoch milliseconds. `usage` has no index but its key: one by
account would touch a page for every account in every commit, and nothing reads it that way.
"""

from sqlalchemy import BigInteger, Boolean, Column, Integer, Table, Text, text

from kyma.storage.database import metadata

usage = Table(
    "usage",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("requested_model", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("layer", Integer, nullable=False),
    Column("dialect", Text, nullable=False),
    Column("input_tokens", BigInteger, nullable=False),
    Column("cached_input_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("reasoning_tokens", BigInteger, nullable=False),
    Column("price_version", Text, nullable=False),
    Column("cost", BigInteger, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Column("flagged", Boolean, nullable=False),
    Column("status", Text, nullable=False),
    Column("http_status", Integer, nullable=False),
    Column("is_streaming", Boolean, nullable=False),
    Column("first_token_ms", BigInteger),
    Column("duration_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("cache_write_1h_tokens", BigInteger, nullable=False, server_default=text("0")),
    Column("searches", BigInteger, nullable=False, server_default=text("0")),
    Column("asked_model", Text, nullable=False, server_default=text("''")),
    Column("price_share", BigInteger, nullable=False, server_default=text("10000")),
)

price_book = Table(
    "price_book",
    metadata,
    Column("version", Text, primary_key=True),
    Column("prices", Text, nullable=False),
    Column("published_at", BigInteger, nullable=False),
)

price_release = Table(
    "price_release",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("released_at", BigInteger, nullable=False),
)

price_acceptance = Table(
    "price_acceptance",
    metadata,
    Column("id", Text, primary_key=True),
    Column("sku", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
)
