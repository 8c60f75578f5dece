"""Statements on `usage` and `price_book`."""

from collections.abc import Sequence

from sqlalchemy import Connection

from kyma.storage.bulk import NewRows, Row, Value
from kyma.usage.tables import price_book, usage
from kyma.usage.usage import UsageRow

_usage_rows = NewRows(usage, "request_id")
_price_books = NewRows(price_book, "version")


def insert_rows(connection: Connection, rows: Sequence[UsageRow]) -> set[Value]:
    """Write rows; the request ids that were new. A row whose request id is there already changes nothing.

    Call it before the ledger's part of the same transaction: the primary key is what makes a replay a no-op.
    """
    return _usage_rows.insert(connection, [_values(row) for row in rows]) if rows else set()


def put_price_book(connection: Connection, version: str, prices: str, now: int) -> bool:
    """Keep a published price book; False if that version is there already (it is never changed).

    `prices` is JSON: `{model: {"input": picos, "cached_input": …, "cache_write": …, "cache_write_1h": …, "output": …,
    "search": … or null}}`; books of older schemas lack the hour and the search.
    """
    return bool(_price_books.insert(connection, [(version, prices, now)]))


def _values(row: UsageRow) -> Row:
    return (
        row.request_id,
        row.account_id,
        row.user_id,
        row.key_id,
        row.model,
        row.requested_model,
        row.route,
        row.layer,
        row.dialect,
        row.input_tokens,
        row.cached_input_tokens,
        row.cache_write_tokens,
        row.output_tokens,
        row.reasoning_tokens,
        row.price_version,
        row.cost,
        +row.estimated,
        +row.flagged,
        row.status,
        row.http_status,
        +row.is_streaming,
        row.first_token_ms,
        row.duration_ms,
        row.attempts,
        row.created_at,
        row.cache_write_1h_tokens,
        row.searches,
        row.asked_model,
        row.price_share,
        row.app,
    )
