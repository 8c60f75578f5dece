"""What was used: sums by day, hour, model, key, app, exact to the last committed call.

What is summed already comes from the sums, what is not yet from the rows behind the mark, in one snapshot.
"""

from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from kyma.core.ids import DAY_MS, HOUR_MS
from kyma.usage.sums import STATEMENTS, fetch_mark
from kyma.usage.tables import SUMMED

GROUPS: Final = ("day", "hour", "model", "key", "app")
FILTERS: Final = {"model": "model", "key": "key_id", "app": "app", "status": "status"}
"""What can be filtered by, and the column of it."""

MAX_GROUPS = 10_000

_COLUMNS = {"day": f"start - start % {DAY_MS}", "hour": "start", "model": "model", "key": "key_id", "app": "app"}
_COUNTS = ("requests", *SUMMED)
_TOTALS = ", ".join(f"cast(coalesce(sum({name}), 0) as bigint)" for name in _COUNTS)
_READ = ", ".join(("start", "key_id", "model", "app", *_COUNTS))


class Asked(msgspec.Struct, frozen=True):
    """Which usage: of one account or, with None, of all; `start` and `end` are whole hours, whole days for all.

    `group_by` are names of `GROUPS`, `filters` values by names of `FILTERS`; for all accounts neither holds `hour`,
    `key` or `status`, by which there are no sums of all.
    """

    account_id: str | None
    start: int
    end: int
    group_by: tuple[str, ...] = ()
    filters: dict[str, str] = {}


class Used(msgspec.Struct, frozen=True):
    """Sums of one group; `group` has a value for each name of `group_by`, a day or hour as when it begins."""

    group: tuple[str | int, ...]
    requests: int
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    searches: int
    cost: int

    @property
    def total_input(self) -> int:
        """All that models have read."""
        written = self.cache_write_tokens + self.cache_write_1h_tokens
        return self.input_tokens + self.cached_input_tokens + written


def read_usage(connection: Connection, asked: Asked) -> list[Used]:
    """The sums of what was asked for, in the order of the groups; of more than `MAX_GROUPS` one more than that."""
    columns = [_COLUMNS[name] for name in asked.group_by]
    values: dict[str, Any] = {"start": asked.start, "end": asked.end, "after": fetch_mark(connection)}
    values |= {name: value for name, value in asked.filters.items()} | {"account": asked.account_id}
    number = STATEMENTS[connection.dialect.name].number
    parts = [*_summed(asked, values), _unsummed(asked, number)]
    groups = "".join(f"{column}, " for column in columns)
    places = ", ".join(str(place + 1) for place in range(len(columns)))
    ordered = f" group by {places} order by {places} limit {MAX_GROUPS + 1}" if columns else ""
    query = text(f"select {groups}{_TOTALS} from ({' union all '.join(parts)}) as parts{ordered}")
    width = len(columns)
    return [Used(tuple(row[:width]), *row[width:]) for row in connection.execute(query, values)]


def _summed(asked: Asked, values: dict[str, Any]) -> list[str]:
    """Whole days from the sums of days; the hours before and after them, or all where hours are told apart."""
    if asked.account_id is None:
        read = _READ.replace("key_id", "'' as key_id")
        return [f"select {read} from traffic_day where start >= :start and start < :end{_where(asked)}"]
    first, last = -(-asked.start // DAY_MS) * DAY_MS, asked.end // DAY_MS * DAY_MS
    if "hour" in asked.group_by or first >= last:
        return [_looked_up("usage_hour", "start", "end", asked)]
    values |= {"first": first, "last": last}
    return [
        _looked_up("usage_hour", "start", "first", asked),
        _looked_up("usage_day", "first", "last", asked),
        _looked_up("usage_hour", "last", "end", asked),
    ]


def _looked_up(table: str, start: str, end: str, asked: Asked) -> str:
    """The sums of an account in each hour or day from `start` up to `end`, which name values."""
    step = steps(start, end, HOUR_MS if table == "usage_hour" else DAY_MS)
    return f"select {_READ} from ({step}) as steps cross join {table} s where s.start = steps.step{_where(asked)}"


def steps(start: str, end: str, step_ms: int) -> str:
    """A query of the moments from `start` up to `end`, which name values: each a seek, where a scan would meet the
    sums of every account. A cross join with it lets SQLite begin with the moments."""
    return (
        f"with recursive steps (step) as (select cast(:{start} as bigint) where :{start} < :{end}"
        f" union all select step + {step_ms} from steps where step + {step_ms} < :{end}) select step from steps"
    )


def _unsummed(asked: Asked, number: str) -> str:
    read = f"created_at - created_at % {HOUR_MS} as start, key_id, model, app, 1 as requests, {', '.join(SUMMED)}"
    return (
        f"select {read} from usage where {number} > :after and created_at >= :start and created_at < :end"
        f"{_where(asked)}"
    )


def _where(asked: Asked) -> str:
    account = "" if asked.account_id is None else " and account_id = :account"
    return account + "".join(f" and {FILTERS[name]} = :{name}" for name in asked.filters)
