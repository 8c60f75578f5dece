"""What is used most here, for everybody to see: models by tokens, apps by tokens, how much caches spare.

Nobody is to be made out in it. Figures have two significant digits, so that nobody can take his own off and hold
what others used. An app is named when `NAMED_FROM` accounts have called with it in that time, since anybody may call
his program what he likes, and a name that one account alone uses is that account; the others are one line, `other`.
A gateway that one account alone has used hides nobody from anybody, and names them all.
"""

import asyncio
from collections.abc import Iterable
from typing import Literal

import msgspec
from sqlalchemy import Connection, text

from kyma.core.ids import DAY_MS, Clock
from kyma.storage.database import Database
from kyma.usage.apps import OTHER

Period = Literal["day", "week", "month"]

DAYS: dict[Period, int] = {"day": 1, "week": 7, "month": 30}
"""Whole UTC days before today, which counts too."""
FRESH_S = 60.0
SHOWN = 50
NAMED_FROM = 3

_READ = "input_tokens + cached_input_tokens + cache_write_tokens + cache_write_1h_tokens"
_SUMS = ", ".join(
    f"cast(sum({what}) as bigint)" for what in (f"{_READ} + output_tokens", "requests", _READ, "cached_input_tokens")
)
_MODELS = text(f"select model, {_SUMS} from traffic_day where start >= :start group by model")
_APPS = text(f"select app, {_SUMS} from traffic_day where start >= :start group by app")
_ACCOUNTS = text("select count(*) from (select distinct account_id from app_account limit 2) as some_accounts")
_NAMED = text(
    "select app from app_account where last_day >= :start and app <> '' group by app having count(*) >= :accounts"
)


class Line(msgspec.Struct, frozen=True):
    """One model or app. `cache_share` is how much of what models read came from a cache, in percent."""

    name: str
    tokens: int
    requests: int
    input_tokens: int
    cached_input_tokens: int

    @property
    def cache_share(self) -> float:
        return round(100 * self.cached_input_tokens / self.input_tokens, 1) if self.input_tokens else 0.0


class Ranking(msgspec.Struct, frozen=True):
    """Lines in falling order, for days from `start` up to `end`."""

    start: int
    end: int
    models: tuple[Line, ...]
    apps: tuple[Line, ...]
    cache: tuple[Line, ...]


class Rankings:
    """Rankings, worked out at most once a minute each."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._kept: dict[Period, tuple[float, Ranking]] = {}
        self._turn = asyncio.Lock()

    async def get(self, period: Period) -> Ranking:
        """The ranking of a period, not older than a minute."""
        async with self._turn:
            kept = self._kept.get(period)
            if kept is not None and self._clock.monotonic() - kept[0] < FRESH_S:
                return kept[1]
            now = self._clock.now_ms()
            start = (now // DAY_MS - DAYS[period]) * DAY_MS
            ranking = await self._database.read(lambda connection: read_ranking(connection, start, now))
            self._kept[period] = self._clock.monotonic(), ranking
            return ranking


def read_ranking(connection: Connection, start: int, end: int) -> Ranking:
    """The rules of this module on the sums since `start`, the beginning of a day."""
    models = [Line(*row) for row in connection.execute(_MODELS, {"start": start})]
    is_one = connection.execute(_ACCOUNTS).scalar_one() < 2
    wanted = {"start": start, "accounts": 1 if is_one else NAMED_FROM}
    named = set(connection.execute(_NAMED, wanted).scalars())
    apps = _folded((Line(*row) for row in connection.execute(_APPS, {"start": start})), named)
    return Ranking(
        start,
        end,
        tuple(_rounded(one) for one in _most_used(models)),
        tuple(_rounded(one) for one in _most_used(apps)),
        tuple(
            _rounded(one)
            for one in sorted(models, key=lambda one: (-one.cache_share, one.name))[:SHOWN]
            if one.cached_input_tokens
        ),
    )


def _folded(lines: Iterable[Line], named: set[str]) -> list[Line]:
    kept: list[Line] = []
    tokens = requests = read = cached = 0
    for one in lines:
        if one.name in named and one.name != OTHER:
            kept.append(one)
        else:
            tokens, requests = tokens + one.tokens, requests + one.requests
            read, cached = read + one.input_tokens, cached + one.cached_input_tokens
    return [*kept, Line(OTHER, tokens, requests, read, cached)] if requests else kept


def _most_used(lines: Iterable[Line]) -> list[Line]:
    used = [one for one in lines if one.tokens]
    return sorted(used, key=lambda one: (one.name == OTHER, -one.tokens, one.name))[:SHOWN]


def _rounded(one: Line) -> Line:
    figures = (one.tokens, one.requests, one.input_tokens, one.cached_input_tokens)
    return Line(one.name, *(int(float(f"{figure:.1e}")) for figure in figures))
