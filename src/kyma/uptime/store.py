"""Statements on `uptime`, `source_asked` and `probe_budget`. Every function runs inside the caller's transaction.

Replicas write the same rows at the same time, so counts are added, never set, and rows are written in one order.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, func, select, text

from kyma.core.money import Nanos
from kyma.core.tally import Counts, Taken
from kyma.uptime.tables import COUNTS, source_asked, uptime

HOURS_A_DAY = 24

Pair = tuple[str, str]
"""A model and the source of it that is asked."""

# `on conflict` is not in SQLAlchemy's common language, and both engines spell it alike.
_ADD = text(
    f"insert into uptime (hour, model, route, {', '.join(COUNTS)})"
    f" values (:hour, :model, :route, {', '.join(f':{name}' for name in COUNTS)})"
    f" on conflict (hour, model, route) do update set"
    f" {', '.join(f'{name} = uptime.{name} + excluded.{name}' for name in COUNTS)}"
)
_ASKED = text(
    "insert into source_asked (model, route, asked_at) values (:model, :route, :now)"
    " on conflict (model, route) do update set asked_at = excluded.asked_at"
    " where source_asked.asked_at < excluded.asked_at"
)
_CLAIM = text(
    "insert into source_asked (model, route, asked_at) values (:model, :route, :now)"
    " on conflict (model, route) do update set asked_at = excluded.asked_at"
    " where source_asked.asked_at <= :before"
)
_TAKE = text(
    "insert into probe_budget (day, taken) values (:day, :amount)"
    " on conflict (day) do update set taken = probe_budget.taken + excluded.taken"
    " where probe_budget.taken + excluded.taken <= :budget"
)
_CORRECT = text("update probe_budget set taken = taken + :change where day = :day")

_day = (uptime.c.hour - uptime.c.hour % HOURS_A_DAY).label("day")
_SUMS = (
    select(_day, uptime.c.model, uptime.c.route, *(func.sum(uptime.c[name]) for name in COUNTS))
    .group_by(_day, uptime.c.model, uptime.c.route)
)  # fmt: skip


def add(connection: Connection, hour: int, taken: Taken) -> None:
    """Count these too, in the hour."""
    rows = [
        {"hour": hour, "model": model, "route": route} | dict(zip(COUNTS, tally.values(), strict=True))
        for (model, route), tally in sorted(taken.items(), key=lambda item: item[0])
    ]
    if rows:
        connection.execute(_ADD, rows)


def fetch_days(connection: Connection, first_day: int) -> list[tuple[int, Pair, Counts]]:
    """The counts of each day from that one on, by model and source."""
    rows = connection.execute(_SUMS.where(uptime.c.hour >= first_day * HOURS_A_DAY))
    return [(hour // HOURS_A_DAY, (model, route), [*map(int, counts)]) for hour, model, route, *counts in rows]


def forget(connection: Connection, before_hour: int) -> None:
    """Drop the counts of earlier hours."""
    connection.execute(delete(uptime).where(uptime.c.hour < before_hour))


def note_asked(connection: Connection, pairs: Iterable[Pair], now: int) -> None:
    """These sources have been asked, not later than `now`."""
    rows = [{"model": model, "route": route, "now": now} for model, route in sorted(pairs)]
    if rows:
        connection.execute(_ASKED, rows)


def fetch_asked(connection: Connection) -> dict[Pair, int]:
    """When each source was asked last."""
    return {(model, route): asked_at for model, route, asked_at in connection.execute(select(source_asked))}


def claim(connection: Connection, pair: Pair, now: int, before: int) -> bool:
    """Whether the caller is to ask this source now: nobody has since `before`, and of several only one hears yes."""
    model, route = pair
    return connection.execute(_CLAIM, {"model": model, "route": route, "now": now, "before": before}).rowcount == 1


def take_budget(connection: Connection, day: int, amount: Nanos, budget: Nanos) -> bool:
    """Set `amount` aside, unless more than `budget` were taken then on that day."""
    if amount > budget:
        return False
    return connection.execute(_TAKE, {"day": day, "amount": amount, "budget": budget}).rowcount == 1


def correct_budget(connection: Connection, day: int, change: Nanos) -> None:
    """What was set aside came to something else."""
    connection.execute(_CORRECT, {"day": day, "change": change})
