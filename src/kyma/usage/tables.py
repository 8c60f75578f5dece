"""One row for every metered call, written with its charge, the price books that explain the charges, and what is made
of the rows in the background: sums of them, and an index.

Rows and books are append-only, but for rows whose time is up (`usage_retention_days`). `price_release` says which book
came into force when, `price_acceptance` which great moves of a price were meant. Amounts are nano-dollars, times epoch
milliseconds. `usage` has no index but its key: one by account would touch a page for every account in every commit.
`usage_index` has its place, and is filled many rows at a time. It and the sums begin with the time, so that what is
written now lies in a few pages, whoever called; a reader looks in each hour for its account. What is not summed yet is
behind `usage_mark`, by the number that rows have in the order they came: SQLite's rowid, a column `seq` on Postgres.
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text, text

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
    Column("app", Text, nullable=False, server_default=text("''")),
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
    Column("number", BigInteger, primary_key=True, autoincrement=False),
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

SUMMED = (
    *("input_tokens", "cached_input_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    *("output_tokens", "reasoning_tokens", "searches", "cost"),
)
"""Columns of rows that sums are kept of."""

BY_ACCOUNT = ("start", "account_id", "key_id", "model", "app", "status")
BY_MODEL = ("start", "model", "app")
"""What sums are kept by, in the order of the keys; `start` is where the hour or the UTC day begins."""


def _sums(name: str, keys: tuple[str, ...]) -> Table:
    return Table(
        name,
        metadata,
        *(Column(key, BigInteger if key == "start" else Text, primary_key=True, autoincrement=False) for key in keys),
        *(Column(count, BigInteger, nullable=False) for count in ("requests", *SUMMED)),
        sqlite_with_rowid=False,
    )


usage_hour = _sums("usage_hour", BY_ACCOUNT)
usage_day = _sums("usage_day", BY_ACCOUNT)
traffic_day = _sums("traffic_day", BY_MODEL)

app_account = Table(
    "app_account",
    metadata,
    Column("app", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("last_day", BigInteger, nullable=False),  # the last one on which the account called with the app
    sqlite_with_rowid=False,
)

usage_index = Table(
    "usage_index",
    metadata,
    Column("hour", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", Text, primary_key=True),
    Column("created_at", BigInteger, primary_key=True, autoincrement=False),
    Column("request_id", Text, primary_key=True),
    Index("ix_usage_index_created_at", "created_at", "request_id"),
    sqlite_with_rowid=False,
)

usage_mark = Table(
    "usage_mark",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("request_id", Text, nullable=False),  # the last row that is summed and indexed; it is never pruned
    Column("keep_from", BigInteger, nullable=False),  # older rows may be gone
)
