"""Statements on `route_switch`. Every function runs inside the caller's transaction."""

import msgspec
from sqlalchemy import Connection, select, text

from kyma.routing.tables import route_switch


class SwitchRow(msgspec.Struct, frozen=True):
    """A switch as stored, with the user who threw it last."""

    target: str
    is_on: bool
    switched_by: str
    switched_at: int


# `on conflict` is not in SQLAlchemy's common language, and both engines spell it alike.
_PUT = text(
    "insert into route_switch (target, is_on, switched_by, switched_at)"
    " values (:target, :is_on, :switched_by, :switched_at)"
    " on conflict (target) do update set is_on = excluded.is_on, switched_by = excluded.switched_by,"
    " switched_at = excluded.switched_at"
)
_OFF = select(route_switch).where(route_switch.c.is_on.is_(False))


def put_switch(connection: Connection, row: SwitchRow) -> None:
    """Throw a switch; the last word counts."""
    connection.execute(_PUT, msgspec.structs.asdict(row))


def fetch_off(connection: Connection) -> list[SwitchRow]:
    """What is switched off now."""
    return [SwitchRow(*row) for row in connection.execute(_OFF)]
