"""The request log with millions of rows on SQLite: how soon a first page is there, of a heavy account and of a sparse
one, from a real process over HTTP.

The rows are the same in every run but for their time: they fill the ninety days up to now. Half of them belong to one
account, two dozen to another, the rest to two thousand more.
"""

import http.client
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

import msgspec
from tests.gateway_process import GatewayFailed, GatewayProcess

from bench.cores import on_the_targets_core
from bench.report import Row, at_most
from bench.target import CannotMeasure
from kyma.core.ids import DAY_MS
from kyma.storage.sqlite import sqlite_engine
from kyma.usage.sums import add_rows, fetch_front

PAGE_MS = 200.0
DAYS = 90
SPARSE_ROWS = 24
SUMMED_AT_ONCE = 50_000
PERIODS = ("day", "week", "month")

PATHS = {
    "/v1/logs": "/v1/logs",
    "/v1/logs, 1,000 rows": "/v1/logs?limit=1000",
    "/v1/logs of a rare model": "/v1/logs?model=model-rare",
    "/v1/usage by day": "/v1/usage",
    "/v1/usage by day, model, key and app": "/v1/usage?group_by=day,model,key,app",
    "/v1/usage by hour": "/v1/usage?group_by=hour",
}

FILL = """
with recursive numbers (n) as (select 0 union all select n + 1 from numbers where n + 1 < :rows),
mixed as (
  select n, (n * 2654435761) & 4294967295 as h, :start + n * :span / :rows as at,
    n % (:rows / :sparse_rows) = 7 as is_sparse from numbers
)
insert into usage (request_id, account_id, user_id, key_id, model, requested_model, route, layer, dialect,
  input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, price_version, cost,
  estimated, flagged, status, http_status, is_streaming, first_token_ms, duration_ms, attempts, created_at, app)
select printf('req_%011x%013x', at, h * 1048583 + n),
  case when is_sparse then :sparse when (h >> 8) % 2 then :heavy else 'acct_' || ((h >> 9) % 2000) end,
  'usr', 'key_' || ((h >> 12) % 3),
  case when n % 99991 = 5 then 'model-rare' else 'model-' || ((h >> 14) % 12) end, 'alias', 'provider/model',
  0, 'openai_chat', 100 + h % 3000, (h >> 5) % 2000, 0, 10 + (h >> 7) % 800, 0, 'none', 1000 + h % 5000000,
  0, 0, case when (h >> 18) % 50 then 'finished' else 'failed' end, 200, 1, 300 + (h >> 3) % 900,
  1000 + (h >> 4) % 9000, 1, at, 'app-' || ((h >> 20) % 6)
from mixed
"""


class Sizes(msgspec.Struct, frozen=True):
    rows: int = 5_000_000
    asks: int = 60


QUICK = Sizes(rows=500_000, asks=20)


def measure_usage(sizes: Sizes) -> list[Row]:
    """Fill, sum up, ask. Raises: CannotMeasure if the gateway does not answer."""
    with tempfile.TemporaryDirectory(prefix="kyma-bench-") as name:
        process = GatewayProcess(Path(name), [], [], env={"KYMA_LIMITS_ENABLED": "false"})
        try:
            with process:
                keys = {"heavy": process.key, "sparse": process.register("sparse@example.com")}
            figures = _fill(process.db_path, sizes)
            with on_the_targets_core(), process:
                return [*_asked(process, keys, sizes), *figures]
        except GatewayFailed as error:
            raise CannotMeasure(str(error)) from error


def _fill(path: Path, sizes: Sizes) -> list[Row]:
    """The rows, and their sums as the gateway's own worker makes them, in larger pieces."""
    started = time.monotonic()
    span = DAYS * DAY_MS
    with closing(sqlite3.connect(path)) as connection:
        accounts = dict(connection.execute("select email = 'sparse@example.com', account_id from app_user"))
        values = {"rows": sizes.rows, "start": int(time.time() * 1000) - span, "span": span}
        values |= {"sparse_rows": SPARSE_ROWS, "heavy": accounts[0], "sparse": accounts[1]}
        connection.execute("pragma synchronous = off")
        connection.execute(FILL, values)
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
    filled, bare = time.monotonic(), path.stat().st_size
    engine = sqlite_engine(path, "normal")
    with engine.connect() as database:
        with database.begin():
            front = fetch_front(database).number
        while True:
            with database.begin():
                if not add_rows(database, front, SUMMED_AT_ONCE):
                    break
        database.connection.cursor().execute("pragma wal_checkpoint(truncate)")
    engine.dispose()
    summed_s = time.monotonic() - filled
    size = path.stat().st_size
    return [
        Row("  rows", f"{sizes.rows:,} over {DAYS} days, filled in {filled - started:.0f} s"),
        Row("  summing and indexing a row", f"{summed_s / sizes.rows * 1e6:.1f} µs, {SUMMED_AT_ONCE:,} at once"),
        Row("  size of the database", f"{size / 1e9:.2f} GB, of which rows {bare / 1e9:.2f} GB"),
    ]


def _asked(process: GatewayProcess, keys: dict[str, str], sizes: Sizes) -> list[Row]:
    rows: list[Row] = []
    _times(process.port, keys["heavy"], "/v1/credits/balance", 3)
    firsts = [_times(process.port, "", f"/v1/rankings?period={period}", 1)[0] for period in PERIODS]
    rows.append(at_most("/v1/rankings, worked out anew", max(firsts), _text(firsts), PAGE_MS, "ms"))
    for label, path in PATHS.items():
        for account, key in keys.items():
            times = _times(process.port, key, path, sizes.asks)
            rows.append(at_most(f"{label}, {account} account", _p95(times), _text(times), PAGE_MS, "ms"))
    times = _times(process.port, keys["heavy"], "/v1/admin/logs", sizes.asks)
    rows.append(at_most("/v1/admin/logs, all accounts", _p95(times), _text(times), PAGE_MS, "ms"))
    return rows


def _times(port: int, key: str, path: str, asks: int) -> list[float]:
    """Milliseconds from request to the last byte, one after the other on one connection."""
    times: list[float] = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        for _ in range(asks):
            started = time.monotonic()
            connection.request("GET", path, headers={"authorization": f"Bearer {key}"} if key else {})
            answer = connection.getresponse()
            body = answer.read()
            times.append((time.monotonic() - started) * 1000)
            if answer.status != 200:
                raise CannotMeasure(f"{path}: {answer.status} {body[:300]!r}")
    return times


def _p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, round(len(times) * 0.95))]


def _text(times: list[float]) -> str:
    return f"p95 {_p95(times):.1f} ms (p50 {statistics.median(times):.1f})"
